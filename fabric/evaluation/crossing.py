"""Which part of every demand crosses one edge, for routings that divide traffic by fixed fractions.

Seen from the edge, backwards: a node sends over it what its next hops send over it, each by its part. One pass per
destination, over the links of its shortest paths or of its explicit splits.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand, RoutingGraph, SplitColumns
from fabric.routing.router import Splits
from fabric.routing.shortest_splits import SweepNet, measure_parts, new_sweep, sweep_net
from fabric.routing.traits import Rule
from topologies.columns import Floats, Ints


@compiled
def _rule_slice(first: int, last: int, net: SweepNet, edge: int, tail: int, rows: DemandRows, out: Floats) -> None:
    """Parts of the demands to destinations ``first`` to ``last``; edges that are on no shortest path get none."""
    sweep = new_sweep(net)
    reach = np.empty(len(net.into_start) - 1)
    slot_of = net.slot_of[edge]
    for row in range(first, last):
        reached = measure_parts(net, rows.dest[row], sweep)
        head = net.head_of[edge]
        on_way = False
        for position in range(reached):
            if sweep.order[position] == head:
                on_way = True
                break
        if not on_way or sweep.part[slot_of] <= 0.0:
            continue
        reach[:] = 0.0
        reach[tail] = sweep.part[slot_of] / sweep.total[tail]
        for position in range(reached):
            node = sweep.order[position]
            if reach[node] == 0.0:
                continue
            for slot in range(net.into_start[node], net.into_start[node + 1]):
                before = net.tail[slot]
                if sweep.part[slot] > 0.0 and before != tail:
                    reach[before] += sweep.part[slot] / sweep.total[before] * reach[node]
        for entry in range(rows.start[row], rows.start[row + 1]):
            out[entry] = reach[rows.src[entry]]


@compiled
def _split_slice(
    first: int,
    last: int,
    nodes: int,
    edge: int,
    tail: Ints,
    head: Ints,
    splits: SplitColumns,
    rows: DemandRows,
    out: Floats,
) -> None:
    reach = np.empty(nodes)
    for row in range(first, last):
        reach[:] = 0.0
        crossed = False
        for at in range(splits.start[row + 1] - 1, splits.start[row] - 1, -1):
            step = splits.edge[at]
            if step == edge:
                reach[tail[step]] += splits.fraction[at]
                crossed = True
            elif reach[head[step]] > 0.0:
                reach[tail[step]] += splits.fraction[at] * reach[head[step]]
        if crossed:
            for entry in range(rows.start[row], rows.start[row + 1]):
                out[entry] = reach[rows.src[entry]]


def crossing_by_rule(graph: RoutingGraph, demand: PhaseDemand, rule: Rule, edge: int) -> Floats:
    """Part of every entry of the demand that crosses ``edge`` when nodes divide by ``rule``, shape (nnz,)."""
    net = sweep_net(graph, rule)
    out = np.zeros(len(demand.src))
    tail = int(graph.src[edge])

    def work(first: int, last: int) -> None:
        _rule_slice(first, last, net, edge, tail, demand.rows, out)

    _in_slices(len(demand.dest), work)
    return out


def crossing_by_splits(graph: RoutingGraph, demand: PhaseDemand, splits: Splits, edge: int) -> Floats:
    """Part of every entry of the demand that crosses ``edge`` under explicit splits, shape (nnz,)."""
    out = np.zeros(len(demand.src))

    def work(first: int, last: int) -> None:
        _split_slice(first, last, graph.nodes, edge, graph.src, graph.dst, splits.columns, demand.rows, out)

    _in_slices(len(demand.dest), work)
    return out


def _in_slices(rows: int, work: Callable[[int, int], None]) -> None:
    """Rows in as many parts as there are processors; each writes to places of its own."""
    count = min(os.cpu_count() or 1, max(rows, 1))
    bounds = [rows * at // count for at in range(count + 1)]
    with ThreadPoolExecutor(max_workers=count) as pool:
        for job in [pool.submit(work, bounds[at], bounds[at + 1]) for at in range(count)]:
            job.result()
