"""Rounds over moves off destination trees: solve, give rows to what broke, and add the moves that prices ask for.

The base of every destination is the tree of the arcs that carry most so far; where many arcs of trees ran empty, it is
chosen anew. The rounds end when nothing is broken and no node has a path cheaper than its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.carried import Carried, split_loads
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.move_master import Changes, MoveMaster, MovePoint
from fabric.optimise.moves import Base, split_flows
from fabric.optimise.route_space import admitted_demand
from fabric.optimise.trees import TreeNet
from fabric.routing.graph import PhaseDemand
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Longs, column

NUDGE = 1e-11  # price of length beside the duals', relative: of equally cheap paths it picks a short one
HELPS = 1e-8  # reduced cost, in units of the programme, that a move has to save; above the solver's tolerance
NEAR = 0.97  # of capacity: slots as full as that get a row at the start
DUST = 1e-9  # of a destination's demand: flow below is not worth a move
MOST_MOVES = 600  # a round adds
MOST_ROUNDS = 1500
MOST_EMPTY, GROWTH = 800, 1.4  # rows for empty arcs of trees above which those are chosen anew, and its growth
MOST_ENTRIES = 40_000_000  # destinations x arcs of a routing, 8 bytes each


@dataclass(frozen=True, eq=False)
class MoveNet:
    """Arcs and demand of a problem; entries without a path have no demand."""

    arcs: Arcs
    demand: PhaseDemand
    routable: Bools
    net: TreeNet

    @staticmethod
    def of(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> MoveNet:
        """Slots are arcs in the order of their heads."""
        return MoveNet(arcs, demand, routable, TreeNet.of(arcs, demand, routable))

    @property
    def unit(self) -> Floats:
        """Gbps of every destination's demand, 1 where there is none, shape (D,)."""
        total = np.bincount(self.demand.row_of_entry, self.net.gbps, len(self.demand.dest))
        return np.where(total > 0, total, 1.0)

    def enters(self, part: Floats) -> Floats:
        """Gbps that enter at every node for every destination when parts of the entries do, shape (D, V)."""
        shape = (len(self.demand.dest), self.arcs.nodes)
        key = self.demand.row_of_entry * shape[1] + self.demand.src
        return np.asarray(np.bincount(key, self.net.gbps * part, shape[0] * shape[1]).reshape(shape), dtype=np.float64)

    def splits(self, flow: Floats, part: Floats) -> Splits:
        """Splits over arcs, without circles, that carry parts of the entries as Gbps by destination and slot do."""
        row, slot = np.nonzero(flow)
        return splits_from_flows(
            self.arcs,
            admitted_demand(self.demand, part),
            self.routable,
            column(row, np.int32),
            column(self.arcs.into.edge[slot], np.int32),
            flow[row, slot],
        )

    def flows(self, splits: Splits, part: Floats) -> Floats:
        """Gbps by destination and slot when parts of the entries follow splits over arcs, shape (D, A)."""
        return split_flows(self.arcs, splits, self.net.slots, self.enters(part))

    def carried(self, flow: Floats, part: Floats) -> Carried:
        """The routing that carries parts of the entries: loads are those of its splits."""
        splits = self.splits(flow, part)
        loads = split_loads(self.arcs, admitted_demand(self.demand, part), splits, self.routable)
        return Carried(self.arcs.edge_loads(loads), self.arcs.edge_splits(splits), None)

    def by_edge(self, of_slot: Floats) -> Floats:
        """Value of every edge of the graph from those of slots, shape (E,)."""
        of_arc = np.zeros(len(self.arcs.src))
        of_arc[self.arcs.into.edge] = of_slot
        return np.asarray(of_arc[self.arcs.of_edge])


