"""The exact optimum of a part of a routing by trees as columns, while the rest of the routing stays.

A descent finds most of what a part can give quickly, and the last digits slowly. Where the part is of few destinations,
these are the columns of a master programme: trees of cheapest paths over all arcs, and what the descent found; the load
of the rest is one more column that is always chosen. See ``by_trees``, which does this for whole flat networks.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.dags import DagColumns, Dags
from fabric.optimise.hot_part import HotPart, carried
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.master import Columns, Master, Point
from fabric.optimise.trees import TreeNet, Trees
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand
from fabric.routing.kernels import parallel_rows
from topologies.columns import Bools, Floats, Ints, Shares, column

MOST_ROUNDS = 200
NEAR = 1e-3  # arcs this close to the goal get a row at the start, relative
HELPS = 1e-9  # reduced cost, in units of the programme, that a column has to save
SPREAD = 1e-3  # of what all prices earn: a price on full arcs, so that of equally cheap paths the emptier are taken
STEEP = 30.0  # how much dearer full arcs are in it
STEPS = np.linspace(0.0, 1.0, 33)


@compiled
def table_trees(
    first: int,
    last: int,
    table: DagColumns,
    row_of: Ints,
    price: Floats,
    demand: DemandRows,
    gbps: Floats,
    onward: Ints,
    flow: Floats,
    paid: Floats,
) -> None:
    """Cheapest trees over the arcs of rows of a table: the slot every node sends on, Gbps there, and what is paid."""
    row_start, slots, tail, head = table
    distance = np.empty(onward.shape[1])
    for row in range(first, last):
        begin, end = row_start[row_of[row]], row_start[row_of[row] + 1]
        for at in range(begin, end):
            distance[tail[slots[at]]] = np.inf
        distance[demand.dest[row]] = 0.0
        for at in range(end - 1, begin - 1, -1):
            slot = slots[at]
            length = price[slot] + distance[head[slot]]
            if length < distance[tail[slot]]:
                distance[tail[slot]] = length
                onward[row, tail[slot]] = slot
        total = 0.0
        for entry in range(demand.start[row], demand.start[row + 1]):
            if gbps[entry] > 0.0:
                flow[row, demand.src[entry]] += gbps[entry]
                total += gbps[entry] * distance[demand.src[entry]]
        paid[row] = total
        for at in range(begin, end):
            slot = slots[at]
            if onward[row, tail[slot]] == slot:
                flow[row, head[slot]] += flow[row, tail[slot]]
        flow[row, demand.dest[row]] = 0.0


class HotTrees:
    """A master programme over a part's destinations, and the best mixture of its columns."""

    def __init__(
        self, best: Incumbent, part: HotPart, shares: Shares, loads: Floats, goal: float, within: Dags | None
    ) -> None:
        self.best, self.part, self.goal, self.within = best, part, goal, within
        descent = part.descent
        self.rows = len(part.row)
        none = np.empty((0, 1))
        demand = PhaseDemand(
            descent.rows.dest, column(descent.rows.start, np.int32), descent.rows.src,
            column(descent.gbps[:, None], np.float64), none, none,
        )  # fmt: skip
        self.net = TreeNet.of(best.arcs, demand, np.ones(len(descent.gbps), dtype=np.bool_))
        capacity = self.net.capacity
        flow = carried(descent, shares[part.position])
        slots = part.slot[descent.table.slot]
        self.fixed = np.maximum(loads - np.bincount(slots, flow, len(loads)), 0.0)
        self.load = loads
        self.theta = float((loads / capacity).max(initial=0.0))
        self.scale = self.theta
        self.master = Master(capacity, self.net.weight, self.rows + 1, scale=self.scale, least=max(goal, best.access))
        stays = np.flatnonzero(self.fixed)
        self.master.add(
            Columns(
                np.arange(self.rows + 1), np.append(descent.table.start, len(slots) + len(stays)),
                column(np.append(slots, stays), np.int32), np.append(flow, self.fixed[stays]),
            )
        )  # fmt: skip
        self.parts = np.ones(self.rows + 1)
        self.price = np.zeros(len(capacity))
        self.master.watch(np.flatnonzero(loads > goal * (1 - NEAR) * capacity))

    def run(self, start: Floats) -> None:
        """Rounds until the goal is reached, no tree helps, or the time is used up; ``start`` prices the first trees."""
        capacity = self.net.capacity
        if start.any():
            self.master.add(_columns(self._cheapest(self._spread(start)), np.ones(self.rows, dtype=np.bool_)))
        for _ in range(MOST_ROUNDS):
            point = self.master.solve(self.best.deadline)
            if point is None:
                return
            load = self.master.loads(point.parts)
            self._move(point.parts, load)
            self.best.report("optimal: trees", self.theta)
            if self.theta <= self.goal * (1 + HELPS):
                return
            self.price = point.price
            rows = self.master.watch(np.flatnonzero(load / capacity > point.theta * (1 + 1e-9)))
            added = self._add(point)
            if not (rows or added) or time.monotonic() > self.best.deadline:
                return

    def _add(self, point: Point) -> bool:
        """Add the trees that would help under a point's duals; whether any would."""
        for price in (self._spread(point.price), point.price):
            trees = self._cheapest(price)
            helps = trees.priced(point.price) / self.scale < point.worth[: self.rows] - HELPS
            if helps.any():
                self.master.add(_columns(trees, helps))
                return True
        return False

    def _cheapest(self, price: Floats) -> Trees:
        """The cheapest tree of every destination, within the table if there is one."""
        if self.within is None:
            return self.net.cheapest(price)
        rows, nodes = self.rows, self.best.arcs.nodes
        onward, flow = np.full((rows, nodes), -1, dtype=np.int32), np.zeros((rows, nodes))
        paid = np.zeros(rows)
        table, part, by_slot = self.within.columns, self.part, column(price, np.float64)
        fixed = (table, part.row, by_slot, part.descent.rows, part.descent.gbps, onward, flow, paid)
        parallel_rows(rows, lambda first, last: table_trees(first, last, *fixed))
        return Trees(onward, flow, paid)

    def _spread(self, price: Floats) -> Floats:
        """Prices with a little on full arcs."""
        capacity = self.net.capacity
        full = np.exp(STEEP * (np.minimum(self.load / capacity / self.goal, 1.0) - 1.0)) / capacity
        return np.asarray(price + SPREAD * float(price @ capacity) / float(full @ capacity) * full)

    def _move(self, parts: Floats, load: Floats) -> None:
        """Move the best mixture towards a point, as far as that lowers its utilisation."""
        change = load - self.load
        highest = np.array([float(((self.load + step * change) / self.net.capacity).max()) for step in STEPS])
        step = float(STEPS[int(np.argmin(highest))])
        kept = np.append(self.parts, np.zeros(len(parts) - len(self.parts)))
        self.parts = kept + step * (parts - kept)
        self.load = self.load + step * change
        self.theta = float((self.load / self.net.capacity).max(initial=0.0))

    def flows(self) -> tuple[Ints, Ints, Floats]:
        """What the best mixture carries: destination within the part, slot and Gbps."""
        kept = np.append(self.parts, np.zeros(self.master.columns - len(self.parts)))
        row, slot, gbps = self.master.flows(kept)
        own = row < self.rows
        return row[own], slot[own], gbps[own]


def _columns(trees: Trees, chosen: Bools) -> Columns:
    """Trees of the chosen destinations as columns."""
    rows = np.flatnonzero(chosen)
    gbps, onward = trees.gbps[rows], trees.onward[rows]
    carries = gbps > 0
    start = np.concatenate([[0], np.cumsum(carries.sum(axis=1))])
    return Columns(rows, start, onward[carries], gbps[carries])
