"""Demand that has no path, taken out before routing: it loads no link, and is reported with its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import RoutingGraph
from fabric.routing.kernels import hop_order
from topologies.columns import Bools, Ints, column
from topologies.errors import RoutingError
from traffic.demands import Flows, UniformBlock, merge_flows

SHOWN = 20  # pairs reported by name
_MOST_ROWS = 20_000_000


@dataclass(frozen=True)
class Unreachable:
    """Pairs without a path: how many, and the first as (class, src, dst) topology nodes."""

    pairs: int
    classes: tuple[int, ...]  # traffic classes that lose something
    shown: tuple[tuple[int, int, int], ...]


class _Reach:
    """Which graph nodes reach which; asked per pair of endpoints.

    Switches that reach each other both ways are one part of the graph, and terminals that are attached to the same
    parts reach the same: one search for each such set of parts answers for all.
    """

    def __init__(self, graph: RoutingGraph, flows: Sequence[Flows]) -> None:
        self.graph = graph
        self._parts: set[int] = set()
        senders = [part.src for part in flows] + [block.members for part in flows for block in part.blocks]
        receivers = [part.dst for part in flows] + [block.members for part in flows for block in part.blocks]
        sources, self._row_of_source = self._labelled(graph.source, senders, graph.src, graph.dst)
        sinks, self._row_of_sink = self._labelled(graph.sink, receivers, graph.dst, graph.src)
        self._table = self._by_search(sinks, sources)

    def _labelled(self, terminal: Ints, ends: list[Ints], own: Ints, other: Ints) -> tuple[Ints, Ints]:
        """One of the nodes in use for every set of parts they are attached to, and the number of every node's set."""
        graph, part = self.graph, self.graph.strong_part
        used = np.zeros(graph.nodes + 1, dtype=np.bool_)  # the last one for endpoints that are cut off
        for some in ends:
            used[terminal[some]] = True
        used = used[:-1]
        switches = np.flatnonzero(used & ~graph.is_terminal)
        attached = np.flatnonzero((used & graph.is_terminal)[own]) if graph.is_terminal.any() else switches[:0]
        pair = np.unique(own[attached].astype(np.int64) * graph.nodes + part[other[attached]])
        pair = np.concatenate([switches.astype(np.int64) * graph.nodes + part[switches], pair])
        node, near = np.divmod(pair, graph.nodes)
        self._parts.update(np.unique(near).tolist())
        start = np.flatnonzero(np.append(True, node[1:] != node[:-1])[: len(node)])
        count = np.diff(np.append(start, len(node)))
        sets = np.full((len(start), int(count.max(initial=1))), -1)
        sets[np.repeat(np.arange(len(start)), count), np.arange(len(node)) - np.repeat(start, count)] = near
        if sets.shape[1] == 1:
            _, first, label = np.unique(sets[:, 0], return_index=True, return_inverse=True)
        else:
            _, first, label = np.unique(sets, axis=0, return_index=True, return_inverse=True)
        row = np.full(graph.nodes, -1)
        row[node[start]] = label.ravel()
        return column(node[start][first], np.int32), column(row, np.int32)

    def _by_search(self, sinks: Ints, sources: Ints) -> Bools:
        """Table (sink, source), by one search backwards from every sink."""
        graph = self.graph
        if len(self._parts) <= 1:
            return column(np.ones((len(sinks), len(sources))), np.bool_)
        tail = graph.src[graph.into.edge]
        distance, order = np.empty(graph.nodes), np.empty(graph.nodes, dtype=np.int64)
        table = np.zeros((len(sinks), len(sources)), dtype=np.bool_)
        for row, sink in enumerate(sinks.tolist()):
            hop_order(sink, graph.into.start, tail, distance, order)
            table[row] = np.isfinite(distance[sources])
        return column(table, np.bool_)

    def _rows(self, src: Ints, dst: Ints) -> tuple[Ints, Ints]:
        """Rows of the table, -1 for endpoints that are cut off."""
        source, sink = self.graph.source[src], self.graph.sink[dst]
        return (
            np.where(source >= 0, self._row_of_source[source], -1),
            np.where(sink >= 0, self._row_of_sink[sink], -1),
        )

    def pairs(self, src: Ints, dst: Ints) -> Bools:
        """Whether each src reaches its dst; topology nodes."""
        source, sink = self._rows(src, dst)
        found = (source >= 0) & (sink >= 0)
        found[found] = self._table[sink[found], source[found]]
        return column(found, np.bool_)

    def has_all(self, part: Flows) -> bool:
        """Whether all pairs of a class have a path, where that shows without looking at the pairs of blocks."""
        if not self.pairs(part.src, part.dst).all():
            return False
        if not part.blocks:
            return True
        members = np.concatenate([block.members for block in part.blocks])
        start = np.cumsum([0, *(len(block.members) for block in part.blocks[:-1])])
        source, sink = self._rows(members, members)
        if source.min() < 0 or sink.min() < 0:
            return False
        if self._table.all():
            return True
        least, most = np.minimum.reduceat(source, start), np.maximum.reduceat(source, start)
        low, high = np.minimum.reduceat(sink, start), np.maximum.reduceat(sink, start)
        return bool((least == most).all() and (low == high).all() and self._table[low, least].all())

    def complete(self, members: Ints) -> bool:
        """Whether all members reach each other."""
        source, sink = (np.unique(rows) for rows in self._rows(members, members))
        if source[0] < 0 or sink[0] < 0:
            return False
        return bool(self._table[np.ix_(sink, source)].all())


