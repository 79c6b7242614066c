"""The master programme of Dantzig and Wolfe's decomposition by destination, warm from round to round, by HiGHS.

A column is one way to carry all demand to one destination, with its loads. Variables: λ[c] ≥ 0; θ, the highest
utilisation, in units of ``scale``::

    min θ, and afterwards Σ_c length[c] λ[c] with θ fixed
    whole[d]:     Σ_{c to d} λ[c] = 1                          for every destination
    capacity[a]:  Σ_c load[a, c] λ[c] / (capacity[a] scale) − θ ≤ 0   for arcs that were near the maximum so far

Rows of other arcs are left out until their load says otherwise: of hundreds or thousands few ever matter (Dantzig and
Wolfe, "Decomposition principle for linear programs", Oper. Res. 1960).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.trees import Trees
from fabric.optimise.warm_highs import DUAL, PRIMAL, solve_until, warm_highs
from topologies.columns import Bools, Floats, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class Columns:
    """Ways to carry demand: column i is for destination ``row[i]`` and loads ``arc[start[i]:start[i + 1]]``."""

    row: Longs  # shape (K,)
    start: Longs  # shape (K + 1,)
    arc: Ints
    gbps: Floats

    @staticmethod
    def of_flows(flow: Floats) -> Columns:
        """One column a destination from Gbps by destination and arc, shape (D, A)."""
        row, arc = np.nonzero(flow > 1e-12 * flow.max(axis=1, keepdims=True, initial=0.0))
        start = np.searchsorted(row, np.arange(len(flow) + 1))
        return Columns(np.arange(len(flow)), start, arc.astype(np.int32), flow[row, arc])

    @staticmethod
    def of_trees(trees: Trees, chosen: Bools) -> Columns:
        """Trees of the chosen destinations, each with all of its demand."""
        rows = np.flatnonzero(chosen)
        gbps, onward = trees.gbps[rows], trees.onward[rows]
        carries = gbps > 0
        start = np.concatenate([[0], np.cumsum(carries.sum(axis=1))])
        return Columns(rows, start, onward[carries], gbps[carries])


@dataclass(frozen=True, eq=False)
class Point:
    """A solution: parts of the columns, and the duals of destinations and arcs."""

    theta: float
    parts: Floats  # shape (columns,)
    worth: Floats  # shape (D,), dual of ``whole``
    price: Floats  # shape (A,), θ per Gbps of capacity; 0 for arcs without a row


class Master:
    """A growing programme; columns and rows are added, nothing is taken out."""

    def __init__(
        self, capacity: Floats, weight: Floats, rows: int, *, scale: float, least: float, primal: bool = False
    ):
        import highspy

        self._capacity, self._weight = capacity, weight
        self.length_unit = 0.0  # cost of one Gbps over one unit of weight; 0 while the utilisation is minimised
        self._rows, self._scale = rows, scale
        self._row_of = np.full(len(capacity), -1, dtype=np.int64)
        self._arc_of_row: list[int] = []
        self._batches: list[tuple[Ints, Floats, Longs]] = []  # arc, Gbps and column of every load
        self._destination: list[Longs] = []
        self.columns = 0
        self._highs = warm_highs(strategy=PRIMAL if primal else DUAL)
        self._free = highspy.kHighsInf
        nothing, none = np.empty(0, dtype=np.int32), np.empty(0)
        self._highs.addCol(1.0, least / scale, self._free, 0, nothing, none)
        ones = np.ones(rows)
        self._highs.addRows(rows, ones, ones, 0, np.zeros(rows, dtype=np.int32), nothing, none)

    @property
    def watched(self) -> int:
        """Number of arcs that have a row."""
        return len(self._arc_of_row)

    def watch(self, arcs: Longs) -> int:
        """Give arcs a row; returns how many had none."""
        new = arcs[self._row_of[arcs] < 0]
        if not len(new):
            return 0
        self._row_of[new] = len(self._arc_of_row) + np.arange(len(new))
        self._arc_of_row.extend(new.tolist())
        number = np.full(len(self._capacity), -1, dtype=np.int64)
        number[new] = np.arange(len(new))
        row, place, value = [np.arange(len(new))], [np.zeros(len(new), dtype=np.int64)], [-np.ones(len(new))]
        for arc, gbps, position in self._batches:
            use = number[arc] >= 0
            row.append(number[arc[use]])
            place.append(position[use] + 1)
            value.append(gbps[use] / (self._capacity[arc[use]] * self._scale))
        rows, places, values = np.concatenate(row), np.concatenate(place), np.concatenate(value)
        order = np.lexsort((places, rows))
        start = np.searchsorted(rows[order], np.arange(len(new))).astype(np.int32)
        below = np.full(len(new), -self._free)
        self._highs.addRows(
            len(new), below, np.zeros(len(new)), len(order), start, places[order].astype(np.int32), values[order]
        )
        return len(new)

    def add(self, columns: Columns, cost: Floats | None = None) -> None:
        """Add ways to carry demand, at a cost each or at that of their length."""
        count = len(columns.row)
        if not count:
            return
        each = np.repeat(np.arange(count), np.diff(columns.start))
        self._batches.append((columns.arc, columns.gbps, each + self.columns))
        self._destination.append(columns.row)
        watched = self._row_of[columns.arc]
        use = watched >= 0
        rows = np.concatenate([columns.row, watched[use] + self._rows])
        place = np.concatenate([np.arange(count), each[use]])
        used = columns.gbps[use] / (self._capacity[columns.arc[use]] * self._scale)
        values = np.concatenate([np.ones(count), used])
        order = np.lexsort((rows, place))
        start = np.searchsorted(place[order], np.arange(count)).astype(np.int32)
        if cost is None:
            length = np.bincount(each, self._weight[columns.arc] * columns.gbps, count)
            cost = np.asarray(self.length_unit * length, dtype=np.float64)
        self._highs.addCols(
            count, cost, np.zeros(count), np.full(count, self._free), len(order), start,
            rows[order].astype(np.int32), values[order],
        )  # fmt: skip
        self.columns += count

    def minimise_length(self, theta: float) -> None:
        """From now on minimise Σ weight x Gbps, in units of the longest column, at ``theta`` or below."""
        length = np.zeros(self.columns)
        for arc, gbps, position in self._batches:
            length += np.bincount(position, self._weight[arc] * gbps, self.columns)
        self.length_unit = 1.0 / float(length.max(initial=0.0) or 1.0)
        self._highs.changeColsCost(
            self.columns + 1, np.arange(self.columns + 1, dtype=np.int32), np.append(0.0, self.length_unit * length)
        )
        self._highs.changeColBounds(0, 0.0, theta / self._scale)

    def hold(self, theta: float) -> None:
        """From now on minimise the costs of columns alone, at utilisations of ``theta`` or below."""
        self._highs.changeColCost(0, 0.0)
        self._highs.changeColBounds(0, theta / self._scale, theta / self._scale)

    def solve(self, deadline: float) -> Point | None:
        """The optimum over the columns and rows there are; None when the time is used up or HiGHS gives up."""
        if not solve_until(self._highs, deadline):
            return None
        solution = self._highs.getSolution()
        values, duals = np.asarray(solution.col_value), np.asarray(solution.row_dual)
        price = np.zeros(len(self._capacity))
        arcs = np.asarray(self._arc_of_row, dtype=np.int64)
        price[arcs] = np.maximum(-duals[self._rows :], 0.0) / self._capacity[arcs]
        return Point(float(values[0]) * self._scale, np.maximum(values[1:], 0.0), duals[: self._rows], price)

    def loads(self, parts: Floats) -> Floats:
        """Gbps on every arc, shape (A,)."""
        load = np.zeros(len(self._capacity))
        for arc, gbps, position in self._batches:
            load += np.bincount(arc, gbps * parts[position], len(load))
        return load

    def flows(self, parts: Floats) -> tuple[Ints, Ints, Floats]:
        """What the parts carry: destination, arc and Gbps, one entry for each pair that carries something."""
        count = len(self._capacity)
        destination = np.concatenate(self._destination)
        keys, amounts = [], []
        for arc, gbps, position in self._batches:
            use = parts[position] > 0
            keys.append(destination[position[use]] * count + arc[use])
            amounts.append(gbps[use] * parts[position[use]])
        key, code = np.unique(np.concatenate(keys), return_inverse=True)
        amount = np.bincount(code, np.concatenate(amounts), len(key))
        return column(key // count, np.int32), column(key % count, np.int32), column(amount, np.float64)
