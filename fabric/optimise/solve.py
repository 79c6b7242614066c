"""Linear programmes through OR-Tools, with a status of our own."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass

import numpy as np

from fabric.optimise.formulate import FlowProgramme
from topologies.columns import Floats

SIMPLEX_COLUMNS = 600_000  # above, the first-order method is quicker than HiGHS
PDLP_RELATIVE_GAP = 1e-6


class Status(enum.Enum):
    """What a solve ended with."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"  # a limit was hit; the point is usable
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Solution:
    """A point and the prices of the rows; None when there is none."""

    status: Status
    solver: str
    values: Floats | None
    row_prices: Floats | None
    seconds: float


def choose_solver(columns: int) -> str:
    """HiGHS where it finishes, the first-order PDLP beyond."""
    return "highs" if columns <= SIMPLEX_COLUMNS else "pdlp"


def solve(programme: FlowProgramme, *, time_limit_s: float, solver: str | None = None) -> Solution:
    """Solve a programme.

    Parameters
    ----------
    solver : {"highs", "glop", "pdlp"}, optional
        Default by size.
    """
    from ortools.linear_solver.python import model_builder_helper as helper

    name = solver or choose_solver(programme.flow_columns)
    model = helper.ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        programme.lower,
        programme.upper,
        programme.cost,
        programme.lower_row,
        programme.upper_row,
        programme.matrix.tocsr(),
    )
    engine = helper.ModelSolverHelper(name)
    engine.enable_output(False)
    engine.set_time_limit_in_seconds(max(time_limit_s, 0.001))
    if name == "pdlp":
        engine.set_solver_specific_parameters(
            "num_threads: 2 termination_criteria { simple_optimality_criteria "
            f"{{ eps_optimal_relative: {PDLP_RELATIVE_GAP} eps_optimal_absolute: 1e-9 }} }}"
        )
    began = time.perf_counter()
    engine.solve(model)
    seconds = time.perf_counter() - began
    status = _status(engine, helper)
    if status not in (Status.OPTIMAL, Status.FEASIBLE):
        return Solution(status, name, None, None, seconds)
    values = np.asarray(engine.variable_values(), dtype=np.float64)
    prices = np.asarray(engine.dual_values(), dtype=np.float64)
    return Solution(status, name, values, prices, seconds)


def _status(engine: object, helper: object) -> Status:
    table = {
        "OPTIMAL": Status.OPTIMAL,
        "FEASIBLE": Status.FEASIBLE,
        "INFEASIBLE": Status.INFEASIBLE,
        "UNBOUNDED": Status.UNBOUNDED,
    }
    name = str(engine.status()).rsplit(".", 1)[-1]  # type: ignore[attr-defined]
    found = table.get(name, Status.FAILED)
    return found if engine.has_solution() or found not in (Status.OPTIMAL, Status.FEASIBLE) else Status.FAILED  # type: ignore[attr-defined]
