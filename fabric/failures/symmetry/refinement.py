"""Colour refinement of a graph, and the ways down to single nodes that automorphisms are read from; compiled.

An ordered partition of the nodes is refined until all nodes of a cell have the same number of edges of every colour
into every cell. Where cells of several nodes are left, one node is set apart and the refinement goes on, until every
cell is one node (McKay, Piperno, "Practical graph isomorphism, II", J. Symb. Comput. 2014). Cells only ever split, so
that a whole way down takes O(E log V).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.hashing.functions import mix
from topologies.columns import Bools, Ints, Longs


class Partition(NamedTuple):
    """Cells in order; a cell is named by its first position."""

    order: Longs  # shape (V,), node at every position
    place: Longs  # shape (V,), position of every node
    cell: Longs  # shape (V,), first position of every node's cell
    length: Longs  # shape (V,), of the cell that begins at a position


class _Work(NamedTuple):
    """Working arrays of a refinement."""

    queue: Longs
    queued: Bools
    sums: Longs
    stamp: Longs
    touched: Longs


def partition_of(colour: Ints) -> Partition:
    """Nodes by colour."""
    order = np.argsort(colour, kind="stable").astype(np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sorted_colour = colour[order]
    first = np.flatnonzero(np.append(True, sorted_colour[1:] != sorted_colour[:-1])) if len(order) else np.empty(0, int)
    length = np.zeros(len(order), dtype=np.int64)
    length[first] = np.diff(np.append(first, len(order)))
    cell = np.empty(len(order), dtype=np.int64)
    cell[order] = np.repeat(first, length[first])
    return Partition(order, place, cell, length)


def copied(partition: Partition) -> Partition:
    """The same, to be refined further."""
    return Partition(*(part.copy() for part in partition))


@compiled
def _new_work(nodes: int) -> _Work:
    return _Work(
        np.empty(nodes + 1, dtype=np.int64),
        np.zeros(nodes, dtype=np.bool_),
        np.zeros(nodes, dtype=np.int64),
        np.full(nodes, -1),
        np.empty(nodes, dtype=np.int64),
    )


@compiled
def _swap(partition: Partition, node: int, position: int) -> None:
    """Put a node at a position; the one that stood there takes its place."""
    other, old = partition.order[position], partition.place[node]
    partition.order[position], partition.order[old] = node, other
    partition.place[node], partition.place[other] = position, old


@compiled
def _split(partition: Partition, work: _Work, nodes: Longs, head: int, tail: int) -> int:
    """Split one cell by the sums of its touched ``nodes`` (ascending by sum); returns the queue's new tail."""
    order, _, cell, length = partition
    begin = cell[nodes[0]]
    size, many = length[begin], len(nodes)
    if many == size and work.sums[nodes[0]] == work.sums[nodes[many - 1]]:
        return tail
    for at in range(many - 1, -1, -1):
        _swap(partition, nodes[at], begin + size - many + at)
    was_queued = work.queued[begin]
    rest = size - many
    first, biggest, biggest_at = begin, -1, begin
    at = begin if rest == 0 else begin + rest
    if rest > 0:
        length[begin] = rest
        biggest, biggest_at = rest, begin
    first_of_all = begin
    while at < begin + size:
        first = at
        value = work.sums[order[at]]
        while at < begin + size and work.sums[order[at]] == value:
            cell[order[at]] = first
            at += 1
        length[first] = at - first
        if length[first] > biggest:
            biggest, biggest_at = length[first], first
    at = first_of_all
    capacity = len(work.queue)
    while at < begin + size:
        skip = at == begin if was_queued else at == biggest_at
        if not skip and not work.queued[at]:
            work.queued[at] = True
            work.queue[tail] = at
            tail = (tail + 1) % capacity
        at += length[at]
    return tail


@compiled
def _refine(partition: Partition, start: Longs, other: Ints, code: Longs, work: _Work, tail: int) -> None:
    """Refine by the cells in the queue, positions 0 to ``tail``, until nothing splits any more."""
    order, _, cell, length = partition
    head, capacity, round_number = 0, len(work.queue), 0
    work.stamp[:] = -1
    while head != tail:
        splitter = work.queue[head]
        head = (head + 1) % capacity
        work.queued[splitter] = False
        round_number += 1
        count = 0
        for position in range(splitter, splitter + length[splitter]):
            node = order[position]
            for at in range(start[node], start[node + 1]):
                near = other[at]
                if length[cell[near]] == 1:
                    continue
                if work.stamp[near] != round_number:
                    work.stamp[near] = round_number
                    work.sums[near] = 0
                    work.touched[count] = near
                    count += 1
                work.sums[near] += np.int64(mix(np.uint64(code[at])))
        if count == 0:
            continue
        touched = work.touched[:count]
        cells = np.empty(count, dtype=np.int64)
        for at in range(count):
            cells[at] = cell[touched[at]]
        by_cell = np.argsort(cells, kind="mergesort")
        first = 0
        while first < count:
            last = first
            while last < count and cells[by_cell[last]] == cells[by_cell[first]]:
                last += 1
            nodes = touched[by_cell[first:last]]
            sums = np.empty(last - first, dtype=np.int64)
            for at in range(last - first):
                sums[at] = work.sums[nodes[at]]
            tail = _split(partition, work, nodes[np.argsort(sums, kind="mergesort")], head, tail)
            first = last


@compiled
def refine_all(partition: Partition, start: Longs, other: Ints, code: Longs) -> None:
    """Refine by all cells."""
    nodes = len(partition.order)
    work = _new_work(nodes)
    tail, at = 0, 0
    while at < nodes:
        work.queue[tail] = at
        work.queued[at] = True
        tail += 1
        at += partition.length[at]
    _refine(partition, start, other, code, work, tail)


@compiled
def way_down(partition: Partition, start: Longs, other: Ints, code: Longs, seed: int) -> None:
    """Set nodes apart until every cell is one node: the first of each cell with seed 0, else any of it."""
    nodes = len(partition.order)
    work = _new_work(nodes)
    state = np.uint64(seed)
    for position in range(nodes):
        while partition.length[position] > 1:
            chosen = np.int64(0)
            if seed:
                state = mix(state)
                chosen = np.int64(state % np.uint64(partition.length[position]))
            node = partition.order[position + chosen]
            _swap(partition, node, position)
            size = partition.length[position]
            partition.length[position] = 1
            partition.length[position + 1] = size - 1
            for at in range(position + 1, position + size):
                partition.cell[partition.order[at]] = position + 1
            work.queue[0] = position
            work.queued[position] = True
            _refine(partition, start, other, code, work, 1)
