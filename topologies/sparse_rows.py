"""Rows of a matrix that is mostly zeros, and their product with a dense one; small ones do not wait for SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Floats, Longs

_FEW = 1_000_000  # products that are summed up here; SciPy takes 0.2 s to load, and less for every one


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Entries of a matrix by row, then by column, each place once.

    Attributes
    ----------
    row, column : ndarray of int, shape (E,)
    value : ndarray, shape (E,)
    shape : tuple of int
    """

    row: Longs
    column: Longs
    value: Floats
    shape: tuple[int, int]

    @classmethod
    def of(cls, value: NDArray[Any], row: NDArray[Any], column: NDArray[Any], shape: tuple[int, int]) -> SparseRows:
        """From entries in any order; those of one place are summed."""
        place = row.astype(np.int64) * shape[1] + column
        places, entry = np.unique(place, return_inverse=True)
        total = np.bincount(entry, value, len(places)).astype(np.float64)
        return cls(places // shape[1], places % shape[1], total, shape)

    @cached_property
    def start(self) -> Longs:
        """Entries ``start[i]`` to ``start[i + 1]`` are those of row ``i``, shape (rows + 1,)."""
        return np.searchsorted(self.row, np.arange(self.shape[0] + 1)).astype(np.int64)

    def __matmul__(self, dense: Floats) -> Floats:
        """Product with a dense matrix, shape (rows, D); of whole numbers that of SciPy to the last bit.

        >>> SparseRows.of(np.array([2.0, 3.0]), np.array([1, 1]), np.array([0, 2]), (2, 3)) @ np.eye(3)
        array([[0., 0., 0.],
               [2., 0., 3.]])
        """
        if len(self.row) * dense.shape[1] > _FEW:
            from scipy.sparse import csr_array

            return np.asarray(csr_array((self.value, self.column, self.start), shape=self.shape) @ dense)
        product = np.zeros((self.shape[0], dense.shape[1]))
        rows = np.flatnonzero(np.diff(self.start))
        if len(rows):
            product[rows] = np.add.reduceat(self.value[:, None] * dense[self.column], self.start[rows], axis=0)
        return product
