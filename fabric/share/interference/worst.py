"""The worst that can happen to a job: beginnings at which it may, and what no step is slower than.

Which phases of many steps are worst together is not known. What is tried: all steps begin together, and for the
longest phases of every job, all others begin theirs as it does. What is proved is an upper limit. In weighted max-min
fairness a column that a link holds has the highest level there, so that its pace is no less than

    rise / Σ (what others fill there per unit of the level),

with of every other job's step the phase that fills most, and its steady traffic; fewer columns leave it no less. A step
in which every phase goes at that pace throughout, and hides nothing of what it grows, is no shorter than any other one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fabric.share.interference.fair_pace import FULL
from fabric.share.interference.lanes import Lane
from fabric.share.interference.shared_rows import SharedRows
from topologies.columns import Floats

_PHASES = 3  # of a job, the longest, that all others meet in turn


def alignments(lanes: Sequence[Lane], shared: SharedRows, most: int) -> Floats:
    """Beginnings at which all steps begin together, and at which all others meet a phase of one, shape (A, N)."""
    starts = [_starts(lane) for lane in lanes]
    met = [(at, *mine[rank]) for rank in range(_PHASES) for at, mine in enumerate(starts) if rank < len(mine)]
    found = [np.zeros(len(lanes)), *(_met(at, column, start_s, lanes, starts, shared) for at, start_s, column in met)]
    return np.unique(np.stack(found[:most]), axis=0)


def _met(
    at: int,
    column: int,
    start_s: float,
    lanes: Sequence[Lane],
    starts: Sequence[Sequence[tuple[float, int]]],
    shared: SharedRows,
) -> Floats:
    """Where all others are when a step begins, so that each begins what fills its links most as its phase does."""
    begins = np.zeros(len(lanes))
    rows = shared.values[:, column] > 0
    for other, theirs in enumerate(lanes):
        if other != at and starts[other]:
            fills = [float(shared.values[rows, each].max(initial=0.0)) for _, each in starts[other]]
            begins[other] = (starts[other][int(np.argmax(fills))][0] - start_s) % (theirs.period_s or 1.0)
    return begins


def _starts(lane: Lane) -> list[tuple[float, int]]:
    """When pieces on the wire begin in a step, and their columns, the longest first."""
    found, clock_s = [], 0.0
    for piece in lane.pieces:
        if piece.column >= 0:
            found.append((-piece.alone_s, clock_s, piece.column))
        clock_s += piece.alone_s
    return [(start_s, column) for _, start_s, column in sorted(found)]


def most_slowdown(job: str, lanes: Mapping[str, Sequence[Lane]], shared: SharedRows) -> float:
    """No step of the job is slower beside all others, and no steady traffic of it, whatever their phases."""
    if not len(shared.values):
        return 1.0
    rises = np.zeros(len(shared.values))  # what all others fill of each row per unit of the level
    asked = np.zeros(len(shared.values))
    own = lanes[job]
    for theirs in lanes.values():
        for lane in theirs:
            if lane.job != job:
                rises += _fullest(lane, shared, lane.weight, rise=True)
                asked += _fullest(lane, shared, lane.weight, rise=False)
    found = 1.0
    for lane in own:
        steady = [other for other in own if other is not lane]
        beside = rises + sum((_fullest(o, shared, o.weight, rise=True) for o in steady), np.zeros(len(rises)))
        with_own = asked + sum((_fullest(o, shared, o.weight, rise=False) for o in steady), np.zeros(len(rises)))
        paces = {column: _least_pace(column, lane.weight, beside, with_own, shared) for column in lane.columns}
        if lane.pieces:
            grown = sum(
                max(piece.time_s(paces[piece.column]) - piece.alone_s, 0.0) * (1 + piece.bubble)
                for piece in lane.pieces
                if piece.column >= 0 and paces[piece.column] < shared.figures[piece.column].pace
            )
            found = max(found, 1 + grown / (lane.period_s or 1.0))
        else:
            found = max(found, shared.figures[lane.steady].pace / paces[lane.steady])
    return found


def _fullest(lane: Lane, shared: SharedRows, weight: float, *, rise: bool) -> Floats:
    """The most that a lane fills of every row: per unit of the level, or at its pace alone, shape (R,)."""
    each = [
        shared.values[:, column] * (shared.figures[column].rise * weight if rise else shared.figures[column].pace)
        for column in lane.columns
    ]
    return np.asarray(np.max(each, axis=0)) if each else np.zeros(len(shared.values))


def _least_pace(column: int, weight: float, rises: Floats, asked: Floats, shared: SharedRows) -> float:
    """Below this no pace of a column falls, whatever others send."""
    mine = shared.values[:, column]
    figures = shared.figures[column]
    holds = (mine > 0) & (asked + mine * figures.pace > FULL)
    if not holds.any():
        return figures.pace
    rise = figures.rise * weight
    level = 1 / (rises[holds] + mine[holds] * rise)
    return min(figures.pace, float(level.min() * rise))
