"""Read-only numpy columns: the storage of everything that comes in thousands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Shares = NDArray[np.float32]  # split fractions in bulk: their rounding is far below any gap, at half the memory


def column(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """An array of ``dtype`` that nobody can write to; copied only when the input is writable or of another type."""
    array = np.asarray(values, dtype=dtype)
    if array.flags.writeable:
        array = array.copy() if array is values else array
        array.flags.writeable = False
    return array


def concatenate(parts: list[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Join parts into one read-only column; an empty list gives an empty column."""
    joined = np.concatenate(parts).astype(dtype, copy=False) if parts else np.empty(0, dtype=dtype)
    joined.flags.writeable = False
    return joined
