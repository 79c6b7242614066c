"""Double binary trees over hosts: the edges, and what they carry on every rail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from topologies.columns import Ints, column
from traffic.collective import CollectiveTraffic, together
from traffic.formula import Formula
from traffic.rings import inside_hosts


def tree_traffic(
    table: Ints, payload_bytes: float, inside_bytes: float, sent: Callable[[int], Formula]
) -> CollectiveTraffic:
    """Half of every rail's part up and down each of two trees, and ``inside_bytes`` of every rank in its host.

    Parameters
    ----------
    table : ndarray of int, shape (hosts, g)
        Ranks by host and rail.
    payload_bytes : float
        Buffer that is reduced.
    sent : callable
        Closed form of what the busiest rank sends, by the most tree neighbours of a host.
    """
    hosts, rails = table.shape
    child, parent = double_tree(hosts)
    degree = np.bincount(np.concatenate([child, parent]), minlength=hosts).max(initial=0)
    form = sent(int(degree))
    half = payload_bytes / (2 * rails)
    up = CollectiveTraffic.of(table[child], table[parent], half, form)
    down = CollectiveTraffic.of(table[parent], table[child], half, form)
    return together([inside_hosts(table, inside_bytes, form), up, down], form)


def double_tree(size: int) -> tuple[Ints, Ints]:
    """Edges (child, parent) of two trees over 0..size-1; who is inside one is a leaf of the other.

    In the first tree the parent of a number clears its lowest one bit and sets the next. The second is the first
    mirrored, or shifted by one where the size is odd.

    >>> [edge.tolist() for edge in double_tree(4)]
    [[1, 2, 3, 2, 1, 0], [2, 0, 2, 1, 3, 1]]
    """
    child = np.arange(1, size)
    low = child & -child
    parent = (child ^ low) | (low << 1)
    parent = np.where(parent < size, parent, child ^ low)
    if size % 2:
        second = (child + 1) % max(size, 1), (parent + 1) % max(size, 1)
    else:
        second = size - 1 - child, size - 1 - parent
    return column(np.append(child, second[0]), np.int32), column(np.append(parent, second[1]), np.int32)
