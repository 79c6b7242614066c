"""A linear programme as solvers take it, whatever its columns mean."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.sparse import csr_array

from topologies.columns import Floats


@dataclass(frozen=True, eq=False)
class Programme:
    """min cost·z, lower_row ≤ matrix·z ≤ upper_row, lower ≤ z ≤ upper."""

    matrix: csr_array
    lower_row: Floats
    upper_row: Floats
    cost: Floats
    lower: Floats
    upper: Floats
    flow_columns: int  # how many of the columns are flows; they come first
