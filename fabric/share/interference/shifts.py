"""Shifts of all groups of jobs, what they leave, how long they last, and what they do to steps."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from math import floor

import numpy as np

from fabric.share.interference.circle import Circle
from fabric.share.interference.lanes import Lane
from fabric.share.interference.overlap import cycle_demand, exact_overlap
from fabric.share.interference.result import Shift, Shifts
from fabric.share.interference.settling import long_run
from fabric.share.interference.shared_rows import SharedRows
from fabric.share.interference.shift_search import TOLERANCE, FoundShifts, find_shifts
from fabric.share.interference.slots import MOST_SLOTS, Slots, slots_of
from fabric.share.interference.together import Side
from topologies.units import format_seconds

_NO_TIME = 1e-9  # of a period
_WORK = 5_000_000  # events of the steps with shifts times jobs, about


def find_all_shifts(
    groups: Sequence[Sequence[str]],
    lanes: Mapping[str, Sequence[Lane]],
    shared: SharedRows,
    pairs: Sequence[tuple[str, str]],
    time_limit_s: float,
) -> Shifts | None:
    """Shifts of every group of jobs that can hold each other; None where no two jobs with steps can.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Jobs that can hold each other.
    time_limit_s : float
        Of all searches together.
    """
    moving = {job: [lane for lane in lanes[job] if lane.pieces] for group in groups for job in group}
    wanted = [group for group in groups if sum(len(moving[job]) for job in group) > 1]
    if not wanted:
        return None
    ends_at = time.monotonic() + time_limit_s
    items: list[Shift] = []
    found: list[tuple[FoundShifts, Slots, float]] = []
    notes: list[str] = []
    for number, group in enumerate(wanted):
        mine = [lane for job in group for lane in moving[job]]
        steady = [lane for job in group for lane in lanes[job] if not lane.pieces]
        rest_s = max(ends_at - time.monotonic(), 1.0) / (len(wanted) - number)
        each, slots, before, mine_shifted = _best(mine, steady, shared, pairs, rest_s)
        found.append((each, slots, before))
        items += mine_shifted
        if not slots.whole:
            notes.append(
                f"{', '.join(lane.job for lane in mine)}: periods have no common multiple within {MOST_SLOTS:,} slots "
                f"of {format_seconds(slots.slot_s)}; only the first {format_seconds(slots.cycle_s)} are looked at"
            )
    worst = max((each for each, _, _ in found), key=lambda each: each.overlap)
    return Shifts(
        tuple(items),
        overlap=_or_zero(worst.overlap),
        before=max(before for _, _, before in found),
        bound=_or_zero(max(each.bound for each, _, _ in found)),
        proved=worst.overlap <= max(each.bound for each, _, _ in found) + TOLERANCE,
        slot_s=max(slots.slot_s for _, slots, _ in found),
        cycle_s=max(slots.cycle_s for _, slots, _ in found),
        whole_cycle=all(slots.whole for _, slots, _ in found),
        held_cost=max(shift.held_s / shift.period_s - 1 for shift in items),
        solver=worst.solver,
        notes=tuple(notes),
    )


def _or_zero(value: float) -> float:
    """0 for what rounding leaves of it."""
    return 0.0 if value < 1e-12 else value


def _best(
    moving: Sequence[Lane],
    steady: Sequence[Lane],
    shared: SharedRows,
    pairs: Sequence[tuple[str, str]],
    time_limit_s: float,
) -> tuple[FoundShifts, Slots, float, list[Shift]]:
    """Of the slots that a group may have those with which its steps are shortest; also the overlap without shifts."""
    tried: list[tuple[float, tuple[FoundShifts, Slots, float, list[Shift]]]] = []
    grids = slots_of(moving)
    for slots in grids:
        exact = partial(exact_overlap, moving, steady, shared, slots)
        both = [cycle_demand(moving, steady, shared, slots, touched=touched) for touched in (False, True)]
        circle = Circle.of(moving, steady, shared, slots) if slots.whole else None
        each = find_shifts(both[0], both[1], circle, exact, time_limit_s / len(grids))
        items = _shifts(moving, steady, shared, slots, _from_first(each.begins_s, slots), pairs)
        mean = sum(item.slowdown for item in items) / len(items)
        tried.append((round(mean, 6), (each, slots, exact([0.0] * len(moving)), items)))
    return min(tried, key=lambda one: one[0])[1]


def _from_first(begins_s: Sequence[float], slots: Slots) -> list[float]:
    """When steps begin, s: seen from the first job's, where a whole cycle may be turned."""
    first_s = begins_s[0] if slots.whole else 0.0
    found = []
    for begin_s, period in zip(begins_s, slots.periods, strict=True):
        period_s = period * slots.slot_s
        begin_s = (begin_s - first_s) % period_s
        found.append(0.0 if min(begin_s, period_s - begin_s) < _NO_TIME * period_s else begin_s)
    return found


def _shifts(
    moving: Sequence[Lane],
    steady: Sequence[Lane],
    shared: SharedRows,
    slots: Slots,
    begins: Sequence[float],
    pairs: Sequence[tuple[str, str]],
) -> list[Shift]:
    """Shifts of a group, and the steps they come to, simulated."""
    held = [period * slots.slot_s for period in slots.periods]
    side = Side.of([*(lane.paced(length) for lane, length in zip(moving, held, strict=True)), *steady], shared)
    places = [(-begin) % length for begin, length in zip(begins, held, strict=True)] + [0.0] * len(steady)
    spans = long_run(side, np.array([places]), _WORK).counted[0].mean(axis=1)
    near = {(a, b) for one, other in pairs for a, b in ((one, other), (other, one))}
    ahead = [length / (lane.period_s or 1.0) - 1 for lane, length in zip(moving, held, strict=True)]
    found = []
    for at, (lane, begin) in enumerate(zip(moving, begins, strict=True)):
        period_s = lane.period_s or 0.0
        drift = max(
            (abs(ahead[at] - ahead[other]) for other in range(len(moving)) if (lane.job, moving[other].job) in near),
            default=0.0,
        )
        steps = None if drift < 1e-9 else floor(slots.slot_s / (drift * period_s))
        slowdown = float(spans[at]) * held[at] / period_s
        found.append(Shift(lane.job, begin, period_s, held[at], steps, slowdown))
    return found
