"""Overlap of every link in continuous time, where steps come round in one cycle, and how fast shifts can change it.

On the circle of the cycle a lane is a set of arcs, each of which fills some links. Overlap of a link is piecewise
linear in the shifts: while no edge of one arc passes one of another, it changes by the lengths of what is over
capacity. A shift of one lane by δ moves each of its edges by δ: it changes by δ · Σ heights of rising edges / period at
most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

from fabric.share.interference.lanes import Lane
from fabric.share.interference.overlap import asked_values, rising_heights
from fabric.share.interference.shared_rows import SharedRows
from fabric.share.interference.slots import Slots
from topologies.columns import Floats, Longs


@dataclass(frozen=True, eq=False)
class Circle:
    """Arcs of all lanes on a whole cycle.

    Attributes
    ----------
    lane, start_s, length_s : ndarray, shape (A,)
        Of every arc; starts are those of a step that begins at 0.
    height : ndarray, shape (A, R)
        Part of a link that it fills.
    steady : ndarray, shape (R,)
        What is asked for all the time.
    periods_s : ndarray, shape (N,)
        What lanes are held to.
    ranges_s : ndarray, shape (N,)
        Within which all shifts that differ begin: turns of the cycle that keep all lanes before stay out.
    slope : ndarray, shape (N, R)
        Overlap of a link changes by no more than this per second of a lane's shift.
    """

    lane: Longs
    start_s: Floats
    length_s: Floats
    height: Floats
    steady: Floats
    cycle_s: float
    periods_s: Floats
    ranges_s: Floats
    slope: Floats

    @staticmethod
    def of(moving: Sequence[Lane], steady: Sequence[Lane], shared: SharedRows, slots: Slots) -> Circle:
        """Of a group whose periods have a common multiple; links that are never over capacity are left out."""
        rates = sum(
            (shared.values[:, lane.steady] * shared.figures[lane.steady].pace for lane in steady),
            np.zeros(len(shared.values)),
        )
        own = [asked_values(lane, shared) for lane in moving]
        fullest = sum((np.max([*each.values()], axis=0) for each in own if each), rates.copy())
        full = np.flatnonzero(fullest > 1 + 1e-9)
        distinct = np.stack([rates, *(column for each in own for column in each.values())], axis=1)[full]
        _, first = np.unique(np.round(distinct, 9), axis=0, return_index=True)
        kept = full[np.sort(first)]
        lanes, starts, lengths, heights, slopes = [], [], [], [], []
        for at, (lane, asked) in enumerate(zip(moving, own, strict=True)):
            period_s, clock_s = slots.periods[at] * slots.slot_s, 0.0
            for piece in lane.pieces:
                if piece.column >= 0:
                    for turn in range(slots.cycle // slots.periods[at]):
                        lanes.append(at)
                        starts.append(clock_s + turn * period_s)
                        lengths.append(piece.alone_s)
                        heights.append(asked[piece.column][kept])
                clock_s += piece.alone_s
            slopes.append(rising_heights(lane, asked, len(rates))[kept] / period_s)
        periods_s = np.array(slots.periods) * slots.slot_s
        before = [lcm(*slots.periods[:at]) if at else 1 for at in range(len(slots.periods))]
        ranges = [
            gcd(period, turn) if at else 0 for at, (period, turn) in enumerate(zip(slots.periods, before, strict=True))
        ]
        return Circle(
            np.array(lanes, np.int64), np.array(starts), np.array(lengths),
            np.array(heights, np.float64).reshape(len(lanes), len(kept)),
            rates[kept], slots.cycle_s, periods_s, np.array(ranges) * slots.slot_s, np.stack(slopes),
        )  # fmt: skip

    def edges(self, begins_s: Floats) -> tuple[Floats, Longs, Floats]:
        """Times of all edges in order, shape (2 A,), their lanes, and what is asked for after each, shape (2 A, R)."""
        begin = (self.start_s + begins_s[self.lane]) % self.cycle_s
        end = begin + self.length_s
        wraps = end >= self.cycle_s
        times = np.concatenate([begin, np.where(wraps, end - self.cycle_s, end)])
        order = np.argsort(times, kind="stable")
        steps = np.concatenate([self.height, -self.height])[order]
        load = self.steady + self.height[wraps].sum(axis=0) + np.cumsum(steps, axis=0)
        return times[order], np.concatenate([self.lane, self.lane])[order], load

    def overlaps(self, begins_s: Floats) -> Floats:
        """Overlap of every link, shape (R,), where steps begin at these times."""
        if not len(self.lane):
            return np.asarray(np.maximum(self.steady - 1, 0))
        times, _, load = self.edges(begins_s)
        lasts = np.diff(times, append=times[0] + self.cycle_s)
        return np.asarray(lasts @ np.maximum(load - 1, 0) / self.cycle_s)

    def gradient(self, lane: Longs, load: Floats) -> Floats:
        """Change of the overlap of every link per second of a lane's shift, in this order of edges, shape (N, R)."""
        over = np.maximum(load - 1, 0) / self.cycle_s
        found = np.zeros_like(self.slope)
        np.add.at(found, lane, np.roll(over, 1, axis=0) - over)
        return found
