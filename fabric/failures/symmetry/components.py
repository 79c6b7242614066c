"""What is joined by maps or by pairs, as labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topologies.columns import Ints, Longs
from topologies.parts import parts_of


def joined(count: int, maps: Sequence[Ints]) -> Ints:
    """Label of everything that maps carry onto each other, numbered by first."""
    none = np.empty(0, dtype=np.int64)
    tails = np.concatenate([none, *(np.arange(count) for _ in maps)])
    return labels(count, tails, np.concatenate([none, *maps]))


def labels(count: int, tails: Longs | Sequence[int], heads: Longs | Sequence[int]) -> Ints:
    """Label of every connected component, numbered by first."""
    return parts_of(count, np.asarray(tails, int), np.asarray(heads, int))
