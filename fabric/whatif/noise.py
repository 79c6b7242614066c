"""Whether a change is one, or what another draw of the hash would do as well.

Figures before and after are compared draw by draw, with the same seeds on both sides. What a change leaves alone hashes
as before and differs by nothing. What it touches hashes anew, so that the differences of the draws are as wide as the
hash is uncertain on both sides: a change that one draw in twenty or more would turn round is within the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.result import Band
from fabric.routing.utilisation import SAME


@dataclass(frozen=True)
class ChangeBand:
    """After less before, over draws with the same seeds: what one draw in twenty does not exceed, and exceeds."""

    p5: float
    p95: float
    draws: int

    def is_noise(self, change: float) -> bool:
        """Whether one draw in twenty or more goes the other way than ``change``, the change of the medians."""
        if change == 0:
            return self.p5 < 0 or self.p95 > 0
        return self.p5 < 0 if change > 0 else self.p95 > 0


def change_band(
    before: float | None, after: float | None, before_draws: Band | None, after_draws: Band | None
) -> ChangeBand | None:
    """The band of a change; None where neither side was drawn more than once.

    A side that no hash decides is the same in every draw.

    >>> change_band(1.0, 1.5, None, Band.of([1.4, 1.5, 0.9]))
    ChangeBand(p5=-0.1, p95=0.5, draws=3)
    """
    count = min((len(band) for band in (before_draws, after_draws) if band is not None and len(band) > 1), default=0)
    if not count:
        return None
    one, other = _values(before, before_draws, count), _values(after, after_draws, count)
    with np.errstate(invalid="ignore"):
        change = np.where(one == other, 0.0, other - one)
    change[np.abs(change) <= SAME * np.maximum(np.abs(one), np.abs(other))] = 0.0
    p5, p95 = np.round(np.quantile(change, [0.05, 0.95], method="inverted_cdf"), 12).tolist()
    return ChangeBand(p5, p95, count)


def _values(value: float | None, draws: Band | None, count: int) -> np.ndarray:
    """A figure in every draw, shape (count,)."""
    if draws is not None and len(draws) > 1:
        return np.array(draws.values[:count])
    return np.full(count, np.inf if value is None else value)
