"""Compiled loops: the paths of all flows, what they load, and the cheapest other path of one of them.

A link costs its length, a little more the fuller it is, and much more for what it would carry above the target; that
last part is weighed by the link's history (see ``local_search``). Costs add up along a path, so a shortest-path sweep
finds the cheapest: over the shortest-path links only, or over all links with the distance to the destination as the
guide (Hart, Nilsson, Raphael, "A formal basis for the heuristic determination of minimum cost paths", 1968).
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fabric.optimise.unsplittable.candidates import Net
from fabric.routing.compiled import compiled
from topologies.columns import Floats, Ints, Longs

NEAR = 1e-9  # relative; a link this much above the target is not above it
PRESSURE = 40.0  # lengths that a link at twice the target costs at first
FILL = 0.5  # lengths that a full link costs more than an empty one
_SAME = 1e-12
NONE = -1


class Placed(NamedTuple):
    """The flows and where they are; a flow without links is not placed.

    ``following``, ``before`` and ``top`` chain the steps (flow x longest + position) that cross the same link.
    """

    src: Ints  # shape (F,)
    row: Ints
    gbps: Floats
    edge: Ints  # shape (F, H)
    steps: Ints  # shape (F,)
    load_gbps: Floats  # shape (E,)
    history: Floats  # shape (E,)
    following: Longs  # shape (F x H,)
    before: Longs
    top: Longs  # shape (E,)


class Scratch(NamedTuple):
    """Working memory of one search."""

    cost: Floats  # shape (V,)
    by: Ints  # shape (V,), link
    seen: Longs  # shape (V,), number of the search that last saw the node
    done: Longs
    cursor: Ints
    stack: Ints
    found: Ints  # shape (H,), the path
    clock: Longs  # shape (1,)
    random: NDArray[np.uint64]  # shape (1,), uint64


def placed(src: Ints, row: Ints, gbps: Floats, links: int, longest: int) -> Placed:
    """No flow placed yet; paths may have up to ``longest`` links."""
    flows = len(src)
    return Placed(
        src, row, gbps,
        np.full((flows, longest), NONE, dtype=np.int32), np.zeros(flows, dtype=np.int32),
        np.zeros(links), np.zeros(links),
        np.full(flows * longest, NONE), np.full(flows * longest, NONE), np.full(links, NONE),
    )  # fmt: skip


def scratch(nodes: int, longest: int, seed: int) -> Scratch:
    """Working memory; ``seed`` decides how ties are broken."""
    return Scratch(
        np.empty(nodes), np.empty(nodes, dtype=np.int32), np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int32), np.empty(nodes + 1, dtype=np.int32),
        np.empty(longest, dtype=np.int32), np.zeros(1, dtype=np.int64),
        np.array([(seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64),
    )  # fmt: skip


@compiled
def draw(work: Scratch) -> np.uint64:
    """Next random number (xorshift64, Marsaglia 2003)."""
    x: np.uint64 = work.random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    work.random[0] = x
    return x


@compiled
def link_cost(net: Net, now: Placed, edge: int, gbps: float, target: float) -> float:
    """What a link costs a flow that is not on it."""
    part = (now.load_gbps[edge] + gbps) / (net.capacity_gbps[edge] * target)
    if part <= 1.0 + NEAR:
        return float(net.length[edge] * (1.0 + FILL * part * part))
    return float(net.length[edge] * (1.0 + FILL) + PRESSURE * (1.0 + now.history[edge]) * (part - 1.0))


@compiled
def _better(cost: float, best: float, work: Scratch) -> bool:
    """Whether a cost is less than the best; equal ones toss a coin."""
    if best == np.inf:
        return cost < np.inf
    margin = _SAME * best
    return cost < best - margin or (cost <= best + margin and draw(work) & np.uint64(1) == 1)


@compiled
def remaining(net: Net, row: int, node: int) -> float:
    """Distance of a node that can be passed, in lengths."""
    if node == net.dest[row]:
        return 0.0
    return net.distance[row, node] if node < net.switches else np.inf


@compiled
def least_length(net: Net, source: int, row: int) -> float:
    """Length of the shortest paths from where a flow enters, inf without one."""
    if source < net.switches:
        return remaining(net, row, source)
    least = np.inf
    for slot in range(net.out_start[source], net.out_start[source + 1]):
        edge = net.out_edge[slot]
        least = min(least, net.length[edge] + remaining(net, row, net.head[edge]))
    return least


@compiled
def least_lengths(net: Net, src: Ints, row: Ints) -> Floats:
    """``least_length`` of every flow, shape (F,)."""
    found = np.empty(len(src))
    for flow in range(len(src)):
        found[flow] = least_length(net, src[flow], row[flow])
    return found


@compiled
def cheapest_shortest(net: Net, now: Placed, work: Scratch, flow: int, target: float) -> tuple[float, int]:
    """Cheapest of a flow's shortest paths into ``work.found``; its cost and its number of links, 0 when none."""
    row, gbps, dest = now.row[flow], now.gbps[flow], net.dest[now.row[flow]]
    source = now.src[flow]
    if source < net.switches:
        cost = _sweep(net, now, work, row, source, dest, gbps, target)
        return _trace(net, work, source, dest, cost)
    least = least_length(net, source, row)
    best, by = np.inf, NONE
    for slot in range(net.out_start[source], net.out_start[source + 1]):
        edge = net.out_edge[slot]
        if least < np.inf and net.length[edge] + remaining(net, row, net.head[edge]) <= least * (1.0 + _SAME):
            cost = link_cost(net, now, edge, gbps, target) + _sweep(
                net, now, work, row, net.head[edge], dest, gbps, target
            )
            if _better(cost, best, work):
                best, by = cost, edge
    if by == NONE:
        return np.inf, 0
    # The last sweep may have been from another switch: repeat the chosen one, whose costs are all known again.
    _sweep(net, now, work, row, net.head[by], dest, gbps, target)
    work.by[source] = by
    return _trace(net, work, source, dest, best)


