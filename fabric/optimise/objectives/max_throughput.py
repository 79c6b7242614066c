"""The most traffic the network can admit when demands may be cut: max Σ admitted Gbps, no link above its capacity.

Who is cut is the programme's choice, so some pairs may get nothing; ``max-min-fair`` asks for fairness first. Access
links of single-homed endpoints are outside the routing graph and do not limit what is admitted here.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.flow_programmes import most_admitted
from fabric.optimise.most_admitted import most_admitted_by_trees
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.optimise.path_policy import route_space, solver_for
from fabric.optimise.programme_rounds import Improved, fitted, improve
from fabric.optimise.proofs import priced_names, throughput_bound
from fabric.optimise.route_space import OVER_PATHS, RouteSpace
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, ObjectiveProof, Routing, RoutingOptions
from topologies.registry import Injected
from topologies.units import excess, format_gbps

TRAITS = ObjectiveTraits(sense="most", figure="throughput", unit="Gb/s", admits_in_part=True)


@OBJECTIVES.register(
    "max-throughput",
    example={},
    traits=TRAITS,
)
def max_throughput(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Admit the most Gbps, with an upper bound that prices prove by shortest paths."""
    space = route_space(graph, demand, options)
    gbps = np.where(space.routable, demand.total_gbps, 0.0)
    offered = float(gbps.sum())
    most = space.routable.astype(np.float64)
    result = _over_trees(graph, demand, space, options) or improve(
        space,
        options,
        programme=lambda blocks: most_admitted(blocks, gbps, least=np.zeros(len(gbps)), most=most),
        admitted=lambda values: values[len(values) - len(gbps) :],
        value=lambda _, parts: float(parts @ gbps),
        bound=lambda price: throughput_bound(graph, demand, space.routable, price, space.least_prices(price)),
        solver=solver_for(graph, len(space.blocks.cost)),
        unit=offered,
    )
    if result is None:
        words = "no time to admit anything"
        return Routing(
            "optimal",
            np.zeros((len(graph.src), demand.gbps.shape[1])),
            ~space.routable,
            certificate=Certificate(
                0.0, words, objective=ObjectiveProof(TRAITS.figure, 0.0, offered, TRAITS.unit, words)
            ),
            solver="stopped",
            partial=True,
            admitted=np.zeros(len(gbps)),
            notes=(f"admitted 0 of {format_gbps(offered)}: stopped by the time limit",),
        )
    loads, admitted = fitted(graph, result.carried, result.admitted)
    value, bound = float(admitted @ gbps), min(result.bound, offered)
    gap = bound / value - 1 if value > 0 else (1.0 if bound > 0 else 0.0)
    names = priced_names(graph, result.price)
    words = f"no routing admits more than {format_gbps(bound)}: {names}{OVER_PATHS[options.paths]}"
    return Routing(
        "optimal",
        loads,
        ~space.routable,
        splits=result.carried.splits,
        paths=result.carried.paths,
        certificate=Certificate(
            0.0, words, objective=ObjectiveProof(TRAITS.figure, value, bound, TRAITS.unit, words, result.price)
        ),
        solver=result.solver,
        partial=result.stopped or gap > options.gap,
        notes=(
            f"admitted {format_gbps(value)} of {format_gbps(offered)} "
            f"(bound {format_gbps(bound)}, gap {excess(gap, 2)})",
        ),
        admitted=admitted,
    )


def _over_trees(
    graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, options: RoutingOptions
) -> Improved | None:
    """Flat networks, where any path goes; None elsewhere."""
    if options.paths != "any" or graph.is_layered or not space.routable.any():
        return None
    end = time.monotonic() + options.time_limit_s
    found = most_admitted_by_trees(graph, demand, space.routable, options.gap, end)
    if found is None:
        return None
    value = float(found.part @ np.where(space.routable, demand.total_gbps, 0.0))
    bound = throughput_bound(graph, demand, space.routable, found.price, space.least_prices(found.price))
    return Improved(space, found.carried, np.empty(0), found.part, value, bound, found.price, "trees", not found.solved)
