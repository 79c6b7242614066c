"""Destination trees that carry everything, and moves off them: what a programme over flows has as columns.

All traffic to a destination follows one tree, its base. A move takes traffic that passes a node off the base and sends
it over another path: +1 on arcs of that path, −1 on arcs of the base, nothing where both go. Every routing is a base
with moves, as long as no arc of the base carries less than nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.trees import Slots, cheapest_paths
from fabric.routing.compiled import compiled
from fabric.routing.kernels import parallel_rows
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, Longs, column


class Moves(NamedTuple):
    """Move i is of traffic to destination ``row[i]`` that passes ``node[i]``; entries ``start[i]:start[i + 1]``."""

    row: Longs  # shape (K,)
    node: Longs
    start: Longs  # shape (K + 1,)
    slot: Ints
    change: Floats  # +1 or -1


@compiled
def _tree_slice(
    first: int, last: int, dest: Ints, slots: Slots, price: Floats, distance: Floats, onward: Ints, order: Ints
) -> None:
    """Cheapest paths from all nodes to some destinations; ``order`` is -1 behind the nodes that are reached."""
    nodes = len(slots.start) - 1
    heap, place = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    for row in range(first, last):
        order[row, :] = -1
        cheapest_paths(dest[row], slots, price, distance[row], onward[row], order[row], heap, place)


@compiled
def _carried_slice(first: int, last: int, dest: Ints, head: Ints, onward: Ints, order: Ints, through: Floats) -> None:
    """What passes every node, in place of what enters there."""
    for row in range(first, last):
        for position in range(order.shape[1] - 1, 0, -1):
            node = order[row, position]
            if node >= 0:
                through[row, head[onward[row, node]]] += through[row, node]
        through[row, dest[row]] = 0.0


@compiled
def _priced_slice(
    first: int, last: int, head: Ints, onward: Ints, order: Ints, price: Floats, less: Floats, found: Floats
) -> None:
    """Price of every node's path; ``less`` is taken off the price of the node's own arc."""
    for row in range(first, last):
        for position in range(1, order.shape[1]):
            node = order[row, position]
            if node < 0:
                break
            slot = onward[row, node]
            found[row, node] = found[row, head[slot]] + price[slot] - less[row, node]


@compiled
def _move_entries(
    row: Longs,
    node: Longs,
    first: Longs,
    follow: Ints,
    onward: Ints,
    dest: Ints,
    head: Ints,
    start: Longs,
    slot: Ints,
    change: Floats,
) -> None:
    """Write ``start``, and the entries where ``slot`` has room for them."""
    stamp = np.zeros(len(head), np.int64)
    count = 0
    fill = len(slot) > 0
    for move in range(len(row)):
        to, end, mark = row[move], dest[row[move]], move + 1
        at = node[move]
        while at != end:
            stamp[onward[to, at]] = mark
            at = head[onward[to, at]]
        step = first[move]
        while True:
            if stamp[step] == mark:
                stamp[step] = 0
            else:
                if fill:
                    slot[count], change[count] = step, 1.0
                count += 1
            at = head[step]
            if at == end:
                break
            step = follow[to, at]
        at = node[move]
        while at != end:
            step = onward[to, at]
            if stamp[step] == mark:
                if fill:
                    slot[count], change[count] = step, -1.0
                count += 1
            at = head[step]
        start[move + 1] = count


@compiled
def _depths(dest: Ints, head: Ints, onward: Ints, depth: Ints) -> None:
    """Arcs to the destination, -1 without a path, shape (D, V)."""
    nodes = onward.shape[1]
    path = np.empty(nodes, np.int64)
    for row in range(len(dest)):
        depth[row, :] = -2
        depth[row, dest[row]] = 0
        for node in range(nodes):
            at, count = node, 0
            while depth[row, at] == -2:
                path[count] = at
                count += 1
                if onward[row, at] < 0:
                    depth[row, at] = -1
                    count -= 1
                    break
                at = head[onward[row, at]]
            for position in range(count - 1, -1, -1):
                below = depth[row, head[onward[row, path[position]]]]
                depth[row, path[position]] = below + 1 if below >= 0 else -1


@compiled
def _split_flows(start: Longs, slot: Ints, fraction: Floats, slots: Slots, enters: Floats, flow: Floats) -> None:
    """Gbps by destination and slot when what enters follows splits in topological order; ``enters`` is used up."""
    for row in range(len(start) - 1):
        for position in range(start[row], start[row + 1]):
            step = slot[position]
            gbps = enters[row, slots.tail[step]] * fraction[position]
            flow[row, step] += gbps
            enters[row, slots.head[step]] += gbps


def split_flows(arcs: Arcs, splits: Splits, slots: Slots, enters: Floats) -> Floats:
    """Gbps by destination and slot, shape (D, A), when Gbps that enter, shape (D, V), follow splits over arcs."""
    place = np.empty(len(arcs.src), dtype=np.int32)
    place[arcs.into.edge] = np.arange(len(arcs.src), dtype=np.int32)
    flow = np.zeros((len(enters), len(arcs.src)))
    _split_flows(splits.start, place[splits.edge], splits.fraction, slots, enters.copy(), flow)
    return flow


@dataclass(frozen=True, eq=False)
class Base:
    """One tree a destination; D destinations, V nodes."""

    slots: Slots
    dest: Ints  # shape (D,)
    onward: Ints  # shape (D, V), slot that a node sends on; -1 at the destination and where there is no path
    order: Ints  # shape (D, V), nodes after those they send to; -1 behind the last

    @staticmethod
    def cheapest(slots: Slots, dest: Ints, price: Floats) -> tuple[Base, Floats]:
        """Cheapest trees under prices of the slots, and the distance of every node, shape (D, V)."""
        shape = (len(dest), len(slots.start) - 1)
        onward, order = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32)
        distance, priced = np.empty(shape), column(price, np.float64)
        parallel_rows(
            len(dest), lambda first, last: _tree_slice(first, last, dest, slots, priced, distance, onward, order)
        )
        return Base(slots, dest, onward, order), distance

    @staticmethod
    def largest(slots: Slots, dest: Ints, flow: Floats, others: Base) -> Base:
        """Every node sends on over its slot of most flow; nodes without flow as in ``others``.

        ``flow`` is Gbps by destination and slot, shape (D, A), without circles.
        """
        onward = others.onward.copy()
        row, slot = np.nonzero(flow)
        order = np.argsort(flow[row, slot], kind="stable")
        onward[row[order], slots.tail[slot[order]]] = slot[order]
        onward[np.arange(len(dest)), dest] = -1
        depth = np.empty(onward.shape, dtype=np.int32)
        _depths(dest, slots.head, onward, depth)
        listed = np.argsort(np.where(depth < 0, onward.shape[1], depth), axis=1, kind="stable").astype(np.int32)
        listed[np.take_along_axis(depth, listed, axis=1) < 0] = -1
        return Base(slots, dest, onward, listed)

    def through(self, enters: Floats) -> Floats:
        """Gbps that every node sends on when Gbps enter, both of shape (D, V)."""
        found = enters.copy()
        fixed = (self.dest, self.slots.head, self.onward, self.order, found)
        parallel_rows(len(self.dest), lambda first, last: _carried_slice(first, last, *fixed))
        return found

    def priced(self, price: Floats, less: Floats) -> Floats:
        """Price of every node's path, shape (D, V); ``less``, of that shape, is taken off each node's own arc."""
        found = np.zeros(self.onward.shape)
        fixed = (self.slots.head, self.onward, self.order, column(price, np.float64), less, found)
        parallel_rows(len(self.dest), lambda first, last: _priced_slice(first, last, *fixed))
        return found

    def loads(self, through: Floats) -> Floats:
        """Gbps of every slot when nodes send on so much, shape (A,)."""
        used = self.onward >= 0
        return np.bincount(self.onward[used], through[used], len(self.slots.tail)).astype(np.float64)

    def moves(self, row: Longs, node: Longs, first: Longs, follow: Base) -> Moves:
        """Moves of what passes a node to slot ``first`` and then along the trees of ``follow``."""
        start = np.zeros(len(row) + 1, dtype=np.int64)
        fixed = (row, node, first.astype(np.int64), follow.onward, self.onward, self.dest, self.slots.head, start)
        _move_entries(*fixed, np.empty(0, dtype=np.int32), np.empty(0))
        slot, change = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
        if len(slot):
            _move_entries(*fixed, slot, change)
        return Moves(row, node, start, slot, change)

    def is_base(self, row: Longs, slot: Ints) -> Bools:
        """Whether a slot is that of its tail in the destination's tree."""
        return np.asarray(self.onward[row, self.slots.tail[slot]] == slot)
