"""The least maximum utilisation any routing can reach, with a proof.

Bounds come first: when equal splitting already meets a cut, it is optimal and no programme is solved. Otherwise the
multicommodity flow is solved by OR-Tools, on shortest-path arcs when the full programme would be large, with arcs added
while prices show that they could help. A second programme then takes out detours that do not lower the maximum. Neither
step's word is taken: loads are propagated from the split fractions, the bound is recomputed from prices.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs, merge_parallel
from fabric.optimise.certify import best_cut, price_words, priced_bound
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.formulate import FlowProgramme, formulate, shorten
from fabric.optimise.solve import Solution, Status, solve_programme
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_loads, shortest_arcs, split_slice
from fabric.routing.router import (
    Certificate,
    Routing,
    RoutingOptions,
    Splits,
    access_bound,
    edge_utilisation,
)
from fabric.routing.routers.ecmp import ecmp_loads
from topologies.columns import Bools, Floats, Ints, column

EXACT = 1e-9  # relative gap at which a bound counts as met
SLACK = 1e-9  # relative room the second step gets above the optimum
MAX_ROUNDS = 25
# Destinations x arcs up to which simplex is exact and quick: wide-area networks of 250 nodes. Programmes of layered
# fabrics are so degenerate that it stalls (a k = 12 fat tree with failures takes minutes); beyond a small size they
# start from the shortest-path arcs, by first-order steps, and get more arcs as prices ask for them.
SIMPLEX_COLUMNS = 250_000
SIMPLEX_LAYERED_COLUMNS = 20_000


def split_loads(arcs: Arcs, demand: PhaseDemand, splits: Splits, routable: Bools) -> Floats:
    """Offered Gbps per arc and class when demand follows the splits, shape (A, C)."""
    gbps = np.where(routable[:, None], demand.gbps, 0.0)
    stranded = np.zeros((len(demand.dest), arcs.nodes), dtype=np.bool_)

    def work(first: int, last: int, loads: Floats) -> None:
        split_slice(
            first, last, arcs.src, arcs.dst, splits.start, splits.edge, splits.fraction,
            demand.dest, demand.start, demand.src, gbps, loads, stranded,
        )  # fmt: skip

    return parallel_loads(len(demand.dest), (len(arcs.src), demand.gbps.shape[1]), work)


@dataclass
class _Best:
    """The best routing and the best proof so far."""

    theta: float
    edge_gbps: Floats
    splits: Splits | None
    certificate: Certificate
    solver: str

    @property
    def gap(self) -> float:
        return self.theta / self.certificate.lower_bound - 1 if self.certificate.lower_bound > 0 else 0.0

    def prove(self, candidate: Certificate) -> None:
        if candidate.lower_bound > self.certificate.lower_bound:
            self.certificate = candidate


def solve(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> Routing:
    """Least maximum utilisation over all loop-free (or all shortest) paths, certified."""
    loads, unreachable = ecmp_loads(graph, demand)
    routable = ~unreachable
    access, access_words = access_bound(graph, demand)
    theta = max(float(edge_utilisation(graph, loads).max(initial=0.0)), access)
    best = _Best(
        theta, loads, None, Certificate(access, f"{access_words} carries {access:.1%} whatever the routing"), ""
    )
    best.prove(best_cut(graph, demand, routable))
    partial = False
    if best.gap > EXACT:
        partial = _improve(graph, demand, routable, options, best, access)
    if not best.certificate.lower_bound:
        best.certificate = Certificate(0.0, "nothing to route")
    return Routing(
        "optimal",
        best.edge_gbps,
        unreachable,
        splits=None if best.splits is None else merge_parallel(graph).edge_splits(best.splits),
        certificate=best.certificate,
        solver=best.solver or "cut bound",
        partial=partial,
    )


def _improve(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, options: RoutingOptions, best: _Best, access: float
) -> bool:
    """Solve and prove until the gap closes; returns whether a limit stopped it."""
    deadline = time.monotonic() + options.time_limit_s
    arcs = merge_parallel(graph)
    shortest = _shortest(arcs, demand)
    small = len(demand.dest) * len(arcs.src) <= SIMPLEX_COLUMNS
    layered = is_layered(graph)
    tiny = len(demand.dest) * len(arcs.src) <= SIMPLEX_LAYERED_COLUMNS
    everything = options.paths == "any" and (tiny if layered else small)
    rows, used = _all_arcs(graph, arcs, demand) if everything else shortest
    scale = best.theta
    for _ in range(MAX_ROUNDS):
        programme = formulate(arcs, demand, routable, rows, used, theta_scale=scale, theta_min=access)
        solution = solve_programme(
            programme, time_limit_s=deadline - time.monotonic(), solver=_solver(small, layered, len(used))
        )
        best.solver = solution.solver
        if solution.values is None:
            return True
        price = _arc_prices(arcs, programme, solution)
        _take(graph, arcs, demand, routable, programme, solution.values, best)
        best.prove(_proof(graph, demand, routable, price[arcs.of_edge], options.paths))
        done = everything or options.paths == "shortest"
        if not done:
            rows, used, grown = _with_priced_arcs(arcs, demand, rows, used, price)
            done = not grown
        if best.gap <= options.gap or done:
            if solution.status is Status.OPTIMAL and solution.solver != "pdlp":
                _take_out_detours(graph, arcs, demand, routable, programme, best, scale, deadline, access)
            return solution.status is not Status.OPTIMAL or best.gap > options.gap
        if time.monotonic() > deadline:
            return True
    return True


def is_layered(graph: RoutingGraph) -> bool:
    """Whether switches stand at different heights, as in leaf-spine and fat trees."""
    level = graph.topology.nodes.level[graph.node_of[~graph.is_terminal]]
    return bool(len(level) and np.ptp(level) > 0)


def _solver(small: bool, layered: bool, columns: int) -> str:
    """Simplex where it finishes, first-order steps elsewhere."""
    return "highs" if (columns <= SIMPLEX_LAYERED_COLUMNS if layered else small) else "pdlp"


def _take(
    graph: RoutingGraph,
    arcs: Arcs,
    demand: PhaseDemand,
    routable: Bools,
    programme: FlowProgramme,
    values: Floats,
    best: _Best,
    *,
    room: float = 0.0,
) -> None:
    """Turn a point into splits and loads; keep it when its utilisation is at most ``room`` above the best."""
    flow = values[: programme.flow_columns] * programme.gbps_of_unit
    splits = splits_from_flows(arcs, demand, routable, programme.row_of_var, programme.arc_of_var, flow)
    edge_gbps = arcs.edge_loads(split_loads(arcs, demand, splits, routable))
    access, _ = access_bound(graph, demand)
    theta = max(float(edge_utilisation(graph, edge_gbps).max(initial=0.0)), access)
    if theta <= best.theta * (1 + room):
        best.theta, best.edge_gbps, best.splits = theta, edge_gbps, splits


def _take_out_detours(
    graph: RoutingGraph,
    arcs: Arcs,
    demand: PhaseDemand,
    routable: Bools,
    programme: FlowProgramme,
    best: _Best,
    scale: float,
    deadline: float,
    access: float,
) -> None:
    """Second step: among routings of the least maximum utilisation, one of least total length."""
    theta = max(best.theta, access) / scale * (1 + SLACK)
    second = solve_programme(shorten(programme, arcs, theta), time_limit_s=deadline - time.monotonic())
    if second.values is not None:
        _take(graph, arcs, demand, routable, programme, second.values, best, room=1e-7)


def _shortest(arcs: Arcs, demand: PhaseDemand) -> tuple[Ints, Ints]:
    """Pairs (destination index, arc) on shortest paths from the destination's sources."""
    into = arcs.into
    tail, weight = arcs.src[into.edge], arcs.weight[into.edge]
    equal = bool(len(weight) == 0 or np.ptp(weight) == 0)
    none = np.empty(0, dtype=np.int32)
    fixed = (into.start, tail, weight, equal, demand.dest, demand.start, demand.src)
    count = shortest_arcs(*fixed, none, none)
    rows, slots = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    if count:
        shortest_arcs(*fixed, rows, slots)
    return column(rows, np.int32), column(into.edge[slots], np.int32)


