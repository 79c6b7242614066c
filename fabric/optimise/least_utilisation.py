"""The least maximum utilisation any routing can reach, with a proof.

Bounds come first: when equal splitting already meets a cut, it is optimal and no programme is solved. Otherwise flat
networks are solved by prices against flows and trees as columns, small ones and those where both stall as linear
programmes over arcs. Layered fabrics are solved by descent on split fractions, which is made for their size, with the
linear programme after it where a gap remains and it is small enough. No step's word is taken: loads are propagated from
the split fractions, the bound is recomputed from prices by shortest paths.
"""

from __future__ import annotations

import time

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_descent import improve_by_descent
from fabric.optimise.by_programme import ArcPairs, all_arcs, improve_by_programme, shortest_arcs
from fabric.optimise.by_saddle import improve_flat
from fabric.optimise.certify import best_cut
from fabric.optimise.incumbent import Incumbent
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, Routing, RoutingOptions, access_bound, edge_utilisation
from topologies.units import percent

EXACT = 1e-9  # relative gap at which a bound counts as met
# Destinations x arcs up to which all arcs are written out and solved exactly, without descending first.
SMALL_COLUMNS = 20_000
# Destinations x arcs from which a flat network's routing is made of trees.
TREE_COLUMNS = 4_000
# Destinations x arcs up to which a programme follows on what descent leaves open, in layered and in flat networks
# (wide-area ones of 500 nodes). A flat network's descent only finds the arcs worth having.
AFTER_DESCENT = 2_000_000
FLAT_COLUMNS = 1_000_000
FLAT_GAP = 1e-3


def least_utilisation(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> Routing:
    """Least maximum utilisation over all loop-free paths, or those of a policy, certified."""
    if options.paths in ("k-shortest", "valley-free"):
        from fabric.optimise.path_policy import solve_min_max_under_policy

        return solve_min_max_under_policy(graph, demand, options)
    loads, unreachable = ecmp_loads(graph, demand)
    access, access_words = access_bound(graph, demand)
    best = Incumbent(
        graph=graph,
        demand=demand,
        routable=~unreachable,
        arcs=merge_parallel(graph),
        access=access,
        theta=max(float(edge_utilisation(graph, loads).max(initial=0.0)), access),
        edge_gbps=loads,
        certificate=Certificate(access, f"{access_words} carries at least {percent(access)}"),
        options=options,
    )
    best.prove(best_cut(graph, demand, best.routable))
    partial = best.gap > EXACT and _improve(best)
    if not best.certificate.lower_bound:
        best.certificate = Certificate(0.0, "nothing to route")
    return Routing(
        "optimal",
        best.edge_gbps,
        unreachable,
        splits=None if best.splits is None else best.arcs.edge_splits(best.splits),
        certificate=best.certificate,
        solver=best.solver or "cut bound",
        partial=partial,
    )


def _improve(best: Incumbent) -> bool:
    """Choose the way by kind and size of the network; returns whether a limit stopped it before the gap closed."""
    size = len(best.demand.dest) * len(best.arcs.src)
    layered, anywhere = best.graph.is_layered, best.options.paths == "any"
    flat = anywhere and not layered and size > TREE_COLUMNS
    if flat and (improve_flat(best) or time.monotonic() > best.deadline):
        return not best.done
    if size <= SMALL_COLUMNS:
        allowed = all_arcs(best) if anywhere else shortest_arcs(best.arcs, best.demand, best.routable)
        return improve_by_programme(best, allowed, complete=True, solver="highs")
    dags = improve_by_descent(best, best.options.gap if layered else max(best.options.gap, FLAT_GAP))
    if best.done or size > (AFTER_DESCENT if layered else FLAT_COLUMNS):
        return not best.done
    # Simplex and interior point stall on the degenerate programmes of layered fabrics, but not on flat networks'.
    return improve_by_programme(best, ArcPairs.of(dags), complete=not anywhere, solver="pdlp" if layered else "highs")
