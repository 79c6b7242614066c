"""ECMP as a fluid: equal split over the next hops of all shortest paths.

What per-packet spraying reaches, and the average of hashing over many flows; parallel links are next hops of their own.
"""

from __future__ import annotations

from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register(
    "ecmp",
    example={},
    traits=RouterTraits(placement="fluid", rule="equal", compared=3, stage="equal-split"),
)
def ecmp(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Equal split over all shortest paths (fluid), honouring link weights and parallel links."""
    loads, unreachable = ecmp_loads(graph, demand)
    return Routing("ecmp", loads, unreachable)
