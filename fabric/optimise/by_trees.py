"""Trees as columns: the way of flat networks where prices against flows come to a stand; exact, in few rounds.

Every round solves the master programme over the trees known so far, prices all destinations under its duals, which
proves a bound and finds the trees that would help, and gives a row to every arc that was filled beyond the optimum.
The best routing is kept as a mixture of columns, and moved towards each round's point as far as that helps, so it gets
better long before the last arc is known.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.block_descent import Start, first_routing
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.master import Columns, Master, Point
from fabric.optimise.trees import TreeNet, Trees
from topologies.columns import Bools, Floats, column

NUDGE = 1e-10  # price of length beside the duals', relative: of equally cheap paths it picks a short one
SLACK = 1e-9  # relative room for the utilisation while detours are taken out
ROOM = 1e-8  # relative, above the least utilisation that a shorter routing may take
# Rounds of taking out detours, on small networks and on others: the last ones take long and gain little.
SHORTENING, SHORTENING_LARGE, LARGE = 10, 3, 60_000
TARGET_GAP = 1e-7  # relative: where columns end the last digits cost little
NEAR = 0.97  # arcs this close to the maximum get a row at the start
MOST_ENTRIES = 40_000_000  # destinations x arcs of the first routing, 8 bytes each
# Where more of the arcs than this are near the maximum after the first passes, optima are so many that simplex stalls.
DEGENERATE_ARCS, DEGENERATE_SHARE = 200, 0.5
MOST_ROUNDS = 300
HELPS = 1e-10  # reduced cost, in units of the programme, that a column has to save
STEPS = np.linspace(0.0, 1.0, 33)  # between the best routing and a round's point


def improve_by_trees(best: Incumbent, start: Start | None = None) -> bool:
    """Improve the routing and the proof, from a start; returns whether the rounds ended by themselves."""
    net = TreeNet.of(best.arcs, best.demand, best.routable)
    if len(net.demand.dest) * len(net.capacity) > MOST_ENTRIES:
        return False
    best.report("optimal: trees")
    if start is None:
        start = first_routing(net, known_bound=best.certificate.lower_bound, deadline=best.deadline)
    use = start.flow.sum(axis=0) / net.capacity
    near = np.flatnonzero(use > NEAR * use.max(initial=0.0))
    rounds = _Rounds(best, net, start)
    best.solver = f"{best.solver}, trees" if best.solver == "first-order" else "trees"
    if len(near) > max(DEGENERATE_ARCS, DEGENERATE_SHARE * len(use)):
        rounds.hand_over()
        return False
    rounds.master.watch(near)
    ended = rounds.run()
    if ended:
        rounds.shorten()
    rounds.hand_over()
    return ended


def take_out_detours(best: Incumbent, net: TreeNet, start: Start) -> None:
    """Shorten a routing at the utilisation it has, from its flows and trees that are short."""
    best.report("optimal: shorter paths")
    rounds = _Rounds(best, net, start)
    use = rounds.load / net.capacity
    rounds.master.watch(np.flatnonzero(use > NEAR * use.max(initial=0.0)))
    rounds.shorten()
    rounds.hand_over(room=ROOM)


class _Rounds:
    """The master programme with the best mixture of its columns and the best prices."""

    def __init__(self, best: Incumbent, net: TreeNet, start: Start) -> None:
        self.best, self.net = best, net
        rows = len(net.demand.dest)
        use = start.flow.sum(axis=0) / net.capacity
        self.scale = float(use.max(initial=0.0)) or 1.0
        self.master = Master(net.capacity, net.weight, rows, scale=self.scale, least=best.access)
        self.master.add(Columns.of_flows(start.flow))
        if start.last is not start.flow:
            self.master.add(Columns.of_flows(start.last))
        self.master.add(Columns.of_trees(start.trees, np.ones(rows, dtype=np.bool_)))
        self.parts = np.zeros(self.master.columns)
        self.parts[:rows] = 1.0
        self.load = start.flow.sum(axis=0)
        self.theta = max(float(use.max(initial=0.0)), best.access)
        self.bound, self.price = best.certificate.lower_bound, start.price

    def run(self) -> bool:
        """Rounds until the gap closes, no tree helps, or the time is used up; whether it was not the time."""
        for number in range(MOST_ROUNDS):
            point = self.master.solve(self.best.deadline)
            if point is None:
                return False
            load = self.master.loads(point.parts)
            self._move(point.parts, load)
            rows = self.master.watch(np.flatnonzero(load / self.net.capacity > point.theta * (1 + 1e-9)))
            trees, helps = self._priced(point)
            self.best.report(f"optimal: trees, round {number + 1}", self.theta, self.bound)
            if self.theta <= self.bound * (1 + TARGET_GAP) or not (rows or helps.any()):
                return True
            self.master.add(Columns.of_trees(trees, helps))
            if time.monotonic() > self.best.deadline:
                return False
        return False

    def _move(self, parts: Floats, load: Floats) -> None:
        """Move the best mixture towards a point, as far as that lowers its utilisation."""
        change = load - self.load
        highest = np.array([float(((self.load + step * change) / self.net.capacity).max()) for step in STEPS])
        step = float(STEPS[int(np.argmin(highest))])
        kept = self._kept()
        self.parts = kept + step * (parts - kept)
        self.load = self.load + step * change
        self.theta = max(float((self.load / self.net.capacity).max(initial=0.0)), self.best.access)

    def _kept(self) -> Floats:
        """Parts of the best mixture over all columns, those added since included."""
        return np.append(self.parts, np.zeros(self.master.columns - len(self.parts)))

    def _priced(self, point: Point) -> tuple[Trees, Bools]:
        """Cheapest trees under a point's duals, and which of them would help; a better bound is kept."""
        capacity, earned = self.net.capacity, float(point.price @ self.net.capacity)
        price = point.price + NUDGE * (earned / float(capacity.sum())) * self.net.weight / self.net.weight.max()
        trees = self.net.cheapest(price)
        # The nudge makes paths dearer: less what it costs them, what they pay is still a bound.
        bound = float(trees.paid.sum()) / float(price @ capacity) if earned > 0 else 0.0
        if bound > self.bound:
            self.bound, self.price = bound, price / float(price @ capacity)
        return trees, trees.priced(point.price) / self.scale < point.worth - HELPS

    def shorten(self) -> None:
        """Take out detours: the least Σ weight x Gbps at the utilisation reached, over trees that prices ask for."""
        self.master.minimise_length(self.theta * (1 + SLACK))
        length = self.net.weight * self.master.length_unit
        size = len(self.net.demand.dest) * len(self.net.capacity)
        for _ in range(SHORTENING if size <= LARGE else SHORTENING_LARGE):
            point = self.master.solve(self.best.deadline)
            if point is None:
                return
            load = self.master.loads(point.parts)
            if self.master.watch(np.flatnonzero(load / self.net.capacity > self.theta * (1 + 2 * SLACK))):
                continue
            self.parts, self.load = point.parts, load
            trees = self.net.cheapest(length + point.price / self.scale)
            helps = trees.paid < point.worth - HELPS * np.abs(point.worth).max(initial=0.0)
            if not helps.any():
                return
            self.master.add(Columns.of_trees(trees, helps))

    def hand_over(self, *, room: float = 0.0) -> None:
        """Give the routing and the prices to the incumbent, which takes neither's word; see ``Incumbent.take``."""
        best, arcs = self.best, self.best.arcs
        price = np.zeros(len(arcs.src))
        price[arcs.into.edge] = self.price
        best.prove_prices(price[arcs.of_edge])
        row, slot, gbps = self.master.flows(self._kept())
        used = column(arcs.into.edge[slot], np.int32)
        best.take_splits(
            splits_from_flows(arcs, best.demand, best.routable, column(row, np.int32), used, gbps), room=room
        )
