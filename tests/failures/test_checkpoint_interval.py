"""Young, Daly and simulation of the best time between checkpoints."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fabric.failures.checkpoint_interval import daly_s, simulated_s, young_s


def exact_s(write_s, between_s):
    """The interval that computes most with exponential gaps: t / (e^((t + d) / M) - 1) is largest."""
    best = minimize_scalar(
        lambda t: -t / np.expm1((t + write_s) / between_s),
        bounds=(write_s / 10, 3 * between_s),
        method="bounded",
        options={"xatol": 1e-6 * between_s},
    )
    return float(best.x)


@pytest.mark.parametrize("write_s", [1.0, 10.0, 60.0, 300.0])
def test_daly_is_within_a_percent_of_the_optimum_and_young_within_a_few(write_s):
    """A day between failures: writes are short beside it, as both formulas assume."""
    exact = exact_s(write_s, 86_400)
    assert daly_s(write_s, 86_400) == pytest.approx(exact, rel=0.01)
    assert young_s(write_s, 86_400) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("write_s", [10.0, 60.0, 300.0])
def test_the_simulated_interval_is_within_a_few_percent_of_daly(write_s):
    """On 100,000 gaps that are as exponential as they come."""
    gaps = -86_400 * np.log((np.arange(100_000) + 0.5) / 100_000)
    assert simulated_s(write_s, gaps) == pytest.approx(daly_s(write_s, 86_400), rel=0.04)


def test_regular_failures_have_another_optimum():
    """Failures exactly every 1,000 s: one checkpoint of 90 s just before each keeps most; formulas cannot know."""
    assert simulated_s(90.0, np.full(5_000, 1_000.0)) > 1.2 * young_s(90.0, 1_000.0)


def test_a_write_that_takes_longer_than_failures_are_apart():
    """Daly's second branch."""
    assert daly_s(500.0, 200.0) == 200.0
