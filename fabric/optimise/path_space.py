"""Routing over given paths (policy ``k-shortest``): a column per path, the flow on it in units of its entry.

A pair's paths are the k shortest loop-free ones by routing weight, fixed before anything is optimised; a bound over
them says nothing about other paths. Parallel links are paths of their own, so arcs are the graph's edges here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array

from fabric.optimise.arcs import Arcs
from fabric.optimise.carried import Carried
from fabric.optimise.flow_blocks import FlowBlocks
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import FlowPaths
from topologies.columns import Bools, Floats, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class PathSpace:
    """Given paths: path p is for entry ``entry[p]`` and takes ``edge[start[p]:start[p + 1]]`` of the graph."""

    graph: RoutingGraph
    demand: PhaseDemand
    entry: Ints  # shape (P,), not descending
    start: Ints  # shape (P + 1,)
    edge: Ints

    policy = "k-shortest"
    complete = True

    @cached_property
    def arcs(self) -> Arcs:
        """Every edge as an arc of its own."""
        graph, edges = self.graph, len(self.graph.src)
        ids, ones = column(np.arange(edges), np.int32), column(np.ones(edges), np.float64)
        return Arcs(graph.nodes, graph.src, graph.dst, graph.capacity_gbps, graph.weight, ids, ones)

    @cached_property
    def routable(self) -> Bools:
        """Entries with at least one path."""
        return column(np.bincount(self.entry, minlength=len(self.demand.src)) > 0, np.bool_)

    @cached_property
    def _path_of_step(self) -> Ints:
        return column(np.repeat(np.arange(len(self.entry)), np.diff(self.start)), np.int32)

    @cached_property
    def blocks(self) -> FlowBlocks:
        """Σ over an entry's paths = what is admitted of it."""
        paths, served = len(self.entry), np.flatnonzero(self.routable)
        gbps = self.demand.total_gbps[self.entry]
        row = np.searchsorted(served, self.entry)
        conserve = coo_array((np.ones(paths), (row, np.arange(paths))), shape=(len(served), paths))
        supply = coo_array(
            (np.ones(len(served)), (np.arange(len(served)), served)), shape=(len(served), len(self.routable))
        )
        step = self._path_of_step
        share = gbps[step] / self.graph.capacity_gbps[self.edge]
        load = coo_array((share, (self.edge, step)), shape=(len(self.graph.src), paths))
        cost = np.bincount(step, self.graph.weight[self.edge], paths) * gbps
        return FlowBlocks(csr_array(conserve), csr_array(supply), csr_array(load), cost, gbps)

    def first(self) -> Carried:
        """Every pair on its shortest path."""
        return self.carry(np.zeros(len(self.entry)), self.routable.astype(np.float64))

    def least_prices(self, price: Floats) -> Floats:
        """Price of the cheapest of every entry's paths."""
        found = np.full(len(self.demand.src), np.inf)
        np.minimum.at(found, self.entry, np.bincount(self._path_of_step, price[self.edge], len(self.entry)))
        return found

    def carry(self, flow: Floats, admitted: Floats) -> Carried:
        """Paths with what they carry: every class of an entry in the proportions of the flow."""
        flow = np.maximum(flow, 0.0)
        total = np.bincount(self.entry, flow, len(self.demand.src))[self.entry]
        first = np.append(True, self.entry[1:] != self.entry[:-1])[: len(self.entry)]
        part = np.divide(flow, total, out=first.astype(np.float64), where=total > 0)
        gbps = self.demand.gbps[self.entry] * (part * admitted[self.entry])[:, None]
        edge_gbps = np.zeros((len(self.graph.src), gbps.shape[1]))
        np.add.at(edge_gbps, self.edge, gbps[self._path_of_step])
        path, code = np.nonzero(gbps)
        return Carried(edge_gbps, None, self._flow_paths(path, code, gbps[path, code]))

    def _flow_paths(self, path: Longs, code: Longs, gbps: Floats) -> FlowPaths:
        steps = np.diff(self.start)[path]
        start = np.concatenate([[0], np.cumsum(steps)])
        at = np.repeat(self.start[path] - start[:-1], steps) + np.arange(start[-1])
        nobody = column(np.full(len(path), -1), np.int32)
        entry = self.entry[path]
        return FlowPaths(
            src=column(self.demand.src[entry], np.int32),
            dst=column(self.demand.dest_of_entry[entry], np.int32),
            src_endpoint=nobody,
            dst_endpoint=nobody,
            code=column(code, np.int32),
            gbps=column(gbps, np.float64),
            start=column(start, np.int32),
            edge=column(self.edge[at], np.int32),
        )

    def grown(self, price: Floats) -> None:
        """Nothing: the paths are given."""
        return
