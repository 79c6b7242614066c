"""Demand that has no path, taken out before routing: it loads no link, and is reported with its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import RoutingGraph
from fabric.routing.kernels import hop_order
from topologies.columns import Bools, Ints, column
from topologies.errors import RoutingError
from topologies.parts import parts_of
from traffic.demands import Flows, UniformBlock, merge_flows

SHOWN = 20  # pairs reported by name
_MOST_ROWS = 20_000_000


@dataclass(frozen=True)
class Unreachable:
    """Pairs without a path: how many, and the first as (class, src, dst) topology nodes."""

    pairs: int
    classes: tuple[int, ...]  # traffic classes that lose something
    shown: tuple[tuple[int, int, int], ...]


def _strong_parts(nodes: int, src: Ints, dst: Ints) -> Ints:
    """Label of every node: of one label are those that reach each other both ways."""
    there, back = (np.unique(one.astype(np.int64) * nodes + other) for one, other in ((src, dst), (dst, src)))
    if np.array_equal(there, back):  # whatever is joined is joined both ways
        return parts_of(nodes, src, dst)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(src)), (src, dst)), shape=(nodes, nodes))
    return column(connected_components(links, directed=True, connection="strong")[1], np.int32)


class _Reach:
    """Which graph nodes reach which; asked per pair of endpoints."""

    def __init__(self, graph: RoutingGraph, flows: Sequence[Flows]) -> None:
        self.graph = graph
        senders = [part.src for part in flows] + [block.members for part in flows for block in part.blocks]
        receivers = [part.dst for part in flows] + [block.members for part in flows for block in part.blocks]
        self._sources = self._used(graph.source, senders)
        self._sinks = self._used(graph.sink, receivers)
        self._table = None if self._all_connected() else self._by_search()

    @staticmethod
    def _used(terminal: Ints, ends: list[Ints]) -> Ints:
        used = np.unique(terminal[np.concatenate(ends)]) if ends else np.empty(0, dtype=np.int32)
        return column(used[used >= 0], np.int32)

    def _all_connected(self) -> bool:
        """Whether all switches that endpoints are attached to reach each other both ways."""
        graph = self.graph
        core = ~graph.is_terminal[graph.src] & ~graph.is_terminal[graph.dst]
        part = _strong_parts(graph.nodes, graph.src[core], graph.dst[core])
        ends = np.concatenate([self._sources, self._sinks])
        access = [ends[~graph.is_terminal[ends]]]
        for near, far in ((graph.src, graph.dst), (graph.dst, graph.src)):
            access.append(far[graph.is_terminal[near] & np.isin(near, ends)])
        return len(np.unique(part[np.concatenate(access)])) <= 1

    def _by_search(self) -> Bools:
        """Table (sink, source) of the terminals in use, by one search backwards from every sink."""
        graph, into = self.graph, self.graph.into
        tail = graph.src[into.edge]
        distance, order = np.empty(graph.nodes), np.empty(graph.nodes, dtype=np.int64)
        table = np.zeros((len(self._sinks), len(self._sources)), dtype=np.bool_)
        for row, sink in enumerate(self._sinks.tolist()):
            hop_order(sink, into.start, tail, distance, order)
            table[row] = np.isfinite(distance[self._sources])
        return column(table, np.bool_)

    def pairs(self, src: Ints, dst: Ints) -> Bools:
        """Whether each src reaches its dst; topology nodes."""
        source, sink = self.graph.source[src], self.graph.sink[dst]
        found = (source >= 0) & (sink >= 0)
        if self._table is not None:
            at = (np.searchsorted(self._sinks, sink[found]), np.searchsorted(self._sources, source[found]))
            found[found] = self._table[at]
        return column(found, np.bool_)

    def complete(self, members: Ints) -> bool:
        """Whether all members reach each other."""
        source, sink = np.unique(self.graph.source[members]), np.unique(self.graph.sink[members])
        if source[0] < 0 or sink[0] < 0:
            return False
        if self._table is None:
            return True
        at = np.ix_(np.searchsorted(self._sinks, sink), np.searchsorted(self._sources, source))
        return bool(self._table[at].all())


def split_reachable(graph: RoutingGraph, flows: Sequence[Flows]) -> tuple[list[Flows], Unreachable]:
    """The demand that has a path, per class, and what has none."""
    reach = _Reach(graph, flows)
    kept: list[Flows] = []
    shown: list[tuple[int, int, int]] = []
    lost = np.zeros(len(flows), dtype=np.int64)
    for code, part in enumerate(flows):
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
