"""The graph that routers work on: switches, the terminals of multi-homed endpoints, and links that are up.

Traffic of a single-homed endpoint enters the graph at its switch; its access link carries simply what it sends and
receives. Multi-homed endpoints that hang alike **and** send and receive alike are one *class* with a source terminal
(links out only) and a sink terminal (links in only), so that no traffic crosses a host and the split over their links
is exact: by symmetry all members of a class split alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Bools, Floats, Ints, column, concatenate
from topologies.topology import Topology
from traffic.demands import Flows

_SIGNATURE_DIGITS = 9


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Edges by node: those of node v are ``edge[start[v]:start[v + 1]]``."""

    start: Ints
    edge: Ints

    @staticmethod
    def by(end: Ints, nodes: int) -> Adjacency:
        """Group edges by one of their ends."""
        order = np.argsort(end, kind="stable")
        start = np.searchsorted(end[order], np.arange(nodes + 1))
        return Adjacency(column(start, np.int32), column(order, np.int32))


@dataclass(frozen=True, eq=False)
class RoutingGraph:
    """Nodes and edges of one fabric for one set of demands; edge e has capacity and weight > 0."""

    topology: Topology
    node_of: Ints  # shape (V,), topology node of a switch; of the first member for a terminal
    is_terminal: Bools  # shape (V,)
    src: Ints  # shape (E,)
    dst: Ints
    capacity_gbps: Floats  # summed over the members of a class
    weight: Floats
    link_of: Ints  # shape (E,), topology link; -1 for the access edges of a class
    member_edge: Ints  # shape (M,), access edge that member_link is a part of
    member_link: Ints  # shape (M,), topology links of class members
    class_size: Floats  # shape (E,), members behind an access edge, 1 elsewhere
    source: Ints  # shape (N,), graph node where an endpoint's traffic enters, -1: cut off or no endpoint
    sink: Ints  # shape (N,), where it leaves

    @property
    def nodes(self) -> int:
        """Number of graph nodes."""
        return len(self.node_of)

    @cached_property
    def out(self) -> Adjacency:
        """Edges by source."""
        return Adjacency.by(self.src, self.nodes)

    @cached_property
    def into(self) -> Adjacency:
        """Edges by destination."""
        return Adjacency.by(self.dst, self.nodes)

    @cached_property
    def single_homed(self) -> tuple[Ints, Ints, Ints]:
        """Endpoint nodes with one live link, and that link's two directions: (node, up, down)."""
        topology = self.topology
        ends = topology.endpoint_nodes
        ends = ends[~topology.nodes.forwards[ends]]
        live = topology.up & (topology.links.capacity_gbps > 0)
        degree = np.bincount(topology.links.src[live], minlength=len(topology.nodes))
        is_single = np.zeros(len(topology.nodes), dtype=np.bool_)
        is_single[ends] = degree[ends] == 1
        up = np.flatnonzero(live & is_single[topology.links.src])
        down = topology.links.reverse[up]
        return column(topology.links.src[up], np.int32), column(up, np.int32), column(down, np.int32)

    def node_name(self, node: int) -> str:
        """Name of the topology node a graph node stands for."""
        return self.topology.nodes.name[int(self.node_of[node])]

    def edge_name(self, edge: int) -> str:
        """Name of the topology link an edge stands for, or of the class's access."""
        link = int(self.link_of[edge])
        return (
            self.topology.link_name(link)
            if link >= 0
            else f"{self.node_name(self.src[edge])} -> {self.node_name(self.dst[edge])}"
        )

    def link_loads(self, edge_gbps: Floats, sent_gbps: Floats, received_gbps: Floats) -> Floats:
        """Loads of the topology's links from loads of the edges, shape (L, C).

        Parameters
        ----------
        edge_gbps : ndarray, shape (E, C)
        sent_gbps, received_gbps : ndarray, shape (N, C)
            What every endpoint sends and receives.
        """
        loads = np.zeros((len(self.topology.links), edge_gbps.shape[1]))
        core = self.link_of >= 0
        loads[self.link_of[core]] = edge_gbps[core]
        loads[self.member_link] = edge_gbps[self.member_edge] / self.class_size[self.member_edge, None]
        node, up, down = self.single_homed
        loads[up] = sent_gbps[node]
        loads[down[down >= 0]] = received_gbps[node[down >= 0]]
        return loads


