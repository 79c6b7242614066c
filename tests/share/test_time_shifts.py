"""Time shifts: closed forms, brute force, and steps that are no longer slowed."""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np
import pytest
from sharing_cases import Simulation, job, rows_of

from fabric.share.interference.circle import Circle
from fabric.share.interference.lanes import Lane, Piece
from fabric.share.interference.overlap import cycle_demand, exact_overlap, overlap_of
from fabric.share.interference.shift_search import find_shifts
from fabric.share.interference.shifts import find_all_shifts
from fabric.share.interference.slots import MOST_SLOTS, slots_of


def least_overlap_s(period_a, wire_a, period_b, wire_b):
    """Least time in a cycle that two jobs of one phase are both on the wire, all in whole units.

    On the circle of the greatest common divisor g every turn of a meets every turn of b once in a cycle. A phase of
    α g + a covers it α times and once more for a: α β g + α b + β a, and a and b meet for a + b - g at least.
    """
    g = gcd(period_a, period_b)
    (alpha, a), (beta, b) = divmod(wire_a, g), divmod(wire_b, g)
    return alpha * beta * g + alpha * b + beta * a + max(a + b - g, 0)


def shifts_of(lanes, values, steady=(), limit=20.0):
    """Shifts of jobs that are all one group."""
    rows = rows_of(values, [*lanes, *steady])
    names = [lane.job for lane in (*lanes, *steady)]
    by_job = {lane.job: (lane,) for lane in (*lanes, *steady)}
    return find_all_shifts([names], by_job, rows, [*rows.met], limit), rows


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((10, 4), (10, 5)),
        ((10, 7), (10, 6)),
        ((4, 2), (6, 3)),
        ((10, 6), (15, 6)),
        ((12, 9), (18, 7)),
        ((6, 5), (9, 8)),
    ],
)
def test_two_jobs_on_a_link_reach_the_closed_form(a, b):
    """As in CASSINI, section 3: rotate one circle against the other; periods that differ meet on their cycle."""
    lanes = [job("a", 0, ("x", float(a[1])), ("-", float(a[0] - a[1])))]
    lanes.append(job("b", 1, ("y", float(b[1])), ("-", float(b[0] - b[1]))))
    found, _ = shifts_of(lanes, [[1.0, 1.0]])
    cycle = a[0] * b[0] // gcd(a[0], b[0])
    expected = least_overlap_s(*a, *b) / cycle
    assert found.proved
    assert found.overlap == pytest.approx(expected, abs=1e-9)
    assert found.bound == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize("seed", range(4))
def test_small_cases_have_no_better_shifts(seed):
    """Three jobs of random phases on two links, periods of 4 and 6 slots: all 96 shifts compared."""
    rng = np.random.default_rng(seed)
    lanes = []
    for at, (name, period) in enumerate(zip("abc", (4, 6, 4), strict=True)):
        wire = int(rng.integers(1, period))
        lanes.append(job(name, at, (name, float(wire)), ("-", float(period - wire))))
    values = rng.uniform(0.3, 1.0, (2, 3))
    found, _ = shifts_of(lanes, values)
    cycle = 12
    slot = np.arange(cycle)

    def overlap(begins):
        load = np.zeros((2, cycle))
        for at, (lane, begin) in enumerate(zip(lanes, begins, strict=True)):
            on = (slot - begin) % int(lane.period_s) < lane.pieces[0].alone_s
            load += values[:, [at]] * on
        return np.maximum(load - 1, 0).mean(axis=1).max()

    best = min(overlap((0, *rest)) for rest in product(range(6), range(4)))
    assert found.overlap == pytest.approx(best, abs=3e-4)
    assert found.bound <= best + 1e-9
    assert found.bound == pytest.approx(best, abs=5e-4)
    assert found.proved


def test_shifted_jobs_are_not_slowed_where_they_fit():
    """0.4, 0.3 and 0.3 of a second on one link in turn: as alone, by our run and by the simulation."""
    wires = {"a": 0.4, "b": 0.3, "c": 0.3}
    lanes = [job(name, at, (name, wire), ("-", 1 - wire)) for at, (name, wire) in enumerate(wires.items())]
    found, rows = shifts_of(lanes, [[1.0, 1.0, 1.0]])
    assert found.overlap == pytest.approx(0, abs=1e-9)
    assert found.before == pytest.approx(0.3 * 2 + 0.1 * 0, abs=1e-9)
    assert [shift.slowdown for shift in found.items] == pytest.approx([1, 1, 1], abs=1e-9)
    run = Simulation(rows.values, {n: [(at, w), (None, 1 - w)] for at, (n, w) in enumerate(wires.items())}, {})
    steps = run.steps({shift.job: (1.0 - shift.shift_s) % 1.0 for shift in found.items}, 6.0)
    assert all(np.allclose(each, 1.0) for each in steps.values())
    together = run.steps({}, 6.0)
    assert max(max(each) for each in together.values()) > 1.5


