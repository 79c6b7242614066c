"""Lower bounds on the maximum utilisation that hold for every routing, whatever a solver reported.

For any prices w ≥ 0 of the edges, every routing has θ ≥ Σ_d demand_d · dist_w(d) / Σ_e capacity_e · w_e: traffic pays
at least the shortest path, and no edge can earn more than θ · capacity · price. A price of 1 on the edges that leave a
set of nodes and 0 elsewhere is a cut: θ ≥ traffic that leaves the set / capacity that leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import parallel_rows, priced_distances, priced_shortest_distances
from fabric.routing.router import Certificate
from topologies.columns import Bools, Floats, Ints, column
from topologies.parts import parts_of
from topologies.units import percent

_FEW = 3


@dataclass(frozen=True, eq=False)
class Partition:
    """Disjoint sets of graph nodes, each with a name; -1 is in none."""

    label: Ints  # shape (V,)
    names: list[str]


def partitions(graph: RoutingGraph) -> Iterator[Partition]:
    """Sets worth testing as cuts: single switches, leaf pairs with their multi-homed hosts, units, pods."""
    nodes = graph.topology.nodes
    yield Partition(np.arange(graph.nodes, dtype=np.int32), [_node_words(graph, node) for node in range(graph.nodes)])
    if graph.is_terminal.any():
        yield _attachment_sets(graph)
    for what, values in (("unit", nodes.unit), ("pod", nodes.pod)):
        label = np.where(graph.is_terminal, -1, values[graph.node_of])
        if len(np.unique(label[label >= 0])) > 1:
            yield Partition(label.astype(np.int32), [f"{what} {index}" for index in range(int(label.max()) + 1)])


def _node_words(graph: RoutingGraph, node: int) -> str:
    """Name of a switch; of a class of hosts, its first member and how many are like it."""
    name = graph.node_name(node)
    if not graph.is_terminal[node]:
        return name
    edges = np.flatnonzero((graph.src == node) | (graph.dst == node))
    members = int(graph.class_size[edges[0]])
    return name if members == 1 else f"{name} and {members - 1} host{'s' if members > 2 else ''} like it"


def _attachment_sets(graph: RoutingGraph) -> Partition:
    """Switches that share multi-homed hosts, with those hosts."""
    access = graph.is_terminal[graph.src] | graph.is_terminal[graph.dst]
    label = parts_of(graph.nodes, graph.src[access], graph.dst[access])
    count = int(label.max(initial=-1)) + 1
    names = []
    for part in range(count):
        members = np.flatnonzero((label == part) & ~graph.is_terminal)
        shown = " and ".join(graph.node_name(int(node)) for node in members[:2])
        names.append(shown + (f" and {len(members) - 2} more" if len(members) > 2 else ""))
    return Partition(label.astype(np.int32), names)


def best_cut(graph: RoutingGraph, demand: PhaseDemand, routable: Bools) -> Certificate:
    """The tightest of the structural cuts, in words."""
    gbps = demand.total_gbps
    best = Certificate(0.0, "nothing crosses the fabric")
    for part in partitions(graph):
        label = part.label
        source, sink = label[demand.src], label[demand.dest_of_entry]
        tail, head = label[graph.src], label[graph.dst]
        for way, own_demand, own_edge in (("out of", source, tail), ("into", sink, head)):
            crossing = routable & (source != sink) & (own_demand >= 0)
            boundary = (tail != head) & (own_edge >= 0)
            sets = len(part.names)
            load = np.bincount(own_demand[crossing], gbps[crossing], sets)
            capacity = np.bincount(own_edge[boundary], graph.capacity_gbps[boundary], sets)
            ratio = np.divide(load, capacity, out=np.zeros(sets), where=capacity > 0)
            worst = int(np.argmax(ratio)) if sets else 0
            if sets and ratio[worst] > best.lower_bound:
                edges = column(np.flatnonzero(boundary & (own_edge == worst)), np.int32)
                cables = _cable_count(graph, edges)
                words = (
                    f"the {cables} live link{'s' if cables != 1 else ''} {way} {part.names[worst]} "
                    f"carry at least {percent(float(ratio[worst]))}"
                )
                price = np.zeros(len(graph.src))
                price[edges] = 1.0
                best = Certificate(float(ratio[worst]), words, price)
    return best


def _cable_count(graph: RoutingGraph, edges: Ints) -> int:
    """Topology links behind edges; an access edge stands for one link per member."""
    return int(graph.class_size[edges].sum())


def priced_bound(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, price: Floats, *, shortest_only: bool = False
) -> float:
    """The bound that prices prove, by shortest paths alone; 0 when no edge has a price.

    With ``shortest_only`` traffic may take only paths of least routing weight, and the cheapest of those counts.
    """
    earned = float((graph.capacity_gbps * price).sum())
    if earned <= 0:
        return 0.0
    found = entry_prices(graph, demand, price, shortest_only=shortest_only)
    paid = np.where(routable & np.isfinite(found), found, 0.0) * demand.total_gbps
    return float(paid.sum()) / earned


def entry_prices(graph: RoutingGraph, demand: PhaseDemand, price: Floats, *, shortest_only: bool = False) -> Floats:
    """Least price of a path per entry of the demand, shape (nnz,); ``inf`` without a path."""
    net, by_slot, rows = graph.inward, price[graph.into.edge], demand.rows
    least = np.zeros(len(demand.src))

    def work(first: int, last: int) -> None:
        if shortest_only:
            priced_shortest_distances(first, last, net, by_slot, rows, least)
        else:
            priced_distances(first, last, net.start, net.tail, by_slot, rows, least)

    parallel_rows(len(demand.dest), work)
    return least


def price_words(graph: RoutingGraph, price: Floats, bound: float) -> str:
    """Name the links that prices single out."""
    worth = price * graph.capacity_gbps
    priced = np.flatnonzero(worth > 1e-6 * worth.max(initial=0.0))
    top = priced[np.argsort(-worth[priced], kind="stable")][:_FEW]
    names = ", ".join(graph.edge_name(int(edge)) for edge in top)
    more = f" and {len(priced) - len(top)} more" if len(priced) > len(top) else ""
    verb = "fills up" if len(priced) == 1 else "fill up together"
    noun = "link" if len(priced) == 1 else "links"
    return f"{len(priced)} {noun} ({names}{more}) {verb}: at least {percent(bound)}"
