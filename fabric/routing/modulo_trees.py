"""Destination-modulo trees: one path from every switch to every endpoint, chosen by the endpoint's number.

D-mod-k (E. Zahavi, "D-Mod-K routing providing non-blocking traffic for shift permutations on real life fat trees", CCIT
report 776, Technion, 2010). On level l an endpoint of number j is at q = ⌊j / (w₀ w₁ … w_{l-1})⌋, where w are the upper
neighbours of a switch of each level below (w₀ of a host, 1 unless hosts are attached to several leaves). A switch with
w upper neighbours takes neighbour q mod w, and of its parallel links number ⌊q / w⌋. Downwards the neighbour is given,
or chosen alike; of parallel links it takes the mirror of the one on which the lower switch sends up to j.

Numbers follow the leaves: endpoint p of leaf r has j = r · m + p, with m the largest number of endpoints on a leaf, as
engines pad leaves that are not full. Numbers and neighbours are those of the fabric as built; next hops are the
shortest-path links that are up, and the modulus runs over those, so a failure moves paths only at switches near it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import RoutingGraph
from fabric.routing.kernels import is_step, nearest_first
from fabric.routing.path_search import grown
from topologies.columns import Bools, Floats, Ints, Longs, column
from topologies.topology import Topology


class TreeNet(NamedTuple):
    """The graph as the loops read it, and the digits of its levels."""

    equal: bool
    into_start: Ints
    tail: Ints
    weight: Floats
    out_start: Ints
    out_edge: Ints  # edges by tail, those to one neighbour together, neighbours by number
    head: Ints  # shape (E,), by edge
    weight_of: Floats  # shape (E,), by edge
    level: Longs  # shape (V,), from 0 for hosts
    divisor: Longs  # by level, w₀ w₁ … of the levels below
    wide: Longs  # by level, most upper neighbours of a switch


class Hops(NamedTuple):
    """Next hops to one sink: neighbours of node v are ``first[v]`` to ``last[v]``, links of neighbour b from ``at[b]``.

    They end where those of b + 1 begin.
    """

    distance: Floats
    order: Longs
    first: Longs  # shape (V,)
    last: Longs  # shape (V,)
    at: Longs  # shape (E + V,)
    edge: Longs  # shape (E,)


@compiled
def new_hops(net: TreeNet) -> Hops:
    nodes, edges = len(net.into_start) - 1, len(net.head)
    return Hops(
        np.empty(nodes), np.empty(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64),
        np.zeros(edges + nodes, np.int64), np.zeros(edges, np.int64),
    )  # fmt: skip


@compiled
def find_hops(net: TreeNet, sink: int, hops: Hops) -> int:
    """Fill ``hops`` for a sink; returns how many nodes reach it."""
    distance, order = hops.distance, hops.order
    reached = nearest_first(sink, net.into_start, net.tail, net.weight, net.equal, distance, order)
    ways = links = 0
    for position in range(1, reached):
        node = order[position]
        before = -1
        hops.first[node] = ways
        for place in range(net.out_start[node], net.out_start[node + 1]):
            edge = net.out_edge[place]
            head = net.head[edge]
            if is_step(distance[head], distance[node], net.weight_of[edge], net.equal):
                if head != before:
                    hops.at[ways] = links
                    ways += 1
                    before = head
                hops.edge[links] = edge
                links += 1
        hops.last[node] = ways
        hops.at[ways] = links  # ends the last neighbour's links; the next node's first neighbour begins there
    return reached


@compiled
def choose_hop(net: TreeNet, hops: Hops, node: int, number: int) -> int:
    """The edge by which ``node`` sends to the endpoint of that number."""
    level = net.level[node]
    digits = number // net.divisor[level]
    way = hops.first[node] + digits % (hops.last[node] - hops.first[node])
    links = hops.at[way + 1] - hops.at[way]
    if links == 1:
        return int(hops.edge[hops.at[way]])
    above = net.level[net.head[hops.edge[hops.at[way]]]]
    if above <= level:
        digits, level = number // net.divisor[above], above
    return int(hops.edge[hops.at[way] + (digits // net.wide[level]) % links])


@compiled
def load_trees(
    net: TreeNet, sink: Ints, number: Longs, start: Longs, src: Ints, code: Ints, gbps: Floats, loads: Floats
) -> None:
    """Send entries (source, class, Gbps) of every endpoint up and down its tree; endpoints of one sink on end."""
    nodes, classes = len(net.into_start) - 1, loads.shape[1]
    hops = new_hops(net)
    amount, busy = np.zeros((nodes, classes)), np.zeros(nodes, np.bool_)
    last_sink = -1
    reached = 0
    for row in range(len(sink)):
        if sink[row] != last_sink:
            reached = find_hops(net, sink[row], hops)
            last_sink = sink[row]
        for entry in range(start[row], start[row + 1]):
            if hops.distance[src[entry]] < np.inf:
                amount[src[entry], code[entry]] += gbps[entry]
                busy[src[entry]] = True
        for position in range(reached - 1, 0, -1):
            node = hops.order[position]
            if not busy[node]:
                continue
            edge = choose_hop(net, hops, node, number[row])
            head = net.head[edge]
            for kind in range(classes):
                loads[edge, kind] += amount[node, kind]
                amount[head, kind] += amount[node, kind]
                amount[node, kind] = 0.0
            busy[node] = False
            busy[head] = True
        amount[sink[row], :] = 0.0
        busy[sink[row]] = False


@compiled
def walk_trees(net: TreeNet, sink: Ints, number: Longs, start: Longs, src: Ints) -> tuple[Longs, Longs]:
    """Path of every entry: numbers of links, 0 without a path, and the edges on end."""
    hops = new_hops(net)
    length, edges = np.zeros(len(src), np.int64), np.empty(64, np.int64)
    steps = 0
    last_sink = -1
    for row in range(len(sink)):
        if sink[row] != last_sink:
            find_hops(net, sink[row], hops)
            last_sink = sink[row]
        for entry in range(start[row], start[row + 1]):
            node = src[entry]
            if hops.distance[node] == np.inf:
                continue
            while node != sink[row]:
                edge = choose_hop(net, hops, node, number[row])
                edges = grown(edges, steps + 1)
                edges[steps] = edge
                steps += 1
                length[entry] += 1
                node = net.head[edge]
    return length, edges[:steps]


def tree_net(graph: RoutingGraph) -> TreeNet:
    """A graph with the digits of its levels; upper neighbours are those of the fabric as built."""
    topology, into = graph.topology, graph.into
    levels = np.unique(topology.nodes.level[topology.nodes.forwards])
    code = np.where(topology.nodes.forwards, np.searchsorted(levels, topology.nodes.level) + 1, 0)
    counted = topology.nodes.forwards.copy()
    counted[graph.node_of[graph.is_terminal]] = True
    wide = _widest(topology, code, counted, len(levels) + 1)
    out_edge = np.lexsort((np.arange(len(graph.src)), graph.dst, graph.src))
    return TreeNet(
        graph.equal_weights,
        into.start, graph.src[into.edge], graph.weight[into.edge],
        graph.out.start, column(out_edge, np.int32), graph.dst, graph.weight,
        column(np.where(graph.is_terminal, 0, code[graph.node_of]), np.int64),
        column(np.concatenate([[1], np.cumprod(wide[:-1])]), np.int64), wide,
    )  # fmt: skip


def _widest(topology: Topology, code: Longs, counted: Bools, levels: int) -> Longs:
    """Most upper neighbours of a counted node of every level; at least 1."""
    links, nodes = topology.links, len(topology.nodes)
    rises = counted[links.src] & topology.nodes.forwards[links.dst] & (code[links.dst] > code[links.src])
    pairs = np.unique(links.src[rises].astype(np.int64) * nodes + links.dst[rises])
    most = np.ones(levels, dtype=np.int64)
    np.maximum.at(most, code, np.bincount(pairs // max(nodes, 1), minlength=nodes))
    return column(most, np.int64)


@dataclass(frozen=True, eq=False)
class Numbering:
    """Numbers of the endpoints by leaf."""

    of_node: Longs  # shape (N,), -1 for what is not an endpoint
    per_leaf: int  # numbers set aside for each leaf


def number_endpoints(topology: Topology) -> Numbering:
    """Number all endpoints leaf by leaf, in the order of the nodes; of several leaves the first counts."""
    nodes, links = topology.nodes, topology.links
    leaf = np.where(nodes.forwards, np.arange(len(nodes)), len(nodes))
    attached = ~nodes.forwards[links.src] & nodes.forwards[links.dst]
    np.minimum.at(leaf, links.src[attached], links.dst[attached])
    ends = topology.endpoint_nodes
    ends = ends[np.argsort(leaf[ends], kind="stable")]
    _, rank, count = np.unique(leaf[ends], return_inverse=True, return_counts=True)
    place = np.arange(len(ends)) - (np.cumsum(count) - count)[rank]
    widest = int(count.max(initial=1))
    of_node = np.full(len(nodes), -1, dtype=np.int64)
    of_node[ends] = rank * widest + place
    return Numbering(column(of_node, np.int64), widest)
