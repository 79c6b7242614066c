"""The intact state by destination, worked out once: who sends on how much, over which next hops, in which parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabric.failures.fluid.columns import HOP, NODE, ROW, Lines, Rows
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows
from fabric.routing.kernels import SLICES, parallel_rows
from fabric.routing.shortest_splits import SweepNet, measure_parts, new_sweep
from topologies.columns import Bools, Floats, Ints, Longs

ROW_BYTES = 40  # of a next hop towards one destination
NODE_BYTES = 48  # of a node that its traffic crosses, without amounts


@compiled
def _mark_active(net: SweepNet, reached: int, order: Longs, distance: Floats, part: Floats, active: Bools) -> int:
    """Follow traffic from the marked sources on; how many hops it takes."""
    hops = 0
    for position in range(reached - 1, 0, -1):
        node = order[position]
        if not active[node]:
            continue
        for place in range(net.out_start[node], net.out_start[node + 1]):
            edge = net.out_edge[place]
            if distance[net.head_of[edge]] < np.inf and part[net.slot_of[edge]] > 0.0:
                active[net.head_of[edge]] = True
                hops += 1
    return hops


@compiled
def _count_rows(first: int, last: int, net: SweepNet, rows: DemandRows, nodes: Longs, hops: Longs) -> None:
    """Nodes and hops that traffic to each destination crosses."""
    sweep = new_sweep(net)
    active = np.zeros(len(net.into_start) - 1, dtype=np.bool_)
    for row in range(first, last):
        reached = measure_parts(net, rows.dest[row], sweep)
        active[:] = False
        for entry in range(rows.start[row], rows.start[row + 1]):
            active[rows.src[entry]] = True
        active[rows.dest[row]] = True
        hops[row] = _mark_active(net, reached, sweep.order, sweep.distance, sweep.part, active)
        nodes[row] = active.sum()


@compiled
def _fill_rows(first: int, last: int, net: SweepNet, slot_link: Ints, demand: DemandRows, rows: Rows) -> None:
    """Write the nodes and next hops of destinations ``first`` to ``last``."""
    sweep = new_sweep(net)
    nodes = len(net.into_start) - 1
    active, place_of = np.zeros(nodes, dtype=np.bool_), np.zeros(nodes, dtype=np.int32)
    entry_of = np.full(nodes, -1, dtype=np.int64)
    for row in range(first, last):
        reached = measure_parts(net, demand.dest[row], sweep)
        active[:] = False
        active[demand.dest[row]] = True
        for entry in range(demand.start[row], demand.start[row + 1]):
            active[demand.src[entry]] = True
            entry_of[demand.src[entry]] = entry
        _mark_active(net, reached, sweep.order, sweep.distance, sweep.part, active)
        at, hop = rows.row[row].node_start, rows.row[row].edge_start
        base = at
        for position in range(reached):
            node = sweep.order[position]
            if not active[node]:
                continue
            place_of[node] = at - base
            rows.node[at].node = node
            rows.node[at].entry = entry_of[node]
            rows.node[at].passes = sweep.passes[node]
            rows.node[at].hop_start = hop
            for index in range(net.out_start[node], net.out_start[node + 1]):
                edge = net.out_edge[index]
                slot, head = net.slot_of[edge], net.head_of[edge]
                if position > 0 and sweep.distance[head] < np.inf and sweep.part[slot] > 0.0:
                    rows.hop[hop].link = slot_link[slot]
                    rows.hop[hop].part = sweep.part[slot]
                    rows.hop[hop].head = place_of[head]
                    rows.hop[hop].tail = at - base
                    hop += 1
            at += 1
        for entry in range(demand.start[row], demand.start[row + 1]):
            entry_of[demand.src[entry]] = -1


@compiled
def settle_row(lines: Lines, rows: Rows, gbps: Floats, row: int, loads: Floats) -> None:
    """What every node of a row sends on, farthest first, from what enters; ``loads`` (L, K) take it."""
    first, last = rows.row[row].node_start, rows.row[row + 1].node_start
    columns = rows.amount.shape[1]
    rows.amount[first:last] = 0.0
    for node in range(first, last):
        entry = rows.node[node].entry
        if entry >= 0:
            for code in range(lines.classes):
                rows.amount[node, code] += gbps[entry, code]
                if lines.sprayed:
                    rows.amount[node, columns - 1] += gbps[entry, code]
    for node in range(last - 1, first, -1):
        rows.node[node].total = 0.0
        for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
            rows.node[node].total += rows.hop[hop].part
        for hop in range(rows.node[node].hop_start, rows.node[node + 1].hop_start):
            share = rows.hop[hop].part / rows.node[node].total
            for code in range(columns):
                if lines.sprayed and code == columns - 1 and share < 1.0:
                    continue
                flow = rows.amount[node, code] * share
                rows.amount[first + rows.hop[hop].head, code] += flow
                loads[rows.hop[hop].link, code] += flow


@compiled
def settle(lines: Lines, rows: Rows, gbps: Floats, loads: Floats) -> None:
    """All rows one by one."""
    for row in range(len(rows.row) - 1):
        settle_row(lines, rows, gbps, row, loads)


@compiled
def _index_rows(first: int, last: int, rows: Rows) -> None:
    """For every node the hops that lead to it."""
    for row in range(first, last):
        base = rows.row[row].node_start
        top = rows.row[row + 1].node_start
        fill = np.zeros(top - base + 1, dtype=np.int64)
        for hop in range(rows.row[row].edge_start, rows.row[row + 1].edge_start):
            fill[rows.hop[hop].head + 1] += 1
        fill[0] = rows.row[row].edge_start
        for place in range(top - base):
            fill[place + 1] += fill[place]
            rows.node[base + place].in_start = fill[place]
        for hop in range(rows.row[row].edge_start, rows.row[row + 1].edge_start):
            rows.hop[fill[rows.hop[hop].head]].in_hop = hop
            fill[rows.hop[hop].head] += 1


@compiled
def _index_links(rows: Rows) -> None:
    """For every link the hops over it."""
    for hop in range(len(rows.hop)):
        rows.use_start[rows.hop[hop].link + 1] += 1
    for link in range(len(rows.use_start) - 1):
        rows.use_start[link + 1] += rows.use_start[link]
    fill = rows.use_start.copy()
    for hop in range(len(rows.hop)):
        rows.use[fill[rows.hop[hop].link]] = hop
        fill[rows.hop[hop].link] += 1


def empty_rows(dest: Ints, nodes: Longs, hops: Longs, columns: int, links: int) -> Rows:
    """Rows to be filled in, of given sizes, shape (D,) each."""
    row = np.zeros(len(dest) + 1, ROW)
    row["dest"][:-1], row["node_start"][1:], row["edge_start"][1:] = dest, np.cumsum(nodes), np.cumsum(hops)
    many, edges = int(nodes.sum()), int(hops.sum())
    node = np.zeros(many + 1, NODE)
    node["entry"], node["hop_start"], node["in_start"] = -1, edges, edges
    return Rows(
        row=row,
        node=node,
        hop=np.zeros(edges, HOP),
        amount=np.zeros((many, columns)),
        use_start=np.zeros(links + 1, np.int64),
        use=np.zeros(edges, np.int64),
    )


def index_rows(rows: Rows) -> None:
    """The two ways back: hops by the node they lead to, and by link."""
    _index_rows(0, len(rows.row) - 1, rows)
    _index_links(rows)


def count_rows(net: SweepNet, demand: DemandRows) -> tuple[Longs, Longs]:
    """Nodes and hops of every destination's traffic."""
    nodes, hops = np.zeros(len(demand.dest), np.int64), np.zeros(len(demand.dest), np.int64)
    _over(len(demand.dest), lambda first, last: _count_rows(first, last, net, demand, nodes, hops))
    return nodes, hops


def rows_by_rule(net: SweepNet, slot_link: Ints, demand: DemandRows, rows: Rows) -> None:
    """Fill in rows whose parts follow a rule over shortest paths."""
    _over(len(demand.dest), lambda first, last: _fill_rows(first, last, net, slot_link, demand, rows))
    index_rows(rows)


def _over(rows: int, work: Callable[[int, int], None]) -> None:
    if rows > SLICES:
        parallel_rows(rows, work)
    elif rows:
        work(0, rows)