def test_periods_are_rounded_up_and_what_waiting_costs_is_said():
    """1 s and 1.001 s: slots of a period of a common multiple; nobody is held to less than its step."""
    lanes = [job("a", 0, ("x", 0.4), ("-", 0.6)), job("b", 1, ("y", 0.4), ("-", 0.601))]
    found, _ = shifts_of(lanes, [[1.0, 1.0]])
    assert found.whole_cycle
    assert all(shift.held_s >= shift.period_s - 1e-12 for shift in found.items)
    assert 0 < found.held_cost < 0.05
    # Not held, they drift by 1 ms a step against each other: a slot is over after slot / 1 ms steps.
    assert [shift.steps is not None and shift.steps > 0 for shift in found.items] == [True, True]


def test_periods_without_a_common_multiple_are_looked_at_for_a_while():
    """Six periods of no common measure: a bounded horizon, said in words."""
    periods = [1.0, 1.37, 1.713, 1.931, 2.117, 2.539]
    lanes = [job(str(at), at, ("x", 0.2), ("-", period - 0.2)) for at, period in enumerate(periods)]
    found, _ = shifts_of(lanes, [[1.0] * 6], limit=1.0)
    assert not found.whole_cycle
    slots = slots_of(lanes)[0]
    assert slots.cycle <= MOST_SLOTS
    assert not slots.whole
    assert any("no common multiple" in note and "are looked at" in note for note in found.notes)


def test_overlap_by_slots_is_below_that_in_continuous_time_and_by_touched_slots_above():
    """Phases that begin inside a slot; any shift by whole slots."""
    lanes = [job("a", 0, ("-", 0.0153), ("x", 0.331), ("-", 0.6537)), job("b", 1, ("y", 0.777), ("-", 0.223))]
    rows = rows_of([[1.0, 0.7]], lanes)
    slots = slots_of(lanes)[0]
    mean, most = (cycle_demand(lanes, [], rows, slots, touched=touched) for touched in (False, True))
    for shift in range(0, slots.periods[1], 7):
        exact = exact_overlap(lanes, [], rows, slots, [0.0, shift * slots.slot_s])
        assert overlap_of(mean.total((0, shift))).max() <= exact + 1e-12
        assert overlap_of(most.total((0, shift))).max() >= exact - 1e-12


def test_steady_traffic_leaves_less_room():
    """A rate of half the link: two phases of 0.5 s, never both, still ask for half a link too much half of the time."""
    lanes = [job("a", 0, ("x", 0.5), ("-", 0.5)), job("b", 1, ("y", 0.5), ("-", 0.5))]
    found, _ = shifts_of(lanes, [[1.0, 1.0, 0.5]], steady=[Lane("s", 1.0, steady=2)])
    assert found.overlap == pytest.approx(0.5)
    assert found.bound == pytest.approx(0.5, abs=3e-4)


def test_the_programme_improves_on_the_search_or_proves_it():
    """Jobs of three bursts each on links in a circle, where lane by lane is not enough to prove."""
    lanes = []
    for at, name in enumerate("abcd"):
        lanes.append(
            Lane(
                name,
                1.0,
                (Piece(1.0, at, "x", window_s=1.0), Piece(1.0), Piece(1.0, at, "y", window_s=1.0), Piece(2.0)),
            )
        )
    values = [[0.7, 0.7, 0, 0], [0, 0.7, 0.7, 0], [0, 0, 0.7, 0.7], [0.7, 0, 0, 0.7]]
    rows = rows_of(values, lanes)
    slots = slots_of(lanes)[0]
    both = [cycle_demand(lanes, [], rows, slots, touched=touched) for touched in (False, True)]
    circle = Circle.of(lanes, [], rows, slots)
    found = find_shifts(*both, circle, lambda at: exact_overlap(lanes, [], rows, slots, at), 15.0)
    assert found.bound <= found.overlap + 1e-12
    assert found.overlap <= overlap_of(both[0].total([0] * 4)).max()
    assert found.proved
