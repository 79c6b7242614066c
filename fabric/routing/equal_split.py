"""Loads when every node splits equally over the next hops of all shortest paths."""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import ecmp_slice, parallel_loads
from topologies.columns import Floats


def ecmp_loads(graph: RoutingGraph, demand: PhaseDemand) -> tuple[Floats, np.ndarray]:
    """Offered Gbps per edge and class, shape (E, C), and which entries have no path."""
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    edge, net, rows = graph.into.edge, graph.inward, demand.rows

    def work(first: int, last: int, loads: Floats) -> None:
        ecmp_slice(first, last, net, rows, demand.gbps, loads, unreachable)

    by_slot = parallel_loads(len(demand.dest), (len(edge), demand.gbps.shape[1]), work)
    loads = np.empty_like(by_slot)
    loads[edge] = by_slot
    return loads, unreachable
