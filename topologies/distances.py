"""Distances between switches and between endpoints, and how many equal-cost paths there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from topologies.alike_groups import alike_groups, twins
from topologies.columns import Floats, Ints, Longs, column
from topologies.equal_rows import first_equal_row
from topologies.sparse_rows import SparseRows
from topologies.topology import Topology

_WORDS = 16  # 64-bit words of sources a step of the search handles at once
_BLOCK = 256  # sources whose path counts are in memory at once
_MOST_WEIGHTED = 20_000_000  # arcs times sources that are counted one by one
_Homes = tuple[Ints, Ints, Floats]  # group, node, links
_HomeSets = list[tuple[int, ...]]  # vertices where the endpoints of a group enter
_DIAMETERS: WeakKeyDictionary[Topology, int] = WeakKeyDictionary()  # faces ask more than once


@dataclass(frozen=True)
class PathClass:
    """Pairs of endpoints at one distance."""

    hops: int  # links between switches; between hosts or routers that forward, all links
    pairs: float  # ordered pairs of endpoint nodes
    least_paths: float | None  # equal-cost paths of a pair, parallel cables counted; None: not counted
    mean_paths: float | None
    most_paths: float | None


@dataclass(frozen=True)
class Distances:
    """Distances of all pairs of endpoint nodes that can reach each other."""

    classes: tuple[PathClass, ...]
    unreachable: float  # ordered pairs of endpoint nodes
    diameter_hops: int  # of `diameter_hops`

    @property
    def longest_path_hops(self) -> int:
        """Hops of the longest path of least metric; the diameter where all links have the same metric."""
        return max((entry.hops for entry in self.classes), default=0)

    @property
    def mean(self) -> float:
        """Mean distance over pairs that reach each other; 0 without any."""
        pairs = sum(entry.pairs for entry in self.classes)
        return sum(entry.hops * entry.pairs for entry in self.classes) / pairs if pairs else 0.0


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Links up between nodes that forward, parallel ones in one; so are nodes without endpoints cabled alike."""

    vertex: Ints  # shape (N,), vertex of every node that forwards; -1
    size: Ints  # shape (V,), nodes of a vertex
    tail: Ints
    head: Ints
    many: Floats  # links from one node of the tail to one of the head
    weight: Floats  # routing metric

    @property
    def count(self) -> int:
        """Vertices."""
        return len(self.size)


def diameter_hops(topology: Topology) -> int:
    """Links between switches on the shortest path of the two endpoints that are farthest apart.

    Cables between a host and its switch are no hops, so that endpoints of one switch are 0 apart; between hosts or
    routers that forward every link is a hop. A host on several switches is as near as the nearest of them. The routing
    metric plays no part, and pairs without a path do not count.
    """
    known = _DIAMETERS.get(topology)
    if known is None:
        homes = _homes(topology)
        arcs = _arcs(topology, homes)
        known = _DIAMETERS[topology] = _longest(arcs, _home_sets(homes, arcs))
    return known


def _longest(arcs: _Arcs, sets: _HomeSets) -> int:
    """Steps between the two home sets that are farthest apart, twins searched from once."""
    if not sets or not len(arcs.tail):
        return 0
    twin = _twins(arcs)
    alike = [tuple(sorted({int(twin[vertex]) for vertex in each})) for each in sets]
    longest = _search(arcs, list(dict.fromkeys(alike)))
    # Sets that meet in a twin are 2 apart at most: what is 2 or more was measured between sets that do not.
    return longest if longest >= 2 or alike == [tuple(sorted(each)) for each in sets] else _search(arcs, sets)


def _twins(arcs: _Arcs) -> Longs:
    """First vertex with the same neighbours, for every vertex; each is its own where links go one way only."""
    own = np.arange(arcs.count)
    tail, head = arcs.tail.astype(np.int64), arcs.head.astype(np.int64)
    out, back = np.lexsort((head, tail)), np.lexsort((tail, head))
    if not (np.array_equal(tail[out], head[back]) and np.array_equal(head[out], tail[back])):
        return own
    start = np.searchsorted(tail[out], np.arange(arcs.count + 1))
    # Nothing leads from a vertex without neighbours to another.
    return np.where(np.diff(start) > 0, first_equal_row(start, head[out]), own)


