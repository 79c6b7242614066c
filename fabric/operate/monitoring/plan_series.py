"""What the plan says as series: constants of recording rules, with the labels of the ports that measure them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fabric.operate.forecast import LinkForecast, uplinks
from fabric.operate.monitoring.link_labels import MeasuredLinks
from fabric.operate.monitoring.rule_text import Rule, number
from fabric.operate.monitoring.thresholds import Thresholds

BYTES = 1e9 / 8  # per second, of a Gbps


@dataclass(frozen=True, eq=False)
class MonitoredFabric:
    """A fabric with what it should carry, what is too much, and who measures it."""

    plan: LinkForecast
    limits: Thresholds
    measured: MeasuredLinks

    @property
    def name(self) -> str:
        """Of the fabric."""
        return self.plan.fabric


def constant(name: str, value: float, labels: Mapping[str, str]) -> Rule:
    """A recording rule of a number."""
    return Rule(name, f"vector({number(value)})", labels)


def link_series(fabric: MonitoredFabric) -> Iterator[Rule]:
    """Of every measured link: capacity, predicted mean, limits."""
    plan, limits = fabric.plan, fabric.limits
    capacity = plan.topology.links.capacity_gbps
    for link in fabric.measured.links:
        labels = fabric.measured.labels(link)
        yield constant("fabric_link_capacity_bytes_per_second", capacity[link] * BYTES, labels)
        yield constant("fabric_link_predicted_bytes_per_second", plan.mean_gbps[link] * BYTES, labels)
        name = {key: labels[key] for key in ("fabric", "link")}
        if not np.isnan(limits.link_gbps[link]):
            yield constant("fabric_link_limit_bytes_per_second", limits.link_gbps[link] * BYTES, name)
        if not np.isnan(limits.unplanned_gbps[link]):
            yield constant("fabric_link_unplanned_limit_bytes_per_second", limits.unplanned_gbps[link] * BYTES, name)


def needed_series(fabric: MonitoredFabric) -> Iterator[Rule]:
    """Ports that receive what a job's step waits for, with the jobs."""
    plan = fabric.plan
    carried = {job: plan.job_gbps(job) > 0 for job in plan.jobs}
    for link in fabric.measured.links:
        end = fabric.measured.received.get(link)
        if end is None or not plan.needed[link]:
            continue
        jobs = ",".join(job for job, links in carried.items() if links[link])
        labels = {"fabric": fabric.name, "link": plan.topology.link_name(link), "jobs": jobs}
        yield constant("fabric_link_needed", 1, labels | {"instance": end.instance, "port": end.port})


def switch_series(fabric: MonitoredFabric) -> Iterator[Rule]:
    """Limits of switches: least share of what their tier gets, and most skew of their links up."""
    names = fabric.plan.topology.nodes.name
    for metric, limits in (
        ("fabric_switch_least_share", fabric.limits.least_share),
        ("fabric_switch_skew_limit", fabric.limits.skew),
    ):
        for node, value in limits.items():
            yield constant(metric, value, {"fabric": fabric.name, "switch": names[node]})


def job_series(fabric: MonitoredFabric) -> Iterator[Rule]:
    """What jobs and their phases send, and their shares of the links out of their hosts."""
    plan, net = fabric.plan, fabric.plan.topology
    out = ~net.is_switch[net.links.src] & (plan.mean_gbps > 0)
    for job in plan.jobs:
        mine = plan.job_gbps(job)
        total = float(mine[out].sum())
        if total <= 0:
            continue
        base = {"fabric": fabric.name, "job": job}
        yield constant("fabric_job_predicted_bytes_per_second", total * BYTES, base)
        for at, part in enumerate(plan.parts):
            if part.job == job:
                share = float(plan.part_gbps[at][out].sum()) / total
                yield constant("fabric_phase_share", share, base | {"phase": part.phase})
        for link in fabric.measured.links:
            if out[link] and mine[link] > 0:
                share = min(float(mine[link] / plan.part_gbps[:, link].sum()), 1.0)
                yield constant("fabric_job_link_share", share, base | {"link": net.link_name(link)})


PLAN_SERIES = (link_series, needed_series, switch_series, job_series)


def watched_links(fabric: MonitoredFabric) -> list[int]:
    """Measured links that lead up between switches."""
    chosen = uplinks(fabric.plan.topology)
    return [link for link in fabric.measured.links if chosen[link]]
