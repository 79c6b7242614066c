"""Closing the gap by linear programmes: all arcs where they are few, else shortest-path arcs and those prices ask for.

A second programme then takes out detours that do not lower the maximum.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.certify import entry_prices, price_words, priced_bound
from fabric.optimise.dags import Dags, shortest_dags
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.formulate import FlowProgramme, formulate, shorten
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.solve import Solution, Status, solve_programme
from fabric.optimise.symmetry import quotient
from fabric.routing.graph import PhaseDemand
from fabric.routing.router import Certificate
from topologies.columns import Bools, Floats, Ints, column

ONE_STEP_COLUMNS = 20_000  # above, length is a small cost beside θ; below, a second programme settles it exactly
LENGTH_COST = 1e-6  # of all traffic on shortest paths, relative to θ: less than the gaps asked for
SYMMETRY_COLUMNS = 2_000  # programmes below are solved sooner than their classes are found
SYMMETRY_WORTH = 0.5  # part of the columns that classes must save to be worth it
SLACK = 1e-9  # relative room the second step gets above the optimum
MAX_ROUNDS = 25


def improve_by_programme(best: Incumbent, allowed: ArcPairs, *, complete: bool, solver: str) -> bool:
    """Solve and prove until the gap closes; returns whether a limit stopped it before.

    Parameters
    ----------
    allowed : ArcPairs
        Arcs to begin with.
    complete : bool
        These are all there are; otherwise arcs are added while prices ask for them.
    solver : {"highs", "pdlp"}
    """
    scale = best.theta
    for number in range(MAX_ROUNDS):
        best.report(f"optimal: programme {number + 1}, {len(allowed.used):,} flow variables")
        large = len(allowed.used) > ONE_STEP_COLUMNS
        programme = formulate(
            best.arcs, best.demand, best.routable, allowed.rows, allowed.used, theta_scale=scale,
            theta_min=best.access, length_cost=LENGTH_COST / _least_length(best) if large else 0.0,
        )  # fmt: skip
        solution = _solved(programme, time_limit_s=best.deadline - time.monotonic(), solver=solver)
        if solution.values is None:
            return True
        best.solver = f"{best.solver}, {solution.solver}" if best.solver.startswith("descent") else solution.solver
        price = _arc_prices(best.arcs, programme, solution)
        take_flows(best, programme, solution.values)
        best.prove(_proof(best, price[best.arcs.of_edge]))
        done = complete
        if not done:
            before = len(allowed.used)
            allowed = _with_priced_arcs(best, allowed, price)
            done = len(allowed.used) == before
        if best.done or done:
            if solution.status is Status.OPTIMAL and solver == "highs" and not large:
                _take_out_detours(best, programme, scale)
            return solution.status is not Status.OPTIMAL or not best.done
        if time.monotonic() > best.deadline:
            return True
    return True


def _solved(programme: FlowProgramme, *, time_limit_s: float, solver: str) -> Solution:
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
    """Σ weight x Gbps when all traffic takes shortest paths, to measure lengths by."""
    shortest = entry_prices(best.graph, best.demand, best.graph.weight)
    return float((np.where(best.routable, shortest, 0.0) * best.demand.total_gbps).sum()) or 1.0


def take_flows(best: Incumbent, programme: FlowProgramme, values: Floats, *, room: float = 0.0) -> None:
    """Turn a programme's point into splits; keep them when they are better, or ``room`` above the best."""
    flow = values[: programme.flow_columns] * programme.gbps_of_unit
    best.take(
        splits_from_flows(best.arcs, best.demand, best.routable, programme.row_of_var, programme.arc_of_var, flow),
        room=room,
    )


def _take_out_detours(best: Incumbent, programme: FlowProgramme, scale: float) -> None:
    """Second step: among routings of the least maximum utilisation, one of least total length."""
    theta = best.theta / scale * (1 + SLACK)
    second = solve_programme(shorten(programme, best.arcs, theta), time_limit_s=best.deadline - time.monotonic())
    if second.values is not None:
        take_flows(best, programme, second.values, room=1e-7)


@dataclass(frozen=True, eq=False)
class ArcPairs:
    """Which arcs traffic to which destination may use: pairs of a destination's index and an arc."""

    rows: Ints
    used: Ints

    @staticmethod
    def of(dags: Dags) -> ArcPairs:
        """The arcs of a table by destination."""
        rows = np.repeat(np.arange(len(dags.start) - 1), np.diff(dags.start))
        return ArcPairs(column(rows, np.int32), column(dags.arcs.into.edge[dags.slot], np.int32))


def shortest_arcs(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> ArcPairs:
    """Arcs on shortest paths from every destination's sources."""
    return ArcPairs.of(shortest_dags(arcs, demand, routable))


def all_arcs(best: Incumbent) -> ArcPairs:
    """All arcs that loop-free traffic to a destination can use."""
    graph, arcs, demand = best.graph, best.arcs, best.demand
    rows = np.repeat(np.arange(len(demand.dest)), len(arcs.src))
    used = np.tile(np.arange(len(arcs.src)), len(demand.dest))
    dest = demand.dest[rows]
    sends = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)
    sends[demand.row_of_entry, demand.src] = True
    tail, head = arcs.src[used], arcs.dst[used]
    keep = (tail != dest) & (~graph.is_terminal[head] | (head == dest))
    keep &= ~graph.is_terminal[tail] | sends[rows, tail]
    return ArcPairs(column(rows[keep], np.int32), column(used[keep], np.int32))


def _arc_prices(arcs: Arcs, programme: FlowProgramme, solution: Solution) -> Floats:
    """Price of every arc from the duals of the capacity rows (≤ 0 in a minimisation), up to a common factor."""
    price = np.zeros(len(arcs.src))
    if solution.row_prices is not None:
        used = programme.capacity_arcs
        price[used] = np.maximum(-solution.row_prices[programme.balance_rows :], 0.0) / arcs.capacity_gbps[used]
    return price


def _proof(best: Incumbent, price: Floats) -> Certificate:
    """What prices of the edges prove, in words."""
    shortest = best.options.paths == "shortest"
    bound = priced_bound(best.graph, best.demand, best.routable, price, shortest_only=shortest)
    words = price_words(best.graph, price, bound)
    return Certificate(bound, f"{words}, over shortest paths" if shortest else words, price)


def _with_priced_arcs(best: Incumbent, allowed: ArcPairs, price: Floats) -> ArcPairs:
    """Add the arcs on cheapest paths under the prices."""
    arcs = best.arcs
    nudge = price[price > 0].min(initial=1.0) * 1e-6
    priced = Arcs(arcs.nodes, arcs.src, arcs.dst, arcs.capacity_gbps, price + nudge, arcs.of_edge, arcs.share)
    more = shortest_arcs(priced, best.demand, best.routable)
    count = len(arcs.src)
    merged = np.union1d(
        allowed.rows.astype(np.int64) * count + allowed.used, more.rows.astype(np.int64) * count + more.used
    )
    return ArcPairs(column(merged // count, np.int32), column(merged % count, np.int32))
