"""What jobs ask of links at every moment of a cycle, and how much of it is beyond what a link carries.

The *overlap* of a link is the mean over the cycle of what is asked for beyond its capacity, as a part of the capacity:
1 minus CASSINI's compatibility score. That of a group of jobs is the overlap of its worst link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.share.interference.lanes import Lane
from fabric.share.interference.shared_rows import SharedRows
from fabric.share.interference.slots import Slots, slot_parts
from topologies.columns import Bools, Floats, Longs

_MOMENTS = 10**12  # in a step, that are distinguished


@dataclass(frozen=True, eq=False)
class CycleDemand:
    """What lanes with steps ask of the links of a group, slot by slot.

    Attributes
    ----------
    profiles : sequence of ndarray
        Of every lane, shape (R, P): part of a link's capacity that it asks for in each slot of its period.
    steady : ndarray, shape (R,)
        What is asked for all the time.
    rising : ndarray, shape (N, R)
        Heights of all rising edges of a lane's period, as parts of a link.
    """

    slots: Slots
    profiles: tuple[Floats, ...]
    steady: Floats
    rising: Floats

    def loads(self, lane: int, offset: int) -> Floats:
        """What a lane asks for over the cycle where its step begins at a slot, shape (R, H)."""
        period = self.slots.periods[lane]
        return np.asarray(self.profiles[lane][:, (np.arange(self.slots.cycle) - offset) % period])

    def total(self, offsets: Sequence[int]) -> Floats:
        """What all ask for, shape (R, H)."""
        found = np.repeat(self.steady[:, None], self.slots.cycle, axis=1)
        for lane, offset in enumerate(offsets):
            found += self.loads(lane, offset)
        return found

    @property
    def mean_bound(self) -> float:
        """No shifts have less overlap: that of the mean of what is asked for; 0 where part of a cycle is looked at."""
        if not self.slots.whole or not len(self.steady):
            return 0.0
        mean = self.steady + sum((profile.mean(axis=1) for profile in self.profiles), np.zeros(len(self.steady)))
        return float(np.maximum(mean - 1, 0).max())


def overlap_of(total: Floats) -> Floats:
    """Overlap of every link, shape (R,), of what is asked for, shape (R, H)."""
    return np.asarray(np.maximum(total - 1, 0).mean(axis=1))


def asked_values(lane: Lane, shared: SharedRows) -> dict[int, Floats]:
    """What every column of a lane asks of every row while it is on the wire, alone, shape (R,) each."""
    found = {}
    for piece in lane.pieces:
        if piece.column >= 0:
            found[piece.column] = shared.values[:, piece.column] * (piece.window_s / piece.alone_s)
    return found


def rising_heights(lane: Lane, asked: Mapping[int, Floats], rows: int) -> Floats:
    """Heights of all rising edges of a step, what begins as something else ends taken together, shape (R,)."""
    net: dict[int, Floats] = {}
    clock_s, period_s = 0.0, lane.period_s or 1.0
    for piece in lane.pieces:
        for moment_s, sign in ((clock_s, 1), (clock_s + piece.alone_s, -1)):
            if piece.column >= 0:
                moment = round(moment_s / period_s * _MOMENTS)
                net[moment] = net.get(moment, np.zeros(rows)) + sign * asked[piece.column]
        clock_s += piece.alone_s
    return sum((np.maximum(each, 0) for each in net.values()), np.zeros(rows))


def cycle_demand(
    moving: Sequence[Lane], steady: Sequence[Lane], shared: SharedRows, slots: Slots, *, touched: bool = False
) -> CycleDemand:
    """Of a group: rows that it can fill, equal ones and those below another left out.

    What is asked for in a slot is the mean over it: overlap by slots is then no more than in continuous time. With
    ``touched`` it is the most in the slot, and the overlap no less.
    """
    rates = sum(
        (shared.values[:, lane.steady] * shared.figures[lane.steady].pace for lane in steady),
        np.zeros(len(shared.values)),
    )
    profiles = []
    for lane, period in zip(moving, slots.periods, strict=True):
        profile = np.zeros((len(shared.values), period))
        asked = asked_values(lane, shared)
        for column, part in slot_parts(lane, period, slots.slot_s, touched=touched).items():
            profile += asked[column][:, None] * part
        profiles.append(profile)
    kept = _telling(
        np.concatenate([*profiles, rates[:, None]], axis=1), [profile.max(axis=1) for profile in profiles], rates
    )
    rising = np.stack([rising_heights(lane, asked_values(lane, shared), len(rates)) for lane in moving])
    return CycleDemand(slots, tuple(profile[kept] for profile in profiles), rates[kept], rising[:, kept])


def _telling(rows: Floats, most: Sequence[Floats], rates: Floats) -> Longs:
    """Rows that can be over capacity and that no other one is at least as full as, whatever the shifts."""
    full = np.flatnonzero(sum(most, rates.copy()) > 1 + 1e-9)
    _, first = np.unique(np.round(rows[full], 9), axis=0, return_index=True)
    full = full[np.sort(first)]
    if len(full) > 2000:
        return np.asarray(full)
    kept: Bools = np.ones(len(full), np.bool_)
    for at in range(len(full)):
        above = (rows[full] >= rows[full[at]] - 1e-12).all(axis=1)
        above[at] = False
        kept[at] = not (above & kept).any()
    return np.asarray(full[kept])


def exact_overlap(
    moving: Sequence[Lane], steady: Sequence[Lane], shared: SharedRows, slots: Slots, begins_s: Sequence[float]
) -> float:
    """Overlap of the worst link where steps begin at these times and are held, in continuous time."""
    rates = sum(
        (shared.values[:, lane.steady] * shared.figures[lane.steady].pace for lane in steady),
        np.zeros(len(shared.values)),
    )
    used = np.flatnonzero((shared.values[:, [c for lane in moving for c in lane.columns]] > 0).any(axis=1))
    cycle_s = slots.cycle_s
    spans: list[tuple[float, float, Floats]] = []
    for lane, period, begin_s in zip(moving, slots.periods, begins_s, strict=True):
        asked, clock_s, held_s = asked_values(lane, shared), 0.0, period * slots.slot_s
        for piece in lane.pieces:
            if piece.column >= 0:
                first = begin_s % held_s + clock_s - held_s
                for repeat in range(int(cycle_s / held_s) + 3):
                    start = first + repeat * held_s
                    low, high = max(start, 0.0), min(start + piece.alone_s, cycle_s)
                    if high > low:
                        spans.append((low, high, asked[piece.column][used]))
            clock_s += piece.alone_s
    times = np.unique([0.0, cycle_s, *(low for low, _, _ in spans), *(high for _, high, _ in spans)])
    load = np.repeat(rates[used][:, None], len(times), axis=1)
    for low, high, asked_of in spans:
        # Only what begins and ends is added; the sums over time follow.
        load[:, np.searchsorted(times, low) : np.searchsorted(times, high)] += asked_of[:, None]
    over = np.maximum(load[:, :-1] - 1, 0) @ np.diff(times) / cycle_s
    return float(over.max(initial=0.0))
