"""The graph that routers work on: switches, the terminals of multi-homed endpoints, and links that are up.

Traffic of a single-homed endpoint enters the graph at its switch; its access link carries simply what it sends and
receives. All other endpoints that are attached alike **and** exchange alike amounts with alike partners are one *class*
with a source terminal (links out only) and a sink terminal (links in only), so that no traffic crosses a host and the
split over their links is exact: members of a class may be averaged without loss (Grohe, Kersting, Mladenov, Selman,
"Dimension reduction via colour refinement", ESA 2014). Links between two hosts are left out: hosts do not
forward. A link without capacity is not a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from fabric.routing.adjacency import Adjacency as Adjacency
from fabric.routing.block_demand import block_entries, only_block
from fabric.routing.class_edges import class_edges
from fabric.routing.switch_edges import SwitchEdges
from fabric.routing.twins import TwinNet, slot_of_edges
from topologies.columns import Bools, Floats, Ints, Longs, column, concatenate
from topologies.topology import Topology
from traffic.demands import Flows

_SIGNATURE_DIGITS = 9


class Inward(NamedTuple):
    """Edges in the order of the adjacency by head, called slots, as compiled loops read them."""

    start: Ints  # shape (V + 1,)
    tail: Ints  # shape (E,)
    weight: Floats
    equal: bool  # whether all weights are


class DemandRows(NamedTuple):
    """Who sends to each destination, as compiled loops read it: row r has the entries ``start[r]:start[r + 1]``."""

    dest: Ints
    start: Ints | Longs
    src: Ints  # by entry


class SplitColumns(NamedTuple):
    """Explicit splits as compiled loops read them; see ``fabric.routing.router.Splits``."""

    start: Longs
    edge: Ints
    fraction: Floats


def all_equal(values: Ints | Floats) -> bool:
    """Whether no two of the values differ."""
    return bool(len(values) == 0 or np.ptp(values) == 0)


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
    single_homed: tuple[Ints, Ints, Ints]  # endpoint nodes with one link, and its topology links out and back

    @property
    def nodes(self) -> int:
        """Number of graph nodes."""
        return len(self.node_of)

    @cached_property
    def equal_weights(self) -> bool:
        """Whether hop counts decide shortest paths."""
        return all_equal(self.weight)

    @cached_property
    def is_layered(self) -> bool:
        """Whether switches stand at different heights, as in leaf-spine and fat trees."""
        return not all_equal(self.topology.nodes.level[self.node_of[~self.is_terminal]])

    @cached_property
    def first_link(self) -> Ints:
        """Topology link of every edge, shape (E,); of the first member of a class."""
        links = self.link_of.copy()
        links[self.member_edge[::-1]] = self.member_link[::-1]
        return column(links, np.int32)

    @cached_property
    def out(self) -> Adjacency:
        """Edges by source."""
        return Adjacency.by(self.src, self.nodes)

    @cached_property
    def into(self) -> Adjacency:
        """Edges by destination."""
        return Adjacency.by(self.dst, self.nodes)

    @cached_property
    def inward(self) -> Inward:
        """Edges by destination, for searches from a destination backwards."""
        return Inward(self.into.start, self.src[self.into.edge], self.weight[self.into.edge], self.equal_weights)

    @cached_property
    def between_switches(self) -> Longs:
        """Edges without a terminal."""
        return np.flatnonzero(~self.is_terminal[self.src] & ~self.is_terminal[self.dst])

    @cached_property
    def strong_part(self) -> Ints:
        """Number of the part of every node inside which all switches reach each other over links between switches."""
        return self._switches.with_others(self._switches.strong_part, self.nodes)

    @cached_property
    def slot_of_edge(self) -> Longs:
        """Slot of ``twin_net`` that every edge of ``between_switches`` is a part of."""
        core = self.between_switches
        return slot_of_edges(self.twin_net, self.src[core], self.dst[core])

    @cached_property
    def twins(self) -> Ints:
        """Set of every switch that has the same links as others; switches are the first of all nodes."""
        return self._switches.twins

    @cached_property
    def twin_net(self) -> TwinNet:
        """The network of those sets."""
        net = self._switches.twin_net
        set_of = np.full(self.nodes, -1, dtype=np.int32)
        set_of[: len(net.set_of)] = net.set_of
        return net._replace(set_of=column(set_of, np.int32))

    @cached_property
    def _switches(self) -> SwitchEdges:
        """The edges between switches, which no demand changes: what is found of them is kept with the topology."""
        kept: dict[str, Any] = vars(self.topology)
        if "_switch_edges" not in kept:
            core = self.between_switches
            kept["_switch_edges"] = SwitchEdges(int((~self.is_terminal).sum()), self.src[core], self.dst[core])
        found: SwitchEdges = kept["_switch_edges"]
        return found

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
        loads[down] = received_gbps[node]
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

    @property
    def total_gbps(self) -> Floats:
        """Demand per entry summed over the classes, shape (nnz,)."""
        total: Floats = self.gbps.sum(axis=1)
        return total

    @property
    def rows(self) -> DemandRows:
        """Destinations and their senders."""
        return DemandRows(self.dest, self.start, self.src)

    @cached_property
    def dest_of_entry(self) -> Ints:
        """Destination graph node of every entry, shape (nnz,)."""
        return column(np.repeat(self.dest, np.diff(self.start)), np.int32)

    @cached_property
    def row_of_entry(self) -> Longs:
        """Row in ``dest`` of every entry, shape (nnz,)."""
        return column(np.repeat(np.arange(len(self.dest)), np.diff(self.start)), np.int64)


@dataclass(frozen=True, eq=False)
class _Access:
    """Live links between endpoints that do not forward and switches."""

    out: Adjacency  # topology links that leave every node
    back: Adjacency  # topology links that enter every node
    single: Ints  # endpoints with one link out and one back, to the same switch
    multi: Ints  # the other endpoints that have any


def _access(topology: Topology, live: Bools, inside: Ints | None) -> _Access:
    nodes, links = topology.nodes, topology.links
    outs = np.flatnonzero(live & ~nodes.forwards[links.src] & nodes.forwards[links.dst])
    backs = np.flatnonzero(live & nodes.forwards[links.src] & ~nodes.forwards[links.dst])
    out, back = Adjacency.by(links.src[outs], len(nodes)), Adjacency.by(links.dst[backs], len(nodes))
    out, back = (
        Adjacency(out.start, column(outs[out.edge], np.int32)),
        Adjacency(back.start, column(backs[back.edge], np.int32)),
    )
    ends = topology.endpoint_nodes
    ends = ends[~nodes.forwards[ends]]
    one = (np.diff(out.start)[ends] == 1) & (np.diff(back.start)[ends] == 1)
    candidates = ends[one]
    same = links.dst[out.edge[out.start[candidates]]] == links.src[back.edge[back.start[candidates]]]
    is_single = np.zeros(len(nodes), dtype=np.bool_)
    is_single[candidates[same]] = True
    if inside is not None:
        is_single[column(inside, np.int32)] = False
    attached = (np.diff(out.start)[ends] > 0) | (np.diff(back.start)[ends] > 0)
    multi = ends[attached & ~is_single[ends]]
    return _Access(out, back, column(np.flatnonzero(is_single), np.int32), column(multi, np.int32))


def _built_multi_homed(topology: Topology) -> Ints:
    """Endpoints that are multi-homed with all links up: they stay terminals when links of theirs are down."""
    return _access(topology, column(topology.links.capacity_gbps > 0, np.bool_), None).multi


def _exchange(topology: Topology, flows: Sequence[Flows], colour: Ints) -> Floats:
    """Random projections of what every node exchanges with every colour, per traffic class and direction.

    Shape (N, 2 x classes); equal rows mean equal amounts to and from partners of equal colours. Every column is scaled
    by its largest entry, so that classes of different units do not drown each other.
    """
    rng = np.random.default_rng(12345)
    nodes = len(topology.nodes)
    columns = []
    for part in flows:
        for own, other in ((part.src, part.dst), (part.dst, part.src)):
            weight = rng.random(int(colour.max(initial=0)) + 2) + 0.5
            total = np.bincount(own, part.amount * weight[colour[other]], nodes).astype(np.float64)
            for block in part.blocks:
                mine = weight[colour[block.members]]
                total[block.members] += block.amount * (mine.sum() - mine)
            scale = total.max(initial=0.0)
            columns.append(np.round(total / scale if scale > 0 else total, _SIGNATURE_DIGITS))
    return np.column_stack(columns) if columns else np.zeros((nodes, 0))


def _row_codes(rows: Floats) -> Longs:
    """Number of every row among the different ones in ascending order, as ``np.unique`` over rows gives it."""
    order = np.lexsort(rows.T[::-1])
    differs = np.append(False, (rows[order[1:]] != rows[order[:-1]]).any(axis=1))[: len(rows)]
    code = np.empty(len(rows), dtype=np.int64)
    code[order] = np.cumsum(differs)
    return code


def _classes(topology: Topology, flows: Sequence[Flows], multi: Ints) -> list[Ints]:
    """Members of every class of active multi-homed endpoints, by refinement until nothing splits any more."""
    colour = topology.groups.of_node.copy()
    colour[topology.nodes.forwards] = np.arange(int(topology.nodes.forwards.sum())) + int(colour.max(initial=0)) + 1
    first = int(colour.max(initial=0)) + 1
    exchange = _exchange(topology, flows, colour)
    active = multi[(exchange[multi] != 0).any(axis=1)]
    count = 0
    while len(active):
        keys = np.column_stack([colour[active], exchange[active]])
        code = _row_codes(keys)
        colour[active] = first + code
        if int(code.max()) + 1 == count:
            return np.split(active[np.argsort(code, kind="stable")], np.cumsum(np.bincount(code))[:-1])
        count = int(code.max()) + 1
        exchange = _exchange(topology, flows, colour)
    return []


# Without multi-homed endpoints a graph is the same for all demand. It holds its topology: an id is of one that lives.
_SHARED: WeakValueDictionary[int, RoutingGraph] = WeakValueDictionary()


def build_graph(
    topology: Topology, flows: Sequence[Flows], *, per_endpoint: bool = False, access_in_graph: Ints | None = None
) -> RoutingGraph:
    """The routing graph of a fabric; ``flows`` decide which multi-homed endpoints are alike and active.

    With ``per_endpoint`` every endpoint that is multi-homed with all links up is a class of its own, for routers that
    place single flows. Single-homed endpoints in ``access_in_graph`` are treated like multi-homed ones: their access
    links are edges.
    """
    whole = topology.up.all()
    shared = (access_in_graph is None or not len(access_in_graph)) and (whole or not per_endpoint)
    if shared and id(topology) in _SHARED:
        return _SHARED[id(topology)]
    if per_endpoint and not whole:
        access_in_graph = np.union1d(_built_multi_homed(topology), [] if access_in_graph is None else access_in_graph)
    live = column(topology.up & (topology.links.capacity_gbps > 0), np.bool_)
    access = _access(topology, live, access_in_graph)
    classes = (
        [column([node], np.int32) for node in access.multi] if per_endpoint else _classes(topology, flows, access.multi)
    )
    graph = _graph_of(topology, live, access, classes, per_endpoint=per_endpoint)
    if shared and not len(access.multi):
        _SHARED[id(topology)] = graph
    return graph


def _graph_of(
    topology: Topology, live: Bools, access: _Access, classes: list[Ints], *, per_endpoint: bool
) -> RoutingGraph:
    nodes, links = topology.nodes, topology.links
    capacity = topology.capacity_gbps
    switch = np.flatnonzero(nodes.forwards)
    graph_id = np.full(len(nodes), -1, dtype=np.int32)
    graph_id[switch] = np.arange(len(switch))
    core = np.flatnonzero(live & nodes.forwards[links.src] & nodes.forwards[links.dst])
    up, down = access.out.edge[access.out.start[access.single]], access.back.edge[access.back.start[access.single]]
    source, sink = graph_id.copy(), graph_id.copy()
    source[access.single] = sink[access.single] = graph_id[links.dst[up]]

    order_gbps = topology.links.capacity_gbps if per_endpoint else capacity
    access_edges = class_edges(topology, access.out, access.back, classes, graph_id, len(switch), len(core), order_gbps)
    source[access_edges.sends[0]], sink[access_edges.receives[0]] = access_edges.sends[1], access_edges.receives[1]
    nodes_in_all = len(switch) + len(access_edges.node_of)
    return RoutingGraph(
        topology=topology,
        node_of=concatenate([switch, access_edges.node_of], np.int32),
        is_terminal=column(np.arange(nodes_in_all) >= len(switch), np.bool_),
        src=concatenate([graph_id[links.src[core]], access_edges.src], np.int32),
        dst=concatenate([graph_id[links.dst[core]], access_edges.dst], np.int32),
        capacity_gbps=concatenate([capacity[core], access_edges.capacity_gbps], np.float64),
        weight=concatenate([links.weight[core], access_edges.weight], np.float64),
        link_of=concatenate([core, np.full(len(access_edges.src), -1)], np.int32),
        member_edge=column(access_edges.member_edge, np.int32),
        member_link=column(access_edges.member_link, np.int32),
        class_size=concatenate([np.ones(len(core)), access_edges.size], np.float64),
        source=column(source, np.int32),
        sink=column(sink, np.int32),
        single_homed=(access.single, column(up, np.int32), column(down, np.int32)),
    )


def phase_demand(graph: RoutingGraph, flows: Sequence[Flows], gbps_per_unit: Sequence[float]) -> PhaseDemand:
    """Aggregate flows to graph nodes.

    Parameters
    ----------
    flows : one per traffic class
        Whose ends all have live links; see ``fabric.routing.reach``.
    gbps_per_unit : one per traffic class
        What turns the class's amounts into Gbps on the wire.
    """
    nodes, classes = len(graph.topology.nodes), len(flows)
    sent, received = np.zeros((nodes, classes)), np.zeros((nodes, classes))
    keys: list[Ints | Longs] = []
    values: list[Floats] = []
    codes: list[Ints] = []
    for code, (part, scale) in enumerate(zip(flows, gbps_per_unit, strict=True)):
        amount = part.amount * scale
        sent[:, code] += np.bincount(part.src, amount, nodes)
        received[:, code] += np.bincount(part.dst, amount, nodes)
        keys.append(graph.sink[part.dst].astype(np.int64) * graph.nodes + graph.source[part.src])
        values.append(amount)
        codes.append(np.full(len(amount), code))
        if part.blocks:
            members = np.concatenate([block.members for block in part.blocks])
            sizes = [len(block.members) for block in part.blocks]
            all_others = np.array([block.amount * scale * (len(block.members) - 1) for block in part.blocks])
            in_blocks = np.bincount(members, np.repeat(all_others, sizes), nodes)
            sent[:, code] += in_blocks
            received[:, code] += in_blocks
            if classes == 1 and len(part.blocks) == 1 and not len(amount):
                alone = only_block(part.blocks[0], graph.source, graph.sink, scale)
                if alone is not None:
                    ends = (sent, received)
                    return PhaseDemand(*alone[:3], alone.gbps[:, None], *(column(end, np.float64) for end in ends))
            key, value = block_entries(part.blocks, graph.source, graph.sink, graph.nodes, scale)
            keys.append(key)
            values.append(value)
            codes.append(np.full(len(key), code))
    return _by_destination(graph, keys, values, codes, sent, received)


def _by_destination(
    graph: RoutingGraph,
    keys: list[Ints | Longs],
    values: list[Floats],
    codes: list[Ints],
    sent: Floats,
    received: Floats,
) -> PhaseDemand:
    key, value, nodes, classes = (
        concatenate(keys, np.int64),
        concatenate(values, np.float64),
        graph.nodes,
        sent.shape[1],
    )
    keep = (key % (nodes + 1) != 0) & (value > 0)  # sink x nodes + source, where both are one
    key, value, code = key[keep], value[keep], concatenate(codes, np.int32)[keep] if classes > 1 else 0
    if (key[1:] > key[:-1]).all() and classes == 1:
        gbps = value[:, None]
    else:
        order = np.argsort(key, kind="stable")
        is_first = np.append(True, key[order][1:] != key[order][:-1])[: len(key)]
        cell = np.empty(len(key), dtype=np.int64)
        cell[order] = (np.cumsum(is_first) - 1) * classes
        key = key[order[is_first]]
        gbps = np.bincount(cell + code, value, len(key) * classes).reshape(len(key), classes)
    sink = key // max(nodes, 1)
    source = key - sink * nodes
    first = np.flatnonzero(np.append(True, sink[1:] != sink[:-1])[: len(sink)])
    dest = sink[first]
    return PhaseDemand(
        dest=column(dest, np.int32),
        start=column(np.append(first, len(key)), np.int32),
        src=column(source, np.int32),
        gbps=column(gbps, np.float64),
        sent_gbps=column(sent, np.float64),
        received_gbps=column(received, np.float64),
    )