def _search(arcs: _Arcs, sets: _HomeSets) -> int:
    """Steps between the two sets that are farthest apart, by search from all of them, 64 to a word."""
    members = np.array([vertex for each in sets for vertex in each], dtype=np.int64)
    owner = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    starts = np.searchsorted(owner, np.arange(len(sets)))
    order = np.argsort(arcs.head, kind="stable")
    tail, head = arcs.tail[order], arcs.head[order]
    heads, head_starts = np.unique(head, return_index=True)
    longest = 0
    for first in range(0, len(starts), 64 * _WORDS):
        mine = (owner >= first) & (owner < first + 64 * _WORDS)
        seen = np.zeros((arcs.count, -(-min(64 * _WORDS, len(starts) - first) // 64)), dtype=np.uint64)
        bit = owner[mine] - first
        np.bitwise_or.at(seen, (members[mine], bit // 64), np.uint64(1) << (bit % 64).astype(np.uint64))
        reached = np.bitwise_or.reduceat(seen[members], starts, axis=0)
        for hop in range(1, arcs.count + 1):
            fresh = seen.copy()
            fresh[heads] |= np.bitwise_or.reduceat(seen[tail], head_starts, axis=0)
            if (fresh == seen).all():
                break
            seen, before = fresh, reached
            reached = np.bitwise_or.reduceat(seen[members], starts, axis=0)
            if (reached != before).any():
                longest = max(longest, hop)
    return longest


def _home_sets(homes: _Homes, arcs: _Arcs) -> _HomeSets:
    """Vertices where endpoints enter, by groups that enter alike, each set once."""
    group, home, _ = homes
    if not len(group):
        return []
    bounds = np.flatnonzero(np.diff(group, prepend=-1))
    parts = np.split(arcs.vertex[home], bounds[1:])
    return list(dict.fromkeys(tuple(part) for part in map(np.ndarray.tolist, parts)))


def distances(topology: Topology) -> Distances:
    """Distances and equal-cost path counts of all pairs of endpoint nodes.

    Equal-cost paths are those that ECMP uses: of least routing metric; links in parallel count one by one. With metrics
    that differ, distances are the fewest links among the paths of least metric.
    """
    homes = _homes(topology)
    arcs = _arcs(topology, homes)
    groups = topology.groups
    group_of_home, home, links = homes
    starts = np.searchsorted(group_of_home, np.arange(len(groups)))
    linked = np.diff(np.append(starts, len(group_of_home))) > 0
    tallies: dict[int, list[float]] = {}
    unreachable = 0.0
    weighted = len(arcs.weight) > 0 and bool((arcs.weight != arcs.weight[0]).any())
    twin = twins(arcs.count, arcs.tail, arcs.head, arcs.many, arcs.weight)
    alike = alike_groups(groups.size, group_of_home, arcs.vertex[home], links, twin)
    sources = alike.leaders
    for first in range(0, len(sources), _BLOCK):
        block = sources[first : first + _BLOCK]
        begin = np.zeros((arcs.count, len(block)))
        place = np.full(len(groups), -1)
        place[block] = np.arange(len(block))
        mine = place[group_of_home] >= 0
        np.add.at(begin, (arcs.vertex[home[mine]], place[group_of_home[mine]]), links[mine])
        walk = _by_metric(arcs, begin) if weighted else _by_hops(arcs, begin)
        if walk is None:
            walk = (_by_hops(arcs, begin)[0], np.full_like(begin, np.nan))
        hops, paths = walk
        best, count = _at_groups(hops, paths, arcs.vertex[home], links, starts, linked)
        pairs = alike.pairs(block)
        for hop in np.unique(best[pairs > 0]).tolist():
            at = (best == hop) & (pairs > 0)
            if hop < 0:
                unreachable += float(pairs[at].sum())
                continue
            number = count[at]
            tally = tallies.setdefault(int(hop), [0.0, 0.0, np.inf, 0.0])
            tally[0] += float(pairs[at].sum())
            tally[1] += float((pairs[at] * number).sum())
            tally[2] = min(tally[2], float(number.min()))
            tally[3] = max(tally[3], float(number.max()))
    classes = [
        PathClass(hop, pairs, None, None, None)
        if np.isnan(total)
        else PathClass(hop, pairs, least, total / pairs, most)
        for hop, (pairs, total, least, most) in sorted(tallies.items())
    ]
    return Distances(tuple(classes), unreachable, diameter_hops(topology))


def _homes(topology: Topology) -> _Homes:
    """Where the endpoints of each attachment group enter: group, node that forwards, links to it; by group.

    An endpoint that forwards enters at itself.
    """
    groups, nodes, links = topology.groups, topology.nodes, topology.links
    leader = np.full(len(nodes), -1, dtype=np.int64)
    leader[groups.first] = np.arange(len(groups))
    rows = np.flatnonzero((leader >= 0)[links.src])
    rows = rows[topology.up[rows] & ~nodes.forwards[links.src[rows]] & nodes.forwards[links.dst[rows]]]
    own = np.flatnonzero(nodes.forwards[groups.first])
    pair = np.concatenate(
        [leader[links.src[rows]] * len(nodes) + links.dst[rows], own * len(nodes) + groups.first[own]]
    )
    pairs, count = np.unique(pair, return_counts=True)
    return column(pairs // len(nodes), np.int32), column(pairs % len(nodes), np.int32), column(count, np.float64)


def _arcs(topology: Topology, homes: _Homes) -> _Arcs:
    nodes, links = topology.nodes, topology.links
    forwards = np.flatnonzero(nodes.forwards)
    place = np.full(len(nodes), -1, dtype=np.int32)
    place[forwards] = np.arange(len(forwards))
    joined = place >= 0
    rows = np.flatnonzero(topology.up & joined[links.src] & joined[links.dst])
    pairs, weight = _pairs(place[links.src[rows]], place[links.dst[rows]], links.weight[rows], len(forwards))
    first = _merged(pairs, weight, place[np.unique(homes[1])])
    leads = first == np.arange(len(forwards))
    number = np.cumsum(leads) - 1
    vertex = np.full(len(nodes), -1, dtype=np.int64)
    vertex[forwards] = number[first]
    # Merged nodes have the same neighbours, so that every arc of theirs is one of the first of them too.
    keep = np.flatnonzero(leads[pairs.row] & leads[pairs.column])
    return _Arcs(
        column(vertex, np.int32),
        column(np.bincount(number[first]), np.int32),
        column(number[pairs.row[keep]], np.int32),
        column(number[pairs.column[keep]], np.int32),
        column(pairs.value[keep], np.float64),
        column(weight[keep], np.float64),
    )


def _pairs(tail: Ints, head: Ints, weight: Floats, count: int) -> tuple[SparseRows, Floats]:
    """Links of least metric between every two nodes, counted, and that metric; by tail, then by head."""
    pairs = SparseRows.of(np.ones(len(tail)), tail, head, (count, count))
    found = len(pairs.row)
    if not len(weight) or (weight == weight[0]).all():
        return pairs, column(np.full(found, weight[0] if len(weight) else 1.0), np.float64)
    _, pair = np.unique(tail.astype(np.int64) * count + head, return_inverse=True)
    least = np.full(found, np.inf)
    np.minimum.at(least, pair, weight)
    counted = np.bincount(pair, weight <= least[pair], found)
    return replace(pairs, value=column(counted, np.float64)), column(least, np.float64)


def _merged(pairs: SparseRows, weight: Floats, kept: Ints) -> Longs:
    """First of the nodes that are one vertex, for every node: those whose cables lead to the same nodes, none kept.

    Neighbours are compared by node, so that merged nodes are never neighbours of each other.
    """
    count = pairs.shape[0]
    first = first_equal_row(pairs.start, pairs.column, pairs.value, weight)
    order = np.lexsort((pairs.row, pairs.column))  # by head, then by tail
    back_start = np.searchsorted(pairs.column[order], np.arange(count + 1))
    sides = (pairs.row[order], pairs.value[order], weight[order])
    same = zip((pairs.column, pairs.value, weight), sides, strict=True)
    if not np.array_equal(back_start, pairs.start) or not all(np.array_equal(one, other) for one, other in same):
        back = first_equal_row(back_start, *sides)
        _, at, group = np.unique(first * count + back, return_index=True, return_inverse=True)
        first = at[group]
    alone = np.zeros(count, dtype=np.bool_)
    alone[kept] = True
    rest = np.flatnonzero(~alone)
    leader = np.arange(count)
    _, at, group = np.unique(first[rest], return_index=True, return_inverse=True)
    leader[rest] = rest[at[group]]
    return leader


def _by_hops(arcs: _Arcs, begin: Floats) -> tuple[NDArray[np.int32], Floats]:
    """Fewest links from each source to one node of every vertex, and how many such paths; -1 where there are none."""
    # Paths to all nodes of a vertex.
    step = SparseRows.of(arcs.many * arcs.size[arcs.head], arcs.head, arcs.tail, (arcs.count, arcs.count))
    hops = np.where(begin > 0, 0, -1).astype(np.int32)
    paths = begin.copy()
    front = begin
    for hop in range(1, arcs.count + 1):
        front = np.where(hops < 0, step @ front, 0.0)
        if not front.any():
            break
        hops[front > 0] = hop
        paths += front
    return hops, paths / arcs.size[:, None]


def _by_metric(arcs: _Arcs, begin: Floats) -> tuple[NDArray[np.int32], Floats] | None:
    """The same over paths of least metric; None where there are too many to walk one by one."""
    if len(arcs.tail) * begin.shape[1] > _MOST_WEIGHTED:
        return None
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = csr_array((arcs.weight, (arcs.tail, arcs.head)), shape=(arcs.count, arcs.count))
    hops = np.full(begin.shape, -1, dtype=np.int32)
    paths = np.zeros(begin.shape)
    for source in range(begin.shape[1]):
        roots = np.flatnonzero(begin[:, source])
        if not len(roots):
            continue
        far = dijkstra(graph, indices=roots).min(axis=0)
        hops[roots, source], paths[roots, source] = 0, begin[roots, source]
        through = far[arcs.tail] + arcs.weight
        used = np.flatnonzero(np.isfinite(through) & (through <= far[arcs.head] * (1 + 1e-12)))
        for arc in used[np.argsort(far[arcs.tail[used]], kind="stable")].tolist():
            tail, head = arcs.tail[arc], arcs.head[arc]
            paths[head, source] += paths[tail, source] * arcs.many[arc] * arcs.size[head]
            near = hops[tail, source] + 1
            hops[head, source] = near if hops[head, source] < 0 else min(hops[head, source], near)
    return hops, paths / arcs.size[:, None]


def _at_groups(
    hops: NDArray[np.int32], paths: Floats, vertex: Ints, links: Floats, starts: NDArray[np.int64], linked: np.ndarray
) -> tuple[NDArray[np.int32], Floats]:
    """Fewest links to the endpoints of every group, and paths of that length, shape (G, sources)."""
    best = np.full((len(starts), hops.shape[1]), -1, dtype=np.int32)
    count = np.zeros(best.shape)
    if not len(vertex):
        return best, count
    there = np.where(hops[vertex] < 0, np.iinfo(np.int32).max, hops[vertex])
    least = np.minimum.reduceat(there, starts[linked], axis=0)
    owner = np.repeat(np.arange(len(least)), np.diff(np.append(starts[linked], len(vertex))))
    at_best = np.where(there == least[owner], paths[vertex] * links[:, None], 0.0)
    best[linked] = np.where(least == np.iinfo(np.int32).max, -1, least)
    count[linked] = np.add.reduceat(at_best, starts[linked], axis=0)
    return best, count
