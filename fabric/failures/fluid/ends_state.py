"""The pairs of endpoints of a phase, by endpoint, by entry of the demand and by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.failures.fluid.columns import (
    BLOCK,
    END,
    ENTRY,
    GRAPH_NODE,
    MEMBER,
    PAIR,
    RECEIVER,
    SENDER,
    Ends,
    Records,
)
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import PairTraffic
from topologies.columns import Floats, Ints, Longs
from traffic.demands import UniformBlock


def by_key(key: Ints | Longs, count: int) -> tuple[Longs, Longs]:
    """Positions grouped by key, keys below 0 left out: starts (count + 1,) and positions."""
    order = np.argsort(key, kind="stable").astype(np.int64)
    start = np.searchsorted(key[order], np.arange(count + 1)).astype(np.int64)
    return start, order


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that are listed one by one."""

    src: Ints
    dst: Ints
    gbps: Floats
    code: Ints

    @staticmethod
    def of(pairs: Sequence[PairTraffic]) -> _Pairs:
        """All classes one after the other."""
        none = np.empty(0, np.int32)
        return _Pairs(
            np.concatenate([none, *(part.flows.src for part in pairs)]).astype(np.int32),
            np.concatenate([none, *(part.flows.dst for part in pairs)]).astype(np.int32),
            np.concatenate([np.empty(0), *(part.flows.amount * part.gbps_per_unit for part in pairs)]),
            np.concatenate([none, *(np.full(len(part.flows.src), at) for at, part in enumerate(pairs))]).astype(
                np.int32
            ),
        )


