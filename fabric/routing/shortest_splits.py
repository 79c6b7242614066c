"""Routing over shortest paths by a rule: how a switch divides what it has for a destination over its next hops.

A next hop is a link on a path of least weight. Rules (``Rule``):

``equal``
    one part per link, as ECMP.
``link-capacity``
    in proportion to the links' own capacities: what a switch reaches that sees only its own queues.
``downstream-capacity``
    in proportion to what can pass to the destination behind each neighbour: the capacity of the links to it, or of its
    own next hops together, whichever is less; worked out nearest first, without limit at the destination and on its
    access links, which would else hide the fabric. J. Zhou et al., "WCMP: weighted cost multipathing for improved
    fairness in data centers", EuroSys 2014. Capacity that several switches share is counted in full by each of them.
``next-hop-count``
    in proportion to how many next hops each neighbour has itself, link by link: what BGP's link bandwidth community
    (draft-ietf-idr-link-bandwidth) says when every speaker sets it to its number of paths.
``lowest``
    everything to the neighbour of the lowest number, over the first of its parallel links: routing without multipath.

One sweep per destination measures distances and parts nearest first, and a second one pulls the load farthest first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fabric.routing import kernels
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand, RoutingGraph
from fabric.routing.kernels import is_step, nearest_first, parallel_loads
from fabric.routing.router import Splits
from fabric.routing.traits import Rule
from topologies.columns import Bools, Floats, Ints, Longs, column

MOST_SPLITS = 20_000_000  # rows of explicit splits a router writes out unasked, 240 MB
_EQUAL, _LINK, _DOWNSTREAM, _COUNT, _LOWEST = range(5)
_CODE = {
    "equal": _EQUAL,
    "link-capacity": _LINK,
    "downstream-capacity": _DOWNSTREAM,
    "next-hop-count": _COUNT,
    "lowest": _LOWEST,
}


class SweepNet(NamedTuple):
    """The graph as the sweeps read it: edges in the order of the adjacency by head, called slots."""

    rule: int
    equal: bool
    into_start: Ints
    tail: Ints
    weight: Floats
    capacity: Floats
    out_start: Ints
    out_edge: Ints
    slot_of: Ints  # shape (E,)
    head_of: Ints  # shape (E,), by edge
    is_terminal: Bools  # shape (V,)


class Sweep(NamedTuple):
    """Working arrays of one thread for one destination at a time."""

    distance: Floats  # shape (V,)
    order: Longs
    part: Floats  # shape (E,), by slot; 0 off the shortest paths; stale where the head does not reach
    total: Floats  # shape (V,), parts of a node's next hops together
    passes: Floats  # shape (V,), capacity towards the destination behind a node, or its next hops, as the rule counts
    width: Floats  # shape (V,), capacity of the links from a node to the head in hand
    chosen: Longs  # shape (V,), slot of the only next hop under ``lowest``
    head: Longs  # shape (E,), by slot, of those chosen


@compiled
def new_sweep(net: SweepNet) -> Sweep:
    nodes, edges = len(net.into_start) - 1, len(net.tail)
    return Sweep(
        np.empty(nodes), np.empty(nodes, np.int64), np.zeros(edges), np.zeros(nodes), np.zeros(nodes), np.zeros(nodes),
        np.empty(nodes, np.int64), np.empty(edges, np.int64),
    )  # fmt: skip


@compiled
def _measure_downstream(net: SweepNet, position: int, sweep: Sweep) -> None:
    """Parts of the links into the next node; its parallel links from one node are one way and share by capacity."""
    head = sweep.order[position]
    first, last = net.into_start[head], net.into_start[head + 1]
    for slot in range(first, last):
        sweep.width[net.tail[slot]] = 0.0
    for slot in range(first, last):
        if sweep.part[slot] > 0.0:
            sweep.width[net.tail[slot]] += net.capacity[slot]
    for slot in range(first, last):
        if sweep.part[slot] > 0.0:
            width = sweep.width[net.tail[slot]]
            sweep.part[slot] = net.capacity[slot] / width * min(width, sweep.passes[head])
            last_hop = position == 0 and net.is_terminal[head]
            sweep.passes[net.tail[slot]] += np.inf if last_hop else sweep.part[slot]


@compiled
def _choose_lowest(net: SweepNet, head: int, sweep: Sweep) -> None:
    """Leave every node one next hop: the lower of ``head`` and its choice so far, by the first of parallel links."""
    chosen, part, total = sweep.chosen, sweep.part, sweep.total
    for slot in range(net.into_start[head], net.into_start[head + 1]):
        if part[slot] == 0.0:
            continue
        node = net.tail[slot]
        before = chosen[node]
        if before >= 0 and sweep.head[before] <= head:
            part[slot] = 0.0
            continue
        if before >= 0:
            part[before] = 0.0
        chosen[node] = slot
        sweep.head[slot] = head
        total[node] = 1.0


@compiled
def measure_parts(net: SweepNet, dest: int, sweep: Sweep) -> int:
    """Distances and parts towards ``dest``; returns how many nodes reach it."""
    distance, order, part, total = sweep.distance, sweep.order, sweep.part, sweep.total
    reached = nearest_first(dest, net.into_start, net.tail, net.weight, net.equal, distance, order)
    total[:] = 0.0
    sweep.passes[:] = 0.0
    sweep.passes[dest] = 1.0 if net.rule == _COUNT else np.inf
    sweep.chosen[:] = -1
    for position in range(reached):
        head = order[position]
        for slot in range(net.into_start[head], net.into_start[head + 1]):
            on = is_step(distance[head], distance[net.tail[slot]], net.weight[slot], net.equal)
            part[slot] = 0.0 if not on else (net.capacity[slot] if net.rule == _LINK else 1.0)
        if net.rule == _DOWNSTREAM:
            _measure_downstream(net, position, sweep)
        if net.rule == _COUNT:
            for slot in range(net.into_start[head], net.into_start[head + 1]):
                if part[slot] > 0.0:
                    part[slot] = sweep.passes[head]
                    sweep.passes[net.tail[slot]] += 1.0
        if net.rule == _LOWEST:
            _choose_lowest(net, head, sweep)
            continue
        for slot in range(net.into_start[head], net.into_start[head + 1]):
            total[net.tail[slot]] += part[slot]
    return reached


@compiled
def _load_slice(
    first: int,
    last: int,
    net: SweepNet,
    rows: DemandRows,
    gbps: Floats,
    loads: Floats,
    unreachable: Bools,
    used: Longs,
) -> None:
    """Propagate the demand of destinations ``first`` to ``last``; ``used`` counts the edges each crosses."""
    nodes, classes = len(net.into_start) - 1, gbps.shape[1]
    sweep = new_sweep(net)
    amount, active = np.zeros((nodes, classes)), np.zeros(nodes, dtype=np.bool_)
    for row in range(first, last):
        reached = measure_parts(net, rows.dest[row], sweep)
        amount[:] = 0.0
        active[:] = False
        for entry in range(rows.start[row], rows.start[row + 1]):
            node = rows.src[entry]
            if sweep.distance[node] == np.inf:
                unreachable[entry] = True
            else:
                active[node] = True
                for code in range(classes):
                    amount[node, code] += gbps[entry, code]
        for position in range(reached - 1, -1, -1):
            head = sweep.order[position]
            for slot in range(net.into_start[head], net.into_start[head + 1]):
                node = net.tail[slot]
                if sweep.part[slot] > 0.0 and active[node]:
                    active[head] = True
                    used[row] += 1
                    for code in range(classes):
                        # A node's amount was divided by its parts when the sweep finished it.
                        share = amount[node, code] * sweep.part[slot]
                        loads[slot, code] += share
                        amount[head, code] += share
            if position > 0 and active[head]:
                for code in range(classes):
                    amount[head, code] /= sweep.total[head]


@compiled
def _spread_slice(
    first: int,
    last: int,
    net: SweepNet,
    rows: DemandRows,
    gbps: Floats,
    loads: Floats,
) -> None:
    """Load by slot of traffic that has met a node with several next hops, on its way or at the slot's own tail."""
    nodes = len(net.into_start) - 1
    sweep = new_sweep(net)
    alone, spread = np.zeros(nodes), np.zeros(nodes)
    for row in range(first, last):
        reached = measure_parts(net, rows.dest[row], sweep)
        alone[:] = 0.0
        spread[:] = 0.0
        for entry in range(rows.start[row], rows.start[row + 1]):
            alone[rows.src[entry]] += gbps[entry]
        for position in range(reached - 1, -1, -1):
            head = sweep.order[position]
            for slot in range(net.into_start[head], net.into_start[head + 1]):
                node = net.tail[slot]
                if sweep.part[slot] > 0.0:
                    share = sweep.part[slot] / sweep.total[node]
                    if share < 1.0:
                        loads[slot, 0] += (alone[node] + spread[node]) * share
                        spread[head] += (alone[node] + spread[node]) * share
                    else:
                        loads[slot, 0] += spread[node]
                        spread[head] += spread[node]
                        alone[head] += alone[node]


