"""Compiled loops shared by the routers: shortest paths to a destination, and load propagation.

Every function works on a slice of destinations and writes into its own load array; ``parallel_loads`` cuts the
destinations into a fixed number of slices, runs them on threads (the loops release the GIL) and adds the slices in
order, so that results do not depend on the number of threads.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, Inward, SplitColumns
from topologies.columns import Bools, Floats, Ints, Longs

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

SLICES = 8
NEAR = 1e-12  # relative; two path lengths closer than this are equal


@compiled
def hop_order(dest: int, into_start: Ints, tail: Ints, distance: Floats, order: Longs) -> int:
    """Breadth-first distances to ``dest`` when all weights are equal; returns how many nodes reach it."""
    distance[:] = np.inf
    distance[dest] = 0.0
    order[0] = dest
    reached = 1
    head = 0
    while head < reached:
        node = order[head]
        head += 1
        for slot in range(into_start[node], into_start[node + 1]):
            if distance[tail[slot]] == np.inf:
                distance[tail[slot]] = distance[node] + 1.0
                order[reached] = tail[slot]
                reached += 1
    return reached


@compiled
def hop_order_to(
    dest: int, into_start: Ints, tail: Ints, sources: Ints, distance: Floats, order: Longs, wanted: Bools
) -> int:
    """As ``hop_order``, but only as far from ``dest`` as the farthest of ``sources``; ``wanted`` is left all False.

    Nodes that are nearer than the farthest source are all reached: nothing else is on a shortest path.
    """
    left = 0
    for node in sources:
        if node != dest and not wanted[node]:
            wanted[node] = True
            left += 1
    distance[:] = np.inf
    distance[dest] = 0.0
    order[0] = dest
    reached = 1
    head = 0
    while head < reached and left > 0:
        node = order[head]
        head += 1
        for slot in range(into_start[node], into_start[node + 1]):
            if distance[tail[slot]] == np.inf:
                distance[tail[slot]] = distance[node] + 1.0
                order[reached] = tail[slot]
                reached += 1
                if wanted[tail[slot]]:
                    left -= 1
    for node in sources:
        wanted[node] = False
    return reached


@compiled
def weighted_order(dest: int, into_start: Ints, tail: Ints, weight: Floats, distance: Floats, order: Longs) -> int:
    """Dijkstra distances to ``dest``; ``order`` lists the nodes that reach it, nearest first."""
    distance[:] = np.inf
    distance[dest] = 0.0
    heap = [(0.0, np.int64(dest))]
    reached = 0
    done = np.zeros(len(distance), dtype=np.bool_)
    while len(heap) > 0:
        here, node = heapq.heappop(heap)
        if done[node]:
            continue
        done[node] = True
        order[reached] = node
        reached += 1
        for slot in range(into_start[node], into_start[node + 1]):
            there = here + weight[slot]
            if there < distance[tail[slot]]:
                distance[tail[slot]] = there
                heapq.heappush(heap, (there, np.int64(tail[slot])))
    return reached


@compiled
def nearest_first(
    dest: int, into_start: Ints, tail: Ints, weight: Floats, equal: bool, distance: Floats, order: Longs
) -> int:
    """Distances to ``dest``, by hops when all weights are ``equal``; returns how many nodes reach it."""
    if equal:
        return hop_order(dest, into_start, tail, distance, order)
    return weighted_order(dest, into_start, tail, weight, distance, order)


@compiled
def is_step(near: float, far: float, weight: float, equal: bool) -> bool:
    """Whether a link of ``weight`` from distance ``far`` to distance ``near`` lies on a shortest path."""
    if equal:
        return far == near + 1.0
    return near < far and near + weight - far <= NEAR * far


@compiled
def ecmp_slice(
    first: int, last: int, net: Inward, rows: DemandRows, gbps: Floats, loads: Floats, unreachable: Bools
) -> None:
    """Equal split over the next hops of all shortest paths, for destinations ``first`` to ``last``.

    ``loads`` are by slot, so that the two sweeps over the edges (nearest first to measure, farthest first to pull the
    load) read memory in order. ``shortest_splits`` by rule ``equal`` gives the same loads to the bit and takes 1.3 to
    1.9 times the processor time, on a fat tree of radix 16 as on a wide-area network of 149 nodes.
    """
    into_start, tail, weight, equal = net
    nodes = len(into_start) - 1
    classes = gbps.shape[1]
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    hops = np.zeros(nodes)
    amount = np.zeros((nodes, classes))
    wanted = np.zeros(nodes, dtype=np.bool_)
    for row in range(first, last):
        if equal:
            sources = rows.src[rows.start[row] : rows.start[row + 1]]
            reached = hop_order_to(rows.dest[row], into_start, tail, sources, distance, order, wanted)
        else:
            reached = weighted_order(rows.dest[row], into_start, tail, weight, distance, order)
        hops[:] = 0.0
        for position in range(reached):
            head = order[position]
            for slot in range(into_start[head], into_start[head + 1]):
                if is_step(distance[head], distance[tail[slot]], weight[slot], equal):
                    hops[tail[slot]] += 1.0
        amount[:] = 0.0
        for entry in range(rows.start[row], rows.start[row + 1]):
            node = rows.src[entry]
            if distance[node] == np.inf:
                unreachable[entry] = True
            else:
                for code in range(classes):
                    amount[node, code] += gbps[entry, code]
        for position in range(reached - 1, -1, -1):
            head = order[position]
            near = distance[head]
            for slot in range(into_start[head], into_start[head + 1]):
                node = tail[slot]
                if is_step(near, distance[node], weight[slot], equal):
                    for code in range(classes):
                        # A node's amount was divided by its next hops when the sweep finished it.
                        loads[slot, code] += amount[node, code]
                        amount[head, code] += amount[node, code]
            if position > 0:
                for code in range(classes):
                    amount[head, code] /= hops[head]


@compiled
def split_slice(
    first: int,
    last: int,
    src: Ints,
    dst: Ints,
    splits: SplitColumns,
    rows: DemandRows,
    gbps: Floats,
    loads: Floats,
    stranded: Bools,
) -> None:
    """Propagate demand along explicit splits; edges of a row are in topological order of their sources.

    ``stranded[row]`` is what a destination's routing leaves at nodes without a next hop, Gbps.
    """
    nodes = stranded.shape[1]
    classes = gbps.shape[1]
    amount = np.zeros((nodes, classes))
    for row in range(first, last):
        for entry in range(rows.start[row], rows.start[row + 1]):
            for code in range(classes):
                amount[rows.src[entry], code] += gbps[entry, code]
                stranded[row, rows.src[entry]] = True
        for position in range(splits.start[row], splits.start[row + 1]):
            edge = splits.edge[position]
            for code in range(classes):
                share = amount[src[edge], code] * splits.fraction[position]
                loads[edge, code] += share
                amount[dst[edge], code] += share
            stranded[row, dst[edge]] = True
        for position in range(splits.start[row], splits.start[row + 1]):
            stranded[row, src[splits.edge[position]]] = False
        stranded[row, rows.dest[row]] = False
        amount[:] = 0.0


@compiled
def priced_distances(
    first: int, last: int, into_start: Ints, tail: Ints, price: Floats, rows: DemandRows, least: Floats
) -> None:
    """Distance under ``price`` (by adjacency slot) from the source of every entry of some rows to its destination."""
    nodes = len(into_start) - 1
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    for row in range(first, last):
        weighted_order(rows.dest[row], into_start, tail, price, distance, order)
        for entry in range(rows.start[row], rows.start[row + 1]):
            least[entry] = distance[rows.src[entry]]


@compiled
def priced_shortest_distances(
    first: int, last: int, net: Inward, price: Floats, rows: DemandRows, least: Floats
) -> None:
    """Least price from every entry's source to its destination over paths of least weight only."""
    into_start, tail, weight, equal = net
    nodes = len(into_start) - 1
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    cheapest = np.empty(nodes)
    for row in range(first, last):
        reached = nearest_first(rows.dest[row], into_start, tail, weight, equal, distance, order)
        cheapest[:] = np.inf
        cheapest[rows.dest[row]] = 0.0
        for position in range(reached):
            head = order[position]
            for slot in range(into_start[head], into_start[head + 1]):
                node = tail[slot]
                if is_step(distance[head], distance[node], weight[slot], equal):
                    cheapest[node] = min(cheapest[node], cheapest[head] + price[slot])
        for entry in range(rows.start[row], rows.start[row + 1]):
            least[entry] = cheapest[rows.src[entry]]


