"""Double binary trees over hosts, as tree algorithms run them on every rail."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from traffic.collective import CollectiveTraffic
from traffic.formula import Formula


def tree_edges(table: Ints, payload_bytes: float, sent: Formula) -> tuple[CollectiveTraffic, CollectiveTraffic]:
    """What goes up and what comes down both trees: half of a rail's share along each edge.

    Parameters
    ----------
    table : ndarray of int, shape (hosts, g)
        Ranks of each host.
    """
    hosts, rails = table.shape
    child, parent = double_tree(hosts)
    half = payload_bytes / (2 * rails)
    up = CollectiveTraffic.of(table[child], table[parent], half, sent)
    return up, CollectiveTraffic.of(table[parent], table[child], half, sent)


def most_neighbours(edges: tuple[Ints, Ints]) -> int:
    """Most neighbours that one has in both trees together.

    >>> most_neighbours(double_tree(2)), most_neighbours(double_tree(16))
    (2, 4)
    """
    return int(np.bincount(np.concatenate(edges)).max(initial=0))


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
