"""Linear assignment: a column for every row, all different, of least total cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from topologies.columns import Floats, Ints, column
from topologies.extension_modules import extension_alone


def assigned_columns(costs: Floats) -> Ints:
    """The column of every row, shape (rows,), of least total cost; there are at least as many columns as rows.

    References
    ----------
    D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and Electronic
    Systems 52 (2016); SciPy's ``linear_sum_assignment``.

    Examples
    --------
    >>> import numpy as np
    >>> assigned_columns(np.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0]])).tolist()
    [1, 0]
    """
    return column(_solver()(costs)[1], "int32")


@cache
def _solver() -> Callable[[Floats], tuple[Any, Any]]:
    """SciPy's own; from its extension module alone, as ``scipy.optimize`` takes 0.3 s to load."""
    alone = extension_alone("scipy", "optimize/_lsap")
    solver: Callable[[Floats], tuple[Any, Any]] | None = getattr(alone, "linear_sum_assignment", None)
    if solver is None:
        from scipy.optimize import linear_sum_assignment

        solver = linear_sum_assignment
    return solver
