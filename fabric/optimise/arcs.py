"""Arcs: what the optimiser routes over. Parallel links of equal weight are one arc with their summed capacity.

Splitting an arc's flow over its links in proportion to capacity loads them equally, so nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from fabric.routing.graph import Adjacency, Inward, RoutingGraph, all_equal
from fabric.routing.router import Splits
from topologies.columns import Floats, Ints, column


@dataclass(frozen=True, eq=False)
class Arcs:
    """Merged parallel edges of a routing graph."""

    nodes: int
    src: Ints  # shape (A,)
    dst: Ints
    capacity_gbps: Floats
    weight: Floats
    of_edge: Ints  # shape (E,), arc of every edge
    share: Floats  # shape (E,), the edge's part of its arc's flow

    @cached_property
    def into(self) -> Adjacency:
        """Arcs by destination node."""
        return Adjacency.by(self.dst, self.nodes)

    @cached_property
    def inward(self) -> Inward:
        """Arcs by destination node, for searches from a destination backwards."""
        by = self.into
        return Inward(by.start, self.src[by.edge], self.weight[by.edge], all_equal(self.weight))

    def edge_loads(self, arc_gbps: Floats) -> Floats:
        """Loads of the graph's edges from loads of the arcs, shape (E, C)."""
        return np.asarray(arc_gbps[self.of_edge] * self.share[:, None])

    def edge_splits(self, splits: Splits) -> Splits:
        """Splits over the graph's edges from splits over the arcs."""
        order = np.argsort(self.of_edge, kind="stable")
        if len(order) == len(self.src):  # no parallel edges, so every arc is one edge
            return Splits(splits.start, column(order.astype(np.int32)[splits.edge], np.int32), splits.fraction)
        first = np.searchsorted(self.of_edge[order], np.arange(len(self.src) + 1))
        count = np.diff(first)[splits.edge]
        position = np.repeat(first[splits.edge] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
        edge = order[position + np.arange(int(count.sum()))]
        before = np.concatenate([[0], np.cumsum(count)])
        return Splits(
            start=column(before[splits.start], np.int64),
            edge=column(edge, np.int32),
            fraction=column(np.repeat(splits.fraction, count) * self.share[edge], np.float64),
        )


_MERGED: WeakKeyDictionary[RoutingGraph, Arcs] = WeakKeyDictionary()  # all phases of a fabric may share its graph


def merge_parallel(graph: RoutingGraph) -> Arcs:
    """Arcs of a graph, ordered by source, destination and weight."""
    known = _MERGED.get(graph)
    if known is None:
        known = _MERGED[graph] = _merged(graph)
    return known


def _merged(graph: RoutingGraph) -> Arcs:
    weight, weight_code = np.unique(graph.weight, return_inverse=True)
    ends = graph.src.astype(np.int64) * graph.nodes + graph.dst
    unique, code = np.unique(ends * len(weight) + weight_code.ravel(), return_inverse=True)
    code = code.ravel()
    capacity = np.bincount(code, graph.capacity_gbps, len(unique))
    ends, weight_of = np.divmod(unique, max(len(weight), 1))
    src, dst = np.divmod(ends, max(graph.nodes, 1))
    return Arcs(
        nodes=graph.nodes,
        src=column(src, np.int32),
        dst=column(dst, np.int32),
        capacity_gbps=column(capacity, np.float64),
        weight=column(weight[weight_of], np.float64),
        of_edge=column(code, np.int32),
        share=column(graph.capacity_gbps / capacity[code], np.float64),
    )
