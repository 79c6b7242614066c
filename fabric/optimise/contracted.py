"""Least prices of paths where few links have a price: what costs nothing to cross is one node.

Prices that prove the optimum of a large fabric single out some links, often those of one switch. Nodes that reach each
other over links without a price have the same distances, so a search from every destination runs on the few nodes that
are left when each such set is one.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import Adjacency, DemandRows, PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_rows, priced_distances
from topologies.columns import Floats, column
from topologies.parts import strong_parts


def contracted_prices(graph: RoutingGraph, demand: PhaseDemand, price: Floats) -> Floats:
    """Least price of a path per entry of the demand, shape (nnz,), from prices of edges; ``inf`` without a path."""
    free = price == 0
    label = strong_parts(graph.nodes, graph.src[free], graph.dst[free])
    count = int(label.max(initial=-1)) + 1
    tail, head = label[graph.src].astype(np.int64), label[graph.dst].astype(np.int64)
    between = np.flatnonzero(tail != head)
    between = between[np.lexsort((price[between], tail[between], head[between]))]
    key = head[between] * count + tail[between]
    cheapest = between[np.append(True, key[1:] != key[:-1])] if len(between) else between
    into = Adjacency.by(column(head[cheapest], np.int32), count)
    edge = cheapest[into.edge]
    rows = DemandRows(column(label[demand.dest], np.int32), demand.start, column(label[demand.src], np.int32))
    least = np.zeros(len(demand.src))
    fixed = (into.start, column(tail[edge], np.int32), column(price[edge], np.float64), rows, least)
    parallel_rows(len(demand.dest), lambda first, last: priced_distances(first, last, *fixed))
    return least
