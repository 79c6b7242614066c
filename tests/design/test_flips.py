"""Prices at which another design is the one to buy: at that price both cost the same."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabric.design.flips import Parts, flips

COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 50), min_size=1)
PRICES = st.fixed_dictionaries({model: st.integers(1, 100) for model in "abc"})


def priced(name: str, count: dict[str, int], prices: dict[str, int]) -> Parts:
    """A design that costs what its parts cost."""
    return Parts(name, sum(prices[model] * number for model, number in count.items()), count)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(COUNTS, COUNTS, PRICES)
def test_both_cost_the_same_at_the_price_of_the_flip(
    one: dict[str, int], other: dict[str, int], prices: dict[str, int]
) -> None:
    """Priced again with the new price in place of the old."""
    found = flips(priced("one", one, prices), [priced("other", other, prices)], prices)
    for flip in found:
        there = {**prices, flip.model: flip.at_usd}
        cost = [sum(there[model] * number for model, number in count.items()) for count in (one, other)]
        assert abs(cost[0] - cost[1]) <= 1e-6 * max(*cost, 1)


def test_a_part_that_both_have_as_many_of_never_flips() -> None:
    """Nor does one that would have to cost less than nothing."""
    one, other = Parts("one", 100, {"a": 10, "b": 1}), Parts("other", 300, {"a": 10, "b": 2})
    assert flips(one, [other], {"a": 4, "b": 60}) == ()
