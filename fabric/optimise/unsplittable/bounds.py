"""What no placement of whole flows can beat: cuts, counted in flows.

Let m flows of at least g Gbps leave a set of nodes over links of capacity c_1, c_2, ... At utilisation θ link i holds
⌊θ c_i / g⌋ of them, so Σ ⌊θ c_i / g⌋ ≥ m: with u equal links, θ ≥ ⌈m / u⌉ g / c. Where all sizes are multiples of one,
every flow counts as that many units and θ ≥ ⌈units / u⌉ g / c. Splitting routings need not obey either.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from fabric.optimise.cuts import partitions
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import RoutingGraph
from fabric.routing.router import Certificate
from topologies.columns import Bools, Floats, Ints
from topologies.units import format_gbps, percent

_WHOLE = 1e-9  # relative; sizes this close to a multiple are one
_MOST_UNITS = 1_000_000
_MOST_SIZES = 16  # thresholds of size tried per set


@dataclass(frozen=True)
class _Cut:
    """The best cut so far, in flows."""

    bound: float
    words: str


def counted_cut(graph: RoutingGraph, flows: FlowTable, reached: Bools) -> Certificate:
    """The tightest of the structural cuts when flows cannot be split, in words."""
    best = _Cut(0.0, "no flow crosses the fabric")
    src, dst, gbps = flows.src[reached], flows.dst[reached], flows.gbps[reached]
    for part in partitions(graph):
        label = part.label
        source, sink = label[src], label[dst]
        tail, head = label[graph.src], label[graph.dst]
        for way, own_flow, own_link in (("out of", source, tail), ("into", sink, head)):
            crossing = np.flatnonzero((source != sink) & (own_flow >= 0))
            boundary = np.flatnonzero((tail != head) & (own_link >= 0))
            links = _Groups(own_link[boundary], graph.capacity_gbps[boundary])
            sizes = _Groups(own_flow[crossing], gbps[crossing])
            for number in sizes.present.tolist():
                capacity = links.of(number)
                if not len(capacity):
                    continue
                bound, count, size = counted_bound(sizes.of(number), capacity)
                if bound > best.bound * (1 + _WHOLE):
                    best = _Cut(bound, _words(way, part.name_of(number), len(capacity), count, size, bound))
    return Certificate(best.bound, best.words)


def _words(way: str, name: str, links: int, count: int, size: float, bound: float) -> str:
    return (
        f"{count:,} unsplittable flow{'s' if count > 1 else ''} of at least {format_gbps(size)} over the {links} live "
        f"link{'s' if links > 1 else ''} {way} {name} fill one to at least {percent(bound)}"
    )


class _Groups:
    """Values by label, each label's sorted from the largest."""

    def __init__(self, label: Ints, value: Floats) -> None:
        order = np.lexsort((-value, label))
        self._value = value[order]
        self.present, first = np.unique(label[order], return_index=True)
        self._first = np.append(first, len(order))

    def of(self, number: int) -> Floats:
        """Values of one label."""
        at = int(np.searchsorted(self.present, number))
        if at == len(self.present) or self.present[at] != number:
            return np.empty(0)
        return np.asarray(self._value[self._first[at] : self._first[at + 1]])


def counted_bound(sizes_gbps: Floats, capacity_gbps: Floats) -> tuple[float, int, float]:
    """Least utilisation of the fullest link when whole flows cross a set of links.

    Parameters
    ----------
    sizes_gbps : ndarray, shape (n,)
        Flows that must cross, largest first.
    capacity_gbps : ndarray, shape (u,)
        Links they may cross, largest first.

    Returns
    -------
    tuple
        The bound, how many flows it counts, and the size they have at least, Gbps.

    Examples
    --------
    Eight flows of 50 over seven links of 100: one link has two.

    >>> counted_bound(np.full(8, 50.0), np.full(7, 100.0))
    (1.0, 8, 50.0)
    """
    ends = np.flatnonzero(np.append(sizes_gbps[:-1] != sizes_gbps[1:], True))
    if len(ends) > _MOST_SIZES:
        ends = ends[np.linspace(0, len(ends) - 1, _MOST_SIZES).astype(np.int64)]
    best = (0.0, 0, 0.0)
    for last in ends.tolist():
        size = float(sizes_gbps[last])
        bound = _least_utilisation(last + 1, size, capacity_gbps)
        if bound > best[0]:
            best = (bound, last + 1, size)
    unit = float(sizes_gbps[-1])
    units = sizes_gbps / unit
    whole = np.round(units)
    if units.sum() <= _MOST_UNITS and (np.abs(units - whole) <= _WHOLE * units).all():
        bound = _least_utilisation(int(whole.sum()), unit, capacity_gbps)
        if bound > best[0]:
            best = (bound, len(sizes_gbps), unit)
    return best


def _least_utilisation(count: int, size: float, capacity_gbps: Floats) -> float:
    """Least θ with Σ ⌊θ c / size⌋ ≥ count."""
    links = len(capacity_gbps)
    if capacity_gbps[0] == capacity_gbps[-1]:
        return float(-(-count // links) * size / capacity_gbps[0])
    # At θ = count x size / Σ c the links hold at most ``count`` flows and lack fewer than there are links.
    start = count * size / float(capacity_gbps.sum())
    held = np.floor(start * capacity_gbps / size * (1 + 1e-12))
    theta = start
    upcoming = list(zip(((held + 1) * size / capacity_gbps).tolist(), range(links), strict=True))
    heapq.heapify(upcoming)
    for _ in range(count - int(held.sum())):
        theta, link = upcoming[0]
        held[link] += 1
        heapq.heapreplace(upcoming, (float((held[link] + 1) * size / capacity_gbps[link]), link))
    return theta
