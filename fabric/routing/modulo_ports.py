"""Destination-modulo routing written out: the link by which every switch sends to every endpoint.

What InfiniBand's linear forwarding tables hold. Rules and numbers are those of ``fabric.routing.modulo_trees``.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import build_graph
from fabric.routing.kernels import parallel_rows
from fabric.routing.modulo_trees import TreeNet, choose_hop, find_hops, new_hops, number_endpoints, tree_net
from topologies.columns import Ints, Longs, column
from topologies.topology import Topology


@compiled
def _fill(first: int, last: int, net: TreeNet, switches: int, sink: Ints, number: Longs, out: Ints) -> None:
    """Edges by which all switches send to endpoints ``first`` to ``last``; those of one sink follow each other."""
    hops = new_hops(net)
    reached, before = 0, -1
    for row in range(first, last):
        if sink[row] != before:
            reached = find_hops(net, sink[row], hops)
            before = sink[row]
        for position in range(1, reached):
            node = hops.order[position]
            if node < switches:
                out[node, row] = choose_hop(net, hops, node, number[row])


def ftree_ports(topology: Topology) -> Ints:
    """Link by which every switch sends to every endpoint.

    Returns
    -------
    ndarray, shape (switches, endpoints)
        Rows are the nodes that forward, columns ``topology.endpoint_nodes``, both in order; -1 where there is no path.
        Four bytes a cell: 260 MB for 5,120 switches and 12,800 endpoints.
    """
    graph = build_graph(topology, [], per_endpoint=True)
    ends = topology.endpoint_nodes
    switches = int((~graph.is_terminal).sum())
    order = np.argsort(graph.sink[ends], kind="stable")
    order = order[graph.sink[ends[order]] >= 0]
    sink, number = graph.sink[ends[order]], number_endpoints(topology).of_node[ends[order]]
    edge = np.full((switches, len(order)), -1, dtype=np.int32)
    net = tree_net(graph)
    parallel_rows(len(order), lambda first, last: _fill(first, last, net, switches, sink, number, edge))
    link_of = graph.link_of.copy()
    link_of[graph.member_edge] = graph.member_link  # every endpoint with several links is a class of its own
    found = np.full((switches, len(ends)), -1, dtype=np.int32)
    found[:, order] = np.where(edge >= 0, link_of[edge], -1)
    node, _, down = graph.single_homed
    place = np.full(len(topology.nodes), -1, dtype=np.int64)
    place[ends] = np.arange(len(ends))
    found[graph.sink[node], place[node]] = down
    return column(found, np.int32)
