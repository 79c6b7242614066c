"""Which change of the plan comes closer to what was measured: each is worked out again as the plan was, and compared.

Fit is the part of the squared difference that a change takes away, over all links that were measured. Where flows are
hashed only what lies outside the band differs. A change stands for one cause at a time. Rates that no link can carry
are no traffic: they are an explanation of their own, and left out of all others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from fabric.operate.forecast import LinkForecast
from fabric.operate.load_check.demand_causes import demand_causes
from fabric.operate.load_check.hardware_causes import down_causes, slow_causes
from fabric.operate.load_check.plan_change import Again, Case, PlanChange, difference
from fabric.operate.load_check.result import FLOOR, Explanation, MeasuredRates, above_line, above_line_words
from fabric.pipeline.run import Run
from fabric.routing.names import router_names
from fabric.routing.router import traits_of
from topologies.columns import Bools

LEAST_FIT = 0.3
MOST = 6  # explanations that are listed


def explain(plan: LinkForecast, rates: MeasuredRates, run: Run, change: Again) -> tuple[Explanation, ...]:
    """What explains a measurement that is not the plan's, best first; none where nothing is off."""
    beyond = above_line(plan, rates)
    case = Case(plan, replace(rates, gbps=np.where(beyond, np.nan, rates.gbps)), run, change)
    found = [*_impossible(case, rates, beyond)]
    if difference(plan, case.rates) > 0:
        found += [
            *demand_causes(case), *down_causes(case), *slow_causes(case), *_routers(case), *_placed(case),
        ]  # fmt: skip
    # the same to a thousandth is the same: causes of one fit stay in the order above
    good = sorted((one for one in found if one.fit >= LEAST_FIT), key=lambda one: -round(one.fit, 3))
    return tuple(good[:MOST])


def _impossible(case: Case, rates: MeasuredRates, beyond: Bools) -> Iterator[Explanation]:
    """Rates above line rate: counters, names or speeds are wrong."""
    if beyond.any():
        words = above_line_words(case.plan, rates)
        left = difference(case.plan, case.rates) / difference(case.plan, rates)
        yield Explanation("measurement", words, 1 - left)


def _routers(case: Case) -> Iterator[Explanation]:
    """Other routers than the one that is modelled."""
    for router in router_names():
        if router == case.plan.router or traits_of(router).takes_objective:
            continue  # what a solver would choose is no switch's own choice
        other = case.change(PlanChange(router=router))
        if other is not None:
            words = f"switches route as {router}, not as {case.plan.router}"
            words += ": within what a hash allows" if other.hashed else ""
            yield Explanation("router", words, case.fit(other), f"--router {router}")


def _placed(case: Case) -> Iterator[Explanation]:
    """A job in another order on its hosts, or on the hosts that are seen to send."""
    for workload in case.run.loaded.scenario.workloads:
        placement = getattr(workload.spec, "placement", None)
        if workload.id not in case.plan.jobs or placement is None:
            continue
        key = f"workloads.{workload.id}.placement"
        group = _group(placement)
        part = f"group: {group}, " if group else ""
        for order in ("packed", "scattered, seed: 1", "scattered, seed: 2", "rail-aligned"):
            value = f"{{{part}order: {order}}}"
            other = case.change(PlanChange(sets=(f"{key}={value}",)))
            if other is not None:
                words = f"{workload.id} is placed {order.replace(', seed:', ' with seed')}"
                yield Explanation("placement", words, case.fit(other), f"--set '{key}={value}'")
        yield from _elsewhere(case, workload.id, key, part)


def _group(placement: object) -> str | None:
    found = placement.get("group") if isinstance(placement, dict) else getattr(placement, "group", None)
    return found if isinstance(found, str) else None


def _elsewhere(case: Case, job: str, key: str, part: str) -> Iterator[Explanation]:
    """On the hosts that send, where those are others than the job's."""
    plan, rates, net = case.plan, case.rates, case.plan.topology
    out = ~net.is_switch[net.links.src] & rates.known
    floor = np.maximum(FLOOR * net.links.capacity_gbps, 0.02 * float(plan.mean_gbps.max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        sending = _hosts(plan, out & (rates.gbps > floor))
    planned = _hosts(plan, out & (plan.job_gbps(job) > 0))
    gone, new = [host for host in planned if host not in sending], [host for host in sending if host not in planned]
    others = _hosts(plan, out & (plan.mean_gbps - plan.job_gbps(job) > floor))
    mine = [host for host in sending if host not in others or host in planned]
    if not new or not gone or len(mine) < len(planned):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hosts.txt"
        path.write_text("\n".join(mine[: len(planned)]) + "\n", encoding="utf-8")
        other = case.change(PlanChange(sets=(f"{key}={{{part}order: file, path: {path}}}",)))
    if other is not None:
        words = f"{job} runs on {_some(new)}, not on {_some(gone)}"
        yield Explanation("placement", words, case.fit(other))


def _hosts(plan: LinkForecast, links: Bools) -> list[str]:
    """Hosts that such links leave, in the order of the plan."""
    names = plan.topology.nodes.name
    nodes = dict.fromkeys(plan.topology.links.src[np.flatnonzero(links)].tolist())
    return list(dict.fromkeys(names[node].partition(".nic")[0] for node in sorted(nodes)))


def _some(hosts: list[str]) -> str:
    return ", ".join(hosts[:4]) + (f" and {len(hosts) - 4:,} more" if len(hosts) > 4 else "")
