"""Unequal-cost multipath of BGP as a fluid: weights by the link bandwidth community, set to the number of paths.

Every speaker tells its neighbours how many next hops it has itself, and they divide by that
(``fabric.routing.shortest_splits``, rule ``next-hop-count``): FRR's ``set extcommunity bandwidth num-multipaths``. A
switch that lost half of its uplinks gets half as much from below, also where the link to it is what limits: ``wcmp``
sees that, BGP does not. Speeds are not counted.
"""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing
from fabric.routing.shortest_splits import MOST_SPLITS, shortest_loads, shortest_splits
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register("bgp-ucmp", example={}, traits=RouterTraits(placement="fluid", rule="next-hop-count"))
def bgp_ucmp(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Split over shortest next hops by how many next hops each has itself, as BGP's link bandwidth says (fluid)."""
    loads, unreachable, used = shortest_loads(graph, demand, "next-hop-count")
    rows = int(used.sum())
    if rows > MOST_SPLITS:
        note = f"weights of {rows:,} next hops are worked out when they are exported"
        return Routing("bgp-ucmp", loads, unreachable, notes=(note,))
    splits = shortest_splits(graph, demand, "next-hop-count", used=used)
    return Routing("bgp-ucmp", loads, unreachable, splits=splits)
