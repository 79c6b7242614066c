"""One format for every number that people read, and the values that JSON can hold."""

from __future__ import annotations

import math


def percent(ratio: float | None, digits: int = 1) -> str:
    """A ratio as a percentage; ``-`` when there is none, ``∞`` for load on nothing.

    >>> percent(2.2737), percent(None)
    ('227.4 %', '-')
    """
    if ratio is None:
        return "-"
    return "∞" if ratio == float("inf") else f"{ratio * 100:,.{digits}f} %"


def finite(value: float | None) -> float | None:
    """None for infinity and NaN, which JSON has no word for."""
    return value if value is not None and math.isfinite(value) else None
