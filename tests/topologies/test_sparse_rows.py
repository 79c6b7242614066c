"""Sparse products and assignments that do not load SciPy's packages: the same answers as with them."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from topologies import sparse_rows
from topologies.assignment import assigned_columns
from topologies.sparse_rows import SparseRows


@pytest.mark.parametrize("few", [0, 10**6])
def test_products_are_those_of_scipy(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries in any order, several at one place, rows without any; summed here and by SciPy."""
    monkeypatch.setattr(sparse_rows, "_FEW", few)
    rng = np.random.default_rng(3)
    row, column, value = rng.integers(0, 40, 300), rng.integers(0, 25, 300), rng.random(300)
    row[row == 7] = 8
    dense = rng.random((25, 6))
    theirs = csr_array((value, (row, column)), shape=(40, 25))
    ours = SparseRows.of(value, row, column, (40, 25))
    assert np.array_equal(ours.start, theirs.indptr)
    np.testing.assert_allclose(ours @ dense, np.asarray(theirs @ dense), rtol=1e-13)
    whole = np.round(dense * 100)
    counts = SparseRows.of(np.ones(300), row, column, (40, 25)) @ whole
    assert np.array_equal(counts, np.asarray(csr_array((np.ones(300), (row, column)), shape=(40, 25)) @ whole))


def test_no_entries_give_zeros() -> None:
    """A network without links has no paths."""
    none = np.empty(0, dtype=np.int64)
    assert not (SparseRows.of(np.empty(0), none, none, (3, 2)) @ np.ones((2, 4))).any()


def test_an_assignment_costs_least_of_all() -> None:
    """Every assignment of four rows to six columns is tried."""
    costs = np.random.default_rng(5).random((4, 6)).round(2)
    chosen = assigned_columns(costs)
    tried = itertools.permutations(range(6), 4)
    assert costs[np.arange(4), chosen].sum() == pytest.approx(min(costs[np.arange(4), one].sum() for one in tried))
    assert len(set(chosen.tolist())) == 4


def test_the_solver_alone_and_in_its_package_are_one() -> None:
    """The package may be loaded after it, and then has the very function."""
    program = """
import sys
import numpy as np
from topologies.assignment import assigned_columns
print(assigned_columns(np.array([[4.0, 1.0], [2.0, 0.0]])).tolist(), "scipy" in sys.modules)
from scipy.optimize import linear_sum_assignment
print(linear_sum_assignment(np.array([[4.0, 1.0], [2.0, 0.0]]))[1].tolist())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[1, 0] False\n[1, 0]\n", done.stderr
