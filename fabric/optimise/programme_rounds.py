"""Solving an objective's programme in rounds: solve, prove, add the paths that prices ask for, until none helps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.optimise.carried import Carried
from fabric.optimise.flow_blocks import FlowBlocks
from fabric.optimise.flow_programmes import LinearProgramme, arc_prices
from fabric.optimise.proofs import highest
from fabric.optimise.route_space import RouteSpace
from fabric.optimise.solve import Status, solve_programme
from fabric.routing.graph import RoutingGraph
from fabric.routing.progress import Progress
from fabric.routing.router import RoutingOptions
from topologies.columns import Floats

MAX_ROUNDS = 25


@dataclass(frozen=True, eq=False)
class Improved:
    """The best point found, as a routing, with the best bound on the objective."""

    space: RouteSpace
    carried: Carried
    values: Floats  # of the last programme
    admitted: Floats  # shape (nnz,)
    value: float
    bound: float
    price: Floats  # shape (E,)
    solver: str
    stopped: bool  # a limit ended it


def fitted(graph: RoutingGraph, carried: Carried, admitted: Floats) -> tuple[Floats, Floats]:
    """Loads of a routing and the parts it admits, scaled down by what is above capacity."""
    over = max(highest(graph, carried.edge_gbps), 1.0)
    return np.asarray(carried.edge_gbps / over), np.asarray(admitted / over)


def improve(
    space: RouteSpace,
    options: RoutingOptions,
    *,
    programme: Callable[[FlowBlocks], LinearProgramme],
    admitted: Callable[[Floats], Floats],
    value: Callable[[Carried, Floats], float],
    bound: Callable[[Floats], float],
    solver: str,
    unit: float = 1.0,
    deadline: float | None = None,
) -> Improved | None:
    """Solve until no further path helps; None when nothing was solved in time.

    Parameters
    ----------
    programme : callable
        The programme on a space's blocks; a minimisation.
    admitted : callable
        Part of every entry that is admitted, from a point.
    value, bound : callable
        The objective of a routing, recomputed from its loads, and what prices of edges prove about all routings.
    unit : float
        What one unit of the programme's objective stands for, to scale prices by.
    """
    end = time.monotonic() + options.time_limit_s if deadline is None else deadline
    found: Improved | None = None
    for number in range(MAX_ROUNDS):
        options.report(Progress(f"{options.objective}: programme {number + 1}"))
        blocks = space.blocks
        made = programme(blocks)
        solution = solve_programme(made, time_limit_s=end - time.monotonic(), solver=solver)
        if solution.values is None:
            return found
        price = unit * arc_prices(made, solution, space.arcs.capacity_gbps)[space.arcs.of_edge]
        parts = np.clip(admitted(solution.values), 0.0, 1.0)
        carried = space.carry(solution.values[: made.flow_columns], parts)
        found = Improved(
            space, carried, solution.values, parts, value(carried, parts), bound(price), price,
            solution.solver, solution.status is not Status.OPTIMAL,
        )  # fmt: skip
        wider = space.grown(price)
        if wider is None or time.monotonic() > end:
            return found
        space = wider
    return found
