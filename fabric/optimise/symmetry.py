"""Linear programmes made smaller by symmetry: columns and rows that are alike are solved for once.

Colour refinement on the programme's matrix finds the coarsest equitable partition: every row of a class has the same
sums over the columns of every class, and the other way round. The programme with one column and one row per class has
the same optimum, and giving every column its class's value is optimal in the first one (Grohe, Kersting, Mladenov,
Selman, "Dimension reduction via colour refinement", ESA 2014). Jobs on intact fabrics are that regular: links and
demands that an automorphism maps onto each other fall into one class, and failures only split the classes they touch.
Nothing is assumed of the answer: who uses it recomputes loads and bounds on the whole fabric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from fabric.optimise.programme import Programme
from topologies.columns import Floats

_BITS = 36  # of a coefficient's mantissa that count; the rest is rounding
_MOST_ROUNDS = 200
_Hashes = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Quotient:
    """A programme of classes, and which class every row and column of the first one is in."""

    programme: Programme
    row_class: NDArray[np.int64]
    column_class: NDArray[np.int64]

    @property
    def columns(self) -> int:
        """Number of column classes."""
        return len(self.programme.cost)

    def values(self, values: Floats) -> Floats:
        """A point of the first programme from one of the quotient."""
        return np.asarray(values[self.column_class])

    def row_prices(self, prices: Floats) -> Floats:
        """Duals of the first programme from those of the quotient: a class's price is shared by its rows."""
        return np.asarray((prices / np.bincount(self.row_class))[self.row_class])


def quotient(programme: Programme) -> Quotient:
    """The programme by classes of the coarsest equitable partition of its rows and columns."""
    matrix = csr_array(programme.matrix)
    by_column = csr_array(matrix.T)
    rows = _labels(_code(programme.lower_row), _code(programme.upper_row))
    columns = _labels(_code(programme.cost), _code(programme.lower), _code(programme.upper))
    sizes = (0, 0)
    for _ in range(_MOST_ROUNDS):
        rows = _labels(rows.astype(np.uint64), _sums(matrix, columns))
        columns = _labels(columns.astype(np.uint64), _sums(by_column, rows))
        now = (int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1)
        if now == sizes:
            break
        sizes = now
    return Quotient(_reduced(programme, matrix, rows, columns), rows, columns)


def _code(values: Floats) -> _Hashes:
    """A number per value that is the same for values which differ by rounding only."""
    mantissa, exponent = np.frexp(np.where(np.isfinite(values), values, 0.0))
    code = np.round(mantissa * 2.0**_BITS).astype(np.int64) * 4096 + exponent
    special = np.where(np.isposinf(values), 1, np.where(np.isneginf(values), 2, 3))
    return _mixed(code.astype(np.uint64) + _mixed(special.astype(np.uint64)))


def _mixed(values: _Hashes) -> _Hashes:
    """The finaliser of SplitMix64 over an array."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _sums(matrix: csr_array[Any, tuple[int, int]], colour: NDArray[np.int64]) -> _Hashes:
    """A hash per row of the multiset of (coefficient, colour of column); sums of integers do not depend on order."""
    entry = _mixed(_code(matrix.data) ^ _mixed(colour[matrix.indices].astype(np.uint64)))
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(entry, dtype=np.uint64)])
    return np.asarray(total[matrix.indptr[1:]] - total[matrix.indptr[:-1]])


def _labels(*keys: _Hashes) -> NDArray[np.int64]:
    """Numbers from 0 for the distinct tuples of keys, in sorted order."""
    joined = keys[0]
    for key in keys[1:]:
        joined = _mixed(joined) + key
    _, label = np.unique(joined, return_inverse=True)
    return np.asarray(label, dtype=np.int64)


def _reduced(
    programme: Programme,
    matrix: csr_array[Any, tuple[int, int]],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> Programme:
    row_of, first_row = np.unique(rows, return_index=True)
    column_of, first_column, many = np.unique(columns, return_index=True, return_counts=True)
    part = matrix[first_row].tocoo()
    shape = (len(row_of), len(column_of))
    small = csr_array(coo_array((part.data, (part.row, columns[part.col])), shape=shape))
    small.sum_duplicates()
    return replace(
        programme,
        matrix=small,
        lower_row=programme.lower_row[first_row],
        upper_row=programme.upper_row[first_row],
        cost=programme.cost[first_column] * many,
        lower=programme.lower[first_column],
        upper=programme.upper[first_column],
        flow_columns=0,  # classes, not flows
    )
