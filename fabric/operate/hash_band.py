"""How far a hash may move the load of a link: bounds on sums of flows that land on it or not.

Every flow is on the link or is not, by the hash of its header, flow by flow on its own; none is larger than ``flow``.
For such a sum of mean m the chance to reach x > m is at most exp(-m/flow h(x/m - 1)), h(u) = (1 + u) ln(1 + u) - u,
and so is that to fall to x < m (Chernoff and Bennett; Boucheron, Lugosi, Massart: "Concentration Inequalities", 2013,
theorem 2.9). The bound needs neither the number of flows nor the chance of each.
"""

from __future__ import annotations

import numpy as np

from topologies.columns import Floats

_HALVINGS = 60


def _exponent(ratio: Floats) -> Floats:
    """h(ratio - 1), which is 0 at 1 and 1 at 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.where(ratio > 0, ratio * np.log(ratio), 0.0)
    return np.asarray(grown - ratio + 1)


def highest_load(mean: Floats, flow: Floats, chance: float) -> Floats:
    """Load that is exceeded with ``chance`` at most; shape and unit of ``mean``.

    >>> highest_load(np.array([100.0]), np.array([1.0]), 1e-3).round(1).tolist()
    [139.4]
    """
    wanted = _wanted(mean, flow, chance)
    low, high = np.ones_like(wanted), 2 + 2 * wanted
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = _exponent(middle) < wanted
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return np.where(mean > 0, mean * high, 0.0)


def lowest_load(mean: Floats, flow: Floats, chance: float) -> Floats:
    """Load that is fallen short of with ``chance`` at most; 0 where flows are so few that none may come.

    >>> lowest_load(np.array([100.0, 3.0]), np.array([1.0, 1.0]), 1e-3).round(1).tolist()
    [65.2, 0.0]
    """
    wanted = _wanted(mean, flow, chance)
    low, high = np.zeros_like(wanted), np.ones_like(wanted)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = _exponent(middle) > wanted
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return np.where((mean > 0) & (wanted < 1), mean * low, 0.0)


def _wanted(mean: Floats, flow: Floats, chance: float) -> Floats:
    """What h has to reach."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean > 0, -np.log(chance) * flow / mean, 0.0)


def surest_mean(mean: Floats, flow: Floats, draws: int) -> Floats:
    """A mean that the average over ``draws`` draws does not understate by more than four of its standard errors.

    The variance of a sum of flows that are on a link or not is at most ``flow`` times its mean.
    """
    return np.asarray(mean + 4 * np.sqrt(flow * mean / max(draws, 1)))