@dataclass(frozen=True, eq=False)
class PhaseDemand:
    """Demand of one phase between graph nodes, by destination; C traffic classes side by side."""

    dest: Ints  # shape (D,), graph nodes that receive
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (nnz,), graph nodes that send
    gbps: Floats  # shape (nnz, C)
    sent_gbps: Floats  # shape (N, C), by topology node
    received_gbps: Floats
    cut_off: tuple[tuple[int, int, int], ...]  # (class, src, dst) topology nodes of rows whose end has no live link
    cut_off_pairs: int

    @property
    def total_gbps(self) -> Floats:
        """Demand per entry summed over the classes, shape (nnz,)."""
        total: Floats = self.gbps.sum(axis=1)
        return total

    @cached_property
    def dest_of_entry(self) -> Ints:
        """Destination graph node of every entry, shape (nnz,)."""
        return column(np.repeat(self.dest, np.diff(self.start)), np.int32)


def _multi_homed(topology: Topology) -> tuple[Ints, Bools]:
    """Endpoints with several live links, and the mask of live links."""
    live = topology.up & (topology.links.capacity_gbps > 0)
    degree = np.bincount(topology.links.src[live], minlength=len(topology.nodes))
    ends = topology.endpoint_nodes
    return column(ends[~topology.nodes.forwards[ends] & (degree[ends] > 1)], np.int32), column(live, np.bool_)


def _signatures(topology: Topology, flows: Sequence[Flows]) -> Floats:
    """Two numbers per endpoint that are equal when it sends to and receives from the same groups the same amounts.

    A random projection of each endpoint's row and column of demand, by class; shape (N, 2).
    """
    rng = np.random.default_rng(12345)
    groups = topology.groups
    nodes = len(topology.nodes)
    total = np.zeros((nodes, 2))
    for part in flows:
        for side, (own, other) in enumerate(((part.src, part.dst), (part.dst, part.src))):
            weight = rng.random(len(groups)) + 0.5
            total[:, side] += np.bincount(own, part.amount * weight[groups.of_node[other]], nodes)
            for block in part.blocks:
                own_weight = weight[groups.of_node[block.members]]
                total[block.members, side] += block.amount * (own_weight.sum() - own_weight)
    return total


def build_graph(topology: Topology, flows: Sequence[Flows], *, apart: bool = False) -> RoutingGraph:
    """The routing graph of a fabric; ``flows`` decide which multi-homed endpoints are alike and active.

    With ``apart`` every active multi-homed endpoint is a class of its own, for routers that place single flows.
    """
    nodes, links = topology.nodes, topology.links
    multi, live = _multi_homed(topology)
    switch = np.flatnonzero(nodes.forwards)
    graph_id = np.full(len(nodes), -1, dtype=np.int32)
    graph_id[switch] = np.arange(len(switch))
    core = np.flatnonzero(live & nodes.forwards[links.src] & nodes.forwards[links.dst])

    source, sink = graph_id.copy(), graph_id.copy()
    access_up = np.flatnonzero(live & ~nodes.forwards[links.src] & nodes.forwards[links.dst])
    single = np.zeros(len(nodes), dtype=np.bool_)
    single[topology.endpoint_nodes] = True
    single[multi] = False
    own = access_up[single[links.src[access_up]]]
    source[links.src[own]] = sink[links.src[own]] = graph_id[links.dst[own]]

    parts = _ClassEdges(topology, live, len(switch))
    if len(multi):
        parts.add_classes(multi, _signatures(topology, flows), graph_id, source, sink, apart=apart)
    member_nodes = concatenate([np.asarray(parts.node_of)], np.int32)
    return RoutingGraph(
        topology=topology,
        node_of=concatenate([switch, member_nodes], np.int32),
        is_terminal=column(np.arange(len(switch) + len(member_nodes)) >= len(switch), np.bool_),
        src=concatenate([graph_id[links.src[core]], *parts.src], np.int32),
        dst=concatenate([graph_id[links.dst[core]], *parts.dst], np.int32),
        capacity_gbps=concatenate([links.capacity_gbps[core], *parts.capacity], np.float64),
        weight=concatenate([links.weight[core], *parts.weight], np.float64),
        link_of=concatenate([core, *(np.full(len(part), -1) for part in parts.src)], np.int32),
        member_edge=concatenate([np.asarray(part) + len(core) for part in parts.member_edge], np.int32),
        member_link=concatenate(parts.member_link, np.int32),
        class_size=concatenate([np.ones(len(core)), *parts.size], np.float64),
        source=column(source, np.int32),
        sink=column(sink, np.int32),
    )


