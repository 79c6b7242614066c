"""Progressive filling over moves: exact max-min fair levels on flat networks, with the prices that prove each.

All entries rise together until prices stop some; those stay, and the others rise on (Nace, Pióro, "Max-min fairness
and its applications to routing and load-balancing in communication networks: a tutorial", IEEE Surveys 2008). An entry
is taken to be stopped when the prices of its stage leave it no room worth naming; what they leave in fact is worked out
again from the finished routing, and an entry that has no price yet rises on by nothing until it has one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.block_descent import first_routing
from fabric.optimise.by_moves import MOST_ENTRIES, MoveNet, MoveRounds
from fabric.optimise.carried import Carried
from fabric.optimise.move_master import MovePoint
from fabric.optimise.proofs import entry_prices, level_bound, paid_gbps
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.progress import Progress
from fabric.routing.router import LevelStage, RoutingOptions
from topologies.columns import Bools, Floats

ROOM = 1e-7  # relative, that the prices of its stage may leave an entry that stops
PAYS = 1e-9  # price of an entry's path, relative to the dearest, above which it may stop
NEAR = 0.97  # slots this close to the maximum of the first routing get a row
CLOSE = 1e-9  # relative gap of a stage that long rounds end with


@dataclass(frozen=True, eq=False)
class FairLevels:
    """Levels of all entries, the routing that carries them, and what is proven about the lowest."""

    level: Floats  # shape (nnz,)
    carried: Carried
    lowest_bound: float
    price: Floats  # shape (E,), of the first, lowest level
    stages: tuple[LevelStage, ...]
    finished: bool


def fair_levels(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, options: RoutingOptions, end: float
) -> FairLevels | None:
    """Fair levels; None for a network that is too large for memory.

    Parameters
    ----------
    routable : ndarray, shape (nnz,)
        Entries with a path, at least one.
    end : float
        Deadline, by ``time.monotonic()``; levels of the last finished stage are kept.
    """
    arcs = merge_parallel(graph)
    if len(demand.dest) * len(arcs.src) > MOST_ENTRIES:
        return None
    return _Filling(graph, MoveNet.of(arcs, demand, routable), options, end).run()


class _Filling:
    """Stages so far."""

    def __init__(self, graph: RoutingGraph, problem: MoveNet, options: RoutingOptions, end: float) -> None:
        self.graph, self.problem, self.options = graph, problem, options
        self.demand, net = problem.demand, problem.net
        start = first_routing(net, known_bound=0.0, deadline=end)
        whole = np.where(problem.routable, 1.0, 0.0)
        flow = problem.flows(problem.splits(start.flow, whole), whole)
        use = flow.sum(axis=0) / net.capacity
        theta = float(use.max(initial=0.0))
        self.lowest = 1.0 / max(theta, 1.0)
        self.level = whole * self.lowest
        self.rising = problem.routable & (net.gbps > 0)
        self.level[problem.routable & ~self.rising] = 1.0
        self.price = problem.by_edge(start.price)
        self.bound = self._bound(np.zeros(len(whole)), self.price)
        self.stages: list[LevelStage] = []
        self.rounds = MoveRounds(
            problem, flow * self.lowest, capacity=net.capacity, scale=self.lowest,
            length=np.zeros(len(use)), deadline=end,
        )  # fmt: skip
        self.near = np.flatnonzero(use > NEAR * theta)
        self.whole = theta <= 1.0
        self.end = end

    def _bound(self, level: Floats, price: Floats) -> float:
        found = entry_prices(self.graph, self.demand, price)
        return level_bound(self.graph, self.demand, self.rising, level, price, found)

    def run(self) -> FairLevels:
        """All stages, or those there is time for."""
        finished = self.whole or not self.rising.any()
        while not finished and time.monotonic() < self.end:
            if not self._stage():
                break
            finished = not self.rising.any()
        carried = self.problem.carried(self.rounds.kept, self.level)
        return FairLevels(self.level, carried, self.bound, self.price, tuple(self.stages), finished)

    def _stage(self) -> bool:
        """Raise what rises, and stop what prices stop; False when the time is used up."""
        first = not self.stages
        before = np.where(self.rising, 0.0, self.level) if first else self.level
        base = float(before[self.rising].max())
        self.rounds.begin(before, self.rising, 1.0 - base)
        if first:
            self.rounds.master.watch(self.near, np.empty(0, dtype=np.int64))
        self.options.report(Progress(f"max-min-fair: level {len(self.stages) + 1}, from {base:.4g}"))
        point = self.rounds.settle(self._close)
        if point is None:
            return False
        top = min(base + max(point.level, 0.0), 1.0)
        self.rounds.master.fix_level(max(point.level, 0.0))
        self.level = np.where(self.rising, top, self.level)
        self._stop(top, self.problem.by_edge(point.price), first=first)
        return True

    def _close(self, point: MovePoint, price: Floats, distance: Floats) -> bool:
        """Whether prices prove the level of a stage nearly."""
        worth = distance[self.demand.row_of_entry, self.demand.src] * self.problem.net.gbps
        top = float(self.rounds.part[self.rising].max()) + point.level
        left = float(price @ self.problem.net.capacity) - float((worth * self.rounds.part)[~self.rising].sum())
        return left <= top * float(worth[self.rising].sum()) * (1 + CLOSE)

    def _stop(self, top: float, price: Floats, *, first: bool) -> None:
        """Take from the rising what cannot get more, and keep the prices that say so."""
        found = entry_prices(self.graph, self.demand, price)
        if first:
            self.price = price
            fixed = np.where(self.rising, 0.0, self.level)
            self.bound = level_bound(self.graph, self.demand, self.rising, fixed, price, found)
        paid = paid_gbps(self.demand, self.problem.routable, found)
        if top >= 1.0:
            self.rising = np.zeros(len(paid), dtype=np.bool_)
            return
        left = float((self.graph.capacity_gbps * price).sum())
        left -= float((paid * self.level)[self.problem.routable].sum())
        own = np.where(self.rising, paid, 0.0)
        dearest = float(own.max())
        least = min(max(left / (ROOM * top), PAYS * dearest), dearest)
        stopped = self.rising & (own >= least) & (own > 0)
        if not stopped.any():
            stopped = self.rising
        self.stages.append(LevelStage(np.flatnonzero(stopped), price))
        self.rising = self.rising & ~stopped
