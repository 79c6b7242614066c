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

from fabric.optimise.arc_pairs import ArcPairs, every_pair, shortest_pairs
from fabric.optimise.arcs import Arcs
from fabric.optimise.carried import Carried
from fabric.optimise.contracted import contracted_prices
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.flow_blocks import FlowBlocks, Steps, step_blocks
from fabric.optimise.proofs import entry_prices
from fabric.optimise.valley_free import StateSteps, valley_free_prices
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, column

# Destinations x edges above which, and part of the edges with a price below which, nodes that cost nothing to cross are
# made one before paths are priced.
LARGE, FEW_PRICED = 1_000_000, 0.5
# Appended to words about bounds that hold for some paths only.
OVER_PATHS = {
    "any": "",
    "shortest": ", over shortest paths",
    "k-shortest": ", over the given paths",
    "valley-free": ", over valley-free paths",
}


class RouteSpace(Protocol):
    """What the optimiser needs to know about the paths that traffic may take."""

    @property
    def graph(self) -> RoutingGraph:
        """Where traffic goes."""
        ...

    @property
    def demand(self) -> PhaseDemand:
        """What is sent."""
        ...

    @property
    def policy(self) -> str:
        """Name of the path policy."""
        ...

    @property
    def complete(self) -> bool:
        """Whether the blocks lack no column."""
        ...

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

    def first(self) -> Carried:
        """A routing to begin with: equal splitting over shortest paths, or one allowed path a pair."""
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
    complete: bool  # whether no column is missing
    given: ArcPairs | None = None  # the columns; None for all there are, or those on shortest paths
    states: StateSteps | None = None  # of valley-free
    equal_gbps: Floats | None = None  # shape (E, C), loads of equal splitting, where the policy allows that

    @cached_property
    def pairs(self) -> ArcPairs:
        """Destination and arc of every column."""
        if self.given is not None:
            return self.given
        if self.complete and self.policy == "any":
            return every_pair(self.graph, self.arcs, self.demand)
        return shortest_pairs(self.arcs, self.demand, self.routable)

    @cached_property
    def blocks(self) -> FlowBlocks:
        """Blocks with a column per allowed destination and arc."""
        return step_blocks(
            Steps.of_arcs(self.arcs), self.arcs, self.demand, self.demand.dest, self.routable,
            self.pairs.rows, self.pairs.used,
        )  # fmt: skip

    def first(self) -> Carried:
        """Equal splitting where it is allowed."""
        if self.equal_gbps is not None:
            return Carried(self.equal_gbps, None)
        return self.carry(np.zeros(len(self.pairs.rows)), self.routable.astype(np.float64))

    def least_prices(self, price: Floats) -> Floats:
        """Least price over any, all shortest or all valley-free paths."""
        if self.states is not None:
            return valley_free_prices(self.states, self.demand, by_arc(self.arcs, price))
        large = len(self.demand.dest) * len(price) > LARGE
        if self.policy == "any" and large and np.count_nonzero(price) < FEW_PRICED * len(price):
            return contracted_prices(self.graph, self.demand, price)
        return entry_prices(self.graph, self.demand, price, shortest_only=self.policy == "shortest")

    def carry(self, flow: Floats, admitted: Floats) -> Carried:
        """Splits from flows, and the loads they make."""
        cut = admitted_demand(self.demand, np.where(self.routable, admitted, 0.0))
        offered = np.where(self.routable, self.demand.total_gbps, 0.0)
        units = np.bincount(self.demand.row_of_entry, offered, len(cut.dest))
        splits = _splits(self.arcs, cut, self.routable, self.pairs, flow * units[self.pairs.rows])
        return Carried.by_splits(self.arcs, cut, self.routable, splits)

    def over(self, pairs: ArcPairs | None, *, complete: bool) -> ArcSpace:
        """With other columns; None for those there are to begin with."""
        return replace(self, given=pairs, complete=complete)

    def grown(self, price: Floats) -> ArcSpace | None:
        """With the arcs on cheapest paths under the prices, when any path goes."""
        if self.complete or self.policy != "any":
            return None
        nudge = price[price > 0].min(initial=1.0) * 1e-6
        priced = replace(self.arcs, weight=by_arc(self.arcs, price) + nudge)
        return self.with_pairs(shortest_pairs(priced, self.demand, self.routable))

    def with_pairs(self, more: ArcPairs) -> ArcSpace | None:
        """With more columns; None when all are there."""
        merged = self.pairs.with_more(more, len(self.arcs.src))
        return None if len(merged.rows) == len(self.pairs.rows) else replace(self, given=merged)


def by_arc(arcs: Arcs, of_edge: Floats) -> Floats:
    """Value of every arc from equal values of its edges, shape (A,)."""
    values = np.zeros(len(arcs.src))
    values[arcs.of_edge] = of_edge
    return values


def _splits(arcs: Arcs, demand: PhaseDemand, routable: Bools, pairs: ArcPairs, flow_gbps: Floats) -> Splits:
    """Splits per destination over its own allowed arcs only, so that what is sent on stays within the policy."""
    rows, used = pairs.rows, pairs.used
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
