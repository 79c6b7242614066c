"""Divisions into windows: all of them compared where they are few, and what local search finds beside that."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pytest

from fabric.operate.drain.partition import FREE, Cost, Rules, best_divisions, cost_of, improved, members, one_by_one


def _prices(works: int, seed: int) -> dict[int, Cost]:
    random = np.random.default_rng(seed)
    prices = {}
    for each in range(1, 1 << works):
        count = each.bit_count()
        stalled, broken = (int(random.random() < part) * count for part in (0.1, 0.2))
        prices[each] = Cost(stalled, broken, float(random.integers(0, 50)), float(random.random()))
    return prices


def _every_division(rules: Rules, windows: int) -> Iterator[list[int]]:
    """All divisions into so many windows, empty ones not among them, by counting."""
    for places in product(range(windows), repeat=rules.works):
        division = [sum(1 << work for work, window in enumerate(places) if window == at) for at in range(windows)]
        if all(division) and rules.fits(division):
            yield division


@pytest.mark.parametrize("seed", range(12))
def test_the_best_division_is_that_of_looking_at_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    works = 5
    before = tuple(
        int(random.random() < 0.3) << int(random.integers(0, place)) if place else 0 for place in range(works)
    )
    rules = Rules(works, before, int(random.integers(2, works + 1)))
    prices = _prices(works, seed)

    def price(sets: Sequence[int]) -> list[Cost]:
        return [prices[each] if each else FREE for each in sets]

    found = best_divisions(rules, price, works)
    for windows in range(1, works + 1):
        costs = [cost_of(division, price) for division in _every_division(rules, windows)]
        assert (windows in found) == bool(costs)
        if costs:
            assert rules.fits(found[windows])
            assert cost_of(found[windows], price)[:3] == pytest.approx(min(cost[:3] for cost in costs))
    assert min(found) >= rules.least_windows


@pytest.mark.parametrize("seed", range(6))
def test_local_search_keeps_the_rules_and_never_ends_above_its_start(seed: int) -> None:
    rules = Rules(7, (0, 0, 0b1, 0, 0, 0b10000, 0), 4)
    prices = _prices(7, seed)

    def price(sets: Sequence[int]) -> list[Cost]:
        return [prices[each] if each else FREE for each in sets]

    start = one_by_one(rules, price, 4)
    end = improved(rules, [*start, *[0] * (4 - len(start))], price, time.monotonic() + 60, seed)
    assert rules.fits(start)
    assert rules.fits(end)
    assert not cost_of(start, price).is_less(cost_of(end, price))
    best = best_divisions(rules, price, 4)
    least = min((cost_of(each, price) for each in best.values()), key=lambda cost: cost[:3])
    assert not cost_of(end, price).is_less(least)


def test_works_in_a_circle_have_no_order() -> None:
    with pytest.raises(ValueError, match="1"):
        Rules(3, (0, 0b100, 0b010), 3).in_order()


def test_windows_are_left_for_what_waits() -> None:
    rules = Rules(3, (0, 0b001, 0b010), 3)
    assert rules.least_windows == 3
    assert one_by_one(rules, lambda sets: [Cost(0, 0, float(each.bit_count()), 0.0) for each in sets], 3) == [1, 2, 4]
    assert members(0b101) == [0, 2]
