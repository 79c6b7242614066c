"""The most traffic that fits: trees to a destination that carry whole entries or leave them out, as columns.

Under prices of the arcs an entry is worth its Gbps less what its cheapest path costs, so the best column of a
destination carries exactly the entries whose paths cost less than 1, on cheapest paths; mixtures of such columns make
every way to admit parts of the entries. Each round solves the master programme, prices all destinations, which proves a
bound, and gives a row to every arc that was filled above its capacity.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.block_descent import first_routing
from fabric.optimise.by_moves import MOST_ENTRIES, MoveNet
from fabric.optimise.carried import Carried
from fabric.optimise.master import Columns, Master, Point
from fabric.optimise.moves import Base
from fabric.routing.graph import PhaseDemand, RoutingGraph
from topologies.columns import Bools, Floats, Longs

NUDGE = 1e-10  # price of length beside the duals', relative: of equally cheap paths it picks a short one
HELPS = 1e-9  # reduced cost, in units of the mean entry, that a column has to save
TARGET_GAP = 1e-8  # relative, reached whatever is asked for
NEAR = 0.97  # slots this close to the maximum of the first routing get a row
MOST_ROUNDS = 400
SMOOTH = 0.5  # weight of the best bound's prices beside those of the round (Wentges, Int. Trans. Oper. Res. 1997)
FIRST_STEPS, STEP = 8, 0.5  # of prices before the first programme
FLOOR = 1e-4  # of the dearest arc, that first prices rise from


@dataclass(frozen=True, eq=False)
class Admitted:
    """A routing within capacity, up to the solver's tolerance, and the prices that prove the best bound."""

    carried: Carried
    part: Floats  # shape (nnz,)
    price: Floats  # shape (E,), per Gbps
    solved: bool  # no column helps any more


def most_admitted_by_trees(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, gap: float, deadline: float
) -> Admitted | None:
    """The routing that admits the most Gbps; None for a network that is too large, or without any time.

    Parameters
    ----------
    gap : float
        Relative, at which a bound is good enough.
    deadline : float
        By ``time.monotonic()``; afterwards the best so far.
    """
    arcs = merge_parallel(graph)
    if len(demand.dest) * len(arcs.src) > MOST_ENTRIES:
        return None
    problem = MoveNet.of(arcs, demand, routable)
    start = first_routing(problem.net, known_bound=0.0, deadline=deadline)
    theta = float((start.flow.sum(axis=0) / problem.net.capacity).max(initial=0.0))
    whole = np.where(routable, 1.0, 0.0)
    if theta <= 1.0:
        return Admitted(problem.carried(start.flow, whole), whole, np.zeros(len(graph.src)), True)
    rounds = _Rounds(problem, start.flow, start.price * theta, theta, deadline)
    solved = rounds.run(min(gap, TARGET_GAP), deadline)
    flow, part = rounds.best
    return Admitted(problem.carried(flow, part), part, problem.by_edge(rounds.price), solved)


