"""Double binary tree all-reduce: half of the buffer up and down each of two trees."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout, together
from traffic.formula import formula
from traffic.rings import inside_hosts


@COLLECTIVES.register(
    "tree-all-reduce",
    example={"group_size": 8, "payload_bytes": 1e9},
    aliases=("double-binary-tree-all-reduce",),
)
def tree_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every host is inside one tree and a leaf of the other, and sends S/2 to each of at most four tree neighbours.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent. With g ranks a host, every rail has trees of S/g, and chains
        inside the host reduce before and spread after.

    References
    ----------
    Sanders, Speck, Träff, Parallel Computing 2009; NCCL 2.4 release notes.
    """
    table = (layout or GroupLayout.of(group_size)).rails
    hosts, rails = table.shape
    child, parent = double_tree(hosts)
    degree = np.bincount(np.concatenate([child, parent]), minlength=hosts).max(initial=0)
    sent = formula(
        "2 * S * (g - 1) / g + S / (2 * g) * d",
        "Sanders, Speck, Träff, Parallel Computing 2009",
        S=(payload_bytes, "buffer, bytes"),
        g=(rails, "ranks of the group on one host"),
        d=(int(degree), "most tree neighbours of a host, both trees"),
    )
    half = payload_bytes / (2 * rails)
    up = CollectiveTraffic.of(table[child], table[parent], half, sent)
    down = CollectiveTraffic.of(table[parent], table[child], half, sent)
    return together([inside_hosts(table, 2 * payload_bytes * (rails - 1) / rails, sent), up, down], sent)


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
