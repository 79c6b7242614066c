"""What a collective gives: who of a group sends how many bytes to whom, and the registry of algorithms.

Ranks are 0..n-1 inside the group. A collective that uses the hosts takes the group's *layout*: which host and GPU each
rank is on. *Sent* counts what the closed form says, over scale-up links (such as NVLink) and fabric alike; pairs inside
one host never meet a fabric and are dropped when ranks become endpoints. A scale-up domain of several hosts is to a
collective what a host is: a set of GPUs that reach each other without the fabric, each with its own way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.registry import Registry
from traffic.formula import Formula


@dataclass(frozen=True, eq=False)
class GroupLayout:
    """Host and GPU of every rank of one group; hosts are numbered in order of appearance.

    Where a scale-up domain spans several hosts, ``host`` is the domain and ``gpu`` the place in it.
    """

    host: Ints  # shape (n,)
    gpu: Ints  # shape (n,)
    per_host: int | None = None  # GPUs of one of the hosts that a domain spans; None where it is a host

    @staticmethod
    def of(ranks: int, per_host: int = 1) -> GroupLayout:
        """Consecutive ranks on hosts of ``per_host`` GPUs."""
        rank = np.arange(ranks)
        return GroupLayout(column(rank // per_host, np.int32), column(rank % per_host, np.int32))

    @property
    def where(self) -> str:
        """What the ranks share, in words."""
        return "host" if self.per_host is None else "scale-up domain"

    @property
    def rail(self) -> Ints:
        """Rail of every rank: the number of its GPU in its own host, shape (n,)."""
        return self.gpu if self.per_host is None else column(self.gpu % self.per_host, np.int32)

    @cached_property
    def own_host(self) -> Ints:
        """Host of every rank, whatever a domain spans, shape (n,)."""
        if self.per_host is None:
            return self.host
        spanned = int(self.gpu.max(initial=0)) // self.per_host + 1
        return column(np.unique(self.host * spanned + self.gpu // self.per_host, return_inverse=True)[1], np.int32)

    @cached_property
    def rails(self) -> Ints:
        """Ranks by host and rail, shape (hosts, g), when every host has the same GPUs in the group.

        Of domains it is enough that all have as many ranks; they are taken in the order of their rails. Otherwise every
        rank counts as a host of its own, shape (n, 1): nothing can be kept on a rail.
        """
        rail = self.rail
        order = np.lexsort((self.gpu, rail, self.host))
        hosts = int(self.host.max(initial=-1)) + 1
        if hosts and len(order) % hosts == 0:
            table = order.reshape(hosts, -1)
            host, place = self.host[table], np.sort(self.gpu[table], axis=1)
            alike = self.per_host is not None or bool((rail[table] == rail[table[:1]]).all())
            if alike and (host == host[:, :1]).all() and (place[:, 1:] != place[:, :-1]).all():
                return column(table, np.int32)
        return column(np.arange(len(order))[:, None], np.int32)

    @cached_property
    def uneven(self) -> tuple[Ints, ...]:
        """Ranks of each domain in the order of their rails, where domains have unequal numbers of them; else empty."""
        if self.per_host is None or self.rails.shape[1] > 1 or int(self.host.max(initial=-1)) + 1 == len(self.host):
            return ()
        order = np.lexsort((self.gpu, self.rail, self.host))
        return tuple(column(part, np.int32) for part in np.split(order, np.cumsum(np.bincount(self.host))[:-1]))


@dataclass(frozen=True, eq=False)
class RankBlock:
    """Every member sends ``sent_bytes`` to every other member."""

    members: Ints  # ranks
    sent_bytes: float  # per ordered pair


@dataclass(frozen=True, eq=False)
class CollectiveTraffic:
    """One collective among ranks 0..n-1: rows, and blocks of dense exchange."""

    src: Ints  # shape (P,), rank inside the group
    dst: Ints
    sent_bytes: Floats  # shape (P,)
    sent: Formula  # closed form of what the busiest rank sends
    blocks: tuple[RankBlock, ...] = ()
    handed_on: Formula | None = None  # what a rank passes on inside its host besides, to or from another's way out
    reduced_by_switches: bool = False  # those of scale-up links add up what passes them

    @staticmethod
    def of(src: object, dst: object, sent_bytes: object, sent: Formula) -> CollectiveTraffic:
        """Rows from any arrays; one amount may stand for all, rows to oneself or of nothing are dropped."""
        tail, head = np.asarray(src, np.int64).ravel(), np.asarray(dst, np.int64).ravel()
        amount = np.broadcast_to(np.asarray(sent_bytes, np.float64), tail.shape)
        keep = (tail != head) & (amount > 0)
        return CollectiveTraffic(
            column(tail[keep], np.int32), column(head[keep], np.int32), column(amount[keep], np.float64), sent
        )

    @property
    def sent_bytes_per_rank(self) -> float:
        """What the busiest rank sends, by the closed form."""
        return self.sent.value

    def sent_by(self, ranks: int) -> Floats:
        """What every rank sends, summed over pairs, shape (ranks,)."""
        return self._by(self.src, ranks)

    def received_by(self, ranks: int) -> Floats:
        """What every rank receives, summed over pairs, shape (ranks,)."""
        return self._by(self.dst, ranks)

    def _by(self, end: Ints, ranks: int) -> Floats:
        total = np.bincount(end, self.sent_bytes, ranks).astype(np.float64)
        for block in self.blocks:
            total[block.members] += block.sent_bytes * (len(block.members) - 1)
        return total

    @property
    def pairs(self) -> int:
        """Ordered pairs of ranks that exchange something."""
        dense = sum(len(block.members) * (len(block.members) - 1) for block in self.blocks if block.sent_bytes)
        return len(self.src) + dense

    @property
    def total_bytes(self) -> float:
        """Sum over all pairs."""
        dense = sum(block.sent_bytes * len(block.members) * (len(block.members) - 1) for block in self.blocks)
        return float(self.sent_bytes.sum()) + dense


COLLECTIVES: Registry[CollectiveTraffic] = Registry("collective", "traffic.collectives")


def together(parts: Sequence[CollectiveTraffic], sent: Formula) -> CollectiveTraffic:
    """Several exchanges that make one collective, with the closed form of all."""
    return CollectiveTraffic(
        column(np.concatenate([part.src for part in parts]), np.int32),
        column(np.concatenate([part.dst for part in parts]), np.int32),
        column(np.concatenate([part.sent_bytes for part in parts]), np.float64),
        sent,
        tuple(block for part in parts for block in part.blocks),
    )
