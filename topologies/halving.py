"""Halvings of networks without levels: what crosses one, and the narrowest that eigenvectors and swaps come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topologies.columns import Bools, Floats, Ints, column
from topologies.topology import Topology

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_STARTS = 24  # halvings that are improved
_SWAPS = 400  # at most, of each
_MOST_ALONE = 4_000  # hosts on several switches that are looked at one by one
_DENSE = 400  # nodes up to which eigenvectors are computed whole


@dataclass(frozen=True)
class Cut:
    """The narrowest halving found: an upper bound of the bisection, and a lower bound beside it."""

    cables: int
    gbps: float  # across the cut, one direction
    at_least_gbps: float  # by the second eigenvalue of the Laplacian; 0 where it says nothing
    beneath_gbps: float | None  # what the hosts of the lesser side send; None where hosts forward
    ratio: float | None  # to that


@dataclass(frozen=True, eq=False)
class ForwardingGraph:
    """Nodes that forward, the Gbps between any two of them, and what the hosts on each send.

    A host on several switches is a vertex of its own, with what it sends and its cables to each; where there are very
    many, hosts that are attached alike are one.
    """

    ids: Ints  # shape (V,), node ids; of hosts on several switches the first
    index: Ints  # shape (N,), vertex of every node that has one; -1
    both: csr_array  # shape (V, V), Gbps, the mean of both directions
    weight: Floats  # shape (V,), Gbps of hosts; 1 for a node that is an endpoint itself

    @property
    def ends(self) -> Ints:
        """Vertices with endpoints."""
        return column(np.flatnonzero(self.weight > 0), np.int32)

    def across_gbps(self, side: Bools) -> float:
        """Gbps from one side to the other, one direction; ``side`` has shape (V,)."""
        return float(self.both[side][:, ~side].sum())

    def lesser_gbps(self, topology: Topology, side: Bools) -> float | None:
        """What the hosts of the lesser side send; None where they forward."""
        if (topology.nodes.forwards & (topology.nodes.nics > 0)).any():
            return None
        return float(min(self.weight[side].sum(), self.weight[~side].sum()))

    def with_others(self, side: Bools, fixed: Bools) -> Bools:
        """The same sides for vertices that are ``fixed``, and those that cut least for the rest."""
        return _others(self.both, side, fixed)


def forwarding_graph(topology: Topology) -> ForwardingGraph:
    """The links that are up between nodes that forward, and to hosts that have several switches."""
    from scipy.sparse import csr_array

    nodes, links = topology.nodes, topology.links
    forwarding = np.flatnonzero(nodes.forwards)
    index = np.full(len(nodes), -1)
    index[forwarding] = np.arange(len(forwarding))
    leaders, alone = _several_homes(topology)
    for number, leader in enumerate(leaders.tolist()):
        alike = leader if alone else topology.groups.of_node == topology.groups.of_node[leader]
        index[alike] = len(forwarding) + number
    count = len(forwarding) + len(leaders)
    tail, head = index[links.src], index[links.dst]
    rows = np.flatnonzero(topology.up & (tail >= 0) & (head >= 0))
    gbps = csr_array((links.capacity_gbps[rows], (tail[rows], head[rows])), shape=(count,) * 2)
    gbps.sum_duplicates()
    mass = np.zeros(count)
    sends = topology.up & (nodes.nics[links.src] > 0) & ~nodes.forwards[links.src]
    np.add.at(mass, np.where(tail >= 0, tail, head)[sends], links.capacity_gbps[sends])
    mass[index[(nodes.nics > 0) & nodes.forwards]] += 1.0
    return ForwardingGraph(
        column(np.append(forwarding, leaders), np.int32),
        column(index, np.int32),
        csr_array((gbps + gbps.T) / 2),
        column(mass, np.float64),
    )


def _several_homes(topology: Topology) -> tuple[Ints, bool]:
    """Hosts that are cabled to more than one switch, each alone, or of very many the first of those attached alike."""
    nodes, links, groups = topology.nodes, topology.links, topology.groups
    leads = np.zeros(len(nodes), dtype=np.bool_)
    leads[groups.first] = True
    rows = topology.up & leads[links.src] & ~nodes.forwards[links.src]
    pairs = np.unique(links.src[rows].astype(np.int64) * len(nodes) + links.dst[rows])
    hosts, homes = np.unique(pairs // len(nodes), return_counts=True)
    first = column(hosts[homes > 1], np.int32)
    if groups.size[groups.of_node[first]].sum() > _MOST_ALONE:
        return first, False
    return column(np.flatnonzero(np.isin(groups.of_node, groups.of_node[first])), np.int32), True


def cables_across(topology: Topology, graph: ForwardingGraph, side: Bools) -> int:
    """Cables that are up between the two sides."""
    tail, head = graph.index[topology.links.src], graph.index[topology.links.dst]
    inside = topology.is_cable & topology.up & (tail >= 0) & (head >= 0)
    return int((inside & (side[tail] != side[head])).sum())


def narrowest(topology: Topology, graph: ForwardingGraph, seed: int, known: list[Bools]) -> Cut | None:
    """The best of several halvings, each improved by swaps, and of those known; None without two halves."""
    both, weight, ends = graph.both, graph.weight, graph.ends
    count = len(graph.ids)
    if len(ends) < 2:
        return None
    values, vectors = _spectrum(both)
    best: tuple[float, Bools] | None = None
    rng = np.random.default_rng(seed)
    for start in range(_STARTS + len(known)):
        drawn = start < _STARTS
        side = _half(_start(start, vectors, count, rng), weight, ends) if drawn else known[start - _STARTS]
        side = graph.with_others(_improved(both, side, weight, ends), weight > 0)
        value = graph.across_gbps(side)
        if best is None or value < best[0] - 1e-9:
            best = (value, side)
    if best is None:
        return None
    value, side = best
    even = len(ends) == count and np.allclose(weight, weight[0])
    least = float(values[1]) * (count // 2) * (-(-count // 2)) / count if even and len(values) > 1 else 0.0
    beneath = graph.lesser_gbps(topology, side)
    ratio = value / beneath if beneath else None
    return Cut(cables_across(topology, graph, side), value, max(least, 0.0), beneath, ratio)


def _spectrum(both: csr_array) -> tuple[Floats, Floats]:
    """The least eigenvalues of the Laplacian and their vectors, up to eight."""
    from scipy.sparse import diags_array

    laplacian = diags_array(np.asarray(both.sum(axis=1)).ravel()).tocsr() - both
    count = min(8, laplacian.shape[0])
    if laplacian.shape[0] <= _DENSE:
        values, vectors = np.linalg.eigh(laplacian.toarray())
        return values[:count], vectors[:, :count]
    from scipy.sparse.linalg import eigsh

    guess = np.random.default_rng(1).random((laplacian.shape[0],))
    scale = float(abs(laplacian).max())
    values, vectors = eigsh(laplacian, k=count, sigma=-1e-6 * scale, which="LM", v0=guess)
    order = np.argsort(values)
    return values[order], vectors[:, order]


def _start(start: int, vectors: Floats, count: int, rng: np.random.Generator) -> Floats:
    """An order of the nodes that is cut in the middle: by number, by an eigenvector, or by a mixture of them."""
    if start == 0:
        return np.arange(count, dtype=np.float64)
    if start < vectors.shape[1]:
        return np.asarray(vectors[:, start])
    if start == vectors.shape[1]:
        return rng.random(count)
    mixture = rng.standard_normal(vectors.shape[1] - 1)
    return np.asarray(vectors[:, 1:] @ mixture)


def _half(score: Floats, weight: Floats, ends: Ints) -> Bools:
    """The side of every node: the first half of the endpoints by score, other nodes with their nearer side."""
    order = ends[np.argsort(score[ends], kind="stable")]
    heavy = np.cumsum(weight[order])
    first = max(int(np.searchsorted(heavy, heavy[-1] / 2 + 1e-9)), 1)
    if heavy[first - 1] < heavy[-1] / 2 - 1e-9 and first < len(order) and len(order) % 2 == 0:
        first = len(order) // 2
    side = np.zeros(len(score), dtype=np.bool_)
    side[order[:first]] = True
    bar = score[order[first - 1]]
    rest = weight <= 0
    side[rest] = score[rest] <= bar
    return side


def _improved(both: csr_array, side: Bools, weight: Floats, ends: Ints) -> Bools:
    """Swap two endpoints' switches of equal weight as long as it narrows the cut."""
    side = side.copy()
    total = np.asarray(both.sum(axis=1)).ravel()
    for _ in range(_SWAPS):
        inside = both @ side.astype(np.float64)
        gain = np.where(side, total - 2 * inside, 2 * inside - total)  # cut less by moving the node
        yes, no = ends[side[ends]], ends[~side[ends]]
        a = yes[np.argsort(-gain[yes], kind="stable")[:8]]
        b = no[np.argsort(-gain[no], kind="stable")[:8]]
        pair = gain[a][:, None] + gain[b][None, :] - 2 * both[a][:, b].toarray()
        pair[weight[a][:, None] != weight[b][None, :]] = -np.inf
        place = np.unravel_index(int(np.argmax(pair)), pair.shape)
        if not pair.size or pair[place] <= 1e-9:
            break
        side[a[place[0]]], side[b[place[1]]] = False, True
    return side


