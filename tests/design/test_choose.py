"""Which design of a family holds: the cheapest, whatever the order in which ratios are tried."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.design.choose import Ranked, best_of_family, ratio_of
from fabric.design.counted import Counted
from fabric.design.judge import Breach, Judged
from fabric.design.need import FabricNeed

NEED = FabricNeed("backend", 8, 8, 8, 400.0, oversubscription=inf)


def counted(ratio: float, price: float) -> Counted:
    """A design that is nothing but its ratio and its price."""
    return Counted("toy", {"kind": "toy", "price": price}, 1, (), (), {"leaf": ratio})


def ranking_of(designs: list[tuple[float, float]]):
    """Designs within a need's ceiling, cheapest first."""

    def ranking(need: FabricNeed) -> Iterator[Ranked]:
        fitting = sorted((price, ratio) for ratio, price in designs if ratio <= need.oversubscription)
        for price, ratio in fitting:
            yield Ranked(counted(ratio, price), price, price)

    return ranking


def trial_of(most: float, tried: list[float]):
    """Designs hold up to a ratio."""

    def trial(design: Counted) -> Judged:
        tried.append(ratio_of(design))
        breaches = () if ratio_of(design) <= most else (Breach("too slow", ("backend",)),)
        return Judged({"backend": design}, "", None, breaches)

    return trial


DESIGNS = st.lists(st.tuples(st.integers(8, 64).map(lambda n: n / 8), st.integers(1, 1000)), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(DESIGNS, st.integers(4, 64).map(lambda n: n / 8))
def test_the_cheapest_design_that_holds_is_found(designs: list[tuple[int, float]], most: float) -> None:
    """Against looking at every design; the bound never exceeds it."""
    holding = [price for ratio, price in designs if ratio <= most]
    choice = best_of_family("toy", NEED, ranking_of(designs), trial_of(most, []))
    if choice.best is None:
        assert not holding or not choice.exhausted
    else:
        assert choice.best.value == min(holding)
        assert choice.bound <= choice.best.value


def test_what_is_not_better_is_not_tried() -> None:
    """A family whose cheapest design costs as much as one that holds elsewhere."""
    tried: list[float] = []
    choice = best_of_family("toy", NEED, ranking_of([(1.0, 100)]), trial_of(9.0, tried), below=100)
    assert (choice.best, choice.exhausted, choice.bound, tried) == (None, False, 100, [])


def test_a_ceiling_that_is_missed_is_not_tried_design_by_design() -> None:
    """200 designs from 1:1 to 2.99:1, cheaper with the ratio; 1.5 holds: found by halving, not one by one."""
    designs = [(1 + step / 100, 1000.0 - step) for step in range(200)]
    tried: list[float] = []
    choice = best_of_family("toy", NEED, ranking_of(designs), trial_of(1.5, tried))
    assert choice.best is not None
    assert ratio_of(choice.best.counted) == 1.5
    assert len(tried) < 14
