"""Bisection: what can cross between two halves of the endpoints, tier by tier, and the narrowest halving found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import maximum_flow
from scipy.sparse.linalg import eigsh

from topologies.columns import Bools, Floats, Ints, column
from topologies.topology import Topology

_STARTS = 24  # halvings that are improved
_SWAPS = 400  # at most, of each
_DENSE = 400  # nodes up to which eigenvectors are computed whole


@dataclass(frozen=True)
class TierBoundary:
    """The cables of one tier between two levels, all of which traffic between far endpoints climbs and descends."""

    tier: str
    cables: int
    gbps: float  # capacity of all of them, one direction
    bisection_gbps: float  # half of it: what the endpoints of one half can send to the other
    ratio: float | None  # to what half of the endpoints send; 1 or more is full bisection


@dataclass(frozen=True)
class Cut:
    """The narrowest halving found: an upper bound of the bisection, and a lower bound beside it."""

    cables: int
    gbps: float  # across the cut, one direction
    at_least_gbps: float  # by the second eigenvalue of the Laplacian; 0 where it says nothing
    ratio: float | None


@dataclass(frozen=True)
class Bisection:
    """Of one fabric, failures left out of account where they took links."""

    endpoint_gbps: float  # what all endpoints send, one direction
    tiers: tuple[TierBoundary, ...]
    cut: Cut | None  # only where switches of one level are cabled to each other


def bisection(topology: Topology, *, seed: int = 0) -> Bisection:
    """Cables and Gbps of every boundary between levels, and, for networks without levels, a narrow halving.

    A boundary's bisection is half its capacity: each half of the endpoints has half of the cables above it, its traffic
    for the other half climbs them once, and descends once on the other side. In networks without levels the least
    halving is hard to find; ours is found by eigenvectors and swaps, so that the truth lies between ``at_least_gbps``
    (Fiedler's bound, λ₂·N/4, where halves of the switches are halves of the endpoints) and ``gbps``.

    References
    ----------
    Fiedler, "Algebraic connectivity of graphs", 1973; Kernighan and Lin, "An efficient heuristic procedure for
    partitioning graphs", 1970.
    """
    nodes, links = topology.nodes, topology.links
    sends = topology.up & (nodes.nics[links.src] > 0)
    endpoint_gbps = float(links.capacity_gbps[sends & ~nodes.forwards[links.src]].sum())
    cable = topology.is_cable & topology.up
    boundaries = []
    flat = False
    for code, tier in enumerate(topology.tiers):
        mine = cable & (links.tier == code)
        between = mine & (topology.direction != 0)
        spare = (nodes.nics == 0) & ~nodes.forwards
        between &= ~spare[links.src] & ~spare[links.dst]
        inside = mine & (topology.direction == 0)
        flat = flat or bool(inside.any())
        if between.any():
            rising = topology.up & (links.tier == code) & (topology.direction > 0)
            gbps = float(links.capacity_gbps[rising & ~spare[links.src]].sum())
            ratio = gbps / endpoint_gbps if endpoint_gbps else None
            boundaries.append(TierBoundary(tier, int(between.sum()), gbps, gbps / 2, ratio))
    cut = _narrowest(topology, seed, endpoint_gbps) if flat or _server_centric(topology) else None
    return Bisection(endpoint_gbps, tuple(boundaries), cut)


def _server_centric(topology: Topology) -> bool:
    return bool((topology.nodes.forwards & (topology.nodes.nics > 0)).any())


def _narrowest(topology: Topology, seed: int, endpoint_gbps: float) -> Cut | None:
    """The best of several halvings, each improved by swaps."""
    nodes, links = topology.nodes, topology.links
    inside = np.flatnonzero(topology.up & nodes.forwards[links.src] & nodes.forwards[links.dst])
    ids = np.flatnonzero(nodes.forwards)
    index = np.full(len(nodes), -1)
    index[ids] = np.arange(len(ids))
    gbps = csr_array(
        (links.capacity_gbps[inside], (index[links.src[inside]], index[links.dst[inside]])), shape=(len(ids),) * 2
    )
    gbps.sum_duplicates()
    both = csr_array((gbps + gbps.T) / 2)
    mass = np.zeros(len(nodes))
    attached = topology.up & (nodes.nics[links.src] > 0) & ~nodes.forwards[links.src]
    np.add.at(mass, links.dst[attached], links.capacity_gbps[attached])
    mass[(nodes.nics > 0) & nodes.forwards] += 1.0
    weight = mass[ids]
    ends = column(np.flatnonzero(weight > 0), np.int32)
    if len(ends) < 2:
        return None
    values, vectors = _spectrum(both)
    best: tuple[float, Bools] | None = None
    rng = np.random.default_rng(seed)
    for start in range(_STARTS):
        score = _start(start, vectors, len(ids), rng)
        side = _half(score, weight, ends)
        side = _improved(both, side, weight, ends)
        side = _others(both, side, weight)
        value = float(both[side][:, ~side].sum())
        if best is None or value < best[0] - 1e-9:
            best = (value, side)
    if best is None:
        return None
    value, side = best
    across = topology.is_cable & topology.up & nodes.forwards[links.src] & nodes.forwards[links.dst]
    cables = int((across & (_side(side, index, links.src) != _side(side, index, links.dst))).sum())
    even = len(ends) == len(ids) and np.allclose(weight, weight[0])
    least = float(values[1]) * (len(ids) // 2) * (-(-len(ids) // 2)) / len(ids) if even and len(values) > 1 else 0.0
    ratio = value / (endpoint_gbps / 2) if endpoint_gbps else None
    return Cut(cables, value, max(least, 0.0), ratio)


def _side(side: Bools, index: Ints, nodes: Ints) -> Bools:
    return np.asarray(side[index[nodes]])


def _spectrum(both: csr_array) -> tuple[Floats, Floats]:
    """The least eigenvalues of the Laplacian and their vectors, up to eight."""
    laplacian = diags_array(np.asarray(both.sum(axis=1)).ravel()).tocsr() - both
    count = min(8, laplacian.shape[0])
    if laplacian.shape[0] <= _DENSE:
        values, vectors = np.linalg.eigh(laplacian.toarray())
        return values[:count], vectors[:, :count]
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


def _others(both: csr_array, side: Bools, weight: Floats) -> Bools:
    """The best sides of nodes without endpoints, given those with: a minimum cut."""
    free = np.flatnonzero(weight <= 0)
    if not len(free):
        return side
    count = len(free)
    fixed = weight > 0
    index = np.full(len(side), -1)
    index[free] = np.arange(count)
    scale = max(float(both.max()), 1.0)
    units = 1_000.0 / scale
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
