"""States with several parts down against the enumeration of all of them."""

from itertools import combinations

import numpy as np
import pytest

from fabric.failures.network_states import chance_of_sizes, network_states
from fabric.failures.outages import random_outages

LOAD = np.array([0.02, 0.05, 0.01, 0.08, 0.03, 0.04])
CAUSE = np.array([0, 0, 1, 1, 1, 0], np.int32)


def stretch_of(members):
    """One job: slower by a tenth for every part, parts 0 and 3 together cut it off."""
    if {0, 3} <= set(members):
        return np.inf
    return 1 + 0.1 * len(members) ** 2 if members else 1.0


def evaluate(sets):
    """Stretch, and a limit that holds with at most one of parts 0 to 2 down."""
    holds = [[sum(part < 3 for part in members) <= 1] for members in sets]
    return np.array([[stretch_of(members)] for members in sets]), np.array(holds, np.bool_)


def states():
    stretch, holds = evaluate([(part,) for part in range(6)])
    intact = np.array([True])
    return network_states(LOAD, stretch, holds, intact, CAUSE, 2, evaluate, rng=np.random.default_rng(0))


def every_state():
    """All 64 sets and their chances."""
    down = LOAD / (1 + LOAD)
    for size in range(7):
        for members in combinations(range(6), size):
            chance = np.prod([down[part] if part in members else 1 - down[part] for part in range(6)])
            yield members, chance


def test_the_chances_of_sizes_are_those_of_all_states():
    """Sixty-four states of six parts."""
    wanted = np.zeros(7)
    for members, chance in every_state():
        wanted[len(members)] += chance
    np.testing.assert_allclose(chance_of_sizes(LOAD, 6), wanted, rtol=1e-12)


def test_small_sets_are_enumerated_and_give_the_exact_mean_and_availability():
    """All sets of all sizes are few enough; the mean of 1 - 1/stretch over 64 states."""
    wanted = sum(chance * (1 - 1 / stretch_of(members)) for members, chance in every_state())
    held = sum(chance for members, chance in every_state() if sum(part < 3 for part in members) <= 1)
    exact = states()
    assert exact.lost_share().sum() == pytest.approx(wanted, rel=1e-5)  # more than one state in a million is left out
    assert exact.availability()[0] == pytest.approx(held, rel=1e-5)


def test_drawn_sets_agree_with_the_enumeration_of_two_failures():
    """Forty parts, two hundred of 780 pairs drawn: within four standard errors of the pairs' mean."""
    load = np.linspace(1e-3, 2e-2, 40)
    worth = {pair: 1 + (pair[0] * pair[1] % 7) / 4 for pair in combinations(range(40), 2)}

    def of(sets):
        return np.array([[worth.get(tuple(members), 1.0)] for members in sets]), np.ones((len(sets), 0), np.bool_)

    singles = np.ones((40, 1))
    drawn = network_states(
        load, singles, np.ones((40, 0), np.bool_), np.ones(0, np.bool_), np.zeros(40, np.int32), 1, of,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    pairs = drawn.strata[2]
    assert (pairs.parts, len(pairs.sets)) == (2, 200)
    weight = np.array([load[one] * load[other] for one, other in worth])
    lost = np.array([1 - 1 / value for value in worth.values()])
    mean = (weight * lost).sum() / weight.sum()
    spread = np.sqrt((weight * (lost - mean) ** 2).sum() / weight.sum())
    assert (1 - 1 / pairs.stretch).mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(200))


def test_a_history_spends_as_long_in_every_state_as_its_chance():
    """Mean loss over 30,000 repairs of each part, within two percent."""
    exact = states()
    outages = random_outages(LOAD / 5, np.full(6, 5.0), 2e6, np.random.default_rng(2))
    time, stretch, blame = exact.history(outages, np.random.default_rng(3))
    length = np.diff(time, append=time[-1])
    lost = ((1 - 1 / stretch[:, 0]) * length).sum() / time[-1]
    assert lost == pytest.approx(exact.lost_share().sum(), rel=0.02)
    slower = stretch[:, 0] > 1
    np.testing.assert_allclose(blame[slower, 0].sum(axis=1), 1.0)


def test_blame_is_shared_as_what_each_part_does_alone():
    """Parts 0 and 3 do the same alone: half each."""
    pairs = states().strata[2]
    row = pairs.sets.index((0, 3))
    np.testing.assert_allclose(pairs.blame[row, 0], [0.5, 0.5])
