"""What prices leave to all entries together, and the max-min fair parts under that: filling over cuts.

Prices w of the edges, with dist_w(e) the least price of a path of entry e and n[e] its Gbps, say of all routings that
admit the parts x: Σ n x dist_w ≤ Σ capacity · w. Such a cut is to the parts what a link is to flows of one path each:
the fairest parts that keep all cuts come from plain filling: all rise together, and where a cut is full those
that pay in it stop (Bertsekas, Gallager, "Data Networks", 1992, section 6.5.2). They are at least as high as what a
routing can give, entry by entry as they stop, and where some routing carries them they are the answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabric.optimise.proofs import paid_gbps
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import LevelStage
from topologies.columns import Bools, Floats

NOISE = 1e-9  # of the dearest edge's price x capacity: below, a price is the solver's noise
PAYS = 1e-13  # of all that is paid in a cut: less is paid by nobody


class LevelCuts:
    """Cuts known so far, by prices of the edges."""

    def __init__(
        self, graph: RoutingGraph, demand: PhaseDemand, routable: Bools, least_prices: Callable[[Floats], Floats]
    ) -> None:
        self._graph, self._demand, self._routable, self._least_prices = graph, demand, routable, least_prices
        self._served = routable & (demand.total_gbps > 0)
        self.price: list[Floats] = []  # each of shape (E,), with Σ capacity x price = 1
        self._paid: list[Floats] = []  # each of shape (nnz,), n dist

    def add(self, price: Floats) -> float:
        """Add what prices of the edges say; returns Σ n dist / Σ capacity · price, 0 where that says nothing.

        Noise is taken out of the prices first; any prices make a valid cut.
        """
        worth = price * self._graph.capacity_gbps
        worth = np.where(worth > NOISE * worth.max(initial=0.0), worth, 0.0)
        earned = float(worth.sum())
        if earned <= 0:
            return 0.0
        clean = worth / (earned * self._graph.capacity_gbps)
        paid = paid_gbps(self._demand, self._routable, self._least_prices(clean))
        total = float(paid.sum())
        if total > 1.0:  # others hold whatever is admitted
            self.price.append(clean)
            self._paid.append(paid)
        return total

    def add_nodes(self) -> None:
        """Cuts of single nodes: what goes into one, or out of it."""
        for ends in (self._graph.src, self._graph.dst):
            for node in range(self._graph.nodes):
                mine = ends == node
                if mine.any():
                    self.add(np.where(mine, 1.0, 0.0))

    def fill(self) -> tuple[Floats, tuple[LevelStage, ...]]:
        """The fairest parts under all cuts, shape (nnz,), and which entries stop at which prices, lowest first."""
        level = np.where(self._routable, 1.0, 0.0)
        stages: list[LevelStage] = []
        if not self._paid:
            return level, ()
        paid, rising, top = np.array(self._paid), self._served.copy(), 0.0
        all_paid = paid.sum(axis=1)
        slope, used = all_paid.copy(), np.zeros(len(paid))
        while rising.any():
            reached = np.full(len(paid), np.inf)
            np.divide(1.0 - used, slope, out=reached, where=slope > PAYS * all_paid)
            cut = int(np.argmin(reached))
            if reached[cut] >= 1.0:
                break
            top = max(top, float(reached[cut]))
            stopped = np.flatnonzero(rising & (paid[cut] > 0))
            level[stopped] = top
            rising[stopped] = False
            given = paid[:, stopped].sum(axis=1)
            slope, used = slope - given, used + top * given
            slope[cut] = 0.0
            if len(stopped):
                stages.append(LevelStage(stopped, self.price[cut]))
        return level, tuple(stages)

    def over(self, parts: Floats) -> float:
        """By how much parts break the newest cut, relative to what it allows."""
        return float(self._paid[-1] @ parts) - 1.0 if self._paid else 0.0
