"""Linear programmes through OR-Tools' MathOpt, with a status of our own.

MathOpt rather than the older linear-solver wrapper, because that one returns wrong row duals for HiGHS (OR-Tools 9.15),
and the duals are what the certificate is made of.
"""

from __future__ import annotations

import datetime
import enum
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.optimise.programme import Programme
from topologies.columns import Floats

INTERIOR_COLUMNS = 20_000  # above, HiGHS goes by interior point and crossover: simplex stalls on some networks
PDLP_RELATIVE_GAP = 1e-5  # the first-order method stops there; the certificate says what was really reached


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


def solve_programme(programme: Programme, *, time_limit_s: float, solver: str = "highs") -> Solution:
    """Solve a programme.

    Parameters
    ----------
    time_limit_s : float
        Wall clock; a limit of 0 or less gives ``FAILED`` at once.
    solver : {"highs", "glop", "pdlp"}
        Simplex and interior point, simplex, or first-order steps for programmes that simplex does not finish.
    """
    from ortools.math_opt.python import mathopt

    if time_limit_s <= 0:
        return Solution(Status.FAILED, solver, None, None, 0.0)
    parameters = mathopt.SolveParameters(
        enable_output=False,
        time_limit=datetime.timedelta(seconds=time_limit_s),
        threads=2 if solver == "pdlp" else None,
    )
    if solver == "highs" and programme.flow_columns > INTERIOR_COLUMNS:
        parameters.highs.string_options["solver"] = "ipm"
    if solver == "pdlp":
        criteria = parameters.pdlp.termination_criteria.simple_optimality_criteria
        criteria.eps_optimal_relative = PDLP_RELATIVE_GAP
        criteria.eps_optimal_absolute = 1e-9
    began = time.perf_counter()
    result = mathopt.solve(
        mathopt.Model.from_model_proto(_proto(programme)), mathopt.SolverType[solver.upper()], params=parameters
    )
    seconds = time.perf_counter() - began
    values, prices = _point(result, len(programme.cost), len(programme.lower_row))
    return Solution(_status(result, values is not None), solver, values, prices, seconds)


def _proto(programme: Programme) -> Any:
    """The programme as MathOpt's message, filled in bulk: an object per variable would take longer than solving."""
    from ortools.math_opt import model_pb2

    matrix = programme.matrix.tocsr()
    matrix.sort_indices()
    rows, columns = matrix.shape
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(columns))
    proto.variables.lower_bounds.extend(programme.lower.tolist())
    proto.variables.upper_bounds.extend(programme.upper.tolist())
    proto.variables.integers.extend([False] * columns)
    priced = np.flatnonzero(programme.cost)
    proto.objective.linear_coefficients.ids.extend(priced.tolist())
    proto.objective.linear_coefficients.values.extend(programme.cost[priced].tolist())
    proto.linear_constraints.ids.extend(range(rows))
    proto.linear_constraints.lower_bounds.extend(programme.lower_row.tolist())
    proto.linear_constraints.upper_bounds.extend(programme.upper_row.tolist())
    proto.linear_constraint_matrix.row_ids.extend(np.repeat(np.arange(rows), np.diff(matrix.indptr)).tolist())
    proto.linear_constraint_matrix.column_ids.extend(matrix.indices.tolist())
    proto.linear_constraint_matrix.coefficients.extend(matrix.data.tolist())
    return proto


def _point(result: Any, columns: int, rows: int) -> tuple[Floats | None, Floats | None]:
    """Primal values and row duals of the first solution, in the order of the programme."""
    if not result.solutions or result.solutions[0].primal_solution is None:
        return None, None
    first = result.solutions[0]
    values = np.fromiter(first.primal_solution.variable_values.values(), np.float64, columns)
    if first.dual_solution is None:
        return values, None
    return values, np.fromiter(first.dual_solution.dual_values.values(), np.float64, rows)


def _status(result: Any, has_point: bool) -> Status:
    reason = result.termination.reason.name
    if reason == "OPTIMAL":
        return Status.OPTIMAL if has_point else Status.FAILED
    if reason in ("FEASIBLE", "IMPRECISE"):
        return Status.FEASIBLE if has_point else Status.FAILED
    return {"INFEASIBLE": Status.INFEASIBLE, "UNBOUNDED": Status.UNBOUNDED}.get(reason, Status.FAILED)
