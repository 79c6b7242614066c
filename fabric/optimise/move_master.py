"""A linear programme over moves off destination trees; rows enter when they are violated. Warm, by HiGHS.

Variables: y[m] ≥ 0, a move in units of its destination's demand, or another change of flows; s ≥ 0, by how much the
level of what rises is raised, in units of ``scale``. With B what the base carries and S what it carries more per unit
of level::

    min cost · (y, s)
    slot[a]:   base[a] + Σ_m change[a, m] y[m] + slope[a] s ≤ capacity[a]      for slots that were overloaded so far
    node[d,v]: B[d, v] + Σ_m change[onward[d, v], m] y[m] + S[d, v] s ≥ 0      for arcs of trees that ran below nothing

The matrix only grows, so every solve is warm (rows left out until violated: Dantzig, Fulkerson, Johnson, "Solution of a
large-scale traveling-salesman problem", Oper. Res. 1954).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.moves import Base
from fabric.optimise.warm_highs import DUAL, PRIMAL, solve_until, warm_highs
from topologies.columns import Bools, Floats, Ints, Longs

DUAL_TOLERANCE = 1e-10  # below what a move has to save by as much as scaling inside HiGHS may blur it
OVER = 1e-9  # relative to capacity, or to a destination's demand: more than that and a row is asked for


@dataclass(frozen=True, eq=False)
class Changes:
    """What columns do to flows: column i changes ``slot[start[i]:start[i + 1]]`` of traffic to ``row[i]``."""

    row: Longs  # shape (K,)
    start: Longs  # shape (K + 1,)
    slot: Ints
    gbps: Floats  # per unit of the column's variable


@dataclass(frozen=True, eq=False)
class MovePoint:
    """A solution, with duals."""

    raised: Floats  # shape (columns,), of the changes
    level: float  # s, in units of level
    price: Floats  # shape (A,), objective per Gbps
    less: Floats  # shape (D, V), objective per Gbps that an arc of a tree running empty gives back


class MoveMaster:
    """A growing programme over one base."""

    def __init__(self, base: Base, capacity: Floats, unit: Floats, *, scale: float):
        import highspy

        self.base, self.capacity, self.unit, self.scale = base, capacity, unit, scale
        rows, nodes = base.onward.shape
        self.through = np.zeros((rows, nodes))  # Gbps that the base carries before the stage
        self.slope = np.zeros((rows, nodes))  # more per unit of level
        self._base_load, self._slope_load = np.zeros(len(capacity)), np.zeros(len(capacity))
        self._row_of_slot = np.full(len(capacity), -1, dtype=np.int64)
        self._row_of_node = np.full(rows * nodes, -1, dtype=np.int64)
        self._level = -1  # column of s
        self._row, self._slot = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)  # of every entry
        self._gbps, self._of = np.empty(0), np.empty(0, dtype=np.int64)  # and its change
        self._key = np.empty(0, dtype=np.int64)  # destination and node whose tree arc it is; -1: of no tree
        self._place = np.empty(0, dtype=np.int64)  # column in HiGHS of every change
        self._columns = 0
        self._rows = 0
        self._feasible = False  # whether the last point still is
        self._highs = warm_highs(dual_tolerance=DUAL_TOLERANCE)
        self._free = highspy.kHighsInf

    @property
    def rows(self) -> int:
        """Rows of the programme."""
        return self._rows

    @property
    def empty(self) -> int:
        """Rows for arcs of trees."""
        return int((self._row_of_node >= 0).sum())

    @property
    def watched(self) -> Longs:
        """Slots that have a row."""
        return np.flatnonzero(self._row_of_slot >= 0)

    @property
    def changes(self) -> int:
        """Columns other than levels."""
        return len(self._place)

    def stand(self, through: Floats) -> None:
        """What the base carries now, shape (D, V); rows there are know it already."""
        self.through, self._base_load = through, self.base.loads(through)

    def raise_level(self, slope: Floats, most: float) -> None:
        """The base carries ``slope`` (D, V) more per unit of level, of which there is at most ``most``."""
        self.slope, self._slope_load = slope, self.base.loads(slope)
        slots, keys = np.flatnonzero(self._row_of_slot >= 0), np.flatnonzero(self._row_of_node >= 0)
        index = np.concatenate([self._row_of_slot[slots], self._row_of_node[keys]])
        value = np.concatenate(
            [
                self._slope_load[slots] * self.scale / self.capacity[slots],
                self.slope.ravel()[keys] * self.scale / self.unit[keys // self.slope.shape[1]],
            ]
        )
        keep = value != 0
        self._level = self._columns
        self._highs.addCol(-1.0, 0.0, most / self.scale, int(keep.sum()), index[keep].astype(np.int32), value[keep])
        self._columns += 1

    def add(self, changes: Changes, cost: Floats, most: Floats | None = None) -> None:
        """Add columns with their cost per unit, and their upper bounds where there are any."""
        count = len(changes.row)
        if not count:
            return
        each = np.repeat(np.arange(count), np.diff(changes.start))
        row = changes.row[each]
        nodes = self.slope.shape[1]
        in_tree = self.base.is_base(row, changes.slot)
        key = np.where(in_tree, row * nodes + self.base.slots.tail[changes.slot], -1)
        self._row, self._slot = np.append(self._row, row), np.append(self._slot, changes.slot)
        self._gbps, self._of = np.append(self._gbps, changes.gbps), np.append(self._of, each + len(self._place))
        self._key = np.append(self._key, key)
        self._place = np.append(self._place, self._columns + np.arange(count))
        of_slot = self._row_of_slot[changes.slot]
        of_node = np.where(in_tree, self._row_of_node[key], -1)
        one, other = of_slot >= 0, of_node >= 0
        index = np.concatenate([of_slot[one], of_node[other]])
        place = np.concatenate([each[one], each[other]])
        value = np.concatenate(
            [changes.gbps[one] / self.capacity[changes.slot[one]], changes.gbps[other] / self.unit[row[other]]]
        )
        order = np.lexsort((index, place))
        start = np.searchsorted(place[order], np.arange(count)).astype(np.int32)
        upper = np.full(count, self._free) if most is None else most
        self._highs.addCols(
            count, cost, np.zeros(count), upper, len(order), start, index[order].astype(np.int32), value[order]
        )
        self._columns += count

    def watch(self, slots: Longs, nodes: Longs) -> int:
        """Rows for slots and for trees' arcs (destination x V + node) that have none; returns how many are new."""
        slots, nodes = slots[self._row_of_slot[slots] < 0], nodes[self._row_of_node[nodes] < 0]
        new = len(slots) + len(nodes)
        if not new:
            return 0
        self._row_of_slot[slots] = self._rows + np.arange(len(slots))
        self._row_of_node[nodes] = self._rows + len(slots) + np.arange(len(nodes))
        unit = self.unit[nodes // self.slope.shape[1]]
        of_slot = self._row_of_slot[self._slot] - self._rows
        of_node = np.where(self._key >= 0, self._row_of_node[self._key], -1) - self._rows
        one, other = of_slot >= 0, of_node >= 0
        row = [of_slot[one], of_node[other]]
        place = [self._place[self._of[one]], self._place[self._of[other]]]
        value = [
            self._gbps[one] / self.capacity[self._slot[one]],
            self._gbps[other] / self.unit[self._row[other]],
        ]
        if self._level >= 0:
            slope = np.append(
                self._slope_load[slots] * self.scale / self.capacity[slots],
                self.slope.ravel()[nodes] * self.scale / unit,
            )
            rising = np.flatnonzero(slope)
            row.append(rising)
            place.append(np.full(len(rising), self._level))
            value.append(slope[rising])
        rows, places, values = np.concatenate(row), np.concatenate(place), np.concatenate(value)
        order = np.lexsort((places, rows))
        start = np.searchsorted(rows[order], np.arange(new)).astype(np.int32)
        low = np.append(np.full(len(slots), -self._free), -self.through.ravel()[nodes] / unit)
        high = np.append(1.0 - self._base_load[slots] / self.capacity[slots], np.full(len(nodes), self._free))
        self._highs.addRows(new, low, high, len(order), start, places[order].astype(np.int32), values[order])
        self._rows += new
        self._feasible = False
        return new

    def solve(self, deadline: float) -> MovePoint | None:
        """The optimum over the columns and rows there are; None when the time is used up or HiGHS gives up."""
        self._highs.setOptionValue("simplex_strategy", PRIMAL if self._feasible else DUAL)
        self._feasible = True
        if not solve_until(self._highs, deadline):
            return None
        solution = self._highs.getSolution()
        values, duals = np.asarray(solution.col_value), np.asarray(solution.row_dual)
        price, less = np.zeros(len(self.capacity)), np.zeros(self.slope.size)
        slots, nodes = np.flatnonzero(self._row_of_slot >= 0), np.flatnonzero(self._row_of_node >= 0)
        price[slots] = np.maximum(-duals[self._row_of_slot[slots]], 0.0) / self.capacity[slots]
        less[nodes] = np.maximum(duals[self._row_of_node[nodes]], 0.0) / self.unit[nodes // self.slope.shape[1]]
        level = float(values[self._level]) * self.scale if self._level >= 0 else 0.0
        return MovePoint(np.maximum(values[self._place], 0.0), level, price, less.reshape(self.slope.shape))

    def _raised(self, point: MovePoint) -> Floats:
        """Values of all changes, those added since included, which the point does not use."""
        return np.append(point.raised, np.zeros(self.changes - len(point.raised)))

    def loads(self, point: MovePoint) -> Floats:
        """Gbps of every slot, shape (A,)."""
        moved = np.bincount(self._slot, self._gbps * self._raised(point)[self._of], len(self.capacity))
        return np.asarray(self._base_load + point.level * self._slope_load + moved)

    def trees_carry(self, point: MovePoint) -> Floats:
        """Gbps that arcs of the trees carry, shape (D, V)."""
        inside = self._key >= 0
        moved = np.bincount(
            self._key[inside], self._gbps[inside] * self._raised(point)[self._of[inside]], self.slope.size
        ).reshape(self.slope.shape)
        return np.asarray(self.through + point.level * self.slope + moved)

    def flows(self, point: MovePoint) -> Floats:
        """Gbps by destination and slot, shape (D, A); dust below nothing is left out."""
        rows, count = len(self.unit), len(self.capacity)
        moved = np.bincount(self._row * count + self._slot, self._gbps * self._raised(point)[self._of], rows * count)
        flow: Floats = moved.astype(np.float64).reshape(rows, count)
        base = self.through + point.level * self.slope
        row, node = np.nonzero((base > 0) & (self.base.onward >= 0))
        flow[row, self.base.onward[row, node]] += base[row, node]
        return np.maximum(flow, 0.0)

    def broken(self, point: MovePoint) -> tuple[Longs, Longs]:
        """Slots above capacity, and trees' arcs below nothing, that have no row."""
        over = self.loads(point) > self.capacity * (1 + OVER)
        under: Bools = self.trees_carry(point) < -OVER * self.unit[:, None]
        return np.flatnonzero(over & (self._row_of_slot < 0)), np.flatnonzero(under.ravel() & (self._row_of_node < 0))
