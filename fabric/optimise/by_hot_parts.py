"""Closing the gap on layered fabrics by descents on the part of the routing that loads the fullest links.

On a fabric with some links down most of the network is slack: equal splitting fills a few links too much, and only what
crosses those has to move. So what is too full is cut out of the table (``hot_part``), a descent runs there while the
rest stays, and what is too full then is cut out again. Where that gets slow, the fullest part of a few destinations is
solved exactly (``hot_trees``), for these hold the others up. What is left can only be helped by further arcs on paths
that are cheaper than those of the table, and in the end by trees for more destinations at once.

Where most destinations are too full at once, or descents get slow, and many switches are joined to the same others, a
network with one node for each set of those is solved first (``by_folding``); parts close what is left. Without them,
the method of multipliers takes over where the network is small enough, as on flat networks.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from fabric.optimise.by_descent import prove_by_slot
from fabric.optimise.by_folding import improve_by_folding
from fabric.optimise.by_saddle import improve_flat
from fabric.optimise.changed_rows import with_cheap_arcs, with_splits
from fabric.optimise.dags import Dags, shortest_dags
from fabric.optimise.descent import Descent, Step, splits_of
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.hot_part import HotPart, carried, hot_part
from fabric.optimise.hot_trees import HotTrees
from fabric.optimise.incumbent import Incumbent
from fabric.routing.kernels import parallel_rows, priced_distances
from topologies.columns import Floats, Ints, Longs, Shares, column

ROUNDS = 100
# Steps of a descent on a part before what is hot is asked again: few on large parts, which soon get small.
LEAST_STEPS, MOST_STEPS, WORK = 10, 300, 20_000_000
FAST = 0.5  # of the gap that a descent has to close to go on
LEVELS = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)  # of the gap, from the maximum down
FEW_ROWS, MOST_ROWS = 16, 600  # destinations whose trees are columns, at first and where nothing else helps
TREE_WORK = 20_000_000  # destinations x arcs up to which a round of trees is quick
# Where a part loads more than this much of the destinations, prices against flows are quicker, up to so many
# destinations x arcs.
BROAD, PRICED_COLUMNS = 0.5, 4_000_000
BEGIN = 0.02  # fraction of an added arc, relative to those at its node
PROGRESS = 0.02  # of the gap that a round has to close
WORTH = 1e-6  # a destination gets more arcs when its demand could pay this much less, relative to what the part pays
FEW = 2_000  # destinations extended in one round


def ranges(start: Ints | Longs, stop: Ints | Longs) -> Longs:
    """The numbers from each start to its stop, one after the other."""
    count = (stop - start).astype(np.int64)
    return np.asarray(np.repeat(start - np.append(0, np.cumsum(count)[:-1]), count) + np.arange(int(count.sum())))


class HotParts:
    """A table with its fractions and loads, moved part by part."""

    def __init__(self, best: Incumbent, gap: float) -> None:
        self.best, self.gap = best, gap
        self.dags = shortest_dags(best.arcs, best.demand, best.routable)
        self.shares: Shares = np.ones(len(self.dags.slot), dtype=np.float32)
        self.whole = Descent.of(self.dags, best.demand, best.routable, theta_min=best.access)
        self.loads = self._loads()
        self.small = best.options.paths == "any" and len(best.demand.dest) * len(self.loads) <= PRICED_COLUMNS
        self.kept: tuple[float, Dags, Shares] | None = None  # the best before arcs were added
        self.folds = best.options.paths == "any"  # and it was not tried

    def _loads(self) -> Floats:
        """Loads of all fractions, which are made whole, by slot."""
        loads, _ = self.whole.sweep(self.shares, np.zeros(len(self.whole.capacity)), 0.0)
        return loads

    @property
    def theta(self) -> float:
        """Highest utilisation."""
        return max(float((self.loads / self.whole.capacity).max(initial=0.0)), self.best.access)

    @property
    def reached(self) -> bool:
        """Whether the gap is closed, rounding of fractions aside."""
        return self.theta <= self.best.certificate.lower_bound * (1 + 0.75 * self.gap)

    @property
    def goal(self) -> float:
        """Utilisation at which the gap is closed, with a little to spare."""
        return self.best.certificate.lower_bound * (1 + self.gap / 2)

    def run(self) -> None:
        """Rounds until the gap is closed, nothing helps or the time is used up."""
        extended: float | None = None  # utilisation when arcs were added last
        for _ in range(ROUNDS):
            before = self.theta
            if self.reached or time.monotonic() > self.best.deadline:
                break
            part = hot_part(self.dags, self.shares, self.whole, self.loads, self.goal)
            if part is None:
                break
            if len(part.row) > BROAD * len(self.best.demand.dest) and self._by_folding():
                continue
            step = self._descend(part)
            theta = self.theta
            if self.reached or theta < before - FAST * (before - self.goal):
                continue
            if self._by_folding():
                continue
            price = np.zeros(len(self.loads))
            price[part.slot] = step.price
            if self._by_trees(price, FEW_ROWS):
                continue
            prove_by_slot(self.best, price)
            if not self.reached and self._is_broad(part):
                break
            helped = extended is None or theta < extended - PROGRESS * (extended - self.goal)
            if not self.reached and not (helped and self._extend(part, price)) and not self._by_trees(price, MOST_ROWS):
                break
            extended = theta
        if self.kept is not None and self.kept[0] < self.theta:
            _, self.dags, self.shares = self.kept

    def _is_broad(self, part: HotPart) -> bool:
        """Whether most destinations are too full at once on a network small enough for prices against flows."""
        return self.small and len(part.row) > BROAD * len(self.best.demand.dest)

    def _by_folding(self) -> bool:
        """The optimum of the network with twins made one, where there are many, once; whether that helped."""
        best = self.best
        if not self.folds:
            return False
        self.folds = False
        splits = improve_by_folding(best, self.gap / 4)
        if splits is None:
            return False
        before = self.theta, self.dags, self.shares, self.whole, self.loads
        rows = column(np.arange(len(best.demand.dest)), np.int32)
        self.dags, self.shares = with_splits(self.dags, self.shares, rows, best.demand.dest, splits)
        self.whole = Descent.of(self.dags, best.demand, best.routable, theta_min=best.access)
        self.loads = self._loads()
        if self.theta < before[0]:
            best.solver = "first-order, descent"
            return True
        _, self.dags, self.shares, self.whole, self.loads = before
        return False

    def _descend(self, part: HotPart) -> Step:
        """A descent on a part; what it finds is put back where it is better."""
        shares = self.shares[part.position]
        step = part.descent.run(
            shares,
            bound=self.best.certificate.lower_bound,
            gap=self.gap / 2,
            deadline=self.best.deadline,
            report=lambda theta, _: self.best.report("optimal: descent", theta),
            steps=min(max(WORK // part.size, LEAST_STEPS), MOST_STEPS),
        )
        loads, _ = part.descent.sweep(step.shares, np.zeros(len(part.slot)), 0.0)
        self.shares[part.position] = step.shares
        self.loads = self.loads.copy()
        self.loads[part.slot] = loads
        return step

    def _by_trees(self, price: Floats, rows: int) -> bool:
        """The optimum of the fullest part of at most ``rows`` destinations by trees; whether that helped."""
        best, before = self.best, self.theta
        part = self._few(before, rows)
        if part is None:
            return False
        within = self.dags if best.options.paths == "shortest" else None
        trees = HotTrees(best, part, self.shares, self.loads, self.goal, within)
        over = trees.over_gbps
        trees.run(price)
        if trees.proves > best.certificate.lower_bound:
            prove_by_slot(best, trees.price)
        if trees.theta > before - PROGRESS * (before - self.goal) and trees.over_gbps > over * (1 - PROGRESS):
            return False
        self._put_back(part, *trees.flows())
        best.solver = "descent, trees"
        return True

    def _few(self, theta: float, rows: int) -> HotPart | None:
        """The part that loads what is above the goal, or nearer to the maximum where that is of many destinations."""
        most_rows = min(rows, TREE_WORK // max(len(self.loads), 1))
        for level in LEVELS:
            most = theta - level * (theta - self.goal)
            part = hot_part(self.dags, self.shares, self.whole, self.loads, most)
            if part is None or len(part.row) <= most_rows:
                return part
        return None

    def _put_back(self, part: HotPart, row: Ints, slot: Ints, gbps: Floats) -> None:
        """Take flows of a part, by its destinations and slots, for those it had."""
        best, demand = self.best, self.best.demand
        flow = carried(self.whole, self.shares, part.row)
        own = np.repeat(np.arange(len(part.row)), self.dags.start[part.row + 1] - self.dags.start[part.row])
        where = ranges(self.dags.start[part.row], self.dags.start[part.row + 1])
        inside = np.zeros(len(self.shares), dtype=np.bool_)
        inside[part.position] = True
        outside = ~inside[where]
        into = best.arcs.into.edge
        entry = ranges(demand.start[part.row], demand.start[part.row + 1])
        start = np.append(0, np.cumsum(np.diff(demand.start)[part.row]))
        some = replace(
            demand,
            dest=column(demand.dest[part.row], np.int32),
            start=column(start, np.int32),
            src=column(demand.src[entry], np.int32),
            gbps=column(demand.gbps[entry], np.float64),
        )
        count = len(into)
        rows = np.append(own[outside], row)
        used = np.append(into[self.dags.slot[where[outside]]], into[slot])
        key, code = np.unique(rows.astype(np.int64) * count + used, return_inverse=True)
        total = np.asarray(np.bincount(code, np.append(flow[outside], gbps), len(key)), dtype=np.float64)
        splits = splits_from_flows(
            best.arcs, some, best.routable[entry], column(key // count, np.int32), column(key % count, np.int32), total
        )
        self.dags, self.shares = with_splits(self.dags, self.shares, part.row, some.dest, splits)
        self.whole = Descent.of(self.dags, demand, best.routable, theta_min=best.access)
        self.loads = self._loads()

    def _extend(self, part: HotPart, price: Floats) -> bool:
        """Give destinations of the part arcs on cheaper paths than those of the table; whether there were any."""
        best = self.best
        if best.options.paths == "shortest":
            return False
        rows, nudged = self._worth_more_arcs(part, price)
        if not len(rows):
            return False
        if self.kept is None or self.theta < self.kept[0]:
            self.kept = (self.theta, self.dags, self.shares)
        before = len(self.dags.slot)
        dags, shares = with_cheap_arcs(self.dags, self.shares, best.demand, best.routable, nudged, rows, begin=BEGIN)
        if len(dags.slot) == before:
            return False
        self.dags, self.shares = dags, shares
        self.whole = Descent.of(dags, best.demand, best.routable, theta_min=best.access)
        self.loads = self._loads()
        return True

    def _worth_more_arcs(self, part: HotPart, price: Floats) -> tuple[Ints, Floats]:
        """Rows of the table whose part has cheaper paths elsewhere, and the prices by slot to find them with."""
        arcs = self.best.arcs
        # A little length in the price keeps cheapest paths short, and free of cycles where nothing has a price.
        length = arcs.weight[arcs.into.edge] / arcs.weight.max()
        nudged = column(price + 1e-3 * price.max(initial=0.0) * length, np.float64)
        descent = part.descent
        _, paid = descent.sweep(self.shares[part.position], column(nudged[part.slot], np.float64), 0.0)
        least = np.zeros(len(descent.rows.src))
        net = arcs.inward
        parallel_rows(
            len(part.row),
            lambda first, last: priced_distances(first, last, net.start, net.tail, nudged, descent.rows, least),
        )
        count = np.diff(descent.rows.start)
        owed = np.bincount(np.repeat(np.arange(len(count)), count), least * descent.gbps, len(count))
        saved = paid - owed
        worth = np.flatnonzero(saved > WORTH * paid.sum())
        worth = worth[np.argsort(-saved[worth], kind="stable")][:FEW]
        return column(np.sort(part.row[worth]), np.int32), nudged


def improve_by_hot_parts(best: Incumbent, gap: float) -> Dags:
    """Descend part by part until the gap is reached or nothing helps any more; returns the arcs in use."""
    best.solver = "descent"
    parts = HotParts(best, gap)
    parts.run()
    best.take_splits(splits_of(parts.dags, parts.shares))
    if parts.small and not best.done:
        improve_flat(best)
    return parts.dags
