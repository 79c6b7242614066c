"""Greedy placement, and local search that gives and takes room on the fullest links.

Search for a target utilisation: while a link is above it, one of the link's flows moves to its cheapest other path. A
link where no move helps gains *history*, which makes being above the target there dearer, until a flow gives way and
may push others: the negotiated congestion of FPGA routing (McMurchie and Ebeling, "PathFinder", FPGA 1995), with
weights that grow only at local minima (Morris, "The breakout method for escaping from local minima", AAAI 1993).
"""

from __future__ import annotations

import numpy as np

from fabric.optimise.unsplittable.candidates import Net
from fabric.optimise.unsplittable.paths import (
    NEAR,
    NONE,
    Placed,
    Scratch,
    cheapest_any,
    cheapest_shortest,
    draw,
    lift,
    link_cost,
    put,
)
from fabric.routing.compiled import compiled
from topologies.columns import Ints

TRIED = 8  # flows of a link that are compared before one moves
LEAST_GAIN = 1e-9  # relative; a move that gains less is none


@compiled
def place_cheapest(net: Net, now: Placed, work: Scratch, flows: Ints, target: float) -> None:
    """Place flows that are not placed, in the given order, each on its cheapest shortest path."""
    for flow in flows:
        _, steps = cheapest_shortest(net, now, work, flow, target)
        put(now, flow, work.found, steps)


@compiled
def _shift(net: Net, now: Placed, flow: int, sign: float) -> None:
    """Add or take a flow's load without touching the chains."""
    for position in range(now.steps[flow]):
        now.load_gbps[now.edge[flow, position]] += sign * now.gbps[flow]


@compiled
def _gain(net: Net, now: Placed, work: Scratch, flow: int, target: float, wide: bool) -> tuple[float, int]:
    """How much cheaper a flow's best other path is, and its links; the path is in ``work.found``."""
    _shift(net, now, flow, -1.0)
    old = 0.0
    for position in range(now.steps[flow]):
        old += link_cost(net, now, now.edge[flow, position], now.gbps[flow], target)
    if wide:
        new, steps = cheapest_any(net, now, work, flow, target, old * (1.0 - LEAST_GAIN))
    else:
        new, steps = cheapest_shortest(net, now, work, flow, target)
    _shift(net, now, flow, 1.0)
    return old - new, steps


@compiled
def _above(net: Net, now: Placed, edge: int, target: float) -> bool:
    return bool(now.load_gbps[edge] > net.capacity_gbps[edge] * target * (1.0 + NEAR))


@compiled
def _best_move(
    net: Net, now: Placed, work: Scratch, edge: int, target: float, wide: bool, path: Ints
) -> tuple[int, int, int]:
    """The flow on a link that gains most by moving, its links (in ``path``), and how many flows were tried."""
    longest = now.edge.shape[1]
    count = 0
    step = now.top[edge]
    while step != NONE:
        count += 1
        step = now.following[step]
    skip = np.int64(draw(work) % np.uint64(count)) if count > TRIED else 0
    step = now.top[edge]
    for _ in range(skip):
        step = now.following[step]
    best, chosen, links = 0.0, NONE, 0
    tried = min(count, TRIED)
    for _ in range(tried):
        flow = step // longest
        gain, steps = _gain(net, now, work, flow, target, wide)
        if steps > 0 and gain > best and gain > LEAST_GAIN:
            best, chosen, links = gain, flow, steps
            path[:steps] = work.found[:steps]
        step = now.following[step]
        if step == NONE:
            step = now.top[edge]
    return chosen, links, tried


@compiled
def negotiate(net: Net, now: Placed, work: Scratch, target: float, budget: int, wide: bool) -> int:
    """Move flows until no link is above the target; returns the evaluations left, 0 or less when that failed."""
    edges = len(net.head)
    queue = np.empty(edges + 1, dtype=np.int32)
    waiting = np.zeros(edges, dtype=np.bool_)
    path = np.empty(now.edge.shape[1], dtype=np.int32)
    first, last = 0, 0
    for edge in range(edges):
        if _above(net, now, edge, target):
            queue[last] = edge
            waiting[edge] = True
            last += 1
    while first != last and budget > 0:
        edge = queue[first]
        first = (first + 1) % (edges + 1)
        waiting[edge] = False
        if not _above(net, now, edge, target):
            continue
        flow, links, tried = _best_move(net, now, work, edge, target, wide, path)
        budget -= tried
        if flow == NONE:
            now.history[edge] += 1.0
        else:
            lift(now, flow)
            put(now, flow, path, links)
            for position in range(links):
                other = path[position]
                if not waiting[other] and _above(net, now, other, target):
                    queue[last] = other
                    waiting[other] = True
                    last = (last + 1) % (edges + 1)
        if not waiting[edge] and _above(net, now, edge, target):
            queue[last] = edge
            waiting[edge] = True
            last = (last + 1) % (edges + 1)
    return max(budget, 1) if first == last else 0
