"""The exact optimum of a part of a routing by trees as columns, while the rest of the routing stays.

A descent finds most of what a part can give quickly, and the last digits slowly. Where the part is of few destinations,
trees of cheapest paths over all arcs, and what the descent found, are the columns of a master programme over the room
that the rest leaves. See ``by_trees``, which does this for whole flat networks.
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
from topologies.columns import Floats, Ints, Shares, column

MOST_ROUNDS = 200
LEAST_ROOM = 1e-4  # of an arc's capacity, where the rest fills it beyond the goal
NEAR = 1e-3  # arcs this close to their room get a row at the start, relative
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
    """A master programme over a part's destinations, and the best mixture of its columns.

    What it minimises is the highest part of the room that is used: the room of an arc is what the rest leaves of it at
    the goal. At 1 the goal is reached, and no arc that was below it is above.
    """

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
        self.capacity = self.net.capacity
        flow = carried(descent, shares[part.position])
        slots = column(part.slot[descent.table.slot], np.int32)
        self.load = np.bincount(slots, flow, len(loads)).astype(np.float64)  # of the mixture
        self.fixed = np.maximum(loads - self.load, 0.0)
        self.room = np.maximum(goal * self.capacity - self.fixed, LEAST_ROOM * self.capacity)
        self.used = float((self.load / self.room).max(initial=0.0))
        self.master = Master(self.room, self.net.weight, self.rows, scale=1.0, least=1.0)
        self.master.add(Columns(np.arange(self.rows), descent.table.start, slots, flow))
        self.parts = np.ones(self.rows)
        self.price = np.zeros(len(loads))
        self.proves = 0.0  # what the last prices prove at least, once no tree helps
        self.master.watch(np.flatnonzero(self.load > (1 - NEAR) * self.room))

    @property
    def theta(self) -> float:
        """Highest utilisation of an arc that the mixture loads."""
        own = np.where(self.load > 0, self.load + self.fixed, 0.0)
        return float((own / self.capacity).max(initial=0.0))

    @property
    def over_gbps(self) -> float:
        """Load above the goal, over all arcs."""
        return float(np.maximum(self.load + self.fixed - self.goal * self.capacity, 0.0).sum())

    def run(self, start: Floats) -> None:
        """Rounds until the goal is reached, no tree helps, or the time is used up; ``start`` prices the first trees."""
        if start.any():
            self.master.add(Columns.of_trees(self._cheapest(self._spread(start)), np.ones(self.rows, dtype=np.bool_)))
        for _ in range(MOST_ROUNDS):
            point = self.master.solve(self.best.deadline)
            if point is None:
                return
            load = self.master.loads(point.parts)
            self._move(point.parts, load)
            self.best.report("optimal: trees")
            if self.used <= 1 + HELPS:
                return
            self.price = point.price
            earned = float(point.price @ self.capacity)
            self.proves = point.theta / earned if earned > 0 else 0.0
            rows = self.master.watch(np.flatnonzero(load > point.theta * (1 + HELPS) * self.room))
            added = self._add(point)
            if not (rows or added) or time.monotonic() > self.best.deadline:
                return

    def _add(self, point: Point) -> bool:
        """Add the trees that would help under a point's duals; whether any would."""
        for price in (self._spread(point.price), point.price):
            trees = self._cheapest(price)
            helps = trees.priced(point.price) < point.worth[: self.rows] - HELPS
            if helps.any():
                self.master.add(Columns.of_trees(trees, helps))
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
        full = np.exp(STEEP * (np.minimum(self.load / self.room, 1.0) - 1.0)) / self.room
        return np.asarray(price + SPREAD * float(price @ self.room) / float(full @ self.room) * full)

    def _move(self, parts: Floats, load: Floats) -> None:
        """Move the best mixture towards a point, as far as that lowers what it uses."""
        change = load - self.load
        highest = np.array([float(((self.load + step * change) / self.room).max()) for step in STEPS])
        step = float(STEPS[int(np.argmin(highest))])
        kept = np.append(self.parts, np.zeros(len(parts) - len(self.parts)))
        self.parts = kept + step * (parts - kept)
        self.load = self.load + step * change
        self.used = float((self.load / self.room).max(initial=0.0))

    def flows(self) -> tuple[Ints, Ints, Floats]:
        """What the best mixture carries: destination within the part, slot and Gbps."""
        kept = np.append(self.parts, np.zeros(self.master.columns - len(self.parts)))
        return self.master.flows(kept)
