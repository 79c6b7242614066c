"""How often a job should write checkpoints: by the formulas of Young and of Daly, and by simulation.

Writing too often costs time, too seldom costs work at the next failure. Young, "A first order approximation to the
optimum checkpoint interval", CACM 17(9), 1974; Daly, "A higher order estimate of the optimum checkpoint interval for
restart dumps", Future Generation Computer Systems 22, 2006, equation 37. Intervals are computing time between writes.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from topologies.columns import Floats

_GRID = 161  # intervals tried, evenly in the logarithm
_FITTED = 1.6  # times the best interval, either way, that the optimum is fitted over


def young_s(write_s: float, between_failures_s: float) -> float:
    """First order.

    >>> round(young_s(60, 24 * 3600) / 60, 1)
    53.7
    """
    return sqrt(2 * write_s * between_failures_s)


def daly_s(write_s: float, between_failures_s: float) -> float:
    """Higher order; the time between failures itself where writing takes twice as long or more.

    >>> round(daly_s(60, 24 * 3600) / 60, 1)
    53.0
    """
    if write_s >= 2 * between_failures_s:
        return between_failures_s
    part = sqrt(write_s / (2 * between_failures_s))
    return young_s(write_s, between_failures_s) * (1 + part / 3 + part**2 / 9) - write_s


def simulated_s(write_s: float, gaps_s: Floats) -> float:
    """The interval that computes most in these times from a restart to the next failure.

    Work is kept once it is written; what is computed since the last write is lost with the failure. The optimum of the
    sum over all gaps is flat and has steps, so that a parabola is fitted around the best of the intervals tried.
    """
    mean = float(gaps_s.mean())
    tried = young_s(write_s, mean) * np.geomspace(0.2, 5.0, _GRID)
    kept = np.array([(np.floor(gaps_s / (each + write_s)) * each).sum() for each in tried])
    best = int(kept.argmax())
    near = np.abs(np.log(tried / tried[best])) <= np.log(_FITTED)
    square, slope, _ = np.polyfit(np.log(tried[near] / tried[best]), kept[near] / kept[best], 2)
    shift = -slope / (2 * square) if square < 0 else 0.0
    return float(tried[best] * np.exp(np.clip(shift, -np.log(_FITTED), np.log(_FITTED))))
