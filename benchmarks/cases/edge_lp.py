"""The textbook edge programme of least maximum utilisation, by a solver of others: ``edge_lp SOLVER INSTANCE LIMIT_S``.

One variable for every destination and arc, a balance row for every destination and node but itself, a capacity row for
every arc: min θ, Σ_d flow(d, a) ≤ θ · capacity(a). Flows are in units of the mean capacity. No arc is left out and no
destinations are merged; nothing of ``fabric.optimise`` is used. Solvers: ``highs-simplex`` and ``highs-ipm`` (SciPy),
``glop`` and ``pdlp`` (OR-Tools). Timed: building the programme and solving. The utilisation is that of the solver's own
flows; PDLP, which stops at 1e-4, keeps balance and capacity only nearly.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, identity, kron

from benchmarks import checks
from benchmarks.instances import Plain, make, plain
from benchmarks.measure import taken
from topologies.columns import Floats

PDLP_GAP = 1e-4
PDLP_VIOLATION = 1e-3  # accepted imbalance at a node, of what the busiest sends
THREADS = 2


@dataclass(frozen=True, eq=False)
class Programme:
    """min cost · x with balance · x = supply, capacity · x ≤ 0, x ≥ 0; x are flows by destination, then θ."""

    balance: csr_array
    supply: Floats
    capacity: csr_array
    cost: Floats
    unit_gbps: float


def formulate(given: Plain) -> Programme:
    """One block of rows and columns for every destination."""
    arcs, ends = len(given.tail), len(given.ends)
    unit_gbps = float(given.gbps.mean())
    both = (np.r_[given.tail, given.head], np.tile(np.arange(arcs), 2))
    incidence = coo_array((np.repeat([1.0, -1.0], arcs), both), shape=(given.nodes, arcs)).tocsr()
    keep = np.ones((ends, given.nodes), dtype=np.bool_)
    keep[np.arange(ends), given.ends] = False
    supply = np.zeros((ends, given.nodes))
    supply[:, given.ends] = given.demand_gbps.T / unit_gbps
    balance = csr_array(kron(identity(ends), incidence, format="csr"))[np.flatnonzero(keep)]
    balance = hstack([balance, csr_array((balance.shape[0], 1))], format="csr")
    own = kron(np.ones((1, ends)), identity(arcs))
    capacity = hstack([own, -(given.gbps / unit_gbps)[:, None]], format="csr")
    cost = np.zeros(ends * arcs + 1)
    cost[-1] = 1.0
    return Programme(balance, supply.ravel()[np.flatnonzero(keep)], capacity, cost, unit_gbps)


def by_scipy(programme: Programme, method: str, limit_s: float) -> Floats | None:
    """HiGHS as SciPy wraps it."""
    from scipy.optimize import linprog

    solve: Any = linprog  # its overloads tell the methods apart by literal
    found = solve(
        programme.cost,
        A_ub=programme.capacity,
        b_ub=np.zeros(programme.capacity.shape[0]),
        A_eq=programme.balance,
        b_eq=programme.supply,
        method={"highs-simplex": "highs-ds", "highs-ipm": "highs-ipm"}[method],
        options={"time_limit": limit_s},
    )
    return np.asarray(found.x) if found.status == 0 else None


def by_mathopt(programme: Programme, solver: str, limit_s: float) -> Floats | None:
    """GLOP or PDLP through OR-Tools' MathOpt."""
    from ortools.math_opt.python import mathopt

    parameters = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=limit_s))
    if solver == "pdlp":
        parameters.threads = THREADS
        criteria = parameters.pdlp.termination_criteria.simple_optimality_criteria
        criteria.eps_optimal_relative = PDLP_GAP
        criteria.eps_optimal_absolute = 1e-9
    model = mathopt.Model.from_model_proto(_message(programme))
    result = mathopt.solve(model, mathopt.SolverType[solver.upper()], params=parameters)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        return None
    return np.fromiter(result.variable_values().values(), np.float64, len(programme.cost))


def _message(programme: Programme) -> Any:
    """The programme as MathOpt's message, filled in bulk."""
    from ortools.math_opt import model_pb2
    from scipy.sparse import vstack

    matrix = csr_array(vstack([programme.balance, programme.capacity], format="csr"))
    matrix.sort_indices()
    rows, columns = matrix.shape
    lower = np.r_[programme.supply, np.full(programme.capacity.shape[0], -np.inf)]
    upper = np.r_[programme.supply, np.zeros(programme.capacity.shape[0])]
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(columns))
    proto.variables.lower_bounds.extend([0.0] * columns)
    proto.variables.upper_bounds.extend([float("inf")] * columns)
    proto.variables.integers.extend([False] * columns)
    proto.objective.linear_coefficients.ids.append(columns - 1)
    proto.objective.linear_coefficients.values.append(1.0)
    proto.linear_constraints.ids.extend(range(rows))
    proto.linear_constraints.lower_bounds.extend(lower.tolist())
    proto.linear_constraints.upper_bounds.extend(upper.tolist())
    proto.linear_constraint_matrix.row_ids.extend(np.repeat(np.arange(rows), np.diff(matrix.indptr)).tolist())
    proto.linear_constraint_matrix.column_ids.extend(matrix.indices.tolist())
    proto.linear_constraint_matrix.coefficients.extend(matrix.data.tolist())
    return proto


def main() -> None:
    """Solve once, check, print; no utilisation where the solver did not finish."""
    solver, name, limit_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
    given = plain(make(name))
    began = time.perf_counter()
    programme = formulate(given)
    solve = by_mathopt if solver in ("glop", "pdlp") else by_scipy
    values = solve(programme, solver, limit_s)
    result: dict[str, Any] = {**taken(began), "columns": len(programme.cost)}
    if values is None:
        result["failed"] = f"no answer within {limit_s:g} s"
    else:
        load = values[:-1].reshape(len(given.ends), -1).sum(axis=0) * programme.unit_gbps
        result["theta"] = checks.conserved(given, load, PDLP_VIOLATION if solver == "pdlp" else 1e-6)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
