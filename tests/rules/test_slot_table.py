"""Parts of select groups: slots by Webster's method, dead buckets, and the biased method where slots do not do."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.routing.tables.slot_table import MOST, slot_parts, slots

WEIGHTS = st.lists(st.integers(1, 60), min_size=1, max_size=12)


@given(WEIGHTS)
def test_slots_are_webster_apportionment_in_exact_arithmetic(weights):
    """The switch computes in doubles; ties of fractions such as 1/3 and 2/6 come out as in exact arithmetic.

    A second way: of all (weight / odd divisor) of all buckets the n largest, the first bucket of equals.
    """
    table = slots(weights)
    needed = Fraction(sum(weights), min(weights))
    size = next((n for n in (16, 32, 64, 128, 256) if n >= needed), None)
    assert (table is None) == (size is None)
    if table is None:
        return
    scores = [(-Fraction(w, 2 * k + 1), bucket) for bucket, w in enumerate(weights) for k in range(size)]
    assert table == tuple(bucket for _, bucket in sorted(scores)[:size])


@pytest.mark.parametrize(
    ("weights", "counts"),
    [
        ([1, 1], [8, 8]),
        ([3, 1], [12, 4]),
        ([1, 2, 3, 4], [2, 3, 5, 6]),  # so the switch deals too
        ([1] * 12, [2] * 4 + [1] * 8),  # twelve equal uplinks are not equal
        ([1] * 16, [1] * 16),
        ([1, 255], [1, 255]),
    ],
)
def test_slots_of_known_groups(weights, counts):
    """Counted by hand."""
    table = slots(weights)
    assert table is not None
    assert [table.count(bucket) for bucket in range(len(weights))] == counts


def test_a_second_bucket_of_weight_one_makes_twelve_ports_nearly_equal():
    """252 units over 256 slots: eleven ports have 21 or 22, and so has the one of two buckets, 20 and 1."""
    table = slots([21] * 11 + [20, 1])
    assert table is not None
    assert len(table) == MOST
    per_port = [table.count(bucket) for bucket in range(11)] + [table.count(11) + table.count(12)]
    assert set(per_port) <= {21, 22}


@given(WEIGHTS, st.data())
def test_a_dead_bucket_leaves_its_slots_to_those_after_it(weights, data):
    """Parts of the live ones sum to 1, none loses, and a dead one has nothing."""
    live = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    parts, whole = slot_parts(weights, live=live), slot_parts(weights)
    assert sum(parts) == pytest.approx(1.0 if any(live) else 0.0)
    if slots(weights) is not None:
        assert all(
            part >= before - 1e-12 if up else part == 0 for part, before, up in zip(parts, whole, live, strict=True)
        )


def test_a_dead_bucket_of_four_equal_ones_gives_all_to_its_neighbour():
    """Slots run 0 1 2 3 0 1 2 3 …, and the switch takes the next slot: 1 gets all of 0, not a third of it."""
    assert slot_parts([1, 1, 1, 1], live=[False, True, True, True]) == (0.0, 0.5, 0.25, 0.25)


@pytest.mark.parametrize(
    "weights", [[1, 300], [1, 256], [1, 200, 200], [3, 500, 700, 900], [1, 1, 1000], [2, 999, 999]]
)
def test_where_slots_do_not_do_the_highest_score_wins(weights):
    """P(argmax of U × weight): closed form against 400,000 draws."""
    assert slots(weights) is None
    draws = np.random.default_rng(1).random((400_000, len(weights))) * weights
    drawn = np.bincount(draws.argmax(axis=1), minlength=len(weights)) / len(draws)
    assert slot_parts(weights) == pytest.approx(tuple(drawn), abs=5 * 0.5 / np.sqrt(len(draws)))


def test_two_buckets_by_score_have_a_closed_form():
    """Of weights a < b, the small one wins with a / 2b."""
    for small, large in product((1, 2), (600, 65_535)):
        assert slot_parts([small, large])[0] == pytest.approx(small / (2 * large), rel=1e-12)


def test_nothing_is_dealt_when_no_bucket_has_weight():
    """The switch drops; zeros say so."""
    assert slots([0, 0]) is None
    assert slot_parts([0, 0]) == (0.0, 0.0)
    assert slot_parts([]) == ()