class MoveRounds:
    """The programme over one base at a time, and the search for what it lacks.

    Parameters
    ----------
    flow : ndarray, shape (D, A)
        A routing without circles to begin with, Gbps by destination and slot, that fits into ``capacity``.
    scale : float
        Unit of the level.
    length : ndarray, shape (A,)
        Objective per Gbps on a slot.
    """

    def __init__(
        self, problem: MoveNet, flow: Floats, *, capacity: Floats, scale: float, length: Floats, deadline: float
    ) -> None:
        self.problem, self.deadline = problem, deadline
        self.capacity, self.scale, self.length = capacity, scale, length
        self.price: Floats = np.zeros(len(capacity)) if length.any() else 1.0 / capacity
        self.kept = flow
        self._entries = np.zeros(len(problem.routable))
        self.part, self.rising, self.most = self._entries, self._entries, 0.0
        self._stand_on(np.zeros_like(flow) if length.any() else flow)

    def _stand_on(self, flow: Floats) -> None:
        """A base, and a programme without rows, for the trees that carry most of a routing."""
        slots, dest = self.problem.net.slots, self.problem.demand.dest
        others, _ = Base.cheapest(slots, dest, self._nudged(self.length + self.price))
        self.base = Base.largest(slots, dest, flow, others)
        self.carries: Bools = self.base.through(self.problem.enters(self._entries + 1.0)) > 0
        self.master = MoveMaster(self.base, self.capacity, self.problem.unit, scale=self.scale)

    def begin(self, part: Floats, rising: Floats, most: float) -> None:
        """Parts of the entries are carried, shape (nnz,), and up to ``most`` times ``rising``, of that shape, more."""
        self.part, self.rising, self.most = part, rising, most
        self.master.stand(self.base.through(self.problem.enters(part)))
        if rising.any():
            self.master.raise_level(self.base.through(self.problem.enters(rising)), most)

    def take_flows(self, flow: Floats) -> None:
        """Moves that make a routing without circles, Gbps by destination and slot, of the base."""
        row, slot = np.nonzero(flow > DUST * self.problem.unit[:, None])
        extra = ~self.base.is_base(row, column(slot, np.int32))
        row, slot = row[extra], slot[extra]
        self._add(row, self.base.slots.tail[slot].astype(np.int64), slot, self.base)

    def settle(self, enough: Callable[[float, Floats], bool] | None = None) -> MovePoint | None:
        """Rounds until nothing is broken and no move helps; None when the time is used up.

        ``enough`` is asked before moves are, with the level reached and prices of the slots; it may end the rounds.

        Moves are asked for when nothing is broken: rows alone leave a point that is still optimal but for them, and
        moves alone one that is still feasible, so that HiGHS goes on from either.
        """
        limit = float(MOST_EMPTY)
        for _ in range(MOST_ROUNDS):
            point = self.master.solve(self.deadline)
            if point is None or time.monotonic() > self.deadline:
                return None
            slots, nodes = self.master.broken(point)
            if self.master.empty + len(nodes) > limit:
                limit *= GROWTH
                self._rebase(point)
                continue
            if self.master.watch(slots, nodes):
                continue
            if (enough is not None and enough(point.level, point.price)) or not self._price(point):
                self.kept = self.master.flows(point)
                return point
        return None

    def _rebase(self, point: MovePoint) -> None:
        """Trees chosen anew, by what carries most at a point; what the stage began with stays possible."""
        part = self.part + point.level * self.rising
        flow = self.problem.flows(self.problem.splits(self.master.flows(point), part), part)
        watched = self.master.watched
        self._stand_on(flow)
        self.begin(self.part, self.rising, self.most)
        self.master.watch(watched, np.empty(0, dtype=np.int64))
        self.take_flows(self.kept)
        self.take_flows(flow)

    def _nudged(self, price: Floats) -> Floats:
        weight = self.problem.net.weight
        return np.asarray(
            price + NUDGE * float(price.sum()) / max(len(price), 1) * weight / (float(weight.max(initial=0.0)) or 1.0)
        )

    def _price(self, point: MovePoint) -> int:
        """Add moves to paths that are cheaper under a point's prices; returns how many."""
        self.price = point.price
        price = self._nudged(self.length + point.price)
        cheapest, distance = Base.cheapest(self.base.slots, self.base.dest, price)
        own = self.base.priced(price, point.less)
        saved = np.where(self.carries, own - distance, 0.0) * self.problem.unit[:, None]
        row, node = np.nonzero((saved > HELPS) & (cheapest.onward != self.base.onward))
        if len(row) > MOST_MOVES:
            best = np.sort(np.argpartition(-saved[row, node], MOST_MOVES)[:MOST_MOVES])
            row, node = row[best], node[best]
        self._add(row, node, cheapest.onward[row, node].astype(np.int64), cheapest)
        return len(row)

    def _add(self, row: Longs, node: Longs, first: Longs, follow: Base) -> None:
        """Add moves of what passes nodes to other first slots."""
        moves = self.base.moves(row, node, first, follow)
        each = np.repeat(np.arange(len(row)), np.diff(moves.start))
        gbps = moves.change * self.problem.unit[moves.row][each]
        cost = np.asarray(np.bincount(each, self.length[moves.slot] * gbps, len(row)), dtype=np.float64)
        # Moves that shorten paths are held by rows for trees' arcs, which come later, and until then by their bound.
        self.master.add(
            Changes(moves.row, moves.start, moves.slot, gbps), cost, np.ones(len(row)) if self.length.any() else None
        )
