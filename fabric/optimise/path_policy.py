"""Path policies as route spaces: which paths traffic may take, and how large a programme over them may be.

* ``any``: every loop-free path; all arcs where the programme stays small, else those on shortest paths, and more as
  prices ask for them.
* ``shortest``: paths of least weight.
* ``k-shortest``: the ``k_paths`` shortest loop-free paths of every pair; flows are pinned to paths.
* ``valley-free``: see ``valley_free``. Routings climb only as far as needed; where that leaves a gap to the bound
  over all valley-free paths and the programme is small, ``climb_further`` looks for others that switches can use.
"""

from __future__ import annotations

from fabric.optimise.arc_pairs import ArcPairs
from fabric.optimise.arcs import merge_parallel
from fabric.optimise.path_space import PathSpace
from fabric.optimise.route_space import ArcSpace, RouteSpace
from fabric.optimise.valley_free import arc_kinds, needed_arcs, state_steps
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import RoutingOptions
from topologies.columns import column

# Columns up to which simplex finishes. Programmes of layered fabrics are so degenerate that it stalls early.
LAYERED_COLUMNS = 20_000
FLAT_COLUMNS = 250_000


def route_space(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> RouteSpace:
    """What traffic may use under ``options.paths``."""
    if options.paths == "k-shortest":
        return given_paths(graph, demand, options.k_paths)
    if options.paths == "valley-free":
        return valley_free_space(graph, demand)
    return arc_space(graph, demand, options.paths)


def arc_space(graph: RoutingGraph, demand: PhaseDemand, policy: str) -> ArcSpace:
    """Any or all shortest paths."""
    arcs = merge_parallel(graph)
    loads, unreachable = ecmp_loads(graph, demand)
    small = len(demand.dest) * len(arcs.src) <= exact_columns(graph)
    routable = column(~unreachable, bool)
    return ArcSpace(graph, arcs, demand, policy, routable, small or policy == "shortest", equal_gbps=loads)


def valley_free_space(graph: RoutingGraph, demand: PhaseDemand) -> ArcSpace:
    """Arcs of paths that climb only as far as needed, with bounds over all valley-free ones."""
    arcs = merge_parallel(graph)
    kind = arc_kinds(graph, arcs)
    rows, used, reaches = needed_arcs(arcs, kind, demand)
    pairs, states = ArcPairs(rows, used), state_steps(arcs, kind, demand)
    return ArcSpace(graph, arcs, demand, "valley-free", reaches, True, given=pairs, states=states)


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


def lost_words(space: RouteSpace) -> tuple[str, ...]:
    """A note on demand that the policy leaves without a path; none when it leaves none."""
    lost = int((~space.routable).sum())
    if not lost:
        return ()
    return (f"{lost:,} pair{'s' if lost > 1 else ''} of nodes without a path under paths: {space.policy}, not routed",)