def _all_arcs(graph: RoutingGraph, arcs: Arcs, demand: PhaseDemand) -> tuple[Ints, Ints]:
    """All pairs (destination index, arc) that loop-free traffic to the destination can use."""
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


def _proof(graph: RoutingGraph, demand: PhaseDemand, routable: Bools, price: Floats, paths: str) -> Certificate:
    """What prices of the edges prove, in words."""
    if paths == "shortest":
        bound = priced_bound(graph, demand, routable, price, shortest_only=True)
        return Certificate(bound, f"{price_words(graph, price, bound)}, over shortest paths", price)
    bound = priced_bound(graph, demand, routable, price)
    return Certificate(bound, price_words(graph, price, bound), price)


def _with_priced_arcs(
    arcs: Arcs, demand: PhaseDemand, rows: Ints, used: Ints, price: Floats
) -> tuple[Ints, Ints, bool]:
    """Add the arcs on cheapest paths under the prices; the flag says whether any was new."""
    nudge = price[price > 0].min(initial=1.0) * 1e-6
    priced = Arcs(arcs.nodes, arcs.src, arcs.dst, arcs.capacity_gbps, price + nudge, arcs.of_edge, arcs.share)
    more_rows, more_used = _shortest(priced, demand)
    count = len(arcs.src)
    key = rows.astype(np.int64) * count + used
    merged = np.union1d(key, more_rows.astype(np.int64) * count + more_used)
    return column(merged // count, np.int32), column(merged % count, np.int32), len(merged) > len(key)
