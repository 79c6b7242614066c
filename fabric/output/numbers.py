"""One format for every number that people read, and the values that JSON can hold."""

from __future__ import annotations

import math


def finite(value: float | None) -> float | None:
    """None for infinity and NaN, which JSON has no word for."""
    return value if value is not None and math.isfinite(value) else None
