"""The cables of a built fabric as columns: their two ends, the lower one first, and their speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Floats, Ints, Longs, column
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class CableEnds:
    """Cables of a topology; row ``i`` is cable ``i``, in the order of the topology's links."""

    link: Ints  # shape (C,), id of the direction that stands for the cable
    lower: Ints  # node nearer to the hosts
    upper: Ints
    gbps: Floats

    def __len__(self) -> int:
        return len(self.link)

    @staticmethod
    def of(topology: Topology) -> CableEnds:
        """All cables, up or down."""
        link = np.flatnonzero(topology.is_cable)
        src, dst = topology.links.src[link], topology.links.dst[link]
        level = topology.nodes.level.astype(np.int64)
        flipped = (level[src] > level[dst]) | ((level[src] == level[dst]) & (src > dst))
        return CableEnds(
            column(link, np.int32),
            column(np.where(flipped, dst, src), np.int32),
            column(np.where(flipped, src, dst), np.int32),
            column(topology.links.capacity_gbps[link], np.float64),
        )


def ordinals(*keys: np.ndarray) -> Ints:
    """Position of every row among the rows that have the same keys, from 0, in the order of the rows.

    >>> ordinals(np.array([4, 7, 4, 4])).tolist()
    [0, 0, 1, 2]
    """
    count = len(keys[0])
    order = np.lexsort((np.arange(count), *keys[::-1]))
    fresh = np.ones(count, dtype=np.bool_)
    fresh[1:] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    start = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))
    position = np.empty(count, dtype=np.int64)
    position[order] = np.arange(count) - start
    return column(position, np.int32)


def matched_rows(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> tuple[Longs, Longs]:
    """Rows of two tables with equal keys: the first of a key in one with the first of it in the other, and so on.

    >>> matched_rows((np.array([5, 5, 6]),), (np.array([6, 5]),))
    (array([0, 2]), array([1, 0]))
    """
    ranked = [(*keys, ordinals(*keys)) for keys in (one, other)]
    table = np.concatenate([np.stack([np.asarray(key, np.float64) for key in keys], axis=1) for keys in ranked])
    _, code = np.unique(table, axis=0, return_inverse=True)
    code = code.ravel()
    first, second = code[: len(one[0])], code[len(one[0]) :]
    row_of = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int64)
    row_of[second] = np.arange(len(second))
    partner = row_of[first]
    rows = np.flatnonzero(partner >= 0)
    return rows, partner[rows]
