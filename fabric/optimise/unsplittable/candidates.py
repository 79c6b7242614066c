"""Where single flows may go: the links on shortest paths to every destination that has flows, and how far every
switch is from it.

Shortest paths of one destination share their links, so a destination keeps one loop-free set of links by source node
instead of a list of paths per flow: a k = 48 fat tree has 576 shortest paths per pair of edge switches in two pods, and
the paths of a destination share some thousands of links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import RoutingGraph
from fabric.routing.kernels import is_step, nearest_first
from topologies.columns import Bools, Floats, Ints, Longs, column, concatenate


class Net(NamedTuple):
    """The graph and its shortest-path links as compiled loops read them.

    Switches are the first nodes; terminals of endpoints follow and have links out only or in only.
    """

    switches: int
    tail: Ints  # shape (E,)
    head: Ints
    capacity_gbps: Floats
    length: Floats  # shape (E,), weight over the mean weight
    out_start: Ints  # shape (V + 1,), links by tail
    out_edge: Ints
    dest: Ints  # shape (D,)
    row_start: Longs  # shape (D + 1,), links on shortest paths to dest[row], by tail
    row_edge: Ints
    first: Ints  # shape (D, S + 1), where a switch's links begin, counted from row_start[row]
    distance: Floats  # shape (D, S), in lengths; inf without a path
    equal: bool  # hop counts decide shortest paths


@dataclass(frozen=True, eq=False)
class Candidates:
    """The net, and which flows have a path at all."""

    net: Net
    reached: Bools  # shape (F,)
    longest: int  # links of the longest shortest path of a flow


@compiled
def _shortest_links(
    dest: int,
    sources: Ints,
    into_start: Ints,
    into_edge: Ints,
    tail: Ints,
    length: Floats,
    equal: bool,
    first: Ints,
    distance: Floats,
    hops: Ints,
    found: Ints,
) -> int:
    """Links on shortest paths from ``sources`` to ``dest`` into ``found`` by tail; returns how many.

    Writes the switches' distances, and to ``hops`` the most links any shortest path from a node has.
    """
    nodes = len(into_start) - 1
    switches = len(distance)
    far = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    reached = nearest_first(dest, into_start, tail, length, equal, far, order)
    active = np.zeros(nodes, dtype=np.bool_)
    active[sources] = True
    first[:] = 0
    total = 0
    for position in range(reached - 1, -1, -1):
        head = order[position]
        for slot in range(into_start[head], into_start[head + 1]):
            if active[tail[slot]] and is_step(far[head], far[tail[slot]], length[slot], equal):
                active[head] = True
                found[total] = slot
                total += 1
                if tail[slot] < switches:
                    first[tail[slot] + 1] += 1
    hops[:] = 0
    for position in range(reached):
        head = order[position]
        for slot in range(into_start[head], into_start[head + 1]):
            if is_step(far[head], far[tail[slot]], length[slot], equal):
                hops[tail[slot]] = max(hops[tail[slot]], hops[head] + 1)
    for node in range(switches):
        first[node + 1] += first[node]
    ordered = np.empty(first[switches], dtype=np.int32)
    cursor = first.copy()
    for at in range(total):
        node = tail[found[at]]
        if node < switches:
            ordered[cursor[node]] = into_edge[found[at]]
            cursor[node] += 1
    found[: len(ordered)] = ordered
    distance[:] = far[:switches]
    return len(ordered)


def candidates(graph: RoutingGraph, flows: FlowTable) -> Candidates:
    """Shortest-path links of every destination of the flows."""
    into, out = graph.into, graph.out
    tail = graph.src[into.edge]
    equal = graph.equal_weights
    length = graph.weight / graph.weight.mean() if len(graph.weight) else graph.weight
    switches, rows = int((~graph.is_terminal).sum()), len(flows.dest)
    first = np.zeros((rows, switches + 1), dtype=np.int32)
    distance = np.empty((rows, switches))
    hops, buffer = np.empty(graph.nodes, dtype=np.int32), np.empty(len(graph.src), dtype=np.int32)
    parts: list[Ints] = []
    reached = np.zeros(len(flows), dtype=np.bool_)
    longest = 0
    by_slot = length[into.edge]
    for row, dest in enumerate(flows.dest.tolist()):
        mine = slice(int(flows.start[row]), int(flows.start[row + 1]))
        count = _shortest_links(
            dest, flows.src[mine], into.start, into.edge, tail, by_slot, equal, first[row], distance[row], hops, buffer
        )
        parts.append(buffer[:count].copy())
        reached[mine] = hops[flows.src[mine]] > 0
        longest = max(longest, int(hops[flows.src[mine]].max(initial=0)))
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    net = Net(
        switches, graph.src, graph.dst, graph.capacity_gbps, column(length, np.float64), out.start, out.edge,
        flows.dest, column(starts, np.int64), concatenate(parts, np.int32), first, distance, equal,
    )  # fmt: skip
    return Candidates(net, column(reached, np.bool_), longest)
