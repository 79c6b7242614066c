"""Structural cuts: lower bounds on the maximum utilisation that need no solver.

A price of 1 on the edges that leave a set of nodes and 0 elsewhere is a cut: θ ≥ traffic that leaves the set / capacity
that leaves it. Sets worth testing follow from the fabric: switches, leaf pairs, units, pods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate
from topologies.columns import Bools, Ints, column
from topologies.parts import parts_of
from topologies.units import percent


@dataclass(frozen=True, eq=False)
class Partition:
    """Disjoint sets of graph nodes; -1 is in none. Sets have names, which are made for those that are shown."""

    label: Ints  # shape (V,)
    count: int
    name_of: Callable[[int], str]


def partitions(graph: RoutingGraph) -> Iterator[Partition]:
    """Sets worth testing as cuts: single switches, leaf pairs with their multi-homed hosts, units, pods."""
    nodes = graph.topology.nodes
    every = np.arange(graph.nodes, dtype=np.int32)
    yield Partition(every, graph.nodes, lambda node: _node_words(graph, node))
    if graph.is_terminal.any():
        yield _attachment_sets(graph)
    for what, values in (("unit", nodes.unit), ("pod", nodes.pod)):
        label = np.where(graph.is_terminal, -1, values[graph.node_of])
        if len(np.unique(label[label >= 0])) > 1:
            yield Partition(label.astype(np.int32), int(label.max()) + 1, f"{what} {{}}".format)


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

    def name_of(part: int) -> str:
        members = np.flatnonzero((label == part) & ~graph.is_terminal)
        shown = " and ".join(graph.node_name(int(node)) for node in members[:2])
        return shown + (f" and {len(members) - 2} more" if len(members) > 2 else "")

    return Partition(label.astype(np.int32), int(label.max(initial=-1)) + 1, name_of)


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
            sets = part.count
            load = np.bincount(own_demand[crossing], gbps[crossing], sets)
            capacity = np.bincount(own_edge[boundary], graph.capacity_gbps[boundary], sets)
            ratio = np.divide(load, capacity, out=np.zeros(sets), where=capacity > 0)
            worst = int(np.argmax(ratio)) if sets else 0
            if sets and ratio[worst] > best.lower_bound:
                edges = column(np.flatnonzero(boundary & (own_edge == worst)), np.int32)
                cables = _cable_count(graph, edges)
                words = (
                    f"the {cables} live link{'s' if cables != 1 else ''} {way} {part.name_of(worst)} "
                    f"carry at least {percent(float(ratio[worst]))}"
                )
                price = np.zeros(len(graph.src))
                price[edges] = 1.0
                best = Certificate(float(ratio[worst]), words, price)
    return best


def _cable_count(graph: RoutingGraph, edges: Ints) -> int:
    """Topology links behind edges; an access edge stands for one link per member."""
    return int(graph.class_size[edges].sum())
