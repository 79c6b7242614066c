"""The least maximum utilisation of whole flows, proven, on small instances, by OR-Tools CP-SAT.

Flows of equal size to one destination are one commodity: a whole-numbered flow from several sources to one destination
falls apart into single paths, so nothing is lost, and equal queue pairs bring no symmetry.

Sets: commodities q (destination, size g_q), nodes v, links e = (v, u) that q may use.
Data: b[v, q], number of flows that enter at v; c[e], Gbps.
Variables: x[e, q] ∈ {0, 1, ..., n_q}, flows of q on e; T ≥ 0, utilisation in steps of 1 / s.

    min T
    balance[v, q]:   Σ_{e out of v} x[e, q] − Σ_{e into v} x[e, q] = b[v, q]    for all q and v ≠ d_q
    capacity[e]:     Σ_q w[e, q] x[e, q] ≤ T,   w[e, q] = s g_q / c[e]

CP-SAT counts in whole numbers. s is chosen so that all w are whole where such a number exists and is not too large;
else w is rounded down, and what is proven, T / s, is still a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np

from fabric.optimise.unsplittable.candidates import Candidates
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import RoutingGraph
from topologies.columns import Bools, Floats, Ints, Longs, column

MOST_VARIABLES = 4000
_MOST_STEPS = 10_000_000  # largest scale s at which weights stay exact
_ROUNDED_STEPS = 1_000_000  # s where they cannot
_EXACT = 1e-13


@dataclass(frozen=True, eq=False)
class WholeProgramme:
    """Columns (link, commodity) of the programme and its data."""

    commodity: Longs  # shape (X,)
    link: Longs
    dest: Ints  # shape (Q,)
    size_gbps: Floats
    count: Ints
    entering: Ints  # shape (Q, V)
    flow_commodity: Ints  # shape (F,), -1 for flows without a path


@dataclass(frozen=True, eq=False)
class WholeAnswer:
    """What CP-SAT found: paths (None without any), what it proved, and whether a time limit stopped it."""

    edge: Ints | None
    steps: Ints | None
    bound: float
    stopped: bool


def whole_programme(
    graph: RoutingGraph, flows: FlowTable, found: Candidates, *, shortest_only: bool
) -> WholeProgramme | None:
    """The programme, or None when it is too large to be worth a try."""
    reached = found.reached
    if not reached.any() or len(np.unique(flows.dest)) * len(graph.src) > 50 * MOST_VARIABLES:
        return None
    keys = np.column_stack([flows.row[reached].astype(np.float64), flows.gbps[reached]])
    unique, code = np.unique(keys, axis=0, return_inverse=True)
    row = unique[:, 0].astype(np.int64)
    if len(unique) * len(graph.src) > 50 * MOST_VARIABLES:
        return None
    entering = np.zeros((len(unique), graph.nodes), dtype=np.int32)
    np.add.at(entering, (code, flows.src[reached]), 1)
    allowed = _allowed(graph, found, flows.dest[row], row, entering, shortest_only=shortest_only)
    commodity, link = (column(part, np.int64) for part in np.nonzero(allowed))
    if len(link) > MOST_VARIABLES:
        return None
    flow_commodity = np.full(len(flows), -1, dtype=np.int32)
    flow_commodity[reached] = code
    return WholeProgramme(
        commodity, link, flows.dest[row], unique[:, 1], entering.sum(axis=1), entering, flow_commodity
    )


def _allowed(
    graph: RoutingGraph, found: Candidates, dest: Ints, row: Longs, entering: Ints, *, shortest_only: bool
) -> Bools:
    """Links that every commodity may use, shape (Q, E)."""
    net = found.net
    tail, head = graph.src[None, :], graph.dst[None, :]
    usable = (tail != dest[:, None]) & (~graph.is_terminal[head] | (head == dest[:, None]))
    usable &= ~graph.is_terminal[tail] | (entering[:, graph.src] > 0)
    if shortest_only:
        for number, at in enumerate(row.tolist()):
            mine = np.zeros(len(graph.src), dtype=np.bool_)
            mine[net.row_edge[net.row_start[at] : net.row_start[at + 1]]] = True
            mine |= _first_links(found, at, int(dest[number]))
            usable[number] &= mine
    return np.asarray(usable)


def _first_links(found: Candidates, row: int, dest: int) -> Bools:
    """Links out of terminals on shortest paths to a destination, shape (E,)."""
    net = found.net
    out = net.tail >= net.switches
    left = np.where(net.head < net.switches, net.distance[row, np.minimum(net.head, net.switches - 1)], np.inf)
    left[net.head == dest] = 0.0
    whole = np.where(out, net.length + left, np.inf)
    least = np.full(int(max(net.tail.max(initial=0), net.head.max(initial=0))) + 1, np.inf)
    np.minimum.at(least, net.tail, whole)
    return np.asarray(out & np.isfinite(whole) & (whole <= least[net.tail] * (1 + 1e-12)))


def whole_weights(ratio: Floats) -> tuple[Longs, float]:
    """Whole weights for ratios size / capacity, and the scale; rounded down where no common step exists.

    >>> whole_weights(np.array([0.5, 0.25]))
    (array([2, 1]), 4.0)
    """
    exact = [Fraction(float(value)).limit_denominator(10_000) for value in np.unique(ratio).tolist()]
    close = all(abs(float(part) - value) <= _EXACT * value for part, value in zip(exact, np.unique(ratio), strict=True))
    scale = lcm(*(part.denominator for part in exact)) if close else 0
    if scale and scale * float(ratio.max()) <= _MOST_STEPS:
        weight = np.round(ratio * scale).astype(np.int64)
        common = gcd(*weight.tolist())
        return weight // common, scale / common
    top = _ROUNDED_STEPS / float(ratio.max())
    return np.floor(ratio * top).astype(np.int64), top


def solve_whole(
    graph: RoutingGraph,
    flows: FlowTable,
    programme: WholeProgramme,
    *,
    theta: float,
    bound: float,
    longest: int,
    time_limit_s: float,
    seed: int,
) -> WholeAnswer:
    """Search for less than ``theta`` and prove how little there can be, no less than ``bound``."""
    from ortools.sat.python import cp_model

    ratio = programme.size_gbps[programme.commodity] / graph.capacity_gbps[programme.link]
    weight, scale = whole_weights(ratio)
    model = cp_model.CpModel()
    x = [model.new_int_var(0, int(programme.count[q]), "") for q in programme.commodity.tolist()]
    steps_of_theta = int(np.ceil(theta * scale * (1 + 1e-9))) + 1
    top = model.new_int_var(min(int(np.floor(bound * scale * (1 - 1e-9))), steps_of_theta), steps_of_theta, "T")
    for link in np.unique(programme.link).tolist():
        mine = np.flatnonzero(programme.link == link)
        model.add(cp_model.LinearExpr.weighted_sum([x[at] for at in mine], weight[mine].tolist()) <= top)
    _balance(model, graph, programme, x)
    model.minimize(top)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1  # one worker, one search: equal seeds give equal paths
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_time_in_seconds = time_limit_s
    solver.parameters.max_deterministic_time = 20.0
    status = solver.solve(model)
    stopped = status != cp_model.OPTIMAL and solver.wall_time >= time_limit_s
    proven = solver.best_objective_bound / scale if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else 0.0
    if status == cp_model.UNKNOWN:
        proven = max(solver.best_objective_bound, 0.0) / scale
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return WholeAnswer(None, None, proven, stopped)
    values = np.array([solver.value(column) for column in x], dtype=np.int64)
    edge, steps = _paths(graph, flows, programme, values, longest)
    return WholeAnswer(edge, steps, proven, stopped)


def _balance(model: Any, graph: RoutingGraph, programme: WholeProgramme, x: list[Any]) -> None:
    """What leaves a node minus what enters is what starts there, for every commodity and node but its end."""
    for number in range(len(programme.dest)):
        mine = np.flatnonzero(programme.commodity == number)
        tail, head = graph.src[programme.link[mine]], graph.dst[programme.link[mine]]
        nodes = np.union1d(np.union1d(tail, head), np.flatnonzero(programme.entering[number]))
        for node in nodes.tolist():
            if node != programme.dest[number]:
                terms = [x[at] for at in mine[tail == node]] + [-x[at] for at in mine[head == node]]
                model.add(sum(terms) == int(programme.entering[number, node]))


def _paths(
    graph: RoutingGraph, flows: FlowTable, programme: WholeProgramme, values: Longs, longest: int
) -> tuple[Ints, Ints]:
    """Take whole flows apart: every flow uses up links of its commodity; cycles on its way are cut out."""
    edge = np.full((len(flows), longest), -1, dtype=np.int32)
    steps = np.zeros(len(flows), dtype=np.int32)
    left = [dict[int, list[int]]() for _ in programme.dest]
    for at in np.flatnonzero(values).tolist():
        link = int(programme.link[at])
        bucket = left[int(programme.commodity[at])].setdefault(int(graph.src[link]), [])
        bucket.extend([link] * int(values[at]))
    for flow in np.flatnonzero(programme.flow_commodity >= 0).tolist():
        number = int(programme.flow_commodity[flow])
        node = int(flows.src[flow])
        path: list[int] = []
        been = {node: 0}
        while node != programme.dest[number]:
            link = left[number][node].pop()
            path.append(link)
            node = int(graph.dst[link])
            if node in been:
                path = path[: been[node]]
                been = {seen: at for seen, at in been.items() if at <= len(path)}
            else:
                been[node] = len(path)
        if len(path) <= longest:
            edge[flow, : len(path)] = path
            steps[flow] = len(path)
    return edge, steps