@compiled
def _sweep(net: Net, now: Placed, work: Scratch, row: int, source: int, dest: int, gbps: float, target: float) -> float:
    """Least cost from ``source`` to ``dest`` over shortest-path links, depth first; ``work.by`` has the next links."""
    work.clock[0] += 1
    clock = work.clock[0]
    work.cost[dest] = 0.0
    work.seen[dest] = clock
    if source == dest:
        return 0.0
    base = net.row_start[row]
    work.stack[0] = source
    work.seen[source] = clock
    work.cost[source] = np.inf
    work.cursor[source] = net.first[row, source]
    depth = 1
    while depth > 0:
        node = work.stack[depth - 1]
        if work.cursor[node] == net.first[row, node + 1]:
            depth -= 1
            continue
        edge = net.row_edge[base + work.cursor[node]]
        head = net.head[edge]
        if work.seen[head] != clock:
            work.seen[head] = clock
            work.cost[head] = np.inf
            work.cursor[head] = net.first[row, head]
            work.stack[depth] = head
            depth += 1
            continue
        work.cursor[node] += 1
        cost = work.cost[head] + link_cost(net, now, edge, gbps, target)
        if _better(cost, work.cost[node], work):
            work.cost[node] = cost
            work.by[node] = edge
    return float(work.cost[source])


@compiled
def _trace(net: Net, work: Scratch, source: int, dest: int, cost: float) -> tuple[float, int]:
    """Copy the path that ``work.by`` spells into ``work.found``."""
    if cost == np.inf:
        return cost, 0
    steps = 0
    node = source
    while node != dest:
        if steps == len(work.found):
            return np.inf, 0
        work.found[steps] = work.by[node]
        node = net.head[work.by[node]]
        steps += 1
    return cost, steps


@compiled
def cheapest_any(net: Net, now: Placed, work: Scratch, flow: int, target: float, limit: float) -> tuple[float, int]:
    """Cheapest of all paths of a flow that cost less than ``limit``, into ``work.found``; 0 links when none does."""
    row, gbps, dest = now.row[flow], now.gbps[flow], net.dest[now.row[flow]]
    work.clock[0] += 1
    clock = work.clock[0]
    work.cost[now.src[flow]] = 0.0
    work.seen[now.src[flow]] = clock
    heap = [(0.0, np.int64(now.src[flow]))]
    while len(heap) > 0:
        _, node = heapq.heappop(heap)
        if node == dest:
            return _trace_back(net, work, now.src[flow], dest)
        if work.done[node] == clock:
            continue
        work.done[node] = clock
        for slot in range(net.out_start[node], net.out_start[node + 1]):
            edge = net.out_edge[slot]
            head = net.head[edge]
            left = remaining(net, row, head)
            cost = work.cost[node] + net.length[edge]
            if work.done[head] == clock or cost + left >= limit:
                continue
            cost = work.cost[node] + link_cost(net, now, edge, gbps, target)
            if cost + left < limit and (work.seen[head] != clock or cost < work.cost[head]):
                work.seen[head] = clock
                work.cost[head] = cost
                work.by[head] = edge
                heapq.heappush(heap, (cost + left, np.int64(head)))
    return np.inf, 0


@compiled
def _trace_back(net: Net, work: Scratch, source: int, dest: int) -> tuple[float, int]:
    """Copy the path whose links into every node ``work.by`` has; 0 links when it is longer than paths may be."""
    steps = 0
    node = dest
    while node != source:
        if steps == len(work.found):
            return np.inf, 0
        work.found[steps] = work.by[node]
        node = net.tail[work.by[node]]
        steps += 1
    for step in range(steps // 2):
        work.found[step], work.found[steps - 1 - step] = work.found[steps - 1 - step], work.found[step]
    return work.cost[dest], steps


@compiled
def put(now: Placed, flow: int, path: Ints, steps: int) -> None:
    """Place a flow that is not placed on a path."""
    longest = now.edge.shape[1]
    now.steps[flow] = steps
    for position in range(steps):
        edge = path[position]
        now.edge[flow, position] = edge
        now.load_gbps[edge] += now.gbps[flow]
        step = np.int64(flow) * longest + position
        after = now.top[edge]
        now.following[step] = after
        now.before[step] = NONE
        if after != NONE:
            now.before[after] = step
        now.top[edge] = step


@compiled
def lift(now: Placed, flow: int) -> None:
    """Take a flow off its path."""
    longest = now.edge.shape[1]
    for position in range(now.steps[flow]):
        edge = now.edge[flow, position]
        now.load_gbps[edge] -= now.gbps[flow]
        step = np.int64(flow) * longest + position
        after, before = now.following[step], now.before[step]
        if after != NONE:
            now.before[after] = before
        if before != NONE:
            now.following[before] = after
        else:
            now.top[edge] = after
    now.steps[flow] = 0


def replace_all(now: Placed, edge: Ints, steps: Ints) -> None:
    """Put all flows on given paths, whatever they were on."""
    now.top[:] = NONE
    now.load_gbps[:] = 0.0
    _replace_all(now, edge, steps)


@compiled
def _replace_all(now: Placed, edge: Ints, steps: Ints) -> None:
    for flow in range(len(steps)):
        put(now, flow, edge[flow].copy(), steps[flow])
