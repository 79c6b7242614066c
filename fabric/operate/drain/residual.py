"""The order that planners take who look at capacity alone: windows that leave the most of it everywhere.

What is left is measured per switch and tier of its links, and the least share counts; the jobs are not looked at. It is
the maximal residual capacity that Alipourfard et al. compare with ("Risk based Planning of Network Changes in Evolving
Data Centers", SOSP 2019, section 2.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.operate.drain.partition import Rules
from fabric.operate.drain.work import Work
from topologies.columns import Floats, Longs
from topologies.topology import Topology

_WHOLE = 1 - 1e-9  # a work's own switch: all its links are gone


def by_residual_capacity(
    works: Sequence[Work], topologies: dict[str, Topology], rules: Rules, windows: int
) -> list[int]:
    """A division into so many windows at most that spreads what is lost of every switch's links evenly.

    Raises
    ------
    ValueError
        Where the windows do not hold all works.
    """
    losses = [_losses(work, topologies) for work in works]
    count = max((int(groups.max(initial=-1)) + 1 for groups, _ in losses), default=0)
    left, division, order = np.zeros((windows, count)), [0] * windows, rules.in_order()
    if not any(rules.before):
        order.sort(key=lambda place: -float(losses[place][1].sum()))
    behind = rules.behind
    for place in order:
        groups, lost = losses[place]
        open_now = rules.open_windows(division, place, behind[place])
        after = left[open_now][:, groups] + lost
        worst = [
            (round(max(float(after[at].max(initial=0.0)), float(left[n].max(initial=0.0))), 9),
             round(float((after[at] ** 2).sum() - (left[n, groups] ** 2).sum()), 9), division[n].bit_count())
            for at, n in enumerate(open_now)
        ]  # fmt: skip
        chosen = open_now[min(range(len(open_now)), key=worst.__getitem__)]
        left[chosen, groups] += lost
        division[chosen] |= 1 << place
    return [each for each in division if each]


def _losses(work: Work, topologies: dict[str, Topology]) -> tuple[Longs, Floats]:
    """Switches and tiers (numbered over all fabrics) of which a work takes a part, and which part."""
    groups, parts, first = [], [], 0
    for name, topology in topologies.items():
        tiers = len(topology.tiers)
        rows = work.part.links.get(name)
        if rows is not None and len(rows):
            links = topology.links
            own = links.src[rows].astype(np.int64) * tiers + links.tier[rows]
            some, which = np.unique(own, return_inverse=True)
            gone = np.bincount(which, weights=links.capacity_gbps[rows])
            every = links.src.astype(np.int64) * tiers + links.tier
            place = np.searchsorted(some, every)
            place[place == len(some)] = 0
            mine = (some[place] == every) & topology.up
            whole = np.bincount(place[mine], weights=links.capacity_gbps[mine], minlength=len(some))
            share = gone / whole
            others = share < _WHOLE
            groups.append(first + some[others])
            parts.append(share[others])
        first += len(topology.nodes) * tiers
    if not groups:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return np.concatenate(groups), np.concatenate(parts)
