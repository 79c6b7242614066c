"""What traffic may use under a path policy, as blocks of a linear programme, and the way back to a routing.

Three questions that every objective asks, answered per policy: which columns there are, what the least price over
*all* allowed paths is (columns or not: bounds are made of it), and which routing a point of the programme stands for.
Loads are those that demand makes when it follows the split fractions or the paths, never the solver's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.by_programme import shortest_arcs
from fabric.optimise.certify import entry_prices
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.flow_blocks import FlowBlocks, Steps, step_blocks
from fabric.optimise.incumbent import split_loads
from fabric.optimise.valley_free import StateSteps, valley_free_prices
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import FlowPaths, Splits
from topologies.columns import Bools, Floats, Ints, column


@dataclass(frozen=True, eq=False)
class Carried:
    """A routing of what is admitted: loads of the graph's edges, with the splits or the paths that make them."""

    edge_gbps: Floats  # shape (E, C)
    splits: Splits | None
    paths: FlowPaths | None


class RouteSpace(Protocol):
    """What the objectives need to know about the paths that traffic may take."""

    @property
    def arcs(self) -> Arcs:
        """Arcs whose capacity the paths use."""
        ...

    @property
    def routable(self) -> Bools:
        """Entries with an allowed path, shape (nnz,)."""
        ...

    @property
    def blocks(self) -> FlowBlocks:
        """Blocks of the programme."""
        ...

    def least_prices(self, price: Floats) -> Floats:
        """Least price of an allowed path per entry, shape (nnz,), from prices of edges; inf without a path."""
        ...

    def carry(self, flow: Floats, admitted: Floats) -> Carried:
        """The routing of the admitted parts, shape (nnz,), along flow columns, shape (F,)."""
        ...

    def grown(self, price: Floats) -> RouteSpace | None:
        """The space with the columns that prices of edges ask for; None when it has them all."""
        ...


def admitted_demand(demand: PhaseDemand, admitted: Floats) -> PhaseDemand:
    """The part of every entry that is admitted; what endpoints send and receive in all stays as offered."""
    return replace(demand, gbps=column(demand.gbps * admitted[:, None], np.float64))


@dataclass(frozen=True, eq=False)
class ArcSpace:
    """Paths over allowed arcs per destination (policies any, shortest and valley-free)."""

    graph: RoutingGraph
    arcs: Arcs
    demand: PhaseDemand
    policy: str
    routable: Bools
    rows: Ints  # destination index of every column
    used: Ints  # its arc
    complete: bool  # whether no column is missing
    states: StateSteps | None = None  # of valley-free

    @cached_property
    def blocks(self) -> FlowBlocks:
        """Blocks with a column per allowed destination and arc."""
        steps = Steps.of_arcs(self.arcs)
        return step_blocks(steps, self.arcs, self.demand, self.demand.dest, self.routable, self.rows, self.used)

    def least_prices(self, price: Floats) -> Floats:
        """Least price over any, all shortest or all valley-free paths."""
        if self.states is not None:
            return valley_free_prices(self.states, self.demand, by_arc(self.arcs, price))
        return entry_prices(self.graph, self.demand, price, shortest_only=self.policy == "shortest")

    def carry(self, flow: Floats, admitted: Floats) -> Carried:
        """Splits from flows, and the loads they make."""
        cut = admitted_demand(self.demand, np.where(self.routable, admitted, 0.0))
        units = np.maximum(np.bincount(self._row_of_entry(), self._routable_gbps(), len(cut.dest)), 0.0)
        splits = _splits(self.arcs, cut, self.routable, self.rows, self.used, flow * units[self.rows])
        edge_gbps = self.arcs.edge_loads(split_loads(self.arcs, cut, splits, self.routable))
        return Carried(edge_gbps, self.arcs.edge_splits(splits), None)

    def grown(self, price: Floats) -> ArcSpace | None:
        """With the arcs on cheapest paths under the prices, when any path goes."""
        if self.complete or self.policy != "any":
            return None
        nudge = price[price > 0].min(initial=1.0) * 1e-6
        priced = replace(self.arcs, weight=by_arc(self.arcs, price) + nudge)
        pairs = shortest_arcs(priced, self.demand, self.routable)
        return self.with_pairs(pairs.rows, pairs.used)

    def with_pairs(self, rows: Ints, used: Ints) -> ArcSpace | None:
        """With more columns; None when all are there."""
        count = len(self.arcs.src)
        key = self.rows.astype(np.int64) * count + self.used
        merged = np.union1d(key, rows.astype(np.int64) * count + used)
        if len(merged) == len(key):
            return None
        return replace(self, rows=column(merged // count, np.int32), used=column(merged % count, np.int32))

    def _row_of_entry(self) -> Ints:
        return column(np.repeat(np.arange(len(self.demand.dest)), np.diff(self.demand.start)), np.int32)

    def _routable_gbps(self) -> Floats:
        return np.where(self.routable, self.demand.total_gbps, 0.0)


def by_arc(arcs: Arcs, of_edge: Floats) -> Floats:
    """Value of every arc from equal values of its edges, shape (A,)."""
    values = np.zeros(len(arcs.src))
    values[arcs.of_edge] = of_edge
    return values


def every_pair(graph: RoutingGraph, arcs: Arcs, demand: PhaseDemand) -> tuple[Ints, Ints]:
    """All pairs (destination index, arc) that loop-free traffic to the destination can use."""
    rows = np.repeat(np.arange(len(demand.dest)), len(arcs.src))
    used = np.tile(np.arange(len(arcs.src)), len(demand.dest))
    dest = demand.dest[rows]
    sends = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)
    sends[demand.row_of_entry, demand.src] = True
    tail, head = arcs.src[used], arcs.dst[used]
    keep = (tail != dest) & (~graph.is_terminal[head] | (head == dest))
    keep &= ~graph.is_terminal[tail] | sends[rows, tail]
    return column(rows[keep], np.int32), column(used[keep], np.int32)


def _splits(arcs: Arcs, demand: PhaseDemand, routable: Bools, rows: Ints, used: Ints, flow_gbps: Floats) -> Splits:
    """Splits per destination over its own allowed arcs only, so that what is sent on stays within the policy."""
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], np.arange(len(demand.dest) + 1))
    edges, fractions, start = [np.empty(0, dtype=np.int32)], [np.empty(0)], [0]
    for row in range(len(demand.dest)):
        mine = order[bounds[row] : bounds[row + 1]]
        arc, count = used[mine], len(mine)
        part = Arcs(
            arcs.nodes, arcs.src[arc], arcs.dst[arc], arcs.capacity_gbps[arc], arcs.weight[arc], arc, np.ones(count)
        )
        entries = slice(int(demand.start[row]), int(demand.start[row + 1]))
        one = replace(
            demand,
            dest=demand.dest[row : row + 1],
            start=column([0, entries.stop - entries.start], np.int32),
            src=demand.src[entries],
            gbps=demand.gbps[entries],
        )
        zeros, columns = np.zeros(count, dtype=np.int32), np.arange(count, dtype=np.int32)
        split = splits_from_flows(part, one, routable[entries], zeros, columns, flow_gbps[mine])
        edges.append(arc[split.edge])
        fractions.append(split.fraction)
        start.append(start[-1] + len(split.edge))
    return Splits(
        column(start, np.int64),
        column(np.concatenate(edges), np.int32),
        column(np.concatenate(fractions), np.float64),
    )
