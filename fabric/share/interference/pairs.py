"""Two jobs beside each other, whatever the phase of one step against the other.

The second begins at every one of 32 even places of its step, from each of which both run until they settle: the mean is
over these. It also begins at every place where a piece on the wire of one begins or ends as one of the other does:
between these the slowdown of the first step is linear, so that its worst and best are met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.share.interference.fair_pace import fair_paces
from fabric.share.interference.lanes import Lane, Piece
from fabric.share.interference.result import Figures, Hurt
from fabric.share.interference.settling import long_run
from fabric.share.interference.shared_rows import SharedRows
from fabric.share.interference.together import Side
from topologies.columns import Floats

PLACES = 32  # even ones
_STEPS = 16  # of each job from where pieces meet
_MOST_PLACES = 128  # where pieces meet
_WORK = 1_000_000  # events of a pair times its jobs, about


@dataclass(frozen=True, eq=False)
class PairFigures:
    """Slowdown of two jobs by each other, and where each loses most."""

    first: Figures
    second: Figures
    first_hurt: Hurt
    second_hurt: Hurt


def pair_figures(first: Sequence[Lane], second: Sequence[Lane], shared: SharedRows) -> PairFigures | None:
    """Of two jobs, all lanes of each; None where they cannot hold each other."""
    lanes = (*first, *second)
    side = Side.of(lanes, shared)
    if not side.meets:
        return None
    even, meeting = _places(first, second)
    count = len(first)
    begins = np.zeros((len(even) + len(meeting), len(lanes)))
    for at, lane in enumerate(second, start=count):
        if lane.pieces:
            begins[:, at] = [*even, *meeting]
    run = long_run(side, begins[: len(even)], _WORK)
    all_steps = [run.beside.slowdown]
    if meeting:
        all_steps.append(side.run(begins[len(even) :], _STEPS).slowdown)
    figures = []
    for mine in (slice(0, count), slice(count, len(lanes))):
        mean = float(run.counted[:, mine, :].max(axis=1).mean())  # the worse of its step and its steady traffic
        worst = max(float(each[:, mine, :].max()) for each in all_steps)
        best = min(float(each[:, mine, :].max(axis=1).min()) for each in all_steps)
        figures.append(Figures(mean, worst, best, float(run.change[mine].max())))
    return PairFigures(figures[0], figures[1], hurt(first, second, shared), hurt(second, first, shared))


def _places(first: Sequence[Lane], second: Sequence[Lane]) -> tuple[list[float], list[float]]:
    """Where in its step the second begins: even places, and places where pieces of both begin or end together."""
    mine = next((lane for lane in first if lane.pieces), None)
    theirs = next((lane for lane in second if lane.pieces), None)
    if mine is None or theirs is None:
        return [0.0], []
    period_s = theirs.period_s or 0.0
    even = [(at + 0.5) * period_s / PLACES for at in range(PLACES)]
    meeting = sorted({(b - a) % period_s for a in _edges(mine) for b in _edges(theirs)})
    step = max(1, -(-len(meeting) // _MOST_PLACES))
    return even, meeting[::step]


def _edges(lane: Lane) -> list[float]:
    """When pieces on the wire begin and end in a step."""
    found, clock_s = set(), 0.0
    for piece in lane.pieces:
        if piece.column >= 0:
            found |= {clock_s, clock_s + piece.alone_s}
        clock_s += piece.alone_s
    return sorted(found)


def hurt(job: Sequence[Lane], other: Sequence[Lane], shared: SharedRows) -> Hurt:
    """The phases that cost the job most when they meet, and the link that holds it then.

    The cost of two phases is the time of the job's that meets the other's when all phases of the steps against each
    other are equally likely, times how much it is stretched then.
    """
    most, found = 0.0, Hurt()
    for lane in job:
        for piece, part in _on_wire(lane):
            for beside in other:
                for met, met_part in _on_wire(beside):
                    columns = [piece.column, met.column]
                    rows = np.flatnonzero((shared.values[:, columns] > 0).all(axis=1))
                    stretch, row = _stretch(piece, columns, rows, (lane.weight, beside.weight), shared)
                    cost = part * met_part * (stretch - 1)
                    if cost > most * (1 + 1e-9) and row >= 0:
                        most = cost
                        found = Hurt(piece.phase, met.phase, shared.links[int(rows[row])], stretch)
    return found


def _on_wire(lane: Lane) -> list[tuple[Piece, float]]:
    """What of a lane is on the wire, each with the part of the time that it is."""
    if not lane.pieces:
        return [(Piece(1.0, lane.steady, "steady", window_s=1.0), 1.0)]
    period_s = lane.period_s or 1.0
    return [(piece, piece.alone_s / period_s) for piece in lane.pieces if piece.column >= 0]


def _stretch(
    piece: Piece, columns: list[int], rows: np.ndarray, weights: tuple[float, float], shared: SharedRows
) -> tuple[float, int]:
    """How much longer a piece takes beside another one throughout, and the row that holds it; -1: none does."""
    cap = np.array([shared.figures[column].pace for column in columns])
    rise = np.array([shared.figures[column].rise for column in columns]) * weights
    values: Floats = shared.values[rows][:, columns]
    paces, held = fair_paces(values, cap, rise)
    if held[0] < 0:
        return 1.0, -1
    return piece.time_s(float(paces[0])) / piece.time_s(float(cap[0])), int(held[0])
