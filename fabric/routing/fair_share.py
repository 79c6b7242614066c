"""Max-min fair rates of flows on fixed paths: what long-lived transport flows settle at.

Model: every flow follows one path and wants at most what it offers; the links it crosses share their capacity such that
no flow can get more without taking from one that has no more than it (Bertsekas and Gallager, Data Networks, section
6.5.2). Congestion control is taken as ideal and each flow counts once, whatever it offers; queues, pauses and their
spreading are left out. Progressive filling finds the rates: all flows grow alike until a flow has what it offers, or a
link is full and holds the flows on it.

Only links that would be overloaded can hold a flow, so the others are left out from the start. The level at which a
link fills never falls while flows are held below it, which is why a heap may keep outdated levels and correct them when
they surface.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled
from topologies.columns import Floats, Ints, Longs

_FULL = 1 + 1e-12  # a load this much above capacity is a full link with rounding, not an overloaded one


@compiled
def add_loads(start: Longs, link: Ints, offered: Floats, load: Floats) -> None:
    """Add what flows offer to the ``load`` of the links they cross."""
    for flow in range(len(offered)):
        for slot in range(start[flow], start[flow + 1]):
            if link[slot] >= 0:
                load[link[slot]] += offered[flow]


@compiled
def _rows(number: Ints, start: Longs, link: Ints, count: NDArray[np.int64]) -> tuple[Longs, Ints]:
    """Flows on every numbered link: those of k are ``flow[first[k]:first[k + 1]]``; fills ``count``."""
    flows = len(start) - 1
    for slot in range(start[0], start[flows]):
        if link[slot] >= 0 and number[link[slot]] >= 0:
            count[number[link[slot]]] += 1
    first = np.zeros(len(count) + 1, dtype=np.int64)
    for row in range(len(count)):  # one by one: numba takes seconds to compile what checks the shapes of slices
        first[row + 1] = first[row] + count[row]
    at = first[:-1].copy()
    flow_of = np.empty(first[-1], dtype=np.int32)
    for flow in range(flows):
        for slot in range(start[flow], start[flow + 1]):
            if link[slot] >= 0 and number[link[slot]] >= 0:
                row = number[link[slot]]
                flow_of[at[row]] = flow
                at[row] += 1
    return first, flow_of


@compiled
def _hold(
    flow: int, gbps: float, number: Ints, start: Longs, link: Ints, left: Floats, count: Longs, rate: Floats
) -> None:
    """Fix a flow's rate and take it off its links."""
    rate[flow] = gbps
    for slot in range(start[flow], start[flow + 1]):
        if link[slot] >= 0 and number[link[slot]] >= 0:
            left[number[link[slot]]] -= gbps
            count[number[link[slot]]] -= 1


@compiled
def _overloaded(capacity: Floats, load: Floats) -> tuple[Ints, Floats]:
    """Numbers of the links that can hold a flow, -1 for the others, and their capacities."""
    number = np.full(len(capacity), -1, dtype=np.int32)
    links = 0
    left = np.empty(len(capacity))
    for row in range(len(capacity)):
        if load[row] > capacity[row] * _FULL:
            number[row] = links
            left[links] = capacity[row]
            links += 1
    return number, left[:links]


@compiled
def fill(
    start: Longs,
    link: Ints,
    offered: Floats,
    order: Longs,
    capacity: Floats,
    load: Floats,
    rate: Floats,
    worst_only: bool,
) -> float:
    """Progressive filling into ``rate``; returns the least rate relative to what its flow offers.

    Parameters
    ----------
    order : ndarray, shape (F,)
        Flows by what they offer, least first.
    load : ndarray, shape (L,)
        What all flows offer to every link.
    worst_only : bool
        Stop when no flow can be worse off than the worst so far; the other rates are then not final.
    """
    worst = 1.0
    number, left = _overloaded(capacity, load)
    for flow in range(len(offered)):
        rate[flow] = offered[flow]
    if len(left) == 0:
        return worst
    count = np.zeros(len(left), dtype=np.int64)
    first, flow_of = _rows(number, start, link, count)
    free = np.zeros(len(offered), dtype=np.bool_)
    free[flow_of] = True
    waiting = free.sum()
    heap = [(left[row] / count[row], row) for row in range(len(left))]
    heapq.heapify(heap)
    at = 0
    most = offered[order[-1]]
    while waiting > 0:
        level, row = _next_full(heap, left, count)
        while at < len(order) and not free[order[at]]:
            at += 1
        if offered[order[at]] <= level:
            free[order[at]] = False
            _hold(order[at], offered[order[at]], number, start, link, left, count, rate)
            waiting -= 1
            continue
        waiting -= count[row]
        for slot in range(first[row], first[row + 1]):
            flow = flow_of[slot]
            if free[flow]:
                free[flow] = False
                worst = min(worst, level / offered[flow])
                _hold(flow, level, number, start, link, left, count, rate)
        if worst_only and worst * most <= level:
            break
    return worst


@compiled
def _next_full(heap: list[tuple[float, int]], left: Floats, count: Longs) -> tuple[float, int]:
    """The level at which the next link is full, and that link, which stays on the heap."""
    while True:
        level, row = heap[0]
        if count[row] == 0:
            heapq.heappop(heap)
            continue
        now = max(left[row], 0.0) / count[row]
        if now <= level:
            return level, row
        heapq.heapreplace(heap, (now, row))


@compiled
def share_slice(
    first: int,
    last: int,
    start: Longs,
    paths: Ints,
    offered: Floats,
    order: Longs,
    capacity: Floats,
    peak: Floats,
    worst: Floats,
    mean: Floats,
) -> None:
    """Highest utilisation, worst and mean relative rate of replicas ``first`` to ``last``, a row of ``paths`` each."""
    rate = np.empty(len(offered))
    load = np.empty(len(capacity))
    for replica in range(first, last):
        load[:] = 0.0
        add_loads(start, paths[replica], offered, load)
        peak[replica] = 0.0
        for row in range(len(capacity)):
            if load[row] > peak[replica] * capacity[row]:
                peak[replica] = load[row] / capacity[row]
        worst[replica] = fill(start, paths[replica], offered, order, capacity, load, rate, False)
        total = 0.0
        for flow in range(len(offered)):
            total += rate[flow] / offered[flow]
        mean[replica] = total / len(offered)
