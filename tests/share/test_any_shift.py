"""No shifts lie below the bound, and those found are the best, by dense enumeration of shifts between slots."""

from __future__ import annotations

import numpy as np
import pytest
from sharing_cases import Simulation, job, rows_of

from fabric.share.interference.any_shift import least_of_any, polished
from fabric.share.interference.circle import Circle
from fabric.share.interference.overlap import cycle_demand, exact_overlap
from fabric.share.interference.shift_search import TOLERANCE, between_slots, find_shifts
from fabric.share.interference.shifts import find_all_shifts
from fabric.share.interference.slots import slots_of

UNIT = 120  # parts of a period in which all edges and all enumerated shifts lie
TRIANGLE = [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]


def shifts_of(lanes, values, limit=8.0):
    """Shifts of jobs that are all one group."""
    rows = rows_of(values, lanes)
    by_job = {lane.job: (lane,) for lane in lanes}
    return find_all_shifts([[*by_job]], by_job, rows, [*rows.met], limit), rows


def profiles(lanes, values):
    """What each lane asks of every link in every part of its period: shape (R, UNIT), all periods 1 s."""
    found = []
    for lane in lanes:
        profile, clock = np.zeros((len(values), UNIT)), 0
        for piece in lane.pieces:
            length = round(piece.alone_s * UNIT)
            if piece.column >= 0:
                profile[:, clock : clock + length] += np.asarray(values)[:, [piece.column]]
            clock += length
        found.append(profile)
    return found


def dense_least(lanes, values):
    """Least overlap of the worst link over all shifts of three lanes by parts of the period; the first stays."""
    first, second, third = profiles(lanes, values)
    turned = np.stack([np.roll(third, shift, axis=1) for shift in range(UNIT)])
    return min(
        float(np.maximum(first + np.roll(second, shift, axis=1) + turned - 1, 0).mean(axis=2).max(axis=1).min())
        for shift in range(UNIT)
    )


def test_three_jobs_that_meet_two_by_two_are_best_a_third_of_a_period_apart():
    """0.6 s of 1 s each, every two on a link of their own: 0.6 - 1/3 on each; by slots of 0.2 s it would be 0.4."""
    lanes = [job(name, at, (name, 0.6), ("-", 0.4)) for at, name in enumerate("abc")]
    found, rows = shifts_of(lanes, TRIANGLE)
    assert found.overlap == pytest.approx(0.6 - 1 / 3, abs=1e-6)
    assert found.bound <= 0.6 - 1 / 3 + 1e-9
    assert found.bound == pytest.approx(0.6 - 1 / 3, abs=TOLERANCE)
    assert found.proved
    begins = {shift.job: (1.0 - shift.shift_s) % 1.0 for shift in found.items}
    parts = {name: [(at, 0.6), (None, 0.4)] for at, name in enumerate("abc")}
    steps = Simulation(rows.values, parts, {}).steps(begins, 600.0)
    for shift in found.items:
        assert shift.slowdown == pytest.approx(np.mean(steps[shift.job][50:]), abs=0.02)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("unit", [10, 60])
def test_no_enumerated_shift_lies_below_the_bound(seed, unit):
    """Three jobs of two phases on three links, edges at tenths or sixtieths: 14,400 shifts, between slots too."""
    rng = np.random.default_rng(seed)
    lanes, column = [], 0
    for name in "abc":
        cuts = np.sort(rng.choice(np.arange(1, unit), 3, replace=False)) / unit
        first, pause, second = cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1]
        pieces = (("x", first), ("-", pause), ("y", second), ("-", 1 - cuts[2]))
        lanes.append(job(name, column, *pieces))
        column += 2
    values = np.repeat(rng.uniform(0.4, 1.0, (3, 3)) * (rng.random((3, 3)) < 0.8), 2, axis=1)
    values *= rng.choice([0.5, 1.0], values.shape)
    for at in range(3):
        values[at, 2 * at : 2 * at + 2] = 0.8  # no job is on no link
    found, _ = shifts_of(lanes, values, limit=3.0)
    least = dense_least(lanes, values)
    assert found.bound <= least + 1e-9
    assert found.overlap <= least + TOLERANCE or not found.proved
    assert found.bound <= found.overlap + 1e-12


