"""Terminals of the classes of multi-homed endpoints, and their access edges.

A class has up to two terminals: one whose edges lead out of its hosts, one whose edges lead back into them. Its edges
are those of its first member, each standing for one link of every member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.adjacency import Adjacency
from topologies.columns import Floats, Ints, Longs, concatenate
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class ClassEdges:
    """Terminals and access edges of all classes, class by class: edges out of the hosts before edges into them."""

    node_of: Ints  # shape (T,), first member of every terminal's class
    sends: tuple[Ints, Ints]  # endpoints with links out, and their terminals
    receives: tuple[Ints, Ints]  # endpoints with links in
    src: Ints  # shape (A,), graph nodes
    dst: Ints
    capacity_gbps: Floats  # summed over the members
    weight: Floats
    size: Floats  # members
    member_edge: Ints  # shape (M,), graph edge that member_link is a part of
    member_link: Ints


@dataclass(frozen=True, eq=False)
class _Side:
    """Links of the members of all classes in one direction, in an order that all members of a class share."""

    link: Ints  # member by member
    degree: Longs  # shape (classes,), links of each member of a class
    first: Longs  # shape (classes,), where the links of a class begin in ``link``


def class_edges(
    topology: Topology,
    out: Adjacency,
    back: Adjacency,
    classes: Sequence[Ints],
    graph_id: Ints,
    first_node: int,
    first_edge: int,
    order_gbps: Floats,
) -> ClassEdges:
    """Terminals of classes and their edges.

    Parameters
    ----------
    out, back : Adjacency
        Topology links that leave and that enter every node.
    classes : sequence of ndarray
        Members of every class, topology nodes that are attached alike.
    graph_id : ndarray, shape (N,)
        Graph node of every switch.
    first_node, first_edge : int
        Numbers that terminals and access edges begin at.
    order_gbps : ndarray, shape (L,)
        What distinguishes parallel links of a host.
    """
    members = concatenate(list(classes), np.int32)
    size = np.array([len(one) for one in classes], dtype=np.int64)
    start = np.cumsum(size) - size
    links = topology.links
    sides = [
        _side(topology, part, far, members, start, order_gbps) for part, far in ((out, links.dst), (back, links.src))
    ]
    degree = np.column_stack([side.degree for side in sides]).ravel()  # out and back of every class in turn
    has = degree > 0
    terminal = first_node + np.cumsum(has) - has
    edge_start = first_edge + np.cumsum(degree) - degree
    class_of_edge = np.repeat(np.arange(len(degree)), degree)
    at = np.arange(len(class_of_edge)) - (edge_start - first_edge)[class_of_edge]
    leads_out, number = class_of_edge % 2 == 0, class_of_edge // 2
    link = np.empty(len(class_of_edge), dtype=np.int64)
    ends = []
    member_edges, member_links, order = [], [], []
    for which, (side, chosen) in enumerate(zip(sides, (leads_out, ~leads_out), strict=True)):
        link[chosen] = side.link[side.first[number[chosen]] + at[chosen]]
        own = np.repeat(np.arange(len(size)), size)  # class of every member
        has_links = side.degree[own] > 0
        ends.append((members[has_links], terminal[2 * own + which][has_links]))
        each = np.repeat(own, side.degree[own])
        within = np.arange(len(side.link)) - np.repeat(np.cumsum(side.degree[own]) - side.degree[own], side.degree[own])
        member_edges.append(edge_start[2 * each + which] + within)
        member_links.append(side.link)
        order.append(2 * each + which)
    in_order = np.argsort(np.concatenate(order), kind="stable")
    switches = np.where(leads_out, graph_id[links.dst[link]], graph_id[links.src[link]])
    terminals = terminal[class_of_edge]
    return ClassEdges(
        node_of=members[start[np.flatnonzero(has) // 2]],
        sends=ends[0],
        receives=ends[1],
        src=np.where(leads_out, terminals, switches),
        dst=np.where(leads_out, switches, terminals),
        capacity_gbps=topology.capacity_gbps[link] * size[number],
        weight=links.weight[link],
        size=size[number].astype(np.float64),
        member_edge=np.concatenate(member_edges)[in_order],
        member_link=np.concatenate(member_links)[in_order],
    )


def _side(
    topology: Topology, adjacency: Adjacency, far: Ints, members: Ints, start: Longs, order_gbps: Floats
) -> _Side:
    degree = np.diff(adjacency.start)[members]
    owner = np.repeat(np.arange(len(members)), degree)
    begin = np.cumsum(degree) - degree
    link = adjacency.edge[np.repeat(adjacency.start[:-1][members] - begin, degree) + np.arange(len(owner))]
    order = np.lexsort((topology.links.weight[link], order_gbps[link], far[link], owner))
    return _Side(link[order], degree[start].astype(np.int64), begin[start].astype(np.int64))