@cache
def kernel_threads() -> ThreadPoolExecutor:
    """Threads for the compiled loops, started once: a descent comes here thousands of times; for no work that waits."""
    from concurrent.futures import ThreadPoolExecutor  # with the logging that it loads: small work needs no threads

    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="fabric-kernel")


def parallel_rows(rows: int, work: Callable[[int, int], None]) -> None:
    """Run ``work(first, last)`` over slices of ``rows`` destinations on threads; each writes to places of its own."""
    bounds = [rows * part // SLICES for part in range(SLICES + 1)]
    for job in [kernel_threads().submit(work, bounds[part], bounds[part + 1]) for part in range(SLICES)]:
        job.result()


def parallel_parts(
    rows: int, shapes: Sequence[tuple[int, int]], work: Callable[..., None], *, slices: int = SLICES
) -> list[Floats]:
    """Run ``work(first, last, *loads)`` over slices of ``rows`` on threads; sums of the slices' loads, as shaped."""
    bounds = [rows * part // slices for part in range(slices + 1)]
    parts = [[np.zeros(shape) for shape in shapes] for _ in range(slices)]
    if slices == 1:
        work(0, rows, *parts[0])
        return parts[0]
    for job in [kernel_threads().submit(work, bounds[part], bounds[part + 1], *parts[part]) for part in range(slices)]:
        job.result()
    for part in parts[1:]:
        for total, more in zip(parts[0], part, strict=True):
            total += more
    return parts[0]


def parallel_loads(rows: int, shape: tuple[int, int], work: Callable[[int, int, Floats], None]) -> Floats:
    """Run ``work(first, last, loads)`` over slices of ``rows`` destinations on threads; sum of the slices' loads."""
    slices = min(SLICES, rows)
    if slices <= 1 or rows * shape[0] < 200_000:
        loads = np.zeros(shape)
        if rows:
            work(0, rows, loads)
        return loads
    return parallel_parts(rows, [shape], work, slices=slices)[0]
