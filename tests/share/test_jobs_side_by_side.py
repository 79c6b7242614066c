"""Slowdown of two jobs and of several against closed forms and a simulation of its own."""

from __future__ import annotations

import numpy as np
import pytest
from sharing_cases import Simulation, job, rows_of

from fabric.share.interference.groups import beside_all, groups_of
from fabric.share.interference.lanes import Lane, Piece
from fabric.share.interference.pairs import pair_figures
from fabric.share.interference.shared_rows import ColumnFigures, joined
from fabric.share.interference.together import Side


def two(wire_a=0.4, wire_b=0.48, period_a=1.0, period_b=1.0, values=((1.0, 1.0),), weight=(1.0, 1.0)):
    """Two jobs of one phase each."""
    a = job("a", 0, ("-", period_a - wire_a), ("x", wire_a), weight=weight[0])
    b = job("b", 1, ("-", period_b - wire_b), ("y", wire_b), weight=weight[1])
    return a, b, rows_of(values, [a, b])


@pytest.mark.parametrize(("wire_a", "wire_b"), [(0.4, 0.48), (0.5, 0.5), (0.1, 0.7), (0.25, 0.25)])
def test_two_jobs_of_one_period_lose_the_product_of_their_parts_on_the_wire(wire_a, wire_b):
    """Fair sharing delays both alike, so the phase stays: over all phases the overlap is a · b / T, at worst min(a, b).

    Both go at half speed in it, so that each step grows by the overlap: mean 1 + a b / T², worst 1 + min(a, b) / T.
    """
    a, b, rows = two(wire_a, wire_b)
    found = pair_figures([a], [b], rows)
    for figures in (found.first, found.second):
        assert figures.mean == pytest.approx(1 + wire_a * wire_b, abs=5e-4)
        assert figures.worst == pytest.approx(1 + min(wire_a, wire_b), abs=1e-9)
        assert figures.best == pytest.approx(1.0, abs=1e-9)


def test_a_link_that_carries_both_slows_neither():
    """0.6 and 0.4 of a link; and jobs on different links: exactly 1."""
    a, b, rows = two(values=((0.6, 0.4),))
    assert pair_figures([a], [b], rows) is None
    a, b, rows = two(values=((1.0, 0.0), (0.0, 1.0)))
    assert pair_figures([a], [b], rows) is None
    assert Side.of([a, b], rows).run(np.zeros((1, 2)), 2).slowdown.tolist() == [[[1, 1], [1, 1]]]


@pytest.mark.parametrize("period_b", [1.37, 0.618, 2.2361])
@pytest.mark.parametrize("weight", [(1.0, 1.0), (3.0, 1.0)])
def test_the_mean_over_phases_is_that_of_a_long_run(period_b, weight):
    """Periods that never come round: over 600 steps a run meets all phases. Agreement to 1 % of the step."""
    a, b, rows = two(0.4, 0.3 * period_b, period_b=period_b, weight=weight)
    found = pair_figures([a], [b], rows)
    run = Simulation(
        rows.values,
        {"a": [(None, 0.6), (0, 0.4)], "b": [(None, 0.7 * period_b), (1, 0.3 * period_b)]},
        {"a": weight[0], "b": weight[1]},
    )
    steps = run.steps({}, 600 * max(1.0, period_b))
    assert found.first.mean == pytest.approx(np.mean(steps["a"]), abs=0.01)
    assert found.second.mean == pytest.approx(np.mean(steps["b"]) / period_b, abs=0.01)
    assert max(steps["a"]) <= found.first.worst + 1e-6
    assert min(steps["a"]) >= found.first.best - 1e-6


def test_every_beginning_gives_the_steps_of_the_simulation():
    """Two jobs of two phases each on three links, from 40 places, step by step."""
    a = job("a", 0, ("-", 0.3), ("x", 0.2), ("-", 0.1), ("y", 0.4))
    b = job("b", 2, ("u", 0.25), ("-", 0.5), ("v", 0.35))
    rows = rows_of([[1.0, 0.2, 0.8, 0.1], [0.3, 0.9, 0.0, 1.0], [0.0, 0.5, 0.7, 0.6]], [a, b])
    side = Side.of([a, b], rows)
    run = Simulation(
        rows.values,
        {"a": [(None, 0.3), (0, 0.2), (None, 0.1), (1, 0.4)], "b": [(2, 0.25), (None, 0.5), (3, 0.35)]},
        {},
    )
    for place in np.linspace(0, 1.1, 40, endpoint=False):
        beside = side.run(np.array([[0.0, place]]), 3).slowdown[0]
        steps = run.steps({"b": float(place)}, 12.0)
        np.testing.assert_allclose(beside[0], np.array(steps["a"][:3]) / 1.0, atol=1e-9)
        np.testing.assert_allclose(beside[1], np.array(steps["b"][:3]) / 1.1, atol=1e-9)
        assert (beside >= 1).all()


