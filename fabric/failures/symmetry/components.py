"""What is joined by maps or by pairs, as labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from topologies.columns import Ints, Longs, column


def joined(count: int, maps: Sequence[Ints]) -> Ints:
    """Label of everything that maps carry onto each other, numbered by first."""
    none = np.empty(0, dtype=np.int64)
    tails = np.concatenate([none, *(np.arange(count) for _ in maps)])
    return labels(count, tails, np.concatenate([none, *maps]))


def labels(count: int, tails: Longs | Sequence[int], heads: Longs | Sequence[int]) -> Ints:
    """Label of every connected component, numbered by first."""
    pairs = coo_array((np.ones(len(tails)), (np.asarray(tails, int), np.asarray(heads, int))), shape=(count, count))
    _, label = connected_components(pairs, directed=False)
    _, first, label = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return column(rank[label], np.int32)