class _ClassEdges:
    """Collects terminals and access edges of the classes of multi-homed endpoints."""

    def __init__(self, topology: Topology, live: Bools, first_node: int) -> None:
        self.topology = topology
        self.live = live
        self.next_node = first_node
        self.node_of: list[int] = []
        self.src: list[Ints] = []
        self.dst: list[Ints] = []
        self.capacity: list[Floats] = []
        self.weight: list[Floats] = []
        self.size: list[Floats] = []
        self.member_edge: list[Ints] = []
        self.member_link: list[Ints] = []
        self._edges = 0

    def add_classes(
        self, multi: Ints, signature: Floats, graph_id: Ints, source: Ints, sink: Ints, *, apart: bool
    ) -> None:
        """One class per attachment group and signature; ``source`` and ``sink`` are filled in."""
        topology, links = self.topology, self.topology.links
        active = multi[(signature[multi] != 0).any(axis=1)]
        if not len(active):
            return
        scale = np.abs(signature[active]).max(axis=0)
        rounded = np.round(signature[active] / np.where(scale > 0, scale, 1), _SIGNATURE_DIGITS)
        keys = np.column_stack([topology.groups.of_node[active], rounded])
        _, code = np.unique(active if apart else keys, axis=0, return_inverse=True)
        ups = np.flatnonzero(self.live)
        ups = ups[np.argsort(links.src[ups], kind="stable")]
        start = np.searchsorted(links.src[ups], np.arange(len(topology.nodes) + 1))
        for cls in range(int(code.max()) + 1):
            members = active[code == cls]
            rows = np.stack([self._sorted(column(ups[start[n] : start[n + 1]], np.int32)) for n in members.tolist()])
            switches = graph_id[links.dst[rows[0]]]
            self._add(members, rows, switches, source, out=True)
            self._add(members, links.reverse[rows], switches, sink, out=False)

    def _sorted(self, rows: Ints) -> Ints:
        links = self.topology.links
        order = np.lexsort((links.weight[rows], links.capacity_gbps[rows], links.dst[rows]))
        return column(rows[order], np.int32)

    def _add(self, members: Ints, rows: Ints, switches: Ints, terminal_of: Ints, *, out: bool) -> None:
        links = self.topology.links
        terminal = np.full(len(switches), self.next_node, dtype=np.int32)
        terminal_of[members] = self.next_node
        self.next_node += 1
        self.node_of.append(int(members[0]))
        self.src.append(terminal if out else switches)
        self.dst.append(switches if out else terminal)
        self.capacity.append(links.capacity_gbps[rows[0]] * len(members))
        self.weight.append(links.weight[rows[0]])
        self.size.append(np.full(len(switches), float(len(members))))
        self.member_edge.append(np.tile(np.arange(self._edges, self._edges + len(switches)), len(members)))
        self.member_link.append(rows.ravel())
        self._edges += len(switches)


