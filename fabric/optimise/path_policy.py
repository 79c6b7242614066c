"""Path policies as route spaces, and the least maximum utilisation under those that are not a subset of arcs alone.

* ``any``: every loop-free path; all arcs where the programme stays small, else those on shortest paths, and more as
  prices ask for them.
* ``shortest``: paths of least weight.
* ``k-shortest``: the ``k_paths`` shortest loop-free paths of every pair; flows are pinned to paths.
* ``valley-free``: see ``valley_free``. Routings climb only as far as needed; where that leaves a gap to the bound
  over all valley-free paths and the programme is small, ``climb_further`` looks for others that switches can use.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_programme import shortest_arcs
from fabric.optimise.climb_further import climb_further
from fabric.optimise.flow_programmes import arc_prices, least_cost, least_utilisation
from fabric.optimise.path_space import PathSpace
from fabric.optimise.policy_incumbent import PolicyIncumbent
from fabric.optimise.route_space import ArcSpace, RouteSpace, every_pair
from fabric.optimise.solve import Status, solve_programme
from fabric.optimise.valley_free import arc_kinds, needed_arcs, state_steps
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.progress import Progress
from fabric.routing.router import Routing, RoutingOptions
from topologies.columns import column
from topologies.units import excess

# Columns up to which simplex finishes. Programmes of layered fabrics are so degenerate that it stalls early.
LAYERED_COLUMNS = 20_000
FLAT_COLUMNS = 250_000
EXACT = 1e-9  # relative gap at which a bound counts as met
SLACK = 1e-9  # relative room the second step gets above the optimum
OVER_PATHS = {
    "any": "",
    "shortest": ", over shortest paths",
    "k-shortest": ", over the given paths",
    "valley-free": ", over valley-free paths",
}


def route_space(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> RouteSpace:
    """What traffic may use under ``options.paths``."""
    if options.paths == "k-shortest":
        return given_paths(graph, demand, options.k_paths)
    arcs = merge_parallel(graph)
    if options.paths == "valley-free":
        kind = arc_kinds(graph, arcs)
        rows, used, reaches = needed_arcs(arcs, kind, demand)
        return ArcSpace(graph, arcs, demand, options.paths, reaches, rows, used, True, state_steps(arcs, kind, demand))
    _, unreachable = ecmp_loads(graph, demand)
    routable = column(~unreachable, np.bool_)
    small = len(demand.dest) * len(arcs.src) <= exact_columns(graph)
    everything = options.paths == "any" and small
    if everything:
        rows, used = every_pair(graph, arcs, demand)
    else:
        pairs = shortest_arcs(arcs, demand, routable)
        rows, used = pairs.rows, pairs.used
    return ArcSpace(graph, arcs, demand, options.paths, routable, rows, used, everything or options.paths == "shortest")


def given_paths(graph: RoutingGraph, demand: PhaseDemand, k: int) -> PathSpace:
    """The k shortest loop-free paths of every entry."""
    from fabric.routing.k_paths import k_shortest_paths

    paths = k_shortest_paths(graph, demand, k)
    return PathSpace(graph, demand, paths.entry, paths.start, paths.edge)


def exact_columns(graph: RoutingGraph) -> int:
    """Flow variables up to which a programme is solved by simplex or interior point with crossover."""
    return LAYERED_COLUMNS if graph.is_layered else FLAT_COLUMNS


def solver_for(graph: RoutingGraph, columns: int) -> str:
    """HiGHS where it finishes, first-order steps elsewhere."""
    return "highs" if columns <= exact_columns(graph) else "pdlp"


def solve_min_max_under_policy(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> Routing:
    """Least maximum utilisation over the paths that ``options.paths`` allows, with a bound over all of those.

    Returns
    -------
    Routing
        With ``splits`` (``valley-free``) or ``paths`` (``k-shortest``); within the policy even when time runs out. The
        certificate says nothing about routings over other paths. ``partial`` when the gap asked for was not reached.
    """
    deadline = time.monotonic() + options.time_limit_s
    space = route_space(graph, demand, options)
    best = PolicyIncumbent.first(graph, demand, space, OVER_PATHS[options.paths])
    solver = ""
    if best.gap > EXACT:
        options.report(Progress(f"optimal: programme over {options.paths} paths", limit_s=options.time_limit_s))
        solver = _improve(best, deadline)
        if isinstance(space, ArcSpace) and space.states is not None and best.gap > options.gap:
            climb_further(best, space, arc_kinds(graph, space.arcs), deadline)
    notes = lost_words(space, options)
    open_gap = best.gap > options.gap
    if open_gap and isinstance(space, ArcSpace) and time.monotonic() < deadline:
        notes = (
            *notes,
            f"{excess(best.gap, 2)} above the bound over all valley-free paths, not all of which switches can use",
        )
    return Routing(
        "optimal",
        best.carried.edge_gbps,
        column(~space.routable, np.bool_),
        splits=best.carried.splits,
        paths=best.carried.paths,
        certificate=best.certificate,
        solver=solver or ("stopped" if open_gap else "cut bound"),
        partial=open_gap,
        notes=notes,
    )


def _improve(best: PolicyIncumbent, deadline: float) -> str:
    """The programme over the space's columns, then the same utilisation with the least detours; names the solver."""
    space, blocks = best.space, best.space.blocks
    columns, everyone = len(blocks.cost), space.routable
    programme = least_utilisation(blocks, everyone, scale=best.theta, least=best.access)
    solver = solver_for(best.graph, columns)
    solution = solve_programme(programme, time_limit_s=deadline - time.monotonic(), solver=solver)
    if solution.values is None:
        return ""
    best.prove(np.asarray(arc_prices(programme, solution, space.arcs.capacity_gbps)[space.arcs.of_edge]))
    best.take(space.carry(solution.values[:columns], everyone.astype(np.float64)))
    if solution.status is Status.OPTIMAL and solver != "pdlp":
        shorter = least_cost(blocks, everyone, most=best.theta * (1 + SLACK))
        second = solve_programme(shorter, time_limit_s=deadline - time.monotonic(), solver=solver)
        if second.values is not None:
            best.take(space.carry(second.values, everyone.astype(np.float64)), room=1e-7)
    return solver


def lost_words(space: RouteSpace, options: RoutingOptions) -> tuple[str, ...]:
    """A note on demand that the policy leaves without a path; none when it leaves none."""
    lost = int((~space.routable).sum())
    if not lost:
        return ()
    return (f"{lost:,} pair{'s' if lost > 1 else ''} of nodes without a path under paths: {options.paths}, not routed",)
