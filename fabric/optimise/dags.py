"""Per destination, a loop-free set of arcs that traffic may use, as flat columns.

The arcs of a destination are grouped by head, farthest heads first: a reader that goes forwards meets all arcs into a
node before any arc out of it, and one that goes backwards the other way round, so that loads and prices are
propagated in one pass each without a queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.routing.compiled import compiled, compiled_inside
from fabric.routing.graph import DemandRows, Inward, PhaseDemand
from fabric.routing.kernels import is_step, nearest_first, parallel_rows
from topologies.columns import Bools, Ints, Longs, column


class DagColumns(NamedTuple):
    """Arcs per destination as compiled loops read them; see ``Dags``."""

    start: Longs
    slot: Ints
    tail: Ints
    head: Ints


@compiled_inside
def nodes_in(table: DagColumns, demand: DemandRows) -> int:
    """One more than the highest node of a table and of the destinations it leads to."""
    nodes = 0
    for node in demand.dest:
        nodes = max(nodes, node + 1)
    for slot in range(len(table.tail)):
        nodes = max(nodes, table.tail[slot] + 1, table.head[slot] + 1)
    return nodes


@dataclass(frozen=True, eq=False)
class Dags:
    """Arcs per destination of a demand; ``slot`` counts in the order of ``arcs.into``."""

    arcs: Arcs
    start: Longs  # shape (D + 1,)
    slot: Ints  # shape (nnz,)

    @cached_property
    def tail(self) -> Ints:
        """Source of every slot, shape (A,)."""
        return column(self.arcs.inward.tail, np.int32)

    @cached_property
    def head(self) -> Ints:
        """Destination of every slot, shape (A,)."""
        return column(self.arcs.dst[self.arcs.into.edge], np.int32)

    @property
    def columns(self) -> DagColumns:
        """The same for compiled loops."""
        return DagColumns(self.start, self.slot, self.tail, self.head)


@compiled
def _shortest_rows(
    first: int,
    last: int,
    net: Inward,
    demand: DemandRows,
    routable: Bools,
    row_start: Longs,
    slots: Ints,
) -> None:
    """Slots on shortest paths from a row's sources; empty ``slots``: their number goes to ``row_start[row + 1]``."""
    into_start, tail, weight, equal = net
    nodes = len(into_start) - 1
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    active = np.zeros(nodes, dtype=np.bool_)
    for row in range(first, last):
        reached = nearest_first(demand.dest[row], into_start, tail, weight, equal, distance, order)
        active[:] = False
        for entry in range(demand.start[row], demand.start[row + 1]):
            if routable[entry]:
                active[demand.src[entry]] = True
        at = row_start[row] if len(slots) > 0 else 0
        for position in range(reached - 1, -1, -1):
            head = order[position]
            for slot in range(into_start[head], into_start[head + 1]):
                if active[tail[slot]] and is_step(distance[head], distance[tail[slot]], weight[slot], equal):
                    active[head] = True
                    if len(slots) > 0:
                        slots[at] = slot
                    at += 1
        if len(slots) == 0:
            row_start[row + 1] = at


def shortest_dags(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> Dags:
    """The arcs on shortest paths from every destination's sources."""
    rows = len(demand.dest)
    row_start = np.zeros(rows + 1, dtype=np.int64)
    fixed = (arcs.inward, demand.rows, routable, row_start)
    none = np.empty(0, dtype=np.int32)
    parallel_rows(rows, lambda first, last: _shortest_rows(first, last, *fixed, none))
    np.cumsum(row_start, out=row_start)
    slots = np.empty(row_start[-1], dtype=np.int32)
    if len(slots):
        parallel_rows(rows, lambda first, last: _shortest_rows(first, last, *fixed, slots))
    return Dags(arcs, column(row_start, np.int64), column(slots, np.int32))
