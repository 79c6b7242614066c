"""Edges of a graph by one of their ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Ints, column


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Edges by node: those of node v are ``edge[start[v]:start[v + 1]]``."""

    start: Ints
    edge: Ints

    @staticmethod
    def by(end: Ints, nodes: int) -> Adjacency:
        """Group edges by one of their ends."""
        order = np.argsort(end, kind="stable")
        start = np.searchsorted(end[order], np.arange(nodes + 1))
        return Adjacency(column(start, np.int32), column(order, np.int32))
