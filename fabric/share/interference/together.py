"""Jobs side by side: their steps run from event to event, each phase at its fair pace.

A lane is at a place in its step. What is on the wire shares the links until some piece is over; then all paces are
worked out again. Every lane's step is timed from its first start until it has done enough of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.compiled import compiled
from fabric.share.interference.fair_pace import FULL, RowColumns, fill
from fabric.share.interference.lanes import SILENT, Lane
from fabric.share.interference.shared_rows import SharedRows
from topologies.columns import Bools, Floats, Longs

ALONE_S, WINDOW_S, INSIDE_S, HIDES, ROOM_S, ABSORBS_S, BUBBLE, PACKETS = range(8)  # columns of pieces' figures
LEFT, TOOK, CREDIT, BUDGET, SINCE, SAVED = range(6)  # columns of where a lane is


@compiled
def stretch(utilisation: float, packet_slowdown: float) -> float:
    """As ``fabric.routing.packet_slowdown.time_stretch``."""
    if utilisation <= 1:
        return 1.0
    return utilisation * (1 + (packet_slowdown - 1) * min(1.0, utilisation - 1))


@compiled
def speed_at(pace: float, own: float, figures: Floats) -> float:
    """Progress of a piece on the wire per second, 1 alone; no pace is above its own."""
    if pace >= own:
        return 1.0
    alone: float = max(figures[WINDOW_S] * stretch(1 / own, figures[PACKETS]), figures[INSIDE_S])
    now: float = max(figures[WINDOW_S] * stretch(1 / pace, figures[PACKETS]), figures[INSIDE_S])
    return alone / now


@compiled
def begin_lanes(
    first: Longs,
    columns: Longs,
    figures: Floats,
    steady: Longs,
    begin: Floats,
    piece: Longs,
    done: Longs,
    state: Floats,
    on: Bools,
) -> int:
    """Put every lane where it begins; returns how many have steps."""
    stepping = 0
    for lane in range(len(steady)):
        if steady[lane] >= 0:
            on[steady[lane]] = True
            continue
        stepping += 1
        at, rest = first[lane], begin[lane]
        while rest >= figures[at, ALONE_S] and at < first[lane + 1] - 1:
            rest -= figures[at, ALONE_S]
            at += 1
        piece[lane], state[lane, LEFT] = at, max(figures[at, ALONE_S] - rest, 0.0)
        done[lane] = 0 if begin[lane] == 0.0 else -1
        for each in range(first[lane], first[lane + 1]):
            state[lane, BUDGET] += figures[each, ABSORBS_S]
        if columns[at] >= 0:
            on[columns[at]] = True
    return stepping


@compiled
def end_piece(
    lane: int,
    first: Longs,
    columns: Longs,
    figures: Floats,
    now: float,
    piece: Longs,
    done: Longs,
    state: Floats,
    on: Bools,
    spans: Floats,
) -> int:
    """Take a lane on to its next piece; returns 1 where it has just done the last step that is wanted."""
    at, last = piece[lane], 0
    if columns[at] >= 0:
        on[columns[at]] = False
        grew = state[lane, TOOK] - figures[at, ALONE_S]
        if grew > 1e-12 * state[lane, TOOK]:
            hidden = min(grew * figures[at, HIDES], figures[at, ROOM_S], state[lane, BUDGET])
            state[lane, BUDGET] -= hidden
            # What hides is taken off bare compute to come; a bubble that grew is waited for with it.
            state[lane, CREDIT] += hidden - (grew - hidden) * figures[at, BUBBLE]
    at += 1
    if at == first[lane + 1]:
        at = first[lane]
        if 0 <= done[lane] < spans.shape[1]:
            spans[lane, done[lane]] = now - state[lane, SINCE] - (state[lane, CREDIT] - state[lane, SAVED])
            last = 1 if done[lane] == spans.shape[1] - 1 else 0
        done[lane] += 1
        state[lane, SINCE], state[lane, SAVED], state[lane, BUDGET] = now, state[lane, CREDIT], 0.0
        for each in range(first[lane], first[lane + 1]):
            state[lane, BUDGET] += figures[each, ABSORBS_S]
    used = min(state[lane, CREDIT], figures[at, ABSORBS_S]) if columns[at] < 0 else 0.0
    state[lane, CREDIT] -= used
    piece[lane], state[lane, TOOK], state[lane, LEFT] = at, 0.0, figures[at, ALONE_S] - used
    if columns[at] >= 0:
        on[columns[at]] = True
    return last


@compiled
def run_lanes(
    first: Longs,
    columns: Longs,
    figures: Floats,
    steady: Longs,
    start: Longs,
    row_column: Longs,
    value: Floats,
    cap: Floats,
    rise: Floats,
    begin: Floats,
    most_events: int,
    spans: Floats,
    totals: Floats,
) -> int:
    """Run lanes until each has done as many whole steps as ``spans`` has; returns the events, -1 where too many.

    Parameters
    ----------
    first, columns, figures : ndarray
        Pieces of lane i are ``first[i]`` to ``first[i + 1]``: their columns, and figures, shape (P, 8).
    steady : ndarray, shape (N,)
        Column of lanes that never stop; -1 for those with pieces.
    begin : ndarray, shape (N,)
        Time in its step, alone, at which a lane is at the beginning.
    spans : ndarray, shape (N, S)
        Filled with the times of steps; those that have none keep what is in it.
    totals : ndarray, shape (N,)
        Filled with the mean speed of steady lanes.
    """
    lanes = len(steady)
    piece, done, held = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64), np.zeros(len(cap), np.int64)
    state, speed, pace, on = np.zeros((lanes, 6)), np.ones(lanes), np.zeros(len(cap)), np.zeros(len(cap), np.bool_)
    over, full_at = np.zeros(len(start), np.int64), np.zeros(len(start))
    waiting = begin_lanes(first, columns, figures, steady, begin, piece, done, state, on)
    now, events = 0.0, 0
    while waiting > 0:
        events += 1
        if events > most_events:
            return -1
        fill(start, row_column, value, on, cap, rise, pace, held, over, full_at)
        passes = np.inf
        for lane in range(lanes):
            if steady[lane] < 0:
                at = piece[lane]
                speed[lane] = speed_at(pace[columns[at]], cap[columns[at]], figures[at]) if columns[at] >= 0 else 1.0
                passes = min(passes, state[lane, LEFT] / speed[lane])
        now += passes
        for lane in range(lanes):
            if steady[lane] >= 0:
                totals[lane] += passes * min(pace[steady[lane]] / cap[steady[lane]], 1.0)
                continue
            state[lane, TOOK] += passes
            state[lane, LEFT] -= passes * speed[lane]
            if state[lane, LEFT] <= 1e-12 * figures[piece[lane], ALONE_S]:
                waiting -= end_piece(lane, first, columns, figures, now, piece, done, state, on, spans)
    for lane in range(lanes):
        if steady[lane] >= 0 and now > 0:
            totals[lane] /= now
    return events


@dataclass(frozen=True, eq=False)
class Beside:
    """How lanes did side by side, run by run.

    Attributes
    ----------
    slowdown : ndarray, shape (Q, N, S)
        Of every step over the step alone; steady lanes have the same figure in all.
    """

    slowdown: Floats

    @property
    def mean(self) -> Floats:
        """Over runs and steps, shape (N,)."""
        return np.asarray(self.slowdown.mean(axis=(0, 2)))

    @property
    def worst(self) -> Floats:
        """Of the slowest step of any run, shape (N,)."""
        return np.asarray(self.slowdown.max(axis=(0, 2)))

    @property
    def best(self) -> Floats:
        """Of the quickest step of any run, shape (N,)."""
        return np.asarray(self.slowdown.min(axis=(0, 2)))


@dataclass(frozen=True, eq=False)
class Side:
    """Lanes and the links on which they can hold each other, as arrays."""

    lanes: tuple[Lane, ...]
    first: Longs
    columns: Longs  # of pieces, among those of the rows
    figures: Floats
    steady: Longs
    rows: RowColumns
    cap: Floats
    rise: Floats
    alone: Floats  # shape (N,): slowdown of a job's steady traffic by its own phases, on these links

    @staticmethod
    def of(lanes: Sequence[Lane], shared: SharedRows, *, among_jobs: bool = True) -> Side:
        """Of some lanes: their columns alone, and the rows on which two can be over capacity together.

        Parameters
        ----------
        among_jobs : bool
            Whether lanes of one job alone hold nobody.
        """
        mine = sorted({column for lane in lanes for column in lane.columns})
        number = {column: at for at, column in enumerate(mine)}
        weight = {column: lane.weight for lane in lanes for column in lane.columns}
        values = shared.values[:, mine]
        cap = np.array([shared.figures[column].pace for column in mine])
        most: dict[str, Floats] = {}
        for lane in lanes:
            own = [number[column] for column in lane.columns]
            fullest = (values[:, own] * cap[own]).max(axis=1, initial=0.0)
            most[lane.job if among_jobs else str(len(most))] = fullest + most.get(lane.job, 0.0)
        each = np.stack([*most.values()], axis=1)
        kept = values[((each > 0).sum(axis=1) > 1) & (each.sum(axis=1) > FULL)]
        pieces = [piece for lane in lanes for piece in lane.pieces]
        rows = [
            (p.alone_s, p.window_s, p.inside_s, p.hides, p.room_s, p.absorbs_s, p.bubble, p.packet_slowdown)
            for p in pieces
        ]
        return Side(
            tuple(lanes),
            np.cumsum([0, *(len(lane.pieces) for lane in lanes)]).astype(np.int64),
            np.array([number.get(piece.column, SILENT) for piece in pieces], np.int64),
            np.array(rows, np.float64).reshape(len(pieces), 8),
            np.array([number.get(lane.steady, SILENT) for lane in lanes], np.int64),
            RowColumns.of(np.unique(kept, axis=0)) if len(kept) else RowColumns.of(kept),
            cap,
            np.array([shared.figures[column].rise * weight[column] for column in mine]),
            _by_own_phases(lanes, shared) if among_jobs else np.ones(len(lanes)),
        )

    @property
    def meets(self) -> bool:
        """Whether the lanes can hold each other at all."""
        return len(self.rows) > 0

    @property
    def periods_s(self) -> Floats:
        """Of the lanes, shape (N,); 0 of steady ones."""
        return np.array([lane.period_s or 0.0 for lane in self.lanes])

    def run(self, begins: Floats, steps: int) -> Beside:
        """Run the lanes from some beginnings, shape (Q, N): time in its step of every lane, alone."""
        periods = self.periods_s
        if not self.meets:
            return Beside(np.ones((len(begins), len(self.lanes), steps)))
        found = np.ones((len(begins), len(self.lanes), steps))
        stepping = periods > 0
        if not stepping.any():
            return Beside(np.maximum(np.repeat(self._steady_alone()[None, :, None], steps, axis=2), 1.0))
        shortest, longest = periods[stepping].min(), periods[stepping].max()
        events = int(200 * (len(self.columns) + 10) * (steps + 2) * (1 + longest / shortest))
        for at, begin in enumerate(begins):
            spans, totals = np.ones((len(self.lanes), steps)), np.zeros(len(self.lanes))
            done = run_lanes(
                self.first, self.columns, self.figures, self.steady, self.rows.start, self.rows.column,
                self.rows.value, self.cap, self.rise, np.ascontiguousarray(begin), events, spans, totals,
            )  # fmt: skip
            assert done >= 0, "jobs side by side come to no end"
            found[at, stepping] = spans[stepping] / periods[stepping, None]
            found[at, ~stepping] = 1 / totals[~stepping, None]
        return Beside(np.maximum(found / self.alone[None, :, None], 1.0))

    def _steady_alone(self) -> Floats:
        """Slowdown where no lane has steps: rates that never change, shape (N,)."""
        pace, held = np.zeros(len(self.cap)), np.zeros(len(self.cap), np.int64)
        over, full_at = np.zeros(len(self.rows), np.int64), np.zeros(len(self.rows))
        rows, on = self.rows, np.ones(len(self.cap), np.bool_)
        fill(rows.start, rows.column, rows.value, on, self.cap, self.rise, pace, held, over, full_at)
        return np.asarray(self.cap[self.steady] / np.maximum(pace[self.steady], 1e-300))


def _by_own_phases(lanes: Sequence[Lane], shared: SharedRows) -> Floats:
    """How much slower the steady traffic of every lane is for the phases of its own job, shape (N,); 1 of others."""
    found = np.ones(len(lanes))
    for job in {lane.job for lane in lanes if not lane.pieces}:
        mine = [at for at, lane in enumerate(lanes) if lane.job == job]
        if any(lanes[at].pieces for at in mine):
            side = Side.of([lanes[at] for at in mine], shared, among_jobs=False)
            by_own = side.run(np.zeros((1, len(mine))), 1).slowdown[0, :, 0]
            for at, slowdown in zip(mine, by_own.tolist(), strict=True):
                found[at] = slowdown if not lanes[at].pieces else 1.0
    return found
