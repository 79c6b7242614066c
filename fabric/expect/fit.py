"""How well the curve of a cause fits the one that was measured: its size, and its shape over message size.

Both are compared as logarithms of bus bandwidth, as a factor of two counts the same wherever it stands. What differs by
no more than the spread of a measurement counts as equal. A fit of 1 leaves nothing of the shortfall, 0 explains none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from topologies.columns import Floats

SPREAD = 0.02  # of repeated runs of nccl-tests on large messages, by which curves may differ and still be equal
SHIFT_COSTS = 0.05  # of the fit, where a run is as unlucky or lucky as one draw in twenty
_STEPS = 21


@dataclass(frozen=True, eq=False)
class Curve:
    """Times of a test over its sizes, shape (S,) each, s: the median of the draws, and those of the 5 and 95 % ones."""

    median_s: Floats
    slow_s: Floats  # that one draw in twenty exceeds
    fast_s: Floats
    rounds: Floats | None = None  # messages between hosts that wait for each other, where an added latency is fitted


@dataclass(frozen=True, eq=False)
class Fit:
    """A curve placed where it is nearest to the measured one."""

    fit: float  # 0 to 1
    missed: Floats  # measured over simulated time, as a logarithm, beyond the spread; shape (S,)
    placed_s: Floats  # shape (S,)
    added_s: float = 0.0  # latency per round that fits best


def weights(sizes: Floats) -> Floats:
    """Weight of every size: the octaves it stands for, so that sizes close together count no more than one."""
    octaves = np.log2(np.maximum(sizes, 1.0))
    if len(octaves) < 2:
        return np.ones(len(octaves))
    edges = np.concatenate([[octaves[0]], (octaves[1:] + octaves[:-1]) / 2, [octaves[-1]]])
    return np.maximum(np.diff(edges), 1e-3)


def beyond_spread(measured_s: Floats, simulated_s: Floats) -> Floats:
    """Logarithm of measured over simulated time, less the spread of a measurement; 0 within it."""
    apart = np.log(measured_s / simulated_s)
    return np.asarray(np.sign(apart) * np.maximum(np.abs(apart) - SPREAD, 0.0))


def fit_of(sizes: Floats, measured_s: Floats, expected_s: Floats, curve: Curve) -> Fit:
    """The fit of a curve.

    Parameters
    ----------
    sizes : ndarray, shape (S,)
        Bytes, ascending.
    measured_s, expected_s : ndarray, shape (S,)
        Times of the run, and the median of what is expected of the fabric as the scenario has it.

    Examples
    --------
    A run at half the expected speed, and a cause that halves it:

    >>> sizes = np.array([1e6, 1e7, 1e8])
    >>> expected = sizes / 40e9
    >>> half = Curve(2 * expected, 2 * expected, 2 * expected)
    >>> fit_of(sizes, 2 * expected, expected, half).fit
    1.0
    """
    if curve.rounds is not None:
        return _with_latency(sizes, measured_s, expected_s, curve, curve.rounds)
    return _placed(sizes, measured_s, expected_s, curve)


def _placed(sizes: Floats, measured_s: Floats, expected_s: Floats, curve: Curve, added_s: float = 0.0) -> Fit:
    """The draw, of those within 5 and 95 %, that comes nearest; one run has one draw at all sizes."""
    weight = weights(sizes)
    base = float(np.sum(weight * beyond_spread(measured_s, expected_s) ** 2))
    best: Fit | None = None
    cost = np.inf
    for shift in np.linspace(-1, 1, _STEPS):
        other = curve.slow_s if shift < 0 else curve.fast_s
        placed = curve.median_s * (other / curve.median_s) ** abs(shift)
        missed = beyond_spread(measured_s, placed)
        left = float(np.sum(weight * missed**2)) / base if base else 0.0
        if left + SHIFT_COSTS * shift**2 < cost - 1e-12:
            cost = left + SHIFT_COSTS * shift**2
            best = Fit(float(np.clip(1 - cost, 0.0, 1.0)), missed, placed, added_s)
    assert best is not None
    return best if base else Fit(0.0, best.missed, best.placed_s, added_s)


def _with_latency(sizes: Floats, measured_s: Floats, expected_s: Floats, curve: Curve, rounds: Floats) -> Fit:
    """The latency per round that fits best, from a hundredth of a microsecond to ten milliseconds."""

    def at(exponent: float) -> Fit:
        added = 10.0**exponent * rounds
        slower = Curve(curve.median_s + added, curve.slow_s + added, curve.fast_s + added)
        return _placed(sizes, measured_s, expected_s, slower, 10.0**exponent)

    grid = np.linspace(-8, -2, 49)
    nearest = float(max(grid, key=lambda exponent: at(exponent).fit))
    step = grid[1] - grid[0]
    fine = minimize_scalar(
        lambda exponent: -at(exponent).fit, bounds=(nearest - step, nearest + step), method="bounded"
    )
    return max(at(nearest), at(float(fine.x)), key=lambda fit: fit.fit)
