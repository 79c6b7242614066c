"""Weighted max-min fair paces of jobs that share links.

Model: a phase of a job moves all its flows at one pace x, since its slowest flow decides; at pace x it fills the part
x · v of a link. The rate of a flow is x · d, where d is the part of its NIC's line rate that it uses at full pace: 1
for a phase, which would fill its NIC, less for steady traffic. All rates rise together, a job of weight w at w times
the speed, until a job has the pace that it has alone or a link is full; who crosses that link is held, the others rise
on (progressive filling; Bertsekas and Gallager, Data Networks, section 6.5.2). With equal weights that is how a full
link divides between flows which would each fill a NIC. Congestion control is taken as ideal; what packets lose beyond
it is added to times (``fabric.routing.packet_slowdown``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.routing.compiled import compiled
from topologies.columns import Bools, Floats, Longs, column

FULL = 1 + 1e-9  # a link this full is full, not over


RISING = -2  # in ``held``: a column that nothing holds yet
OWN = -1  # in ``held``: a column at its highest pace


@compiled
def overloaded(start: Longs, column: Longs, value: Floats, on: Bools, cap: Floats, over: Longs) -> int:
    """Fill ``over`` with the rows that the columns which are on would fill beyond capacity; returns how many."""
    count = 0
    for row in range(len(start) - 1):
        load = 0.0
        for slot in range(start[row], start[row + 1]):
            if on[column[slot]]:
                load += value[slot] * cap[column[slot]]
        if load > FULL:
            over[count] = row
            count += 1
    return count


@compiled
def let_rise(start: Longs, column: Longs, on: Bools, held: Longs, over: Longs) -> int:
    """Mark the columns on overloaded rows as rising; returns how many."""
    count = 0
    for place in range(len(over)):
        for slot in range(start[over[place]], start[over[place] + 1]):
            at = column[slot]
            if on[at] and held[at] == OWN:
                held[at] = RISING
                count += 1
    return count


@compiled
def fill(
    start: Longs,
    column: Longs,
    value: Floats,
    on: Bools,
    cap: Floats,
    rise: Floats,
    pace: Floats,
    held: Longs,
    over: Longs,
    full_at: Floats,
) -> None:
    """Fill ``pace`` of the columns that are on and, in ``held``, the row that holds each, or ``OWN``.

    Parameters
    ----------
    start, column, value : ndarray
        Row r is ``column[start[r]:start[r + 1]]``, each with the part of a link that it fills at pace 1.
    on : ndarray, shape (C,)
        Columns that are on the wire.
    cap, rise : ndarray, shape (C,)
        Highest pace, and pace per unit of the common level.
    over, full_at : ndarray, shape (R,)
        Room to work in.
    """
    columns = len(on)
    for at in range(columns):
        pace[at] = cap[at] if on[at] else 0.0
        held[at] = OWN
    rows = overloaded(start, column, value, on, cap, over)
    waiting = let_rise(start, column, on, held, over[:rows])
    while waiting > 0:
        level = np.inf
        for at in range(columns):
            if held[at] == RISING:
                level = min(level, cap[at] / rise[at])
        for place in range(rows):
            taken, slope = 0.0, 0.0
            for slot in range(start[over[place]], start[over[place] + 1]):
                at = column[slot]
                if held[at] == RISING:
                    slope += value[slot] * rise[at]
                elif on[at]:
                    taken += value[slot] * pace[at]
            full_at[place] = max(1.0 - taken, 0.0) / slope if slope > 0 else np.inf
            level = min(level, full_at[place])
        for at in range(columns):
            if held[at] == RISING and cap[at] / rise[at] <= level * (1 + 1e-12):
                pace[at] = cap[at]
                held[at] = OWN
                waiting -= 1
        for place in range(rows):
            if full_at[place] <= level * (1 + 1e-12):
                for slot in range(start[over[place]], start[over[place] + 1]):
                    at = column[slot]
                    if held[at] == RISING:
                        pace[at] = level * rise[at]
                        held[at] = over[place]
                        waiting -= 1


@dataclass(frozen=True, eq=False)
class RowColumns:
    """A matrix of few values, row by row; row r is ``column[start[r]:start[r + 1]]``."""

    start: Longs
    column: Longs
    value: Floats

    @staticmethod
    def of(values: Floats) -> RowColumns:
        """Of a full matrix, shape (R, C)."""
        row, column_of = np.nonzero(values)
        start = np.searchsorted(row, np.arange(len(values) + 1))
        return RowColumns(
            column(start, np.int64), column(column_of, np.int64), column(values[row, column_of], np.float64)
        )

    def __len__(self) -> int:
        return len(self.start) - 1


def fair_paces(values: Floats, cap: Floats, rise: Floats) -> tuple[Floats, Longs]:
    """Paces of columns that are on the wire together, and the row that holds each; -1 where its cap does.

    Parameters
    ----------
    values : ndarray, shape (R, C)
        Part of a link that a column fills at pace 1.
    cap : ndarray, shape (C,)
        Highest pace of each.
    rise : ndarray, shape (C,)
        Weight over the part of its NIC that a column uses at pace 1.

    Examples
    --------
    Two phases that each would fill a link, and a steady third that asks for a tenth of it and of its NIC.

    >>> fair_paces(np.ones((1, 2)), np.ones(2), np.array([1.0, 3.0]))[0].tolist()
    [0.25, 0.75]
    >>> fair_paces(np.array([[1.0, 1.0, 0.1]]), np.ones(3), np.array([1.0, 1.0, 10.0]))[0].round(9).tolist()
    [0.45, 0.45, 1.0]
    """
    rows, columns = values.shape
    sparse = RowColumns.of(values)
    pace, held = np.empty(columns), np.empty(columns, np.int64)
    room = np.empty(rows, np.int64), np.empty(rows)
    fill(sparse.start, sparse.column, sparse.value, np.ones(columns, np.bool_), cap, rise, pace, held, *room)
    return pace, held
