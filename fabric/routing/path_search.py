"""Paths by deviation: the k shortest loop-free paths of one pair, in compiled loops.

Yen's algorithm ("Finding the k shortest loopless paths in a network", Management Science 17(11), 1971) with Lawler's
rule (Management Science 18(7), 1972): every set of paths with a common beginning is searched once. Two things make it
quick: a set is searched only when the least weight it could have is the least of all, and a search is guided by the
distances to the destination in the whole graph, which one sweep has measured.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple, TypeVar

import numpy as np

from fabric.routing.compiled import compiled
from topologies.columns import Floats, Ints, Longs

A = TypeVar("A", Ints, Longs)


class PathNet(NamedTuple):
    """The graph as compiled loops read it: edges by head (``into``), and by tail (``out``)."""

    into_start: Ints
    tail: Ints
    into_weight: Floats
    equal: bool
    out_start: Ints
    head: Ints
    out_weight: Floats
    tail_of: Ints  # by slot of ``out``, as head


class Search(NamedTuple):
    """Working arrays of searches by one thread; a node's values count when its stamp is the search's."""

    stamp: Longs  # shape (1,), the number of the search
    seen: Longs  # shape (V,), stamp of the search that measured the node
    closed: Longs  # shape (V,), stamp of the search that must not enter the node (again)
    far: Floats  # shape (V,), weight from the start of the path
    by: Longs  # shape (V,), slot of ``out`` by which the node was reached
    barred: Longs  # shape (E,), by slot of ``out``: stamp of the search that must not begin with it


@compiled
def grown(array: A, size: int) -> A:
    """The array, or a longer copy when it holds fewer than ``size``."""
    if size <= len(array):
        return array
    longer = np.empty(max(size, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@compiled
def _enter(
    net: PathNet, pool: Longs, start: Longs, taken: list[np.int64], parent: int, at: int, src: int, search: Search
) -> tuple[int, float]:
    """Begin a search after the first ``at`` links of ``parent``; returns the node it starts from and their weight.

    Closes the nodes passed, and bars the links by which taken paths with the same beginning go on.
    """
    search.stamp[0] += 1
    node, before = src, 0.0
    for step in range(at):
        search.closed[node] = search.stamp[0]
        slot = pool[start[parent] + step]
        before += net.out_weight[slot]
        node = net.head[slot]
    for path in taken:
        alike = start[path] + at < start[path + 1]
        for step in range(at):
            alike = alike and pool[start[path] + step] == pool[start[parent] + step]
        if alike:
            search.barred[pool[start[path] + at]] = search.stamp[0]
    return node, before


@compiled
def _least_left(net: PathNet, node: int, distance: Floats, search: Search) -> float:
    """A weight that no permitted way on from ``node`` is below."""
    least = np.inf
    for slot in range(net.out_start[node], net.out_start[node + 1]):
        head = net.head[slot]
        if search.closed[head] != search.stamp[0] and search.barred[slot] != search.stamp[0]:
            least = min(least, net.out_weight[slot] + distance[head])
    return least


@compiled
def _extend(net: PathNet, spur: int, dest: int, turn: int, distance: Floats, search: Search) -> float:
    """Least weight from ``spur`` to ``dest`` as ``_enter`` permits, by A* with the distances of the whole graph.

    Among equals the node nearest to the destination goes first, then the link that comes first from ``turn`` on.
    """
    stamp = search.stamp[0]
    search.far[spur] = 0.0
    search.seen[spur] = stamp
    heap = [(distance[spur], distance[spur], 0, np.int64(spur))]
    pushed = 0
    while len(heap) > 0:
        _, _, _, node = heapq.heappop(heap)
        if node == dest:
            return float(search.far[dest])
        if search.closed[node] == stamp:
            continue
        search.closed[node] = stamp
        first = net.out_start[node]
        degree = net.out_start[node + 1] - first
        for turned in range(degree):
            slot = first + (turn + turned) % degree
            head = net.head[slot]
            if search.closed[head] == stamp or search.barred[slot] == stamp or distance[head] == np.inf:
                continue
            there = search.far[node] + net.out_weight[slot]
            if search.seen[head] != stamp or there < search.far[head]:
                search.seen[head] = stamp
                search.far[head] = there
                search.by[head] = slot
                pushed += 1
                heapq.heappush(heap, (there + distance[head], distance[head], pushed, np.int64(head)))
    return np.inf


@compiled
def _append(
    net: PathNet, pool: Longs, start: Longs, path: int, parent: int, at: int, spur: int, dest: int, search: Search
) -> Longs:
    """Write a path into ``pool``: the first ``at`` links of ``parent``, then the way the search came."""
    more = 0
    node = dest
    while node != spur:
        more += 1
        node = net.tail_of[search.by[node]]
    begin = start[path]
    pool = grown(pool, begin + at + more)
    for step in range(at):
        pool[begin + step] = pool[start[parent] + step]
    start[path + 1] = begin + at + more
    node = dest
    for step in range(at + more - 1, at - 1, -1):
        pool[begin + step] = search.by[node]
        node = net.tail_of[search.by[node]]
    return pool


@compiled
def paths_by_deviation(
    net: PathNet, src: int, dest: int, wanted: int, distance: Floats, search: Search, length: Longs, out: Longs
) -> tuple[int, Longs]:
    """Up to ``wanted`` paths by weight, one after the other in ``out``; returns how many there are.

    The heap holds sets of paths, as (least weight, tie-break, path they share the beginning of, its links shared,
    the set's best path or -1 while the weight is a bound only).
    """
    pool, start = np.empty(64, dtype=np.int64), np.zeros(64, dtype=np.int64)
    taken = [np.int64(0) for _ in range(0)]
    heap = [(distance[src], 0, -1, 0, -1)]
    paths = pushed = steps = 0
    while len(heap) > 0 and len(taken) < wanted:
        _, _, parent, at, path = heapq.heappop(heap)
        pushed += 1
        if path < 0:
            spur, before = _enter(net, pool, start, taken, parent, at, src, search)
            rest = _extend(net, spur, dest, src + dest, distance, search)
            if rest < np.inf:
                start = grown(start, paths + 2)
                pool = _append(net, pool, start, paths, parent, at, spur, dest, search)
                heapq.heappush(heap, (before + rest, pushed, parent, at, paths))
                paths += 1
            continue
        taken.append(np.int64(path))
        links = start[path + 1] - start[path]
        out = grown(out, steps + links)
        out[steps : steps + links] = pool[start[path] : start[path + 1]]
        length[len(taken) - 1] = links
        steps += links
        for link in range(at, links):
            spur, before = _enter(net, pool, start, taken, path, link, src, search)
            least = before + _least_left(net, spur, distance, search)
            if least < np.inf:
                pushed += 1
                heapq.heappush(heap, (least, pushed, path, link, -1))
    return len(taken), out