@compiled
def _split_slice(
    first: int,
    last: int,
    net: SweepNet,
    rows: DemandRows,
    split_start: Longs,
    edge: Ints,
    fraction: Floats,
) -> None:
    """Write out the splits of destinations ``first`` to ``last``, nodes farthest first."""
    sweep = new_sweep(net)
    active = np.zeros(len(net.into_start) - 1, dtype=np.bool_)
    for row in range(first, last):
        reached = measure_parts(net, rows.dest[row], sweep)
        active[:] = False
        for entry in range(rows.start[row], rows.start[row + 1]):
            active[rows.src[entry]] = True
        at = split_start[row]
        for position in range(reached - 1, 0, -1):
            node = sweep.order[position]
            if not active[node]:
                continue
            for place in range(net.out_start[node], net.out_start[node + 1]):
                one = net.out_edge[place]
                slot = net.slot_of[one]
                if sweep.distance[net.head_of[one]] < np.inf and sweep.part[slot] > 0.0:
                    edge[at] = one
                    fraction[at] = sweep.part[slot] / sweep.total[node]
                    active[net.head_of[one]] = True
                    at += 1


def sweep_net(graph: RoutingGraph, rule: Rule) -> SweepNet:
    into, out = graph.into, graph.out
    slot_of = np.empty(len(into.edge), dtype=np.int32)
    slot_of[into.edge] = np.arange(len(into.edge))
    capacity = graph.capacity_gbps / graph.class_size  # a host weighs its own links, not those of its whole class
    return SweepNet(
        _CODE[rule], graph.equal_weights, into.start, graph.inward.tail, graph.inward.weight, capacity[into.edge],
        out.start, out.edge, slot_of, graph.dst, graph.is_terminal,
    )  # fmt: skip