def phase_demand(graph: RoutingGraph, flows: Sequence[Flows], gbps_per_unit: Sequence[float]) -> PhaseDemand:
    """Aggregate flows to graph nodes.

    Parameters
    ----------
    flows : one per traffic class
    gbps_per_unit : one per traffic class
        What turns the class's amounts into Gbps on the wire.
    """
    nodes, classes = len(graph.topology.nodes), len(flows)
    sent, received = np.zeros((nodes, classes)), np.zeros((nodes, classes))
    keys: list[Ints] = []
    values: list[Floats] = []
    codes: list[Ints] = []
    lost: list[tuple[int, int, int]] = []
    lost_pairs = 0
    for code, (part, scale) in enumerate(zip(flows, gbps_per_unit, strict=True)):
        tail, head, amount = part.src, part.dst, part.amount * scale
        reachable = (graph.source[tail] >= 0) & (graph.sink[head] >= 0)
        for row in np.flatnonzero(~reachable)[:20].tolist():
            lost.append((code, int(tail[row]), int(head[row])))
        lost_pairs += int((~reachable).sum())
        tail, head, amount = tail[reachable], head[reachable], amount[reachable]
        sent[:, code] += np.bincount(tail, amount, nodes)
        received[:, code] += np.bincount(head, amount, nodes)
        keys.append(graph.sink[head].astype(np.int64) * graph.nodes + graph.source[tail])
        values.append(amount)
        codes.append(np.full(len(amount), code))
        for block in part.blocks:
            members = block.members[(graph.source[block.members] >= 0) & (graph.sink[block.members] >= 0)]
            gone = np.setdiff1d(block.members, members)
            lost.extend((code, int(node), int(members[0] if len(members) else node)) for node in gone[:20].tolist())
            lost_pairs += block.pairs - len(members) * (len(members) - 1)
            each = block.amount * scale
            sent[members, code] += each * (len(members) - 1)
            received[members, code] += each * (len(members) - 1)
            key, value = _block_entries(graph, members, each)
            keys.append(key)
            values.append(value)
            codes.append(np.full(len(key), code))
    return _by_destination(graph, keys, values, codes, sent, received, tuple(lost), lost_pairs)


def _block_entries(graph: RoutingGraph, members: Ints, each: float) -> tuple[Ints, Floats]:
    """Entries (key, Gbps) of a dense block between the terminals of its members."""
    entry, entries = np.unique(graph.source[members], return_counts=True)
    leave, leaves = np.unique(graph.sink[members], return_counts=True)
    count = np.outer(leaves, entries).astype(np.float64)
    if (graph.source[members] != graph.sink[members]).any():
        own = np.unique(np.column_stack([graph.sink[members], graph.source[members]]), axis=0, return_counts=True)
        (pairs, minus) = own
        count[np.searchsorted(leave, pairs[:, 0]), np.searchsorted(entry, pairs[:, 1])] -= minus
    key = (leave.astype(np.int64)[:, None] * graph.nodes + entry[None, :]).ravel()
    return key, (count * each).ravel()


def _by_destination(
    graph: RoutingGraph,
    keys: list[Ints],
    values: list[Floats],
    codes: list[Ints],
    sent: Floats,
    received: Floats,
    lost: tuple[tuple[int, int, int], ...],
    lost_pairs: int,
) -> PhaseDemand:
    key = concatenate(keys, np.int64)
    value = concatenate(values, np.float64)
    code = concatenate(codes, np.int32)
    sink, source = np.divmod(key, max(graph.nodes, 1))
    keep = (sink != source) & (value > 0)
    unique, inverse = np.unique(key[keep], return_inverse=True)
    classes = sent.shape[1]
    cell = inverse * classes + code[keep]
    gbps = np.bincount(cell, value[keep], len(unique) * classes).reshape(len(unique), classes)
    sink, source = np.divmod(unique, max(graph.nodes, 1))
    dest, first = np.unique(sink, return_index=True)
    return PhaseDemand(
        dest=column(dest, np.int32),
        start=column(np.append(first, len(unique)), np.int32),
        src=column(source, np.int32),
        gbps=column(gbps, np.float64),
        sent_gbps=column(sent, np.float64),
        received_gbps=column(received, np.float64),
        cut_off=lost,
        cut_off_pairs=lost_pairs,
    )
