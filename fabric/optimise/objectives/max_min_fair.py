"""Max-min fair rates: no demand's part can be raised without lowering one that is no larger (lexicographic optimum).

Prices say what demands can have at most together; the fairest parts that all prices allow are asked of a routing, and
where it cannot carry them it answers with prices that say why (``fabric.optimise.fair_levels``). Parts end at 1: nobody
gets more than is offered. Access links of single-homed endpoints are outside the routing graph and do not limit what is
admitted here.
"""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.fair_levels import FairLevels, fair_levels
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.optimise.path_policy import route_space
from fabric.optimise.programme_rounds import fitted
from fabric.optimise.proofs import level_bound, levels_gap, priced_names
from fabric.optimise.route_space import OVER_PATHS
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, ObjectiveProof, Routing, RoutingOptions
from topologies.registry import Injected
from topologies.units import excess, percent

TRAITS = ObjectiveTraits(sense="most", figure="lowest level", unit="ratio", admits_in_part=True)
EXACT_GAP = 1e-5  # relative, of any level to what its prices allow: called exact


@OBJECTIVES.register(
    "max-min-fair",
    example={},
    traits=TRAITS,
)
def max_min_fair(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Raise all demands' parts in a max-min fair way; prices bound the lowest level, and the others where they can."""
    end = time.monotonic() + options.time_limit_s
    space = route_space(graph, demand, options)
    routable, least_prices = space.routable, space.least_prices
    filled = fair_levels(space, options, end) if routable.any() else None
    if filled is None:
        zero = np.zeros(len(demand.src))
        loads = np.zeros((len(graph.src), demand.gbps.shape[1]))
        return Routing(
            "optimal", loads, ~routable, certificate=Certificate(0.0, "no level was proven"), solver="stopped",
            partial=bool(routable.any()), admitted=zero, notes=("nothing admitted",),
        )  # fmt: skip
    loads, admitted = fitted(graph, filled.carried, filled.level)
    value = float(admitted[routable].min())
    bound = level_bound(graph, demand, routable, admitted, filled.price, least_prices(filled.price))
    between = levels_gap(graph, demand, routable, admitted, filled.stages, least_prices)
    words = (
        f"no routing gives all demands more than {percent(bound)}: "
        f"{priced_names(graph, filled.price)}{OVER_PATHS[options.paths]}"
    )
    gap = bound / value - 1 if value > 0 else 0.0
    return Routing(
        "optimal",
        loads,
        ~routable,
        splits=filled.carried.splits,
        paths=filled.carried.paths,
        certificate=Certificate(
            0.0,
            words,
            objective=ObjectiveProof(
                TRAITS.figure, value, bound, TRAITS.unit, words, filled.price, stages=filled.stages, levels_gap=between
            ),
        ),
        solver=filled.solver,
        partial=not filled.finished or max(gap, between) > max(options.gap, EXACT_GAP),
        notes=(
            f"max-min fair, {_way(filled, between)}: lowest level {percent(value, 2)} "
            f"(bound {percent(bound, 2)}, gap {excess(gap, 2)})",
        ),
        admitted=admitted,
    )


def _way(filled: FairLevels, between: float) -> str:
    """What is known of all levels, in words."""
    if between <= EXACT_GAP:
        return "exact"
    stopped = "" if filled.finished else "stopped before all levels were found, "
    return f"{stopped}prices allow some demand {excess(between, 2)} above its level"
