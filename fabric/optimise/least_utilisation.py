"""The least maximum utilisation any routing can reach, with a proof.

Bounds come first: when equal splitting already meets a cut, it is optimal and no programme is solved. Otherwise flat
networks are solved by prices against flows and trees as columns, and layered fabrics by descents on what loads their
fullest links; linear programmes over arcs are for the smallest of both kinds, and for what these leave open where that
is small enough. No step's word is taken: loads are propagated from the split fractions, the bound is recomputed from
prices by shortest paths.
"""

from __future__ import annotations

import time

from fabric.optimise.arc_pairs import ArcPairs
from fabric.optimise.by_descent import improve_by_descent
from fabric.optimise.by_hot_parts import improve_by_hot_parts
from fabric.optimise.by_programme import improve_by_programme
from fabric.optimise.by_saddle import improve_flat
from fabric.optimise.climb_further import climb_further
from fabric.optimise.incumbent import EXACT, Incumbent
from fabric.optimise.path_policy import lost_words, route_space, solver_for
from fabric.optimise.route_space import ArcSpace
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Routing, RoutingOptions
from topologies.columns import column
from topologies.units import excess

# Destinations x arcs up to which all arcs are written out and solved exactly, without descending first.
SMALL_COLUMNS = 20_000
# Destinations x arcs from which a layered fabric is solved by parts, and the gap aimed at where that takes no time.
PART_COLUMNS = 4_000
EASY_GAP = 1e-6
# Destinations x arcs from which a flat network's routing is made of trees.
TREE_COLUMNS = 4_000
# Destinations x arcs up to which a programme follows on what descent leaves open, in layered and in flat networks
# (wide-area ones of 500 nodes). A flat network's descent only finds the arcs worth having.
AFTER_DESCENT = 2_000_000
FLAT_COLUMNS = 1_000_000
FLAT_GAP = 1e-3


# Path policies under which any routing over shortest paths is allowed.
SPLITTING = ("any", "shortest")


def least_utilisation(graph: RoutingGraph, demand: PhaseDemand, options: RoutingOptions) -> Routing:
    """Least maximum utilisation over the paths that ``options.paths`` allows, with a bound over all of those.

    Returns
    -------
    Routing
        With ``splits``, or ``paths`` (``k-shortest``); within the policy even when time runs out. The certificate says
        nothing about routings over other paths. ``partial`` when the gap asked for was not reached.
    """
    space = route_space(graph, demand, options)
    best = Incumbent.first(space, options)
    if best.gap > EXACT:
        _improve(best)
    partial = not best.done
    return Routing(
        "optimal",
        best.carried.edge_gbps,
        column(~space.routable, bool),
        splits=best.carried.splits,
        paths=best.carried.paths,
        certificate=best.certificate,
        solver=best.solver or ("stopped" if partial else "cut bound"),
        partial=partial,
        notes=tuple(best.notes) if options.paths in SPLITTING else (*lost_words(space), *_open_words(best)),
    )


def _improve(best: Incumbent) -> None:
    """Choose the way by paths, kind and size of the network."""
    space = best.space
    if not isinstance(space, ArcSpace) or best.options.paths not in SPLITTING:
        improve_by_programme(best, space, solver=solver_for(best.graph, len(space.blocks.cost)))
        if isinstance(space, ArcSpace) and not best.done:
            climb_further(best, space)
        return
    size = len(best.demand.dest) * len(best.arcs.src)
    layered, anywhere = best.graph.is_layered, best.options.paths == "any"
    dags = None
    if layered and size > PART_COLUMNS:
        dags = improve_by_hot_parts(best, min(best.options.gap, EASY_GAP if size <= SMALL_COLUMNS else 1.0))
        if best.done:
            return
    flat = anywhere and not layered and size > TREE_COLUMNS
    if flat and (improve_flat(best) or time.monotonic() > best.deadline):
        return
    if size <= SMALL_COLUMNS:
        improve_by_programme(best, space.over(None, complete=True), solver="highs")
        return
    if dags is None:
        dags = improve_by_descent(best, max(best.options.gap, FLAT_GAP))
    if best.done or size > (AFTER_DESCENT if layered else FLAT_COLUMNS):
        return
    # Simplex and interior point stall on the degenerate programmes of layered fabrics, but not on flat networks'.
    found = space.over(ArcPairs.of(dags), complete=not anywhere)
    improve_by_programme(best, found, solver="pdlp" if layered else "highs")


def _open_words(best: Incumbent) -> tuple[str, ...]:
    """A note where the gap may be one between all allowed paths and those that switches can use."""
    if best.done or not isinstance(best.space, ArcSpace) or time.monotonic() > best.deadline:
        return ()
    return (f"{excess(best.gap, 2)} above the bound over all valley-free paths, not all of which switches can use",)
