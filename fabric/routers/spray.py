"""Packet spraying as a fluid.

Every switch spreads packets over its shortest next hops by the state of its own queues, so in proportion to the
capacities of its live links (rule ``link-capacity``). It does not see what is left behind a neighbour: where a remote
link has failed, local choice overloads what remains (Alizadeh et al., "CONGA", SIGCOMM 2014, section 2.4; Ghorbani et
al., "DRILL", SIGCOMM 2017). Router ``wcmp`` is what spraying with weights for remote failures reaches.

``spray_efficiency`` is the part of a link that sprayed traffic fills (``fabric.routing.spraying``). Its default is what
packet simulations of spraying come to, whose worst flow takes 1.09 times its ideal; 1 is an ideal, and what a product
reaches must be measured or taken from its vendor.
"""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing, RoutingOptions
from fabric.routing.spraying import sprayed
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register(
    "spray",
    example={},
    traits=RouterTraits(
        placement="fluid", rule="link-capacity", compared=4, suggested=1, options=("spray_efficiency",)
    ),
)
def spray(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]) -> Routing:
    """Packet spraying: over shortest next hops by live link capacity (fluid), with a stated efficiency."""
    return sprayed("spray", graph, demand, options.spray_efficiency)
