"""From a programme's flows to loop-free splits per destination.

A solver's flows obey conservation only to its tolerance, and may run in cycles where that costs nothing. Here missing
flow is sent on along a shortest path, cycles are cancelled, and what is left becomes split fractions in topological
order; code that propagates demand along them gets a routing that is exactly valid, whatever the solver did.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.routing.compiled import compiled
from fabric.routing.graph import Adjacency, DemandRows, Inward, PhaseDemand
from fabric.routing.kernels import hop_order, parallel_rows
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, Longs, column

_DUST = 1e-9  # flow below this fraction of a destination's demand is the solver's noise
_ROOM = 4_000_000  # entries that are held at once before those in use are kept, 12 bytes each


@compiled
def _send_on(
    dest: int,
    supply: Floats,
    src: Ints,
    dst: Ints,
    flow: Floats,
    into_start: Ints,
    into_arc: Ints,
    tail: Ints,
    reached_by: Longs,
) -> None:
    """Push what enters a node and does not leave it along hop-shortest paths, farthest nodes first."""
    nodes = len(supply)
    balance = supply.copy()
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    reached = hop_order(dest, into_start, tail, distance, order)
    for arc in range(len(flow)):
        if distance[dst[arc]] == np.inf:
            flow[arc] = 0.0  # a dead end: what the solver lost there is sent on with the rest
        if flow[arc] > 0.0:
            balance[src[arc]] -= flow[arc]
            balance[dst[arc]] += flow[arc]
    for position in range(reached):
        head = order[position]
        for slot in range(into_start[head], into_start[head + 1]):
            node = tail[slot]
            if distance[node] == distance[head] + 1.0 and reached_by[node] < 0:
                reached_by[node] = into_arc[slot]
    for position in range(reached - 1, 0, -1):
        node = order[position]
        if balance[node] > 0.0:
            arc = reached_by[node]
            flow[arc] += balance[node]
            balance[dst[arc]] += balance[node]
            balance[node] = 0.0


@compiled
def _cancel_circles(src: Ints, dst: Ints, flow: Floats, out_start: Ints, out_arc: Ints) -> None:
    """Remove directed cycles of flow; afterwards the arcs with flow form no cycle."""
    nodes = len(out_start) - 1
    state = np.zeros(nodes, dtype=np.int8)  # 0 new, 1 on the path, 2 finished
    cursor = np.empty(nodes, dtype=np.int64)
    path = np.empty(nodes + 1, dtype=np.int64)  # arcs of the path
    for root in range(nodes):
        if state[root] != 0:
            continue
        depth = 0
        node = root
        state[node] = 1
        cursor[node] = out_start[node]
        while True:
            if cursor[node] == out_start[node + 1]:
                state[node] = 2
                if depth == 0:
                    break
                depth -= 1
                node = src[path[depth]]
                cursor[node] += 1
                continue
            arc = out_arc[cursor[node]]
            if flow[arc] <= 0.0 or state[dst[arc]] == 2:
                cursor[node] += 1
                continue
            if state[dst[arc]] == 0:
                path[depth] = arc
                depth += 1
                node = dst[arc]
                state[node] = 1
                cursor[node] = out_start[node]
                continue
            # A cycle: from dst[arc] along the path back to node, and arc.
            first = depth
            while src[path[first - 1]] != dst[arc]:
                first -= 1
            first -= 1
            least = flow[arc]
            for step in range(first, depth):
                least = min(least, flow[path[step]])
            flow[arc] -= least
            if flow[arc] < least * 1e-12:
                flow[arc] = 0.0
            cut = depth
            for step in range(depth - 1, first - 1, -1):
                flow[path[step]] -= least
                if flow[path[step]] <= least * 1e-12:
                    flow[path[step]] = 0.0
                    cut = step
            # Unwind to the start of the first arc that ran empty.
            while depth > cut:
                state[node] = 0
                depth -= 1
                node = src[path[depth]]


@compiled
def _topological(
    dest: int,
    supply: Floats,
    src: Ints,
    dst: Ints,
    flow: Floats,
    out_start: Ints,
    out_arc: Ints,
    edges: Ints,
    fractions: Floats,
) -> int:
    """Write arcs with flow that supply reaches, in topological order of their sources, with their fractions."""
    nodes = len(out_start) - 1
    live = np.zeros(nodes, dtype=np.bool_)
    stack = np.empty(nodes, dtype=np.int64)
    size = 0
    for node in range(nodes):
        if supply[node] > 0.0:
            live[node] = True
            stack[size] = node
            size += 1
    while size > 0:
        size -= 1
        node = stack[size]
        if node == dest:
            continue
        for slot in range(out_start[node], out_start[node + 1]):
            arc = out_arc[slot]
            if flow[arc] > 0.0 and not live[dst[arc]]:
                live[dst[arc]] = True
                stack[size] = dst[arc]
                size += 1
    waiting = np.zeros(nodes, dtype=np.int64)
    total = np.zeros(nodes)
    for arc in range(len(flow)):
        if flow[arc] > 0.0 and live[src[arc]] and src[arc] != dest:
            waiting[dst[arc]] += 1
            total[src[arc]] += flow[arc]
    size = 0
    for node in range(nodes):
        if live[node] and waiting[node] == 0:
            stack[size] = node
            size += 1
    written = 0
    while size > 0:
        size -= 1
        node = stack[size]
        if node == dest:
            continue
        for slot in range(out_start[node], out_start[node + 1]):
            arc = out_arc[slot]
            if flow[arc] > 0.0:
                edges[written] = arc
                fractions[written] = flow[arc] / total[node]
                written += 1
                waiting[dst[arc]] -= 1
                if waiting[dst[arc]] == 0:
                    stack[size] = dst[arc]
                    size += 1
    return written


@compiled
def _split_rows(
    first: int,
    last: int,
    demand: DemandRows,
    gbps: Floats,
    bounds: Longs,
    arc: Ints,
    carried: Floats,
    src: Ints,
    dst: Ints,
    into: Inward,
    into_arc: Ints,
    out_start: Ints,
    out_arc: Ints,
    room: Longs,
    edges: Ints,
    fractions: Floats,
    count: Longs,
) -> None:
    """Splits of some destinations, row r from ``room[r]`` on, ``count[r]`` of them.

    Row r has the flows ``carried[bounds[r]:bounds[r + 1]]`` on ``arc``; ``gbps`` is 0 for entries without a path.
    """
    nodes = len(out_start) - 1
    supply, flow = np.empty(nodes), np.empty(len(src))
    towards = np.empty(nodes, dtype=np.int64)
    for row in range(first, last):
        dest, total = demand.dest[row], 0.0
        supply[:] = 0.0
        flow[:] = 0.0
        towards[:] = -1
        for entry in range(demand.start[row], demand.start[row + 1]):
            supply[demand.src[entry]] += gbps[entry]
            total += gbps[entry]
        for at in range(bounds[row], bounds[row + 1]):
            if carried[at] > _DUST * total:
                flow[arc[at]] = carried[at]
        _send_on(dest, supply, src, dst, flow, into.start, into_arc, into.tail, towards)
        _cancel_circles(src, dst, flow, out_start, out_arc)
        edge, part = edges[room[row] : room[row + 1]], fractions[room[row] : room[row + 1]]
        count[row] = _topological(dest, supply, src, dst, flow, out_start, out_arc, edge, part)


def splits_from_flows(
    arcs: Arcs, demand: PhaseDemand, routable: Bools, row_of_var: Ints, arc_of_var: Ints, flow_gbps: Floats
) -> Splits:
    """Loop-free splits over arcs from flows f[a, d]; ``flow_gbps`` may be slightly wrong, see the module."""
    into, out, rows = arcs.into, Adjacency.by(arcs.src, arcs.nodes), len(demand.dest)
    gbps = column(np.where(routable, demand.total_gbps, 0.0), np.float64)
    order = np.argsort(row_of_var, kind="stable")
    bounds = np.searchsorted(row_of_var[order], np.arange(rows + 1))
    fixed = (
        demand.rows, gbps, column(bounds, np.int64), column(arc_of_var[order], np.int32),
        column(flow_gbps[order], np.float64), arcs.src, arcs.dst, arcs.inward, into.edge, out.start, out.edge,
    )  # fmt: skip
    count = np.zeros(rows, dtype=np.int64)
    room = np.concatenate([[0], np.cumsum(np.diff(bounds) + arcs.nodes)])  # what is sent on adds an arc a node at most
    edges, fractions = [np.empty(0, dtype=np.int32)], [np.empty(0)]
    first = 0
    while first < rows:
        last = max(first + 1, int(np.searchsorted(room, room[first] + _ROOM, side="right")) - 1)
        begin = room - room[first]
        edge, part = np.empty(begin[last], dtype=np.int32), np.empty(begin[last])
        _in_parallel(first, last, (*fixed, begin, edge, part, count))
        kept = np.repeat(begin[first:last] - np.cumsum(count[first:last]) + count[first:last], count[first:last])
        kept += np.arange(len(kept))
        edges.append(edge[kept])
        fractions.append(part[kept])
        first = last
    return Splits(
        start=column(np.concatenate([[0], np.cumsum(count)]), np.int64),
        edge=column(np.concatenate(edges), np.int32),
        fraction=column(np.concatenate(fractions), np.float64),
    )


def _in_parallel(first: int, last: int, fixed: tuple[Any, ...]) -> None:
    parallel_rows(last - first, lambda low, high: _split_rows(first + low, first + high, *fixed))
