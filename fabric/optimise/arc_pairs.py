"""Which arcs traffic to which destination may use: pairs of a destination's index and an arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.dags import Dags, shortest_dags
from fabric.routing.graph import PhaseDemand, RoutingGraph
from topologies.columns import Bools, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class ArcPairs:
    """Pairs in columns."""

    rows: Ints  # index of a destination
    used: Ints  # an arc

    @staticmethod
    def of(dags: Dags) -> ArcPairs:
        """The arcs of a table by destination."""
        rows = np.repeat(np.arange(len(dags.start) - 1), np.diff(dags.start))
        return ArcPairs(column(rows, np.int32), column(dags.arcs.into.edge[dags.slot], np.int32))

    @staticmethod
    def of_keys(key: Longs, arcs: int) -> ArcPairs:
        """From row x number of arcs + arc."""
        return ArcPairs(column(key // arcs, np.int32), column(key % arcs, np.int32))

    def keys(self, arcs: int) -> Longs:
        """One number a pair: row x number of arcs + arc."""
        return self.rows.astype(np.int64) * arcs + self.used

    def with_more(self, more: ArcPairs, arcs: int) -> ArcPairs:
        """Both, each pair once."""
        return ArcPairs.of_keys(np.union1d(self.keys(arcs), more.keys(arcs)), arcs)


def shortest_pairs(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> ArcPairs:
    """Arcs on shortest paths from every destination's sources."""
    return ArcPairs.of(shortest_dags(arcs, demand, routable))


def every_pair(graph: RoutingGraph, arcs: Arcs, demand: PhaseDemand) -> ArcPairs:
    """All pairs that loop-free traffic to a destination can use."""
    rows = np.repeat(np.arange(len(demand.dest)), len(arcs.src))
    used = np.tile(np.arange(len(arcs.src)), len(demand.dest))
    dest = demand.dest[rows]
    sends = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)
    sends[demand.row_of_entry, demand.src] = True
    tail, head = arcs.src[used], arcs.dst[used]
    keep = (tail != dest) & (~graph.is_terminal[head] | (head == dest))
    keep &= ~graph.is_terminal[tail] | sends[rows, tail]
    return ArcPairs(column(rows[keep], np.int32), column(used[keep], np.int32))
