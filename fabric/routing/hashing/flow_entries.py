"""The flows of a phase, not written out: who receives from whom in order of destination, and any stretch of it as rows.

An entry is a pair of endpoints, or one receiving member of a dense block, which stands for a pair with each of the
others. Of a million endpoints with expert parallelism a million entries are hundreds of millions of flows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import RoutingGraph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.functions import mix
from fabric.routing.hashing.headers import Hashes
from fabric.routing.router import PairTraffic
from topologies.columns import Floats, Ints, Longs, column, concatenate

_ROWS = -1  # in the place of a block: the sender is known


class Entries(NamedTuple):
    """Entries as compiled loops read them, in order of the graph node where they leave."""

    code: Ints  # traffic class
    dst: Ints  # topology node
    src: Ints  # topology node; of a block whatever
    block: Ints  # -1 for a single pair
    gbps: Floats  # of each flow


class Members(NamedTuple):
    """Members of all blocks, block after block."""

    start: Longs  # shape (B + 1,)
    node: Ints


class _Columns(NamedTuple):
    """Where a stretch of flows is written."""

    src: Ints
    src_endpoint: Ints
    dst_endpoint: Ints
    code: Ints
    gbps: Floats
    name: Hashes


@compiled
def _write(
    first: int, last: int, entries: Entries, members: Members, flows_per_pair: Ints, source: Ints, out: _Columns
) -> int:
    """Write out the entries ``first`` to ``last``; returns how many flows there are."""
    filled = 0
    for entry in range(first, last):
        block, dst, code = entries.block[entry], entries.dst[entry], entries.code[entry]
        low, high = (0, 1) if block < 0 else (members.start[block], members.start[block + 1])
        for at in range(low, high):
            src = entries.src[entry] if block < 0 else members.node[at]
            if src == dst:
                continue
            pair = mix(mix(np.uint64(src)) ^ np.uint64(dst))
            for pair_flow in range(flows_per_pair[code]):
                number = np.uint64(code) << np.uint64(32) | np.uint64(pair_flow)
                out.src[filled], out.src_endpoint[filled], out.dst_endpoint[filled] = source[src], src, dst
                out.code[filled], out.gbps[filled] = code, entries.gbps[entry]
                out.name[filled] = mix(pair ^ mix(number))
                filled += 1
    return filled


@dataclass(frozen=True, eq=False)
class FlowEntries:
    """All flows of a phase; a stretch of them is the same rows that ``FlowTable.of`` has, in another order."""

    graph: RoutingGraph
    entries: Entries
    members: Members
    flows_per_pair: Ints  # by class
    count: Longs  # flows of every entry

    @staticmethod
    def of(graph: RoutingGraph, pairs: Sequence[PairTraffic]) -> FlowEntries:
        """Of all pairs, whose ends all have live links; see ``fabric.routing.reach``."""
        blocks = [block for pair in pairs for block in pair.flows.blocks]
        first = np.cumsum([0, *(len(pair.flows.blocks) for pair in pairs)])
        parts = [_class_entries(code, int(first[code]), pair) for code, pair in enumerate(pairs)]
        code, dst, src, block = (concatenate([part[at] for part in parts], np.int32) for at in range(4))
        gbps = concatenate([part.gbps for part in parts], np.float64)
        kept = np.flatnonzero(gbps > 0)
        order = kept[np.argsort(graph.sink[dst[kept]], kind="stable")]
        entries = Entries(code[order], dst[order], src[order], block[order], gbps[order])
        sizes = np.array([len(one.members) for one in blocks], dtype=np.int64)
        members = Members(np.concatenate([[0], np.cumsum(sizes)]), concatenate([b.members for b in blocks], np.int32))
        each = column([pair.flows_per_pair for pair in pairs], np.int32)
        senders = np.where(entries.block >= 0, np.append(sizes, 0)[entries.block] - 1, 1)
        return FlowEntries(graph, entries, members, each, senders * each[entries.code].astype(np.int64))

    @property
    def flows(self) -> int:
        """Number of flows."""
        return int(self.count.sum())

    @cached_property
    def sink(self) -> Ints:
        """Graph node where every entry leaves, ascending."""
        return column(self.graph.sink[self.entries.dst], np.int32)

    def stretches(self, most: int) -> list[tuple[int, int]]:
        """Entries cut into stretches of some ``most`` flows, or of one entry that has more."""
        piece = np.cumsum(self.count) // max(most, 1)
        cuts = np.flatnonzero(np.diff(piece)) + 1
        return list(itertools.pairwise([0, *cuts.tolist(), len(piece)])) if len(piece) else []

    def to(self, dest: int) -> tuple[int, int]:
        """Entries that leave at a graph node."""
        low, high = np.searchsorted(self.sink, [dest, dest + 1]).tolist()
        return low, high

    def table(self, first: int, last: int) -> FlowTable:
        """The flows of the entries ``first`` to ``last``, written out."""
        count = self.count[first:last]
        flows = int(count.sum())
        src, src_endpoint, dst_endpoint, code = np.empty((4, flows), dtype=np.int32)
        out = _Columns(src, src_endpoint, dst_endpoint, code, np.empty(flows), np.empty(flows, dtype=np.uint64))
        _write(first, last, self.entries, self.members, self.flows_per_pair, self.graph.source, out)
        dest, at = np.unique(self.sink[first:last], return_index=True)
        start = np.append(np.concatenate([[0], np.cumsum(count)])[at], flows)
        return FlowTable(dest, column(start, np.int32), *out)


def _class_entries(code: int, first: int, pair: PairTraffic) -> Entries:
    """Entries of one class, whose blocks are numbered from ``first`` on."""
    flows = pair.flows
    sizes = [len(block.members) for block in flows.blocks]
    dst = concatenate([flows.dst, *(block.members for block in flows.blocks)], np.int32)
    number = np.repeat(np.arange(first, first + len(sizes)), sizes)
    amount = np.concatenate([flows.amount, np.repeat([block.amount for block in flows.blocks], sizes)])
    return Entries(
        code=np.full(len(dst), code, dtype=np.int32),
        dst=dst,
        src=concatenate([flows.src, np.full(len(number), -1)], np.int32),
        block=concatenate([np.full(len(flows.src), _ROWS), number], np.int32),
        gbps=column(amount * pair.gbps_per_unit / pair.flows_per_pair, np.float64),
    )