def _by_edge(graph: RoutingGraph, columns: int, rows: int, work: Callable[[int, int, Floats], None]) -> Floats:
    """Loads by edge, shape (E, columns), from work that writes them by slot."""
    by_slot = parallel_loads(rows, (len(graph.src), columns), work)
    loads = np.empty_like(by_slot)
    loads[graph.into.edge] = by_slot
    return loads


def shortest_loads(graph: RoutingGraph, demand: PhaseDemand, rule: Rule) -> tuple[Floats, Bools, Longs]:
    """Loads when every switch divides traffic over its shortest next hops by ``rule``.

    Returns
    -------
    edge_gbps : ndarray, shape (E, C)
        Offered Gbps per edge and traffic class.
    unreachable : ndarray, shape (nnz,)
        Entries of the demand without a path; they load nothing.
    used : ndarray, shape (D,)
        Edges that traffic to each destination crosses: rows of its explicit splits.
    """
    net = sweep_net(graph, rule)
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    used = np.zeros(len(demand.dest), dtype=np.int64)

    def work(first: int, last: int, loads: Floats) -> None:
        _load_slice(first, last, net, demand.rows, demand.gbps, loads, unreachable, used)

    loads = _by_edge(graph, demand.gbps.shape[1], len(demand.dest), work)
    return loads, unreachable, used


def spread_gbps(graph: RoutingGraph, demand: PhaseDemand, rule: Rule) -> Floats:
    """Part of each edge's load that has been divided over several next hops before or at it, Gbps, shape (E,)."""
    net, total = sweep_net(graph, rule), demand.total_gbps

    def work(first: int, last: int, loads: Floats) -> None:
        _spread_slice(first, last, net, demand.rows, total, loads)

    return np.asarray(_by_edge(graph, 1, len(demand.dest), work)[:, 0])


def shortest_splits(graph: RoutingGraph, demand: PhaseDemand, rule: Rule, *, used: Longs | None = None) -> Splits:
    """Explicit splits of routing over shortest paths by ``rule``, for every destination of the demand.

    Parameters
    ----------
    used : ndarray, shape (D,), optional
        What ``shortest_loads`` returned for the same arguments; measured when not given.

    Returns
    -------
    Splits
        12 bytes a row: about 60 million rows for all-to-all between the edge switches of a k = 48 fat tree.
    """
    count = shortest_loads(graph, demand, rule)[2] if used is None else used
    net, start = sweep_net(graph, rule), np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    edge, fraction = np.empty(int(start[-1]), dtype=np.int32), np.empty(int(start[-1]))
    fixed = (net, demand.rows, start, edge, fraction)
    kernels.parallel_rows(len(demand.dest), lambda first, last: _split_slice(first, last, *fixed))
    return Splits(column(start, np.int64), column(edge, np.int32), column(fraction, np.float64))