def _others(both: csr_array, side: Bools, fixed: Bools) -> Bools:
    """The best sides of the nodes that are not fixed: a minimum cut."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    free = np.flatnonzero(~fixed)
    if not len(free):
        return side
    count = len(free)
    index = np.full(len(side), -1)
    index[free] = np.arange(count)
    scale, total = max(float(both.max()), 1.0), max(float(both.sum()), 1.0)
    units = min(1e6 / scale, 2e9 / total)  # whole numbers whose sum fits 32 bits
    inner = csr_array(both[free][:, free]).tocoo()
    to_yes = both[free][:, side & fixed].sum(axis=1)
    to_no = both[free][:, ~side & fixed].sum(axis=1)
    numbers = np.arange(count)
    rows = np.concatenate([inner.row, np.full(count, count), numbers])
    columns = np.concatenate([inner.col, numbers, np.full(count, count + 1)])
    values = np.rint(np.concatenate([inner.data, np.ravel(to_yes), np.ravel(to_no)]) * units).astype(np.int32)
    graph = csr_array((values, (rows, columns)), shape=(count + 2, count + 2))
    flow = maximum_flow(graph, count, count + 1).flow
    left = csr_array(graph - flow)
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = np.zeros(count + 2, dtype=np.bool_)
    reached[count] = True
    while True:
        grown = reached | (np.asarray(left.T @ reached.astype(np.int64)) > 0)
        if (grown == reached).all():
            break
        reached = grown
    chosen = side.copy()
    chosen[free] = reached[:count]
    return chosen
