"""Mean rates from readings of byte counters: what wraps, starts anew, is missing or is more than a port can send.

A counter that falls has started anew, unless it is one of 32 bits that a full turn brings to less than the port can
send in that time; one that was ever read at 2^32 or more has 64 bits. Between two readings of which the counter started
anew nothing is known; that time is left out. A hole between readings hides nothing: the counter has gone on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from topologies.columns import Floats

TURN = 2.0**32
_BEYOND = 1.05  # of line rate: readings are not exactly when they say


@dataclass
class Met:
    """What was met, counted over all counters."""

    wraps: int = 0
    resets: int = 0
    holes: int = 0
    too_fast: int = 0
    short: int = 0
    ambiguous: list[str] = field(default_factory=list)


def mean_gbps(samples: Floats, line_gbps: float, met: Met, name: str = "") -> float:
    """Mean rate of a counter; nan where two readings that belong together are missing.

    Parameters
    ----------
    samples : ndarray, shape (S, 2)
        Time, s, and bytes; in any order.
    line_gbps : float
        Of the port.

    Examples
    --------
    Ten seconds at 1 GB/s, of which the device spends two starting anew.

    >>> met = Met()
    >>> readings = np.array([[0, 5e9], [2, 7e9], [4, 1e9], [6, 3e9], [8, 5e9], [10, 7e9]])
    >>> mean_gbps(readings, 400.0, met), met.resets
    (8.0, 1)
    """
    ordered = samples[np.argsort(samples[:, 0], kind="stable")]
    span, step = np.diff(ordered[:, 0]), np.diff(ordered[:, 1])
    real = span > 0
    span, step = span[real], step[real]
    if not len(span):
        met.short += 1
        return float("nan")
    room = line_gbps / 8 * 1e9 * span * _BEYOND
    fell = step < 0
    turned = step + TURN
    narrow = ordered[:, 1].max() < TURN
    wrapped = fell & narrow & (turned <= room) & (turned < TURN)
    if wrapped.any() and (room[wrapped] > TURN).any():
        met.ambiguous.append(name)
        return float("nan")
    step = np.where(wrapped, turned, step)
    reset = fell & ~wrapped
    fast = ~reset & (step > room)
    good = ~reset & ~fast
    met.wraps += int(wrapped.sum())
    met.resets += int(reset.sum())
    met.too_fast += int(fast.sum())
    met.holes += int((span > 3 * np.median(span)).sum())
    if not good.any():
        met.short += 1
        return float("nan")
    return float(step[good].sum() * 8e-9 / span[good].sum())
