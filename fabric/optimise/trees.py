"""Cheapest trees to destinations under prices of the arcs: the columns of a master programme, and its proof.

All demand to one destination follows one tree of cheapest paths. Under prices that are duals of the capacity rows, such
a tree is the destination's best column, and what all trees together pay bounds every routing from below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand
from fabric.routing.kernels import parallel_rows
from topologies.columns import Bools, Floats, Ints, column


class Slots(NamedTuple):
    """Arcs in the order of their heads, as compiled loops read them."""

    start: Ints  # shape (V + 1,), slots into every node
    tail: Ints  # shape (A,)
    head: Ints


@compiled
def cheapest_paths(
    dest: int, slots: Slots, price: Floats, distance: Floats, onward: Ints, order: Ints, heap: Ints, place: Ints
) -> int:
    """Dijkstra towards ``dest`` with a heap of four children a node; returns how many nodes reach it.

    ``onward`` is the slot a node sends on, -1 at the destination and where there is no path; ``order`` lists the nodes
    nearest first. ``heap`` and ``place`` are room to work in. All are of shape (V,).
    """
    start, tail, _ = slots
    distance[:] = np.inf
    onward[:] = -1
    place[:] = -1
    distance[dest] = 0.0
    heap[0] = dest
    place[dest] = 0
    size = 1
    reached = 0
    while size > 0:
        node = heap[0]
        size -= 1
        place[node] = -2
        order[reached] = node
        reached += 1
        if size > 0:
            last = heap[size]
            at = 0
            while True:
                first = 4 * at + 1
                if first >= size:
                    break
                least = first
                for child in range(first + 1, min(first + 4, size)):
                    if distance[heap[child]] < distance[heap[least]]:
                        least = child
                if distance[heap[least]] >= distance[last]:
                    break
                heap[at] = heap[least]
                place[heap[at]] = at
                at = least
            heap[at] = last
            place[last] = at
        for slot in range(start[node], start[node + 1]):
            far = tail[slot]
            length = distance[node] + price[slot]
            if place[far] == -2 or length >= distance[far]:
                continue
            if place[far] == -1:
                at = size
                size += 1
            else:
                at = place[far]
            distance[far] = length
            onward[far] = slot
            while at > 0:
                above = (at - 1) // 4
                if distance[heap[above]] <= length:
                    break
                heap[at] = heap[above]
                place[heap[at]] = at
                at = above
            heap[at] = far
            place[far] = at
    return reached


@compiled
def _tree_rows(
    first: int,
    last: int,
    slots: Slots,
    price: Floats,
    demand: DemandRows,
    gbps: Floats,
    onward: Ints,
    flow: Floats,
    paid: Floats,
) -> None:
    """Trees of some destinations: what every node sends on over its slot, and Σ Gbps x distance of the row."""
    nodes = len(slots.start) - 1
    distance = np.empty(nodes)
    order, heap, place = np.empty(nodes, np.int32), np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    for row in range(first, last):
        reached = cheapest_paths(demand.dest[row], slots, price, distance, onward[row], order, heap, place)
        total = 0.0
        for entry in range(demand.start[row], demand.start[row + 1]):
            if gbps[entry] > 0.0:
                flow[row, demand.src[entry]] += gbps[entry]
                total += gbps[entry] * distance[demand.src[entry]]
        paid[row] = total
        for position in range(reached - 1, 0, -1):
            node = order[position]
            head = slots.head[onward[row, node]]
            flow[row, head] += flow[row, node]
        flow[row, demand.dest[row]] = 0.0


@dataclass(frozen=True, eq=False)
class Trees:
    """One tree a destination; D destinations, V nodes."""

    onward: Ints  # shape (D, V), slot that a node sends on; -1 at the destination and where there is no path
    gbps: Floats  # shape (D, V), over that slot
    paid: Floats  # shape (D,), Σ demand x distance

    def priced(self, price: Floats) -> Floats:
        """What each destination pays under other prices of the slots, shape (D,)."""
        return np.asarray((self.gbps * np.where(self.onward < 0, 0.0, price[self.onward])).sum(axis=1))


@dataclass(frozen=True, eq=False)
class TreeNet:
    """Arcs and demand, from which trees are asked."""

    slots: Slots
    capacity: Floats  # shape (A,), by slot
    weight: Floats
    demand: PhaseDemand
    gbps: Floats  # shape (nnz,), 0 for entries without a path

    @staticmethod
    def of(arcs: Arcs, demand: PhaseDemand, routable: Bools) -> TreeNet:
        """Arcs in the order of ``arcs.into``."""
        order = arcs.into.edge
        return TreeNet(
            Slots(arcs.into.start, column(arcs.src[order], np.int32), column(arcs.dst[order], np.int32)),
            column(arcs.capacity_gbps[order], np.float64),
            column(arcs.weight[order], np.float64),
            demand,
            column(np.where(routable & (demand.src != demand.dest_of_entry), demand.total_gbps, 0.0), np.float64),
        )

    def cheapest(self, price: Floats) -> Trees:
        """The cheapest tree of every destination under prices of the slots, shape (A,)."""
        rows, nodes = len(self.demand.dest), len(self.slots.start) - 1
        onward, flow = np.empty((rows, nodes), dtype=np.int32), np.zeros((rows, nodes))
        paid = np.zeros(rows)
        fixed = (self.slots, column(price, np.float64), self.demand.rows, self.gbps, onward, flow, paid)
        parallel_rows(rows, lambda first, last: _tree_rows(first, last, *fixed))
        return Trees(onward, flow, paid)
