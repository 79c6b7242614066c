"""ECMP as a fluid: equal split over the next hops of all shortest paths.

What per-packet spraying reaches, and the average of hashing over many flows; parallel links are next hops of their own.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import ecmp_slice, parallel_loads
from fabric.routing.router import ROUTERS, Routing
from topologies.columns import Floats
from topologies.registry import Injected


def has_equal_weights(graph: RoutingGraph) -> bool:
    """Whether hop counts decide shortest paths."""
    return bool(len(graph.weight) == 0 or np.ptp(graph.weight) == 0)


def ecmp_loads(graph: RoutingGraph, demand: PhaseDemand) -> tuple[Floats, np.ndarray]:
    """Offered Gbps per edge and class, shape (E, C), and which entries have no path."""
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    equal = has_equal_weights(graph)
    start, edge = graph.into.start, graph.into.edge
    tail, weight = graph.src[edge], graph.weight[edge]

    def work(first: int, last: int, loads: Floats) -> None:
        ecmp_slice(
            first, last, start, tail, weight, equal,
            demand.dest, demand.start, demand.src, demand.gbps, loads, unreachable,
        )  # fmt: skip

    by_slot = parallel_loads(len(demand.dest), (len(edge), demand.gbps.shape[1]), work)
    loads = np.empty_like(by_slot)
    loads[edge] = by_slot
    return loads, unreachable


@ROUTERS.register("ecmp", example={})
def ecmp(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Equal split over all shortest paths (fluid), honouring link weights and parallel links."""
    loads, unreachable = ecmp_loads(graph, demand)
    return Routing("ecmp", loads, unreachable)
