"""Faults to test the alerts with, of each kind that the plan's limits can tell from health; of links one a tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fabric.operate.monitoring import alerts
from fabric.operate.monitoring.counters import State
from fabric.operate.monitoring.plan_series import MonitoredFabric, watched_links


@dataclass(frozen=True)
class Fault:
    """A state of the fabric, and the alert that it must set off."""

    words: str
    alert: str
    labels: dict[str, str]  # that single the alert out
    state: State
    also: tuple[dict[str, str], ...] = ()  # of the same alert, set off by the same state


def faults(fabric: MonitoredFabric) -> Iterator[Fault]:
    """All kinds that can be told on this fabric."""
    yield from _too_much(fabric)
    yield from _unplanned(fabric)
    yield from _idle(fabric)
    yield from _skewed(fabric)
    yield from _down(fabric)
    yield from _part_down(fabric)
    yield from _failing(fabric)
    links = fabric.measured.links
    if len(links) > 2:
        most = frozenset(links[: int(0.6 * len(links)) + 1])
        yield Fault("most links are not seen", alerts.UNKNOWN, {"fabric": fabric.name}, State(silent=most))


def _name(fabric: MonitoredFabric, link: int) -> dict[str, str]:
    return {"fabric": fabric.name, "link": fabric.plan.topology.link_name(link)}


def _too_much(fabric: MonitoredFabric) -> Iterator[Fault]:
    limits, capacity = fabric.limits.link_gbps, fabric.plan.topology.capacity_gbps
    limited = [link for link in fabric.measured.links if limits[link] < 0.97 * capacity[link]]  # nan: no limit
    for link in _one_a_tier(fabric, limited):
        words = f"{fabric.plan.topology.link_name(link)} carries too much"
        state = State(gbps={link: min(1.1 * limits[link], float(capacity[link]))})
        yield Fault(words, alerts.ABOVE, _name(fabric, link), state)


def _unplanned(fabric: MonitoredFabric) -> Iterator[Fault]:
    net, limits = fabric.plan.topology, fabric.limits.unplanned_gbps
    for link in fabric.measured.links:
        if not np.isnan(limits[link]):
            state = State(gbps={link: 0.1 * float(net.links.capacity_gbps[link])})
            yield Fault(f"{net.link_name(link)} is used", alerts.UNPLANNED, _name(fabric, link), state)
            return


def _idle(fabric: MonitoredFabric) -> Iterator[Fault]:
    """A switch that gets nothing, where others of its tier still do."""
    net, chosen = fabric.plan.topology, watched_links(fabric)
    getting = {int(net.links.dst[link]) for link in chosen if fabric.plan.mean_gbps[link] > 0}
    watched = sorted(getting & set(fabric.limits.least_share))
    if not watched or len(getting) < 2:
        return
    node = watched[0]
    none = {link: 0.0 for link in fabric.measured.links if node in (net.links.src[link], net.links.dst[link])}
    name = net.nodes.name[node]
    yield Fault(f"{name} gets nothing", alerts.IDLE, {"fabric": fabric.name, "switch": name}, State(gbps=none))


def _skewed(fabric: MonitoredFabric) -> Iterator[Fault]:
    """A switch that sends as much as fits over one link, and the rest over the others."""
    net, limits = fabric.plan.topology, fabric.limits.skew
    for node, limit in limits.items():
        mine = [link for link in watched_links(fabric) if net.links.src[link] == node]
        total = sum(float(fabric.plan.mean_gbps[link]) for link in mine)
        if len(mine) < 2:
            continue
        first = min(total, float(net.capacity_gbps[mine[0]]))
        if first * len(mine) / total < 1.02 * limit:
            continue
        rest = (total - first) / (len(mine) - 1)
        rates = {link: first if link == mine[0] else rest for link in mine}
        name = net.nodes.name[node]
        labels = {"fabric": fabric.name, "switch": name}
        yield Fault(f"{name} sends all it can over one link", alerts.SKEW, labels, State(gbps=rates))
        return


def _needed(fabric: MonitoredFabric) -> Iterator[int]:
    return (link for link in fabric.measured.links if fabric.plan.needed[link] and link in fabric.measured.received)


def _one_a_tier(fabric: MonitoredFabric, links: Iterable[int]) -> list[int]:
    """The first of these links in each tier."""
    tier = fabric.plan.topology.links.tier
    first: dict[int, int] = {}
    for link in links:
        first.setdefault(int(tier[link]), link)
    return list(first.values())


def _both(fabric: MonitoredFabric, links: list[int]) -> frozenset[int]:
    """Both directions of cables."""
    reverse = fabric.plan.topology.links.reverse
    return frozenset([*links, *(int(reverse[link]) for link in links if reverse[link] >= 0)])


def _down(fabric: MonitoredFabric) -> Iterator[Fault]:
    needed = list(_needed(fabric))
    for link in _one_a_tier(fabric, needed):
        words, down = f"{fabric.plan.topology.link_name(link)} is down", _both(fabric, [link])
        back = tuple(_name(fabric, other) for other in needed if other in down - {link})
        yield Fault(words, alerts.LINK_DOWN, _name(fabric, link), State(down=down), back)


def _part_down(fabric: MonitoredFabric) -> Iterator[Fault]:
    """The first plane and the first rail."""
    for part, alert in (("plane", alerts.PLANE_DOWN), ("rail", alerts.RAIL_DOWN)):
        of_link = {link: fabric.measured.labels(link).get(part) for link in fabric.measured.links}
        value = next((value for value in of_link.values() if value is not None), None)
        if value is None:
            continue
        state = State(down=_both(fabric, [link for link, own in of_link.items() if own == value]))
        yield Fault(f"{part} {value} is down", alert, {"fabric": fabric.name, part: value}, state)


def _failing(fabric: MonitoredFabric) -> Iterator[Fault]:
    for link in _one_a_tier(fabric, _needed(fabric)):
        words = f"errors on {fabric.plan.topology.link_name(link)}"
        yield Fault(words, alerts.ERRORS, _name(fabric, link), State(errors=frozenset([link])))
