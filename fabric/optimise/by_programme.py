"""Closing the gap by linear programmes: all arcs where they are few, else shortest-path arcs and those prices ask for.

A second programme then takes out detours that do not lower the maximum.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.certify import price_words, priced_bound
from fabric.optimise.dags import shortest_dags
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.formulate import FlowProgramme, formulate, shorten
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.solve import Solution, Status, solve_programme
from fabric.routing.graph import PhaseDemand
from fabric.routing.router import Certificate
from topologies.columns import Bools, Floats, Ints, column

SLACK = 1e-9  # relative room the second step gets above the optimum
MAX_ROUNDS = 25


def improve_by_programme(best: Incumbent, *, everything: bool, solver: str) -> bool:
    """Solve and prove until the gap closes; returns whether a limit stopped it before.

    Parameters
    ----------
    everything : bool
        All arcs from the start; otherwise shortest-path arcs, and more as prices ask for them.
    solver : {"highs", "pdlp"}
    """
    demand, paths = best.demand, best.options.paths
    rows, used = all_arcs(best) if everything else shortest_arcs(best.arcs, demand, best.routable)
    scale = best.theta
    for number in range(MAX_ROUNDS):
        best.report(f"optimal: programme {number + 1}, {len(used):,} flow variables")
        programme = formulate(best.arcs, demand, best.routable, rows, used, theta_scale=scale, theta_min=best.access)
        solution = solve_programme(programme, time_limit_s=best.deadline - time.monotonic(), solver=solver)
        if solution.values is None:
            return True
        best.solver = solution.solver
        price = _arc_prices(best.arcs, programme, solution)
        take_flows(best, programme, solution.values)
        best.prove(_proof(best, price[best.arcs.of_edge]))
        done = everything or paths == "shortest"
        if not done:
            rows, used, grown = _with_priced_arcs(best, rows, used, price)
            done = not grown
        if best.done or done:
            if solution.status is Status.OPTIMAL and solution.solver != "pdlp":
                _take_out_detours(best, programme, scale)
            return solution.status is not Status.OPTIMAL or not best.done
        if time.monotonic() > best.deadline:
            return True
    return True


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


def shortest_arcs(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> tuple[Ints, Ints]:
    """Pairs (destination index, arc) on shortest paths from the destination's sources."""
    dags = shortest_dags(arcs, demand, routable)
    rows = np.repeat(np.arange(len(demand.dest)), np.diff(dags.start))
    return column(rows, np.int32), column(arcs.into.edge[dags.slot], np.int32)


def all_arcs(best: Incumbent) -> tuple[Ints, Ints]:
    """All pairs (destination index, arc) that loop-free traffic to the destination can use."""
    graph, arcs, demand = best.graph, best.arcs, best.demand
    rows = np.repeat(np.arange(len(demand.dest)), len(arcs.src))
    used = np.tile(np.arange(len(arcs.src)), len(demand.dest))
    dest = demand.dest[rows]
    sends = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)
    sends[np.repeat(np.arange(len(demand.dest)), np.diff(demand.start)), demand.src] = True
    tail, head = arcs.src[used], arcs.dst[used]
    keep = (tail != dest) & (~graph.is_terminal[head] | (head == dest))
    keep &= ~graph.is_terminal[tail] | sends[rows, tail]
    return column(rows[keep], np.int32), column(used[keep], np.int32)


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


def _with_priced_arcs(best: Incumbent, rows: Ints, used: Ints, price: Floats) -> tuple[Ints, Ints, bool]:
    """Add the arcs on cheapest paths under the prices; the flag says whether any was new."""
    arcs = best.arcs
    nudge = price[price > 0].min(initial=1.0) * 1e-6
    priced = Arcs(arcs.nodes, arcs.src, arcs.dst, arcs.capacity_gbps, price + nudge, arcs.of_edge, arcs.share)
    more_rows, more_used = shortest_arcs(priced, best.demand, best.routable)
    count = len(arcs.src)
    key = rows.astype(np.int64) * count + used
    merged = np.union1d(key, more_rows.astype(np.int64) * count + more_used)
    return column(merged // count, np.int32), column(merged % count, np.int32), len(merged) > len(key)
