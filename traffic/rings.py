"""Rings, chains and exchanges inside hosts: the shapes most collectives share."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from traffic.collective import CollectiveTraffic, GroupLayout, RankBlock, together
from traffic.formula import Formula


def ring_traffic(group_size: int, sent: Formula, *, closed: bool = True) -> CollectiveTraffic:
    """Every rank sends ``sent`` to its successor; in an open chain the last rank has none.

    >>> ring_traffic(3, Formula("10", (), "")).dst.tolist()
    [1, 2, 0]
    """
    src = np.arange(group_size if closed else group_size - 1)
    return CollectiveTraffic.of(src, (src + 1) % max(group_size, 1), sent.value, sent)


def rail_rings(layout: GroupLayout, sent: Formula) -> CollectiveTraffic:
    """A ring as NCCL lays it: split over the rails, one part along each, the rest inside the hosts.

    With g ranks on every host, 1/g of what each rank sends goes to the rank on the same rail of the next host, and the
    rest to its neighbour in the host. With one rank on every host it is the plain ring.
    """
    if layout.uneven:
        return _uneven_ring(layout.uneven, sent)
    table = layout.rails
    hosts, rails = table.shape
    if rails == 1 or hosts == 1:
        return ring_traffic(table.size, sent) if hosts > 1 else _in_order(table.ravel(), sent)
    amount = sent.value
    outside = CollectiveTraffic.of(table, np.roll(table, -1, axis=0), amount / rails, sent)
    inside = CollectiveTraffic.of(table, np.roll(table, -1, axis=1), amount * (rails - 1) / rails, sent)
    return together([outside, inside], sent)


def _uneven_ring(domains: tuple[Ints, ...], sent: Formula) -> CollectiveTraffic:
    """The same over domains with unequal numbers of ranks: as many rings as the smallest has, the rest inside.

    References
    ----------
    NCCL, ``src/init.cc``: all ranks use as many channels as the one with the fewest.
    """
    rings, amount = min(len(ranks) for ranks in domains), sent.value
    ends = np.stack([ranks[:rings] for ranks in domains])
    outside = CollectiveTraffic.of(ends, np.roll(ends, -1, axis=0), amount / rings, sent)
    inside = [
        CollectiveTraffic.of(ranks, np.roll(ranks, -1), amount - amount / rings * (np.arange(len(ranks)) < rings), sent)
        for ranks in domains
    ]
    return together([outside, *inside], sent)


def _in_order(ranks: Ints, sent: Formula) -> CollectiveTraffic:
    return CollectiveTraffic.of(ranks, np.roll(ranks, -1), sent.value, sent)


def inside_hosts(table: Ints, sent_bytes: float, sent: Formula) -> CollectiveTraffic:
    """Every rank sends ``sent_bytes`` to its neighbour in the host.

    Parameters
    ----------
    table : ndarray of int, shape (hosts, g)
        Ranks of each host.
    """
    if table.shape[1] == 1:
        return CollectiveTraffic.of([], [], [], sent)
    return CollectiveTraffic.of(table, np.roll(table, -1, axis=1), sent_bytes, sent)


def two_levels(table: Ints, payload_bytes: float, trips: int, sent: Formula) -> CollectiveTraffic:
    """``trips`` times round the ring of every host with the full buffer, and round every rail with its share.

    Parameters
    ----------
    table : ndarray of int, shape (hosts, g)
        Ranks of each host.
    trips : int
        1 for reduce-scatter or all-gather, 2 for both.
    """
    hosts, rails = table.shape
    between = trips * payload_bytes / rails * (hosts - 1) / hosts
    along = CollectiveTraffic.of(table, np.roll(table, -1, axis=0), between, sent)
    return together([inside_hosts(table, trips * payload_bytes * (rails - 1) / rails, sent), along], sent)


def rail_blocks(table: Ints, sent_bytes: float, sent: Formula) -> CollectiveTraffic:
    """On every rail, each rank sends ``sent_bytes`` to each other."""
    none = CollectiveTraffic.of([], [], [], sent)
    blocks = tuple(RankBlock(column(np.sort(rail), np.int32), sent_bytes) for rail in table.T) if len(table) > 1 else ()
    return CollectiveTraffic(none.src, none.dst, none.sent_bytes, sent, blocks)
