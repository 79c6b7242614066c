"""Checks of answers by means that share nothing with what is checked; a figure is printed only when they hold."""

from __future__ import annotations

import numpy as np

from benchmarks.closed_forms import everywhere_utilisation, uniform_utilisation
from benchmarks.instances import Instance, Plain
from topologies.columns import Floats

EXACT = 1e-7
# Added to all prices, as a part of their mean: keeps arcs without a price in a sparse matrix. Such prices prove
# as well, weaker by that part at most.
_NUDGE = 1e-9


class WrongAnswerError(Exception):
    """An answer that contradicts a check."""


def require(holds: bool, words: str) -> None:
    """Raise unless the condition holds."""
    if not holds:
        raise WrongAnswerError(words)


def conserved(plain: Plain, load_gbps: Floats, tolerance: float = EXACT) -> float:
    """Highest utilisation of loads in which traffic neither appears nor vanishes at any node.

    Parameters
    ----------
    load_gbps : ndarray, shape (A,)
    tolerance : float
        Of the traffic through a node.
    """
    leaves = np.bincount(plain.tail, load_gbps, plain.nodes)
    enters = np.bincount(plain.head, load_gbps, plain.nodes)
    wrong = np.abs(leaves - enters - plain.supply_gbps)
    worst = float((wrong / max(float(leaves.max()), 1e-9)).max())
    require(worst <= tolerance, f"traffic appears or vanishes at a node: {worst:.1e} of what the busiest sends")
    require(bool((load_gbps >= -tolerance * plain.gbps).all()), "a load is negative")
    return float((load_gbps / plain.gbps).max())


def symmetric(instance: Instance, plain: Plain, load_gbps: Floats) -> None:
    """Compare every load with the closed form."""
    net = instance.topology
    wanted = uniform_utilisation if instance.kind == "uniform" else everywhere_utilisation
    tier = net.links.tier[plain.link]
    for name, value in wanted(instance.size).items():
        mine = tier == net.tiers.index(name)
        found = load_gbps[mine] / plain.gbps[mine]
        far = float(np.abs(found / value - 1).max())
        require(far <= EXACT, f"{name} links are {far:.1e} from the closed form")


def proven_bound(plain: Plain, price: Floats) -> float:
    """The lower bound on the maximum utilisation that arc prices prove, by SciPy's Dijkstra.

    Parameters
    ----------
    price : ndarray, shape (A,)
        Not negative.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    require(bool((price >= 0).all()), "a price is negative")
    paid = price + _NUDGE * float((plain.gbps * price).sum() / plain.gbps.sum())
    order = np.lexsort((paid, plain.head, plain.tail))
    tail, head = plain.tail[order], plain.head[order]
    first = np.r_[True, (np.diff(tail) != 0) | (np.diff(head) != 0)]  # the cheapest of parallel arcs
    graph = csr_array((paid[order][first], (tail[first], head[first])), shape=(plain.nodes, plain.nodes))
    total = 0.0
    for begin in range(0, len(plain.ends), 128):
        rows = slice(begin, begin + 128)
        distance = dijkstra(graph, indices=plain.ends[rows])[:, plain.ends]
        demand = plain.demand_gbps[rows]
        total += float((demand[demand > 0] * distance[demand > 0]).sum())
    return total / float((plain.gbps * paid).sum())


def equal_split(plain: Plain) -> Floats:
    """Loads under an equal split over all shortest next hops, by breadth-first search in plain Python, shape (A,)."""
    into: list[list[int]] = [[] for _ in range(plain.nodes)]
    out: list[list[int]] = [[] for _ in range(plain.nodes)]
    tail, head = plain.tail.tolist(), plain.head.tolist()
    for arc, (low, high) in enumerate(zip(tail, head, strict=True)):
        out[low].append(arc)
        into[high].append(arc)
    load = [0.0] * len(tail)
    for column, dest in enumerate(plain.ends.tolist()):
        hops, order = {dest: 0}, [dest]
        for node in order:
            for arc in into[node]:
                if tail[arc] not in hops:
                    hops[tail[arc]] = hops[node] + 1
                    order.append(tail[arc])
        waiting = [0.0] * plain.nodes
        for row, src in enumerate(plain.ends.tolist()):
            waiting[src] = float(plain.demand_gbps[row, column])
        for node in order[:0:-1]:
            arcs = [arc for arc in out[node] if hops.get(head[arc]) == hops[node] - 1]
            for arc in arcs:
                load[arc] += waiting[node] / len(arcs)
                waiting[head[arc]] += waiting[node] / len(arcs)
    return np.array(load)
