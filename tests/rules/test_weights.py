"""Weights for fractions: exact where they can be, least oversubscription, what the carriers make of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.routing.tables.slot_table import slot_parts, slots
from fabric.routing.tables.weights import quantise, slot_weights, weight_parts

SOME = settings(max_examples=200, deadline=None, derandomize=True, database=None)
fractions = st.lists(st.integers(1, 1000), min_size=2, max_size=12).map(lambda parts: np.array(parts) / sum(parts))


def weights_of(part, carrier, tolerance=0.01):
    return quantise(np.array([0, len(part)]), np.asarray(part, dtype=float), carrier, tolerance)


@pytest.mark.parametrize(
    ("part", "carrier", "expected"),
    [
        ([0.5, 0.5], "slots", [1, 1]),
        ([0.75, 0.25], "slots", [3, 1]),
        ([0.25] * 4, "slots", [1] * 4),
        ([1 / 3, 2 / 3], "exact", [1, 2]),
        ([0.4, 0.6], "exact", [2, 3]),
        ([1 / 12] * 12, "exact", [1] * 12),
    ],
)
def test_what_fits_exactly_is_exact(part, carrier, expected):
    """Sums of a power of two for slots, any for the others; shared factors are taken out."""
    assert weights_of(part, carrier).tolist() == expected


def test_twelve_equal_ways_in_slots_are_within_the_best_256_units_give():
    """256 / 12 is 21.3: some get 22, so 22 x 12 / 256 - 1 = 3.1 % is the least; 11 of 128 are the same in less room."""
    found = weights_of([1 / 12] * 12, "slots")
    assert found.sum() == 128
    assert sorted(set(found.tolist())) == [10, 11]


def test_units_that_are_left_over_go_round():
    """Equal decisions one after the other burden different buckets."""
    many = quantise(np.arange(4) * 3, np.full(9, 1 / 3), "slots", 0.0).reshape(3, 3)
    assert many.sum(axis=0).tolist() == [128, 128, 128]


@SOME
@given(fractions, st.sampled_from([0.005, 0.02, 0.1, 0.5]))
def test_oversubscription_is_within_the_tolerance_or_the_best(part, tolerance):
    """Sums up to 256 are tried; a sum of 256 is used only where no smaller one would do."""
    for carrier in ("slots", "exact"):
        found = weights_of(part, carrier, tolerance)
        worst = (found / found.sum() / part).max()
        assert worst <= 1 + tolerance + 1e-6 or worst <= 1 + len(part) / part.min() / 256


@SOME
@given(st.lists(st.integers(1, 6), min_size=2, max_size=3).map(lambda parts: np.array(parts) / sum(parts)))
def test_no_weights_of_the_same_sum_do_better(part):
    """Against every way to deal 16 units, D'Hondt's largest oversubscription is the least."""
    found = weights_of(part, "slots", 10.0)
    scale = 16 // found.sum()
    ours = (found * scale / 16 / part).max()
    every = (np.array(w) for w in itertools.product(range(17), repeat=len(part)) if sum(w) == 16)
    assert ours <= min((w / 16 / part).max() for w in every) + 1e-9


@SOME
@given(fractions, st.sampled_from([0.0, 0.02, 0.2]))
def test_the_switchs_slots_realise_the_weights(part, tolerance):
    """Weights as written for slots, hashed by the model of the switch, give the parts of the plan."""
    found = weights_of(part, "slots", tolerance)
    wanted = weight_parts(np.array([0, len(part)]), found)
    held = [int(weight) for weight in found if weight > 0]
    buckets = slot_weights(held) if len(held) > 1 else [(0, 1)]
    slots = slot_parts([weight for _, weight in buckets])
    got = np.zeros(len(held))
    for (index, _), part_ in zip(buckets, slots, strict=True):
        got[index] += part_
    np.testing.assert_allclose(got, wanted[found > 0], atol=1e-12)


@SOME
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_slots_stand_for_all_flows(weights):
    """Parts sum to 1, also with buckets that are not live, and in the biased fallback."""
    assert sum(slot_parts(weights)) == pytest.approx(1)
    assert sum(slot_parts([*weights, 256 * max(weights) + 1])) == pytest.approx(1)
    live = [index % 2 == 0 for index in range(len(weights))]
    parts = slot_parts(weights, live=live)
    assert sum(parts) == pytest.approx(1)
    assert all(part == 0 for part, alive in zip(parts, live, strict=True) if not alive)


def test_the_fallback_prefers_heavy_buckets():
    """1 : 3 by best hash x weight: the light one wins with chance 1/3 · 1/2 = 1/6, not 1/4 (measured 16.4 : 83.6)."""
    from fabric.routing.tables.slot_table import _best_score

    assert _best_score([1, 3]) == pytest.approx((1 / 6, 5 / 6))
    assert _best_score([1, 2, 3, 4]) == pytest.approx((0.010, 0.107, 0.315, 0.567), abs=0.003)


def test_what_needs_more_than_256_slots_has_none():
    """1 : 256 needs 257."""
    assert slots([1, 256]) is None
    assert slots([1, 255]) is not None
