"""Which nodes are joined by links: whichever way the links go, or both ways.

In numpy alone: importing SciPy's graph routines takes longer than the whole search on a network of thousands of links.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Ints, column

FEW_LINKS = 500_000  # above, sorting them takes longer than importing SciPy


def parts_of(nodes: int, one: NDArray[np.integer], other: NDArray[np.integer]) -> Ints:
    """Connected part of every node, numbered in the order of their first nodes.

    Every part points to its lowest node: the higher of two that a link joins is hung below the lower one, and chains
    are cut short, until no link joins two parts (Shiloach and Vishkin, J. Algorithms 3, 1982). Rounds grow with the
    logarithm of the nodes.

    Parameters
    ----------
    nodes : int
        Nodes, N.
    one, other : ndarray of int, shape (L,)
        Nodes at both ends of every link.

    Returns
    -------
    ndarray of int, shape (N,)
        As ``scipy.sparse.csgraph.connected_components`` labels them.

    Examples
    --------
    >>> parts_of(5, np.array([4, 3]), np.array([0, 1])).tolist()
    [0, 1, 2, 1, 0]
    """
    root = np.arange(nodes)
    one, other = np.asarray(one, dtype=np.int64), np.asarray(other, dtype=np.int64)
    while len(one):
        low, high = np.minimum(root[one], root[other]), np.maximum(root[one], root[other])
        apart = low != high
        one, other, low, high = one[apart], other[apart], low[apart], high[apart]
        np.minimum.at(root, high, low)
        while True:
            above = root[root]
            if np.array_equal(above, root):
                break
            root = above
    return column(np.unique(root, return_inverse=True)[1].reshape(-1), np.int32)


def strong_parts(nodes: int, src: NDArray[np.integer], dst: NDArray[np.integer]) -> Ints:
    """Label of every node, shape (N,): of one label are those that reach each other both ways over links (L,)."""
    if len(src) <= FEW_LINKS:
        there, back = (np.unique(one.astype(np.int64) * nodes + other) for one, other in ((src, dst), (dst, src)))
        if np.array_equal(there, back):  # whatever is joined is joined both ways
            return parts_of(nodes, src, dst)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(src), dtype=np.int8), (src, dst)), shape=(nodes, nodes))
    return column(connected_components(links, directed=True, connection="strong")[1], np.int32)