def entry_of(graph: RoutingGraph, demand: PhaseDemand, sink: Ints, source: Ints) -> Longs:
    """Entry of the demand between two graph nodes, -1 where there is none."""
    key = demand.dest_of_entry.astype(np.int64) * graph.nodes + demand.src
    wanted = sink.astype(np.int64) * graph.nodes + source
    if not len(key):
        return np.full(wanted.shape, -1, np.int64)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where((key[at] == wanted) & (sink != source), at, -1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Members of every block by the graph node they enter or leave at."""

    start: Longs
    node: Ints
    size: Ints
    of_member: Longs
    block: Ints
    member_start: Longs
    member: Ints

    @staticmethod
    def of(block_of_member: Ints, member: Ints, node: Ints, blocks: int, nodes: int) -> _Groups:
        """Groups in ascending order of block and node."""
        key = block_of_member.astype(np.int64) * max(nodes, 1) + node[member]
        unique, inverse, size = np.unique(key, return_inverse=True, return_counts=True)
        block, at = np.divmod(unique, max(nodes, 1))
        start, order = by_key(inverse, len(unique))
        return _Groups(
            np.searchsorted(block, np.arange(blocks + 1)).astype(np.int64),
            at.astype(np.int32),
            size.astype(np.int32),
            inverse.astype(np.int64),
            block.astype(np.int32),
            start,
            member[order].astype(np.int32),
        )


def _entry_pairs(
    graph: RoutingGraph, demand: PhaseDemand, single: _Pairs, entry: Longs, pairs: Sequence[PairTraffic]
) -> Longs:
    """Pairs of endpoints behind every entry and class, shape (nnz, C)."""
    classes = demand.gbps.shape[1]
    listed = entry >= 0
    count = np.bincount(entry[listed] * classes + single.code[listed], minlength=len(demand.src) * classes)
    table = count.reshape(len(demand.src), classes).astype(np.int64)
    for code, part in enumerate(pairs):
        for block in part.flows.blocks:
            senders, send = np.unique(graph.source[block.members], return_counts=True)
            receivers, receive = np.unique(graph.sink[block.members], return_counts=True)
            at = entry_of(graph, demand, np.repeat(receivers, len(senders)), np.tile(senders, len(receivers)))
            many = np.outer(receive, send).ravel()
            # An endpoint's own terminals have no entry: what it would send itself was never demand.
            table[at[at >= 0], code] += many[at >= 0]
    return table


def ends_of(graph: RoutingGraph, demand: PhaseDemand, pairs: Sequence[PairTraffic], places: Ints) -> Ends:
    """Columns of a graph in which every endpoint with several links is a node of its own.

    ``places`` says at which node of its row every entry of the demand enters, shape (nnz,).
    """
    nodes = len(graph.topology.nodes)
    single = _Pairs.of(pairs)
    entry = entry_of(graph, demand, graph.sink[single.dst], graph.source[single.src])
    blocks = [(code, part.gbps_per_unit, block) for code, part in enumerate(pairs) for block in part.flows.blocks]
    none = np.empty(0, np.int32)
    member = np.concatenate([none, *(block.members for _, _, block in blocks)]).astype(np.int32)
    sizes = [len(block.members) for _, _, block in blocks]
    of_block = np.repeat(np.arange(len(blocks)), sizes).astype(np.int32)
    senders = _Groups.of(of_block, member, graph.source, len(blocks), graph.nodes)
    receivers = _Groups.of(of_block, member, graph.sink, len(blocks), graph.nodes)
    row_of_sink = np.full(graph.nodes, -1, np.int32)
    row_of_sink[demand.dest] = np.arange(len(demand.dest))
    sources = by_key(single.src, nodes)
    sinks = by_key(single.dst, nodes)
    entries = by_key(entry, len(demand.src))
    of_end = by_key(member, nodes)
    at_sink = by_key(receivers.node, graph.nodes)
    one = np.zeros(len(demand.src) + 1, ENTRY)
    one["src"][:-1], one["place"][:-1], one["pairs_start"] = demand.src, places, entries[0]
    node = np.zeros(graph.nodes + 1, GRAPH_NODE)
    node["row"][:-1], node["groups_start"] = row_of_sink, at_sink[0]
    end = _end_records(graph)
    end["by_src_start"], end["by_dst_start"], end["of_start"] = sources[0], sinks[0], of_end[0]
    return Ends(
        start=demand.start.astype(np.int64),
        entry=one,
        gbps=np.array(demand.gbps),
        pairs=_entry_pairs(graph, demand, single, entry, pairs),
        node=node,
        end=end,
        pair=_records(
            PAIR, len(single.src), src=single.src, dst=single.dst, code=single.code, gbps=single.gbps,
            by_src=sources[1], by_dst=sinks[1], by_entry=entries[1],
        ),
        block=_block_records(blocks, sizes, senders, receivers),
        member=_records(
            MEMBER, len(member), end=member, block=of_block, sender=senders.of_member, receiver=receivers.of_member,
            of_end=of_end[1], by_sender=senders.member, by_receiver=receivers.member,
        ),
        sender=_records(
            SENDER, len(senders.node) + 1, node=senders.node, size=senders.size, start=senders.member_start
        ),
        receiver=_records(
            RECEIVER, len(receivers.node) + 1, node=receivers.node, size=receivers.size, block=receivers.block,
            start=receivers.member_start, at_sink=at_sink[1],
        ),
    )  # fmt: skip


def _end_records(graph: RoutingGraph) -> Records:
    """Endpoints with their nodes of the graph and their links."""
    topology, nodes = graph.topology, len(graph.topology.nodes)
    single_node, single_out, single_in = graph.single_homed
    out_link, in_link = np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32)
    out_link[single_node], in_link[single_node] = single_out, single_in
    live = topology.up & (topology.links.capacity_gbps > 0)
    is_end = np.zeros(nodes, np.bool_)
    is_end[topology.endpoint_nodes] = True
    far = topology.nodes.forwards
    out = np.bincount(topology.links.src[live & far[topology.links.dst]], minlength=nodes)
    into = np.bincount(topology.links.dst[live & far[topology.links.src]], minlength=nodes)
    end = np.zeros(nodes + 1, END)
    for name, values in (
        ("source", graph.source), ("sink", graph.sink), ("out_link", out_link), ("in_link", in_link),
        ("out_links", np.where(is_end, out, 0)), ("in_links", np.where(is_end, into, 0)),
    ):  # fmt: skip
        end[name][:-1] = values
    return end


def _records(kind: np.dtype[Any], rows: int, /, **columns: Any) -> Records:
    """A structured array; columns that are shorter leave the rest 0."""
    array = np.zeros(rows, kind)
    for name, values in columns.items():
        array[name][: len(values)] = values
    return array


def _block_records(blocks: Sequence[tuple[int, float, UniformBlock]], sizes: list[int], *groups: _Groups) -> Records:
    """Blocks with their amounts, members and groups of members."""
    array = np.zeros(len(blocks) + 1, BLOCK)
    array["code"][:-1] = [code for code, _, _ in blocks]
    array["gbps"][:-1] = [block.amount * unit for _, unit, block in blocks]
    array["start"][1:] = np.cumsum(sizes)
    array["senders_start"], array["receivers_start"] = groups[0].start, groups[1].start
    return array