def split_reachable(graph: RoutingGraph, flows: Sequence[Flows]) -> tuple[list[Flows], Unreachable]:
    """The demand that has a path, per class, and what has none."""
    reach = _Reach(graph, flows)
    kept: list[Flows] = []
    shown: list[tuple[int, int, int]] = []
    lost = np.zeros(len(flows), dtype=np.int64)
    for code, part in enumerate(flows):
        if reach.has_all(part):
            kept.append(part)
            continue
        good = reach.pairs(part.src, part.dst)
        pieces = [Flows(part.src[good], part.dst[good], part.amount[good])]
        bad = np.flatnonzero(~good)
        lost[code] += len(bad)
        shown += [(code, int(part.src[row]), int(part.dst[row])) for row in bad[:SHOWN].tolist()]
        for block in part.blocks:
            piece, missing, example = _split_block(reach, block)
            pieces.append(piece)
            lost[code] += missing
            shown += [(code, src, dst) for src, dst in example]
        kept.append(part if good.all() and not part.blocks else merge_flows(pieces))
    return kept, Unreachable(int(lost.sum()), tuple(np.flatnonzero(lost).tolist()), tuple(shown[:SHOWN]))


def _split_block(reach: _Reach, block: UniformBlock) -> tuple[Flows, int, list[tuple[int, int]]]:
    """What of a dense block has a path: the block, smaller blocks of islands, or its rows."""
    none = Flows.none()
    if reach.complete(block.members):
        return Flows(none.src, none.dst, none.amount, (block,)), 0, []
    islands = _islands(reach, block.members)
    if islands is not None:
        blocks = tuple(UniformBlock(members, block.amount) for members in islands if len(members) > 1)
        missing = block.pairs - sum(part.pairs for part in blocks)
        first, rest = block.members[0], block.members[1:]
        cut = rest[~reach.pairs(np.full(len(rest), first), rest)]
        return Flows(none.src, none.dst, none.amount, blocks), missing, [(int(first), int(to)) for to in cut[:SHOWN]]
    if block.pairs > _MOST_ROWS:
        raise RoutingError(
            f"{block.pairs:,} pairs of an all-to-all reach each other one way only; {_MOST_ROWS:,} are the most",
            hint="use fewer members, or level: leaf",
            code="FP5003",
        )
    src, dst = block.ends
    good = reach.pairs(src, dst)
    bad = np.flatnonzero(~good)
    example = [(int(src[row]), int(dst[row])) for row in bad[:SHOWN].tolist()]
    return Flows.of(src[good], dst[good], np.full(int(good.sum()), block.amount)), len(bad), example


def _islands(reach: _Reach, members: Ints) -> list[Ints] | None:
    """Members in sets that reach each other inside and nobody outside; None when reach is not that simple."""
    source, sink = reach.graph.source[members], reach.graph.sink[members]
    left = np.ones(len(members), dtype=np.bool_)
    found: list[Ints] = []
    while left.any():
        at = int(np.flatnonzero(left)[0])
        if source[at] < 0 or sink[at] < 0:
            if source[at] >= 0 or sink[at] >= 0:
                return None
            left[at] = False
            continue
        there = reach.pairs(np.full(len(members), members[at]), members) & (source >= 0)
        back = reach.pairs(members, np.full(len(members), members[at])) & (sink >= 0)
        if (there != back).any() or not left[there].all() or not reach.complete(members[there]):
            return None
        found.append(column(members[there], np.int32))
        left[there] = False
    return found
