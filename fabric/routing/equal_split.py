"""Loads when every node splits equally over the next hops of all shortest paths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import ecmp_slice, parallel_loads
from fabric.routing.twin_loads import twin_loads
from topologies.columns import Bools, Floats


def ecmp_loads(graph: RoutingGraph, demand: PhaseDemand) -> tuple[Floats, Bools]:
    """Offered Gbps per edge and class, shape (E, C), and which entries have no path."""
    found = twin_loads(graph, demand)
    return swept_loads(graph, demand) if found is None else found


def swept_loads(graph: RoutingGraph, demand: PhaseDemand) -> tuple[Floats, Bools]:
    """The same by one sweep over all edges per destination."""
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    edge, net, rows = graph.into.edge, graph.inward, demand.rows

    def work(first: int, last: int, loads: Floats) -> None:
        ecmp_slice(first, last, net, rows, demand.gbps, loads, unreachable)

    by_slot = parallel_loads(len(demand.dest), (len(edge), demand.gbps.shape[1]), work)
    loads = np.empty_like(by_slot)
    loads[edge] = by_slot
    return loads, unreachable


def ecmp_adder(graph: RoutingGraph, demand: PhaseDemand) -> Callable[[int, Floats], None]:
    """What adds the equal split towards a destination, by its row, to loads of shape (E, C), Gbps."""
    edge, net, rows = graph.into.edge, graph.inward, demand.rows
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)

    def add(row: int, loads: Floats) -> None:
        by_slot = np.zeros((len(edge), demand.gbps.shape[1]))
        ecmp_slice(row, row + 1, net, rows, demand.gbps, by_slot, unreachable)
        loads[edge] += by_slot

    return add
