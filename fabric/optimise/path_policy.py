"""Path policies as route spaces, and the least maximum utilisation under those that are no subset of arcs alone.

* ``any``: every loop-free path; all arcs where the programme stays small, else those on shortest paths, and more as
  prices ask for them.
* ``shortest``: paths of least weight.
* ``k-shortest``: the ``k_paths`` shortest loop-free paths of every pair; flows are pinned to paths.
* ``valley-free``: see ``valley_free``. Routings climb only as far as needed, or, where that leaves a gap to the bound
  over all valley-free paths and the programme is small, may be any that switches can carry out.
"""

from __future__ import annotations

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_programme import shortest_arcs
from fabric.optimise.flow_programmes import least_utilisation
from fabric.optimise.path_space import PathSpace
from fabric.optimise.programme_rounds import improve
from fabric.optimise.proofs import highest, priced_names, theta_bound
from fabric.optimise.route_space import ArcSpace, RouteSpace, every_pair
from fabric.optimise.valley_free import arc_kinds, needed_arcs, state_steps
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, Routing, RoutingOptions, access_bound
from fabric.routing.routers.ecmp import ecmp_loads
from topologies.columns import column

# Columns up to which simplex finishes. Programmes of layered fabrics are so degenerate that it stalls early.
LAYERED_COLUMNS = 20_000
FLAT_COLUMNS = 250_000
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
    level = graph.topology.nodes.level[graph.node_of[~graph.is_terminal]]
    return LAYERED_COLUMNS if len(level) and np.ptp(level) > 0 else FLAT_COLUMNS


def solver_for(graph: RoutingGraph, columns: int) -> str:
    """HiGHS where it finishes, first-order steps elsewhere."""
    return "highs" if columns <= exact_columns(graph) else "pdlp"


def solve_min_max_under_policy(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> Routing:
    """Least maximum utilisation over the paths that ``options.paths`` allows, with a bound over all of those."""
    space = route_space(graph, demand, options)
    access, words = access_bound(graph, demand)
    proof = Certificate(access, f"{words} carries {access:.1%} whatever the routing")
    everyone = column(space.routable, np.bool_)
    result = improve(
        space,
        options,
        programme=lambda blocks: least_utilisation(blocks, everyone, scale=1.0, least=access),
        admitted=lambda _: everyone.astype(np.float64),
        value=lambda carried, _: max(highest(graph, carried.edge_gbps), access),
        bound=lambda price: theta_bound(graph, demand, everyone, price, space.least_prices(price)),
        solver=solver_for(graph, space.blocks.load.shape[1]),
    )
    if result is None:
        loads, unreachable = ecmp_loads(graph, demand)
        return Routing("optimal", loads, unreachable, certificate=proof, solver="stopped", partial=True)
    theta, bound = result.value, result.bound
    if bound > proof.lower_bound:
        what = f"{priced_names(graph, result.price)} fill up whatever the routing: at least {bound:.1%}"
        proof = Certificate(bound, what + OVER_PATHS[options.paths], result.price)
    partial = result.stopped or theta > proof.lower_bound * (1 + options.gap) + 1e-12
    return Routing(
        "optimal",
        result.carried.edge_gbps,
        ~everyone,
        splits=result.carried.splits,
        paths=result.carried.paths,
        certificate=proof,
        solver=result.solver,
        partial=partial,
    )