class _Rounds:
    """The master programme and what its columns admit."""

    def __init__(self, problem: MoveNet, flow: Floats, price: Floats, theta: float, deadline: float) -> None:
        self.problem, net = problem, problem.net
        rows = len(net.demand.dest)
        self.rows = rows
        self.unit = float(net.gbps.sum()) / max(int((net.gbps > 0).sum()), 1)
        self.master = Master(net.capacity, net.weight, rows, scale=1.0, least=1.0, primal=True)
        self.master.hold(1.0)
        self.admits: list[tuple[Bools, Longs]] = []  # entries that columns carry, and the column of every destination
        everything = net.gbps > 0
        nothing = Columns(np.arange(rows), np.zeros(rows + 1, dtype=np.int64), np.empty(0, np.int32), np.empty(0))
        self._take(nothing, np.zeros_like(everything))
        self._take(Columns.of_flows(flow), everything)
        self.bound, self.price = float(net.gbps.sum()), np.zeros(len(net.capacity))
        self.value = float(net.gbps.sum()) / theta
        self.best = (flow / theta, np.where(everything, 1.0 / theta, np.where(problem.routable, 1.0, 0.0)))
        use = flow.sum(axis=0) / net.capacity
        self.master.watch(np.flatnonzero(use > NEAR * theta))
        self._first_prices(price, deadline)

    def _first_prices(self, price: Floats, deadline: float) -> None:
        """Prices that rise where too much is admitted, and fall where little is; answers become columns."""
        for step in range(FIRST_STEPS):
            if time.monotonic() > deadline:
                return
            self._priced(np.full(self.rows, np.inf), price, price)
            priced, distance, trees = self._cheapest(price)
            carries = np.where(self._saved(distance) > 0, 1.0, 0.0)
            use = trees.loads(trees.through(self.problem.enters(carries))) / self.problem.net.capacity
            price = np.maximum(priced, FLOOR * priced.max(initial=0.0))
            price = price * np.exp(STEP / np.sqrt(1 + step) * np.clip(use - 1.0, -1.0, 1.0))

    def run(self, gap: float, deadline: float) -> bool:
        """Rounds until the gap closes or no column helps; False when the time is used up."""
        for _ in range(MOST_ROUNDS):
            point = self.master.solve(deadline)
            if point is None:
                return False
            load = self.master.loads(point.parts)
            rows = self.master.watch(np.flatnonzero(load > self.problem.net.capacity * (1 + 1e-9)))
            self._keep(point, load)
            dual = point.price * self.unit
            smooth = SMOOTH * self.price + (1 - SMOOTH) * dual
            added = self._priced(point.worth, smooth, dual) or self._priced(point.worth, dual, dual)
            if self.bound <= self.value * (1 + gap) or not (rows or added):
                return True
            if time.monotonic() > deadline:
                return False
        return False

    def _keep(self, point: Point, load: Floats) -> None:
        """Keep a point, scaled into capacity, where it admits more than the best so far."""
        over = max(float((load / self.problem.net.capacity).max(initial=0.0)), 1.0)
        part = np.zeros(len(self.problem.routable))
        row = self.problem.demand.row_of_entry
        for carries, column_of in self.admits:
            mine = column_of[row]
            part += np.where(carries & (mine >= 0), point.parts[mine], 0.0)
        value = float(part @ self.problem.net.gbps) / over
        if value > self.value:
            self.value = value
            part = np.where(self.problem.net.gbps > 0, np.minimum(part / over, 1.0), self.best[1])
            flow = np.zeros((self.rows, len(load)))
            to, slot, gbps = self.master.flows(point.parts)
            flow[to, slot] = gbps / over
            self.best = (flow, part)

    def _take(self, columns: Columns, carries: Bools) -> None:
        """Add columns that carry these entries, at the worth of those."""
        gbps = np.bincount(self.problem.demand.row_of_entry, np.where(carries, self.problem.net.gbps, 0.0), self.rows)
        column_of = np.full(self.rows, -1, dtype=np.int64)
        column_of[columns.row] = self.master.columns + np.arange(len(columns.row))
        self.master.add(columns, -gbps[columns.row] / self.unit)
        self.admits.append((carries, column_of))

    def _priced(self, known: Floats, price: Floats, dual: Floats) -> int:
        """Keep a better bound, and add the best columns under a price that help under the duals; returns how many.

        ``known`` is the dual of every destination's row, shape (D,).
        """
        net, demand = self.problem.net, self.problem.demand
        price, distance, trees = self._cheapest(price)
        saved = self._saved(distance)
        worth = np.bincount(demand.row_of_entry, np.maximum(saved, 0.0) * net.gbps, self.rows)
        bound = float(price @ net.capacity) + float(worth.sum())
        if bound < self.bound:
            self.bound, self.price = bound, price
        carries = saved > 0
        own = trees.priced(dual, np.zeros(trees.onward.shape))[demand.row_of_entry, demand.src]
        worth = np.bincount(demand.row_of_entry, np.where(carries, 1.0 - own, 0.0) * net.gbps, self.rows)
        helps = np.flatnonzero(-worth / self.unit < known - HELPS)
        through = trees.through(self.problem.enters(np.where(carries, 1.0, 0.0)))[helps]
        used = through > 0
        start = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
        self._take(Columns(helps, start, trees.onward[helps][used], through[used]), carries)
        return len(helps)

    def _cheapest(self, price: Floats) -> tuple[Floats, Floats, Base]:
        """Prices with a little length, distances under them, shape (D, V), and trees of cheapest paths."""
        net = self.problem.net
        price = price + NUDGE * float(price.sum()) / len(price) * net.weight / (
            float(net.weight.max(initial=0.0)) or 1.0
        )
        trees, distance = Base.cheapest(net.slots, net.demand.dest, price)
        return price, distance, trees

    def _saved(self, distance: Floats) -> Floats:
        """Worth of a Gbps of every entry, less what its cheapest path costs, shape (nnz,)."""
        demand = self.problem.demand
        return np.where(self.problem.net.gbps > 0, 1.0 - distance[demand.row_of_entry, demand.src], 0.0)
