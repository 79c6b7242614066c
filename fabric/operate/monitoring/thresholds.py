"""From what links should carry to what sets off an alert: limits that the plan's own bands never reach.

A limit is the far end of a band, plus a tolerance for counters, headers and steps that a window cuts, plus a floor for
what switches say to each other. Where a link could not carry that much, no limit is written: it could never be passed,
and an alert that cannot fire is no watch. How many there are is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fabric.operate.forecast import LinkForecast, uplinks
from topologies.columns import Floats

FLOOR = 0.001  # of capacity: routing protocols, telemetry and keep-alives
IDLE = 0.5  # of its share: what an idle switch has at most
_LEAST_SHARE = 0.02  # below it noise decides


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Limits of a fabric.

    Attributes
    ----------
    link_gbps : ndarray, shape (L,)
        Above which a link that the plan uses is beyond its band; nan where nothing can be.
    unplanned_gbps : ndarray, shape (L,)
        Above which a link is used that should not be; nan on links that are.
    least_share : mapping
        Switch -> part of its share of what its tier gets, below which it is idle.
    skew : mapping
        Switch -> fullest of its links up over their mean, above which no hash explains it.
    """

    tolerance: float
    link_gbps: Floats
    unplanned_gbps: Floats
    least_share: Mapping[int, float]
    skew: Mapping[int, float]
    notes: tuple[str, ...]


def thresholds(plan: LinkForecast, *, tolerance: float) -> Thresholds:
    """Limits of one fabric; ``tolerance`` is relative."""
    capacity, net = plan.topology.links.capacity_gbps, plan.topology
    limit = plan.high_gbps * (1 + tolerance) + FLOOR * capacity
    watched = plan.possible & (limit < net.capacity_gbps)
    unplanned = np.where(plan.possible, np.nan, FLOOR * capacity)
    least, blind_switches = _least_shares(plan, tolerance)
    skew, blind_groups = _skew_limits(plan, tolerance)
    notes = []
    blind = int((plan.possible & ~watched).sum())
    if blind:
        notes.append(
            f"{blind:,} of {int(plan.possible.sum()):,} links of {plan.fabric} may be full in the plan or by what a "
            "hash may do: no alert can say that they carry too much"
        )
    if blind_switches:
        notes.append(
            f"{blind_switches:,} switches of {plan.fabric} get so few flows that a hash may leave them idle: no alert"
        )
    if blind_groups:
        notes.append(
            f"{blind_groups:,} switches of {plan.fabric} have so few flows up that a hash may put as much on one link "
            "as it can carry: no alert of skew"
        )
    return Thresholds(tolerance, np.where(watched, limit, np.nan), unplanned, least, skew, tuple(notes))


def _least_shares(plan: LinkForecast, tolerance: float) -> tuple[dict[int, float], int]:
    """By switch that others send up to; and how many such switches have no limit."""
    net, chosen = plan.topology, uplinks(plan.topology)
    total = np.bincount(net.links.dst[chosen], plan.mean_gbps[chosen], len(net.nodes))
    found: dict[int, float] = {}
    blind = 0
    for node in np.flatnonzero(total > 0).tolist():
        least = min(IDLE, float(plan.arriving_low_gbps[node] / total[node]) * (1 - tolerance))
        if least >= _LEAST_SHARE:
            found[node] = least
        else:
            blind += 1
    return found, blind


def _skew_limits(plan: LinkForecast, tolerance: float) -> tuple[dict[int, float], int]:
    """By switch with several links up; and how many such switches have no limit."""
    net, chosen = plan.topology, np.flatnonzero(uplinks(plan.topology))
    nodes = len(net.nodes)
    src = net.links.src[chosen]
    count = np.bincount(src, minlength=nodes)
    total = np.bincount(src, plan.mean_gbps[chosen], nodes)
    widest, room = np.zeros(nodes), np.zeros(nodes)
    np.maximum.at(widest, src, plan.widest_gbps[chosen])
    np.maximum.at(room, src, net.capacity_gbps[chosen])
    found: dict[int, float] = {}
    blind = 0
    for node in np.flatnonzero((count > 1) & (total > 0)).tolist():
        least = min(plan.leaving_low_gbps[node], total[node])
        limit = widest[node] * count[node] / least * (1 + tolerance) if least > 0 else np.inf
        if limit < min(count[node], room[node] * count[node] / total[node]):
            found[node] = float(limit)
        else:
            blind += 1
    return found, blind