def test_a_bound_by_slots_is_lessened_by_what_lies_between_them():
    """The three jobs again, by slots of 0.2 s alone: 0.4 by whole slots, and less is left open for others."""
    lanes = [job(name, at, (name, 0.6), ("-", 0.4)) for at, name in enumerate("abc")]
    rows = rows_of(TRIANGLE, lanes)
    (slots,) = slots_of(lanes)
    both = [cycle_demand(lanes, [], rows, slots, touched=touched) for touched in (False, True)]
    found = find_shifts(*both, None, lambda at: exact_overlap(lanes, [], rows, slots, at), 5.0)
    assert found.overlap == pytest.approx(0.4)
    assert between_slots(both[0]) > 0
    assert found.bound <= 0.6 - 1 / 3
    assert not found.proved


def test_five_jobs_in_a_ring_have_no_better_shifts_among_a_thousand():
    """More jobs than boxes are halved for: the bound is that of slots, and the search goes between them."""
    lanes = [job(name, at, (name, 0.6), ("-", 0.4)) for at, name in enumerate("abcde")]
    values = [[1.0 if at in (row, (row + 1) % 5) else 0.0 for at in range(5)] for row in range(5)]
    found, rows = shifts_of(lanes, values)
    # Around the ring shifts add up to whole periods: 5 · 0.4 is 2, so that every two can be 0.4 or 0.6 apart.
    assert found.overlap == pytest.approx(0.2, abs=1e-6)
    (slots,) = slots_of(lanes)
    circle = Circle.of(lanes, [], rows, slots)
    rng = np.random.default_rng(0)
    assert min(float(circle.overlaps(rng.random(5)).max()) for _ in range(1000)) >= found.bound - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_circle_has_the_overlap_of_continuous_time(seed):
    """Periods of 1, 2 and 3 s, at random times: two ways to the same overlap, and no change is steeper than said."""
    rng = np.random.default_rng(seed)
    lanes = [
        job(name, at, ("-", 0.1), (name, wire), ("-", period - wire - 0.1))
        for at, (name, wire, period) in enumerate((("a", 0.45, 1.0), ("b", 0.83, 2.0), ("c", 1.31, 3.0)))
    ]
    rows = rows_of(rng.uniform(0.3, 1.0, (3, 3)), lanes)
    slots = slots_of(lanes)[0]
    circle = Circle.of(lanes, [], rows, slots)
    for _ in range(20):
        begins = rng.random(3) * circle.periods_s
        assert circle.overlaps(begins).max() == pytest.approx(
            exact_overlap(lanes, [], rows, slots, begins.tolist()), abs=1e-9
        )
        moved = begins + rng.uniform(-0.2, 0.2, 3)
        change = np.abs(circle.overlaps(moved) - circle.overlaps(begins))
        assert (change <= np.abs(moved - begins) @ circle.slope + 1e-12).all()


def test_polishing_and_halving_meet():
    """From shifts of nothing, cell by cell; and boxes from above: the same overlap, to what is left between."""
    lanes = [
        job(name, at, (name, wire), ("-", 1 - wire))
        for at, (name, wire) in enumerate(zip("abc", (0.5, 0.6, 0.7), strict=True))
    ]
    rows = rows_of(TRIANGLE, lanes)
    circle = Circle.of(lanes, [], rows, slots_of(lanes)[0])
    best, bound = least_of_any(circle, np.zeros(3), 1e-3, 5.0)
    assert bound <= circle.overlaps(best).max() <= bound + 2e-3
    better = polished(circle, best, 0, 2.0)
    assert bound - 1e-12 <= circle.overlaps(better).max() <= circle.overlaps(best).max() + 1e-12
