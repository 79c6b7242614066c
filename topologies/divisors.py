"""Divisors of port counts, found in a time that grows with their square root."""

from __future__ import annotations

from math import isqrt

_MOST_TRIED = 1_000_000


def divisors(number: int) -> list[int]:
    """All divisors of a number from 1, in order; of numbers above 10^12 those up to a million, and their partners.

    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    small = [size for size in range(1, min(isqrt(number), _MOST_TRIED) + 1) if number % size == 0]
    return sorted({*small, *(number // size for size in small)})
