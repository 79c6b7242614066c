"""What a state of the work carries: all-to-all traffic of the hosts in service, routed over the cables that are up.

Capacity is that of the links between switches: the fullest of them before the work, over the fullest in the state. By
**shortest** paths the traffic is divided in proportion to the capacity that is left (``wcmp``), as a controller does
that drains links. While a third tier is put in, some pairs have paths of both lengths; **up-down** paths of any length,
weighted best (``fabric.growth.quotient``, as the router ``optimal`` does), are then needed to keep what is there. Links
of hosts are left out, so that room in the fabric is not taken for capacity that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.evaluation.phases import route_phase
from fabric.growth.quotient import least_utilisation, switch_graph
from fabric.growth.union import UnionFabric
from fabric.routing.router import RoutingOptions
from topologies.columns import Bools, Ints
from topologies.topology import Topology
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

Paths = Literal["shortest", "up-down"]


@dataclass(frozen=True)
class RoutedState:
    """One state of the fabric, built and routed; states are compared that were routed over the same paths."""

    max_utilisation: float  # of links between switches, in a unit of the paths
    unreachable_pairs: int


def route_state(fabric: UnionFabric, up: Bools, paths: Paths = "shortest") -> RoutedState:
    """Route the traffic of the hosts in service over the cables that are up."""
    state, members = fabric.state(up), fabric.in_service
    if len(members) < 2:
        return RoutedState(0.0, 0)
    if paths == "shortest":
        return _routed(state, members, "wcmp", RoutingOptions())
    graph = switch_graph(state, members)
    least = least_utilisation(graph) if graph is not None else None
    return best_by_programme(state, members) if least is None else RoutedState(least, 0)


def best_by_programme(state: Topology, members: Ints) -> RoutedState:
    """The best routing over up-down paths, by a linear programme over all switches; what the NICs hold back is 1."""
    return _routed(state, members, "optimal", RoutingOptions(paths="valley-free", gap=0.005, time_limit_s=120.0))


def _routed(state: Topology, members: Ints, router: str, options: RoutingOptions) -> RoutedState:
    """All-to-all traffic of some endpoints, routed."""
    none = np.empty(0, dtype=np.int32)
    flows = Flows(none, none, np.empty(0), (UniformBlock(members, 1.0),))
    demands = Demands("growth", (TrafficClass("growth", "all", "all-to-all", steady=False),), (flows,))
    route = route_phase(state, demands, "all", router=router, options=options, efficiency=1.0)
    links, switch = state.links, state.is_switch
    between = switch[links.src] & switch[links.dst] & state.up
    return RoutedState(float(route.utilisation[between].max(initial=0.0)), route.unreachable_pairs)


def kept_capacity(before: RoutedState, state: RoutedState) -> float:
    """Part of the capacity before the work that a state has, 1 at most; 0 where pairs have lost each other."""
    if state.unreachable_pairs > before.unreachable_pairs:
        return 0.0
    return min(before.max_utilisation / state.max_utilisation, 1.0) if state.max_utilisation else 1.0
