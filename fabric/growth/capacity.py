"""What a state of the work carries: all-to-all traffic of the hosts in service, routed over the cables that are up.

Capacity is that of the links between switches: the fullest of them before the work, over the fullest in the state. The
traffic is divided over shortest paths in proportion to the capacity that is left (``wcmp``), as a controller does that
drains links. Links of hosts are left out, so that room in the fabric is not taken for capacity that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.evaluation.phases import route_phase
from fabric.growth.union import UnionFabric
from fabric.routing.router import RoutingOptions
from topologies.columns import Bools
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

ROUTER = "wcmp"


@dataclass(frozen=True)
class RoutedState:
    """One state of the fabric, built and routed."""

    max_utilisation: float  # of links between switches
    unreachable_pairs: int


def route_state(fabric: UnionFabric, up: Bools) -> RoutedState:
    """Route the traffic of the hosts in service over the cables that are up."""
    state = fabric.state(up)
    none = np.empty(0, dtype=np.int32)
    members = fabric.in_service
    if len(members) < 2:
        return RoutedState(0.0, 0)
    flows = Flows(none, none, np.empty(0), (UniformBlock(members, 1.0),))
    demands = Demands("growth", (TrafficClass("growth", "all", "all-to-all", steady=False),), (flows,))
    route = route_phase(state, demands, "all", router=ROUTER, options=RoutingOptions(), efficiency=1.0)
    links, switch = state.links, state.is_switch
    between = switch[links.src] & switch[links.dst] & state.up
    return RoutedState(float(route.utilisation[between].max(initial=0.0)), route.unreachable_pairs)


def kept_capacity(before: RoutedState, state: RoutedState) -> float:
    """Part of the capacity before the work that a state has; 0 where pairs have lost each other."""
    if state.unreachable_pairs > before.unreachable_pairs:
        return 0.0
    return before.max_utilisation / state.max_utilisation if state.max_utilisation else 1.0
