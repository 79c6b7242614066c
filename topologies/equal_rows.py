"""Which rows of a ragged table are equal, by numbers instead of row by row in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Longs

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd; of Steele, Lea, Flood: SplitMix (OOPSLA 2014), as the two below
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def first_equal_row(start: NDArray[Any], *columns: NDArray[Any]) -> Longs:
    """First row with the same entries in the same order, for every row, shape (R,).

    Rows are grouped by a sum of hashes of their entries and then compared entry by entry; where two rows that differ
    share a hash they are compared one by one, so that the answer is exact.

    Parameters
    ----------
    start : ndarray of int, shape (R + 1,)
        Entries ``start[i]`` to ``start[i + 1]`` are row ``i``.
    columns : ndarray, shape (E,)
        What an entry is made of, numbers of 32 or 64 bits.

    >>> first_equal_row(np.array([0, 2, 3, 5]), np.array([4, 7, 4, 4, 7])).tolist()
    [0, 1, 0]
    """
    length = np.diff(start)
    mixed = np.zeros(int(start[-1]), dtype=np.uint64)
    for values in columns:
        mixed = _mixed(mixed + _bits(values) + _FACTOR)
    with np.errstate(over="ignore"):
        total = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(mixed)))
        mark = _mixed(total[start[1:]] - total[start[:-1]] + length.astype(np.uint64) * _FACTOR)
    _, first, group = np.unique(mark, return_index=True, return_inverse=True)
    leader = first[group].astype(np.int64)
    if np.array_equal(length, length[leader]):
        other = np.arange(int(start[-1])) + np.repeat(start[:-1][leader] - start[:-1], length)
        if all(np.array_equal(values, values[other]) for values in columns):
            return leader
    return _one_by_one(start, *columns)


def _one_by_one(start: NDArray[Any], *columns: NDArray[Any]) -> Longs:
    seen: dict[tuple[bytes, ...], int] = {}
    bounds = zip(start[:-1].tolist(), start[1:].tolist(), strict=True)
    return np.array(
        [
            seen.setdefault(tuple(values[begin:end].tobytes() for values in columns), row)
            for row, (begin, end) in enumerate(bounds)
        ],
        dtype=np.int64,
    )


def _bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Numbers as 64-bit words that differ where the numbers do."""
    wide = np.ascontiguousarray(values, dtype=np.float64 if values.dtype.kind == "f" else np.int64)
    return wide.view(np.uint64)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Words well mixed; sums and products wrap around."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))
