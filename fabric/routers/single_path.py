"""Routing without multipath: one shortest path per destination, as a plain IGP or a spanning tree uses.

Of several shortest next hops every switch takes the neighbour of the lowest number, over the first of its parallel
links, whatever else crosses it. Other implementations break the tie otherwise, none of them looks at the load.
"""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing
from fabric.routing.shortest_splits import shortest_loads, shortest_splits
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register("single-path", example={}, traits=RouterTraits(placement="one-path", rule="lowest", ties="number"))
def single_path(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """One shortest path per destination: the next hop of the lowest number, no multipath."""
    loads, unreachable, used = shortest_loads(graph, demand, "lowest")
    # A tree per destination: never more rows than destinations times switches.
    return Routing("single-path", loads, unreachable, splits=shortest_splits(graph, demand, "lowest", used=used))
