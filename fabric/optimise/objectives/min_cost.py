"""Least Σ routing weight x Gbps with no link above a target utilisation: the shortest routing that still fits.

A target below what any routing can reach is not a dead end: the least possible utilisation takes its place, and a note
says so. The bound on the cost is the dual of the programme, recomputed by shortest paths under weight plus price.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from fabric.optimise.arc_pairs import ArcPairs
from fabric.optimise.flow_programmes import cost_unit, least_cost
from fabric.optimise.least_cost import is_too_large, least_cost_over_moves
from fabric.optimise.least_utilisation import least_utilisation
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.optimise.path_policy import route_space, solver_for
from fabric.optimise.programme_rounds import Improved, improve
from fabric.optimise.proofs import cost_bound, highest, priced_names
from fabric.optimise.route_space import OVER_PATHS, ArcSpace, RouteSpace
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, ObjectiveProof, Routing, RoutingOptions, access_bound, edge_utilisation
from fabric.routing.shortest_splits import shortest_splits
from topologies.columns import Floats
from topologies.registry import Injected
from topologies.units import excess, percent

TRAITS = ObjectiveTraits(sense="least", figure="cost", unit="weight x Gb/s", options=("target_utilisation",))
ROOM = 1e-6  # relative, above the least maximum utilisation when the target is below it


@OBJECTIVES.register(
    "min-cost",
    example={},
    traits=TRAITS,
)
def min_cost(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Least cost at the target utilisation, or at the least that can be reached."""
    began = time.monotonic()
    least = least_utilisation(graph, demand, options)
    theta = float(edge_utilisation(graph, least.edge_gbps).max(initial=0.0))
    most = max(options.target_utilisation, theta * (1 + ROOM))
    end = began + options.time_limit_s
    space = route_space(graph, demand, options)
    result = _over_moves(graph, demand, space, options, least, most, end)
    if result is None and time.monotonic() < end:
        result = _by_programme(graph, demand, _with_routing(space, least), options, most, end)
    access, _ = access_bound(graph, demand)
    proof = least.certificate or Certificate(access, "access links")
    notes = _missed_words(theta, proof.lower_bound, options)
    if result is None:
        return replace(least, partial=True, notes=(*notes, "stopped before the cost was optimised"))
    if highest(graph, result.carried.edge_gbps) > most * (1 + ROOM):
        words = "the shortest routing that the solver found is above the target by more than rounding, and not taken"
        return replace(least, partial=True, notes=(*notes, words))
    cost, bound = result.value, result.bound
    gap = cost / bound - 1 if bound > 0 else 0.0
    words = f"{priced_names(graph, result.price)} stand in the way of a shorter one{OVER_PATHS[options.paths]}"
    notes.append(f"least cost at {percent(most)}: {cost:,.1f} weight x Gb/s (bound {bound:,.1f}, gap {excess(gap, 2)})")
    return Routing(
        "optimal",
        result.carried.edge_gbps,
        ~space.routable,
        splits=result.carried.splits,
        paths=result.carried.paths,
        certificate=replace(
            proof, objective=ObjectiveProof(TRAITS.figure, cost, bound, TRAITS.unit, words, result.price, most)
        ),
        solver=result.solver,
        partial=result.stopped or gap > max(options.gap, 10 * ROOM) or least.partial,
        notes=tuple(notes),
    )


def _missed_words(theta: float, bound: float, options: RoutingOptions) -> list[str]:
    """A note where the routing of least utilisation is above the target: proven out of reach, or not found in time."""
    target = options.target_utilisation
    if theta <= target * (1 + options.gap):
        return []
    said = "no routing meets" if bound > target else "no routing was found that meets"
    return [f"{said} a utilisation of {percent(target)}: the least found is {percent(theta, 2)}"]


def _by_programme(
    graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, options: RoutingOptions, most: float, end: float
) -> Improved | None:
    """The programme over all that the policy allows."""
    return improve(
        space,
        options,
        programme=lambda blocks: least_cost(blocks, space.routable, most=most),
        admitted=lambda _: space.routable.astype(np.float64),
        value=lambda carried, _: float(graph.weight @ carried.edge_gbps.sum(axis=1)),
        bound=lambda price: _bound(graph, demand, space, price, most),
        solver=solver_for(graph, len(space.blocks.cost)),
        unit=cost_unit(space.blocks),
        deadline=end,
    )


def _bound(graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, price: Floats, most: float) -> float:
    return cost_bound(graph, demand, space.routable, price, space.least_prices(graph.weight + price), most)


def _over_moves(
    graph: RoutingGraph,
    demand: PhaseDemand,
    space: RouteSpace,
    options: RoutingOptions,
    least: Routing,
    most: float,
    end: float,
) -> Improved | None:
    """Flat networks, where any path goes; None elsewhere, or when it did not settle."""
    if options.paths != "any" or graph.is_layered or not space.routable.any() or is_too_large(graph, demand):
        return None
    within = least.splits or shortest_splits(graph, demand, "equal")
    found = least_cost_over_moves(graph, demand, space.routable, within, most, end)
    if found is None:
        return None
    value = float(graph.weight @ found.carried.edge_gbps.sum(axis=1))
    bound = _bound(graph, demand, space, found.price, most)
    return Improved(space, found.carried, np.empty(0), found.admitted, value, bound, found.price, "moves", False)


def _with_routing(space: RouteSpace, routing: Routing) -> RouteSpace:
    """The space with the arcs a routing uses, so that what it carries is feasible."""
    if not isinstance(space, ArcSpace) or space.complete or routing.splits is None:
        return space
    rows = np.repeat(np.arange(len(routing.splits.start) - 1), np.diff(routing.splits.start))
    wider = space.with_pairs(ArcPairs(rows.astype(np.int32), space.arcs.of_edge[routing.splits.edge]))
    return wider or space
