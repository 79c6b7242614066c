"""From split fractions to one path per flow: every flow draws a next link at every node with the fractions as odds.

Raghavan and Thompson, "Randomized rounding: a technique for provably good algorithms and algorithmic proofs",
Combinatorica 7(4), 1987.
"""

from __future__ import annotations

import numpy as np

from fabric.optimise.unsplittable.paths import Scratch, draw
from fabric.routing.compiled import compiled
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, Longs, column


def rounded_paths(
    graph: RoutingGraph,
    demand: PhaseDemand,
    splits: Splits,
    flows: FlowTable,
    reached: Bools,
    longest: int,
    work: Scratch,
) -> tuple[Ints, Ints]:
    """One draw of paths: links (F, longest), and how many each has; 0 where the draw found no end in time."""
    edge = np.full((len(flows), longest), -1, dtype=np.int32)
    steps = np.zeros(len(flows), dtype=np.int32)
    row_of = np.full(graph.nodes, -1, dtype=np.int64)
    row_of[demand.dest] = np.arange(len(demand.dest))
    _walk(
        column(row_of[flows.dest], np.int64), flows.dest, flows.start, flows.src, reached,
        column(splits.start, np.int64), column(splits.edge, np.int32), splits.fraction, graph.src, graph.dst,
        graph.nodes, work, edge, steps,
    )  # fmt: skip
    return edge, steps


@compiled
def _walk(
    split_row: Longs,
    dest: Ints,
    start: Ints,
    flow_src: Ints,
    reached: Bools,
    split_start: Longs,
    split_edge: Ints,
    fraction: Floats,
    tail: Ints,
    head: Ints,
    nodes: int,
    work: Scratch,
    edge: Ints,
    steps: Ints,
) -> None:
    """Walk every flow along the splits of its destination."""
    first = np.zeros(nodes, dtype=np.int64)
    last = np.zeros(nodes, dtype=np.int64)
    for row in range(len(dest)):
        if split_row[row] < 0:
            continue
        begin, end = split_start[split_row[row]], split_start[split_row[row] + 1]
        for at in range(begin, end):
            node = tail[split_edge[at]]
            if last[node] <= begin or at == begin or tail[split_edge[at - 1]] != node:
                first[node] = at
            last[node] = at + 1
        for flow in range(start[row], start[row + 1]):
            node = flow_src[flow]
            count = 0
            while reached[flow] and node != dest[row] and count < edge.shape[1] and last[node] > begin:
                odds = np.float64(draw(work) >> np.uint64(11)) / 2.0**53
                at = first[node]
                while at + 1 < last[node] and odds >= fraction[at]:
                    odds -= fraction[at]
                    at += 1
                edge[flow, count] = split_edge[at]
                node = head[split_edge[at]]
                count += 1
            if node == dest[row]:
                steps[flow] = count
        for at in range(begin, end):
            last[tail[split_edge[at]]] = 0
