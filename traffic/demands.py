"""``Demands``: who sends how much to whom on one fabric, as frozen columns.

A **class** is one collective of one phase of one job; it is either *steady* (amounts are Gbps of payload) or has a
*volume* (amounts are bytes per step). Dense all-to-all traffic is kept as blocks of members, never as n² rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from topologies.columns import Floats, Ints, column, concatenate


@dataclass(frozen=True)
class TrafficClass:
    """What a row of demand belongs to."""

    job: str
    phase: str
    collective: str
    steady: bool
    flows_per_pair: int = 1  # transport flows (queue pairs) that a pair's traffic is spread over


@dataclass(frozen=True, eq=False)
class UniformBlock:
    """Every member sends ``amount`` to every other member."""

    members: Ints  # endpoint node ids
    amount: float  # per ordered pair

    @property
    def pairs(self) -> int:
        """Ordered pairs in the block."""
        return len(self.members) * (len(self.members) - 1)

    @property
    def ends(self) -> tuple[Ints, Ints]:
        """Sender and receiver of every pair, written out."""
        src, dst = np.repeat(self.members, len(self.members)), np.tile(self.members, len(self.members))
        other = src != dst
        return src[other], dst[other]


@dataclass(frozen=True, eq=False)
class Flows:
    """Demand between endpoint nodes of one fabric: explicit rows, and blocks of dense all-to-all."""

    src: Ints  # shape (M,), endpoint node ids
    dst: Ints
    amount: Floats  # bytes, or Gbps when the class is steady
    blocks: tuple[UniformBlock, ...] = field(default=())

    @staticmethod
    def of(src: object, dst: object, amount: object) -> Flows:
        """Rows from any arrays; rows to oneself and empty rows are dropped, equal pairs are summed."""
        tail, head = np.asarray(src, np.int64), np.asarray(dst, np.int64)
        tail, head = np.broadcast_arrays(tail, head)
        size = np.broadcast_to(np.asarray(amount, np.float64), tail.shape)
        keep = (tail != head) & (size != 0)
        tail, head, size = tail[keep], head[keep], size[keep]
        width = int(head.max(initial=0)) + 1
        pair, inverse = np.unique(tail * width + head, return_inverse=True)
        total = np.bincount(inverse, size, len(pair)) if len(pair) else np.empty(0)
        return Flows(column(pair // width, np.int32), column(pair % width, np.int32), column(total, np.float64))

    @staticmethod
    def none() -> Flows:
        """No demand."""
        return Flows.of([], [], [])

    @property
    def total(self) -> float:
        """Sum over all pairs."""
        return float(self.amount.sum()) + sum(block.pairs * block.amount for block in self.blocks)

    @property
    def pairs(self) -> int:
        """Ordered pairs that exchange something."""
        return len(self.amount) + sum(block.pairs for block in self.blocks)

    def rows(self) -> tuple[Ints, Ints, Floats]:
        """All pairs as rows (src, dst, amount), blocks written out."""
        src, dst, amount = [self.src], [self.dst], [self.amount]
        for block in self.blocks:
            tail, head = block.ends
            src.append(tail)
            dst.append(head)
            amount.append(np.full(len(tail), block.amount))
        return concatenate(src, np.int32), concatenate(dst, np.int32), concatenate(amount, np.float64)

    def sent(self, nodes: int) -> Floats:
        """Amount every node sends, shape (nodes,)."""
        return self._per_node(self.src, nodes)

    def received(self, nodes: int) -> Floats:
        """Amount every node receives, shape (nodes,)."""
        return self._per_node(self.dst, nodes)

    def _per_node(self, end: Ints, nodes: int) -> Floats:
        total = np.bincount(end, self.amount, nodes).astype(np.float64)
        for block in self.blocks:
            total[block.members] += block.amount * (len(block.members) - 1)
        return total


@dataclass(frozen=True, eq=False)
class Demands:
    """All traffic of one fabric: one ``Flows`` per class."""

    fabric: str
    classes: tuple[TrafficClass, ...]
    flows: tuple[Flows, ...]


def merge_flows(parts: Sequence[Flows]) -> Flows:
    """One ``Flows`` with the rows and blocks of all parts."""
    rows = Flows.of(
        concatenate([part.src for part in parts], np.int64),
        concatenate([part.dst for part in parts], np.int64),
        concatenate([part.amount for part in parts], np.float64),
    )
    return Flows(rows.src, rows.dst, rows.amount, tuple(block for part in parts for block in part.blocks))
