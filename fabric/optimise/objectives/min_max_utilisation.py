"""The least maximum utilisation any routing can reach, with a proof: see ``fabric.optimise.least_utilisation``."""

from __future__ import annotations

from fabric.optimise.least_utilisation import least_utilisation
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Routing, RoutingOptions
from topologies.registry import Injected


@OBJECTIVES.register(
    "min-max-utilisation",
    example={},
    traits=ObjectiveTraits(sense="least", figure="maximum utilisation", unit="ratio", compared=True),
)
def min_max_utilisation(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Least utilisation of the fullest link, whatever the length of paths."""
    return least_utilisation(graph, demand, options)