def test_three_jobs_fill_a_link_that_no_two_do():
    """0.45 each: no pair is in each other's way, all three are, at 1 / 1.35 of their pace, when all send."""
    jobs = [job(name, at, (name, 1.0)) for at, name in enumerate("abc")]
    rows = rows_of([[0.45] * 3], jobs)
    assert all(pair_figures([one], [other], rows) is None for one in jobs for other in jobs if one is not other)
    assert groups_of("abc", joined(rows, "abc")) == [("a", "b", "c")]
    figures, _ = beside_all("abc", {one.job: (one,) for one in jobs}, rows, np.random.default_rng(0))
    assert [figures[name].mean for name in "abc"] == pytest.approx([1.35] * 3)


def test_three_jobs_in_a_row_come_to_what_a_long_run_does():
    """a and b meet, b and c meet: over 600 steps from four beginnings, to 1 % of the step."""
    a, b = job("a", 0, ("x", 0.4), ("-", 0.6)), job("b", 1, ("y", 0.48), ("-", 0.52))
    c = job("c", 2, ("z", 0.5), ("-", 1.5))
    rows = rows_of([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], [a, b, c])
    figures, _ = beside_all("abc", {"a": (a,), "b": (b,), "c": (c,)}, rows, np.random.default_rng(0))
    parts = {"a": [(0, 0.4), (None, 0.6)], "b": [(1, 0.48), (None, 0.52)], "c": [(2, 0.5), (None, 1.5)]}
    run, rng = Simulation(rows.values, parts, {}), np.random.default_rng(7)
    found = [run.steps({"a": rng.random(), "b": rng.random(), "c": 2 * rng.random()}, 600.0) for _ in range(4)]
    for name, period in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        mean = np.mean([np.mean(steps[name]) for steps in found]) / period
        assert figures[name].mean == pytest.approx(mean, abs=0.012)
        assert figures[name].error < 0.005


def test_steady_traffic_loses_while_the_other_sends():
    """A rate of 0.5 beside a phase that fills the link for half of its step.

    With equal rises (its NIC is half used) both get half the link: the steady one all of its 0.5, the phase takes twice
    as long. At 0.8 of the link and of its NIC both get 0.5: it has 0.5 / 0.8 while the other sends.
    """
    for asked, slow_other in ((0.5, 1.5), (0.8, 1.5)):
        a = job("a", 0, ("-", 0.5), ("x", 0.5))
        lane = Lane("s", 1.0, steady=1)
        rows = rows_of([[1.0, asked]], [a, lane])
        figures = (rows.figures[0], ColumnFigures(1 / asked, 1.0, "", 1.0))
        rows = type(rows)(rows.columns, figures, rows.values, rows.links, rows.count, rows.met, {})
        found = pair_figures([a], [lane], rows)
        assert found.first.mean == pytest.approx(slow_other)
        rate = (0.5 * 1.0 + 1.0 * min(0.5 / asked, 1)) / 1.5
        assert found.second.mean == pytest.approx(1 / rate, rel=0.02)


def test_steady_traffic_that_its_own_phases_slow_is_not_slowed_by_others_for_it():
    """a asks for 0.6 all the time and fills the link half of the time; b's 0.01 costs either next to nothing."""
    step, own = job("a", 0, ("-", 0.5), ("x", 0.5)), Lane("a", 1.0, steady=1)
    other = job("b", 2, ("y", 0.1), ("-", 0.9))
    rows = rows_of([[1.0, 0.6, 0.01]], [step, own, other])
    figures = (ColumnFigures(1.0, 0.5, "", 1.0), ColumnFigures(1 / 0.6, 1.0, "", 1.0), rows.figures[2])
    rows = type(rows)(rows.columns, figures, rows.values, rows.links, rows.count, rows.met, {})
    found = pair_figures([step, own], [other], rows)
    assert 1 <= found.first.mean < 1.01
    assert found.first.worst < 1.01


def test_a_phase_that_hides_under_compute_grows_into_what_is_bare():
    """0.2 s of a phase under 1 s of compute: at half its pace it takes 0.4 s, and the step is no longer."""
    hidden = Piece(0.2, 0, "x", window_s=0.2, hides=1.0, room_s=0.8)
    a = Lane("a", 1.0, (hidden, Piece(0.8, absorbs_s=0.8)))
    b = job("b", 1, ("y", 1.0))
    rows = rows_of([[1.0, 1.0]], [a, b])
    assert pair_figures([a], [b], rows).first.worst == pytest.approx(1.0, abs=1e-12)
    tight = Lane("a", 1.0, (Piece(0.2, 0, "x", window_s=0.2, hides=1.0, room_s=0.05), Piece(0.8, absorbs_s=0.8)))
    assert pair_figures([tight], [b], rows).first.worst == pytest.approx(1.15, abs=1e-9)


def test_a_phase_whose_scale_up_links_are_slower_loses_only_what_the_fabric_adds():
    """The fabric needs 0.2 s, the links inside 0.3 s: at half the pace 0.4 s instead of 0.3."""
    a = Lane("a", 1.0, (Piece(0.7), Piece(0.3, 0, "x", window_s=0.2, inside_s=0.3)))
    b = job("b", 1, ("y", 1.0))
    rows = rows_of([[1.0, 1.0]], [a, b])
    assert pair_figures([a], [b], rows).first.worst == pytest.approx(1.1)
