"""Closing the gap by linear programmes over a route space's columns; more are added while prices ask for them.

A second programme then takes out detours that do not lower the maximum.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from fabric.optimise.flow_programmes import LinearProgramme, arc_prices, least_cost, least_utilisation
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.proofs import paid_gbps
from fabric.optimise.route_space import RouteSpace
from fabric.optimise.solve import Solution, Status, solve_programme
from fabric.optimise.symmetry import quotient

ONE_STEP_COLUMNS = 20_000  # above, length is a small cost beside θ; below, a second programme settles it exactly
LENGTH_COST = 1e-6  # of all traffic on shortest paths, relative to θ: less than the gaps asked for
SYMMETRY_COLUMNS = 2_000  # programmes below are solved sooner than their classes are found
SYMMETRY_WORTH = 0.5  # part of the columns that classes must save to be worth it
SLACK = 5e-10  # relative room the second step gets above the optimum
ROOM = 1e-7  # relative, above the optimum that a routing without detours may take
MAX_ROUNDS = 25


def improve_by_programme(best: Incumbent, space: RouteSpace, *, solver: str) -> None:
    """Solve and prove until the gap closes, no column helps, or the time is used up.

    Parameters
    ----------
    space : RouteSpace
        Columns to begin with, of the incumbent's problem.
    solver : {"highs", "pdlp"}
    """
    scale, everyone = best.theta, space.routable
    admitted = everyone.astype(np.float64)
    for number in range(MAX_ROUNDS):
        columns = len(space.blocks.cost)
        best.report(f"optimal: programme {number + 1}, {columns:,} flow variables")
        large = columns > ONE_STEP_COLUMNS
        length_cost = LENGTH_COST / _least_length(best) if large else 0.0
        programme = least_utilisation(space.blocks, everyone, scale=scale, least=best.access, length_cost=length_cost)
        solution = _solved(programme, time_limit_s=best.deadline - time.monotonic(), solver=solver)
        if solution.values is None:
            return
        best.solver = f"{best.solver}, {solution.solver}" if best.solver.startswith("descent") else solution.solver
        price = arc_prices(programme, solution, space.arcs.capacity_gbps)[space.arcs.of_edge]
        best.take(space.carry(solution.values[:columns], admitted))
        best.prove_prices(np.asarray(price))
        wider = None if best.done else space.grown(price)
        if wider is None:
            if solution.status is Status.OPTIMAL and solver == "highs" and not large:
                _take_out_detours(best, space)
            return
        if time.monotonic() > best.deadline:
            return
        space = wider


def _solved(programme: LinearProgramme, *, time_limit_s: float, solver: str) -> Solution:
    """Solve a programme, by classes of equivalent rows and columns where that makes it much smaller."""
    if len(programme.cost) < SYMMETRY_COLUMNS:
        return solve_programme(programme, time_limit_s=time_limit_s, solver=solver)
    began = time.monotonic()
    classes = quotient(programme)
    if classes.columns > SYMMETRY_WORTH * len(programme.cost):
        return solve_programme(programme, time_limit_s=time_limit_s - (time.monotonic() - began), solver=solver)
    exact = "highs" if classes.columns <= ONE_STEP_COLUMNS else solver
    small = solve_programme(classes.programme, time_limit_s=time_limit_s - (time.monotonic() - began), solver=exact)
    return replace(
        small,
        solver=f"{small.solver} by symmetry",
        values=None if small.values is None else classes.values(small.values),
        row_prices=None if small.row_prices is None else classes.row_prices(small.row_prices),
    )


def _least_length(best: Incumbent) -> float:
    """Σ weight x Gbps when all traffic takes the shortest paths allowed, to measure lengths by."""
    shortest = best.space.least_prices(best.graph.weight)
    return float(paid_gbps(best.demand, best.routable, shortest).sum()) or 1.0


def _take_out_detours(best: Incumbent, space: RouteSpace) -> None:
    """Second step: among routings of the least maximum utilisation, one of least total length."""
    programme = least_cost(space.blocks, space.routable, most=best.theta * (1 + SLACK))
    second = solve_programme(programme, time_limit_s=best.deadline - time.monotonic())
    if second.values is not None:
        room = min(ROOM, max(best.aim - best.gap, 0.0))
        best.take(space.carry(second.values, space.routable.astype(np.float64)), room=room)
