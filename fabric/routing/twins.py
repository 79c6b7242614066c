"""Nodes of a graph that are joined to the very same others, and the network with one node for each set of them.

Edge switches of a pod of a fat tree, or the cores of one plane, have the same links to the same switches. Exchanging
two of them changes nothing for anybody else, so what passes through them to somewhere else divides evenly over them.
Twins are never joined to each other: a node that is would be joined to itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from topologies.columns import Bools, Floats, Ints, Longs, column

_BITS = 36  # of a random number per node: sums over 2^17 neighbours are exact in doubles


class TwinNet(NamedTuple):
    """Sets of twins and the links between them, as compiled loops read them; a set of one is a node by itself.

    Slots are the pairs of joined sets, ordered by the set that sends; ``into`` lists them by the set that receives.
    """

    set_of: Ints  # shape (V,), -1 for nodes that are left out
    size: Longs  # shape (S,)
    start: Longs  # shape (S + 1,), slots of every sending set
    head: Ints  # shape (Q,), receiving set of every slot
    parallel: Floats  # shape (Q,), links from each member of the sending to each of the receiving set
    into_start: Longs  # shape (S + 1,)
    into: Ints  # shape (Q,), slots
    tail: Ints  # shape (Q,), sending set of every slot
    rank: Longs  # shape (Q,), of a slot among those of its receiving set


def find_twins(src: Ints, dst: Ints, nodes: int, kind: Ints | None = None) -> Ints:
    """Number of the set of every node, shape (V,), in order of its first member.

    Sets are found by sums of random numbers over neighbours and then compared link by link: a set is right or it is
    taken apart.

    Parameters
    ----------
    src, dst : ndarray, shape (E,)
        Ends of directed edges.
    kind : ndarray, shape (E,), optional
        From 0; only edges of one kind are alike.
    """
    kinds = 1 if kind is None else int(kind.max(initial=0)) + 1
    code: Ints | int = 0 if kind is None else kind
    ends = [(src, dst.astype(np.int64) * kinds + code), (dst, src.astype(np.int64) * kinds + code)]
    rng = np.random.default_rng(0)
    near = [
        np.bincount(own, rng.integers(1, 2**_BITS, size=nodes * kinds).astype(np.float64)[other], nodes)
        for own, other in (*ends, *ends)
    ]
    order = np.lexsort(near)
    changed = np.zeros(nodes, dtype=np.bool_)
    for values in near:
        changed[1:] |= values[order][1:] != values[order][:-1]
    found = np.empty(nodes, dtype=np.int64)
    found[order] = np.cumsum(changed)
    first = _first_of(found)
    alike = [_alike(own, other, nodes * kinds, first) for own, other in ends]
    return _in_order(np.where(alike[0] & alike[1], first, np.arange(nodes)))


def _first_of(label: Longs) -> Longs:
    """The first member of every node's set, shape (V,)."""
    first = np.full(int(label.max(initial=-1)) + 1, len(label), dtype=np.int64)
    np.minimum.at(first, label, np.arange(len(label)))
    return first[label]


def _in_order(first: Longs) -> Ints:
    """Sets numbered from 0 in order of their first members."""
    is_first = np.zeros(len(first), dtype=np.bool_)
    is_first[first] = True
    return column((np.cumsum(is_first) - 1)[first], np.int32)


def _alike(own: Ints, other: Longs, others: int, first: Longs) -> Bools:
    """Whether every node has the links of the first of its set, one by one, shape (V,)."""
    order = np.argsort(own.astype(np.int64) * others + other, kind="stable")
    tail, head = own[order], other[order]
    degree = np.bincount(own, minlength=len(first))
    start = np.cumsum(degree) - degree
    same = degree == degree[first]
    at = np.arange(len(tail)) - start[tail] + start[first[tail]]
    same[tail[head != head[np.minimum(at, max(len(head) - 1, 0))]]] = False
    return np.asarray(same)


def twin_net(src: Ints, dst: Ints, label: Ints, nodes: int) -> TwinNet:
    """The network of the sets; ``label`` are those of the first of all nodes, the others are left out."""
    set_of = np.full(nodes, -1, dtype=np.int32)
    set_of[: len(label)] = label
    size = np.bincount(label)
    is_first = np.zeros(nodes, dtype=np.bool_)
    is_first[np.unique(label, return_index=True)[1]] = True
    between = is_first[src] & is_first[dst]
    key = set_of[src[between]].astype(np.int64) * len(size) + set_of[dst[between]]
    pairs, parallel = np.unique(key, return_counts=True)
    tail, head = np.divmod(pairs, max(len(size), 1))
    into = np.argsort(head, kind="stable")
    bounds = np.arange(len(size) + 1)
    into_start = np.searchsorted(head[into], bounds)
    rank = np.empty(len(pairs), dtype=np.int64)
    rank[into] = np.arange(len(pairs)) - into_start[head[into]]
    return TwinNet(
        column(set_of, np.int32), column(size, np.int64), column(np.searchsorted(tail, bounds), np.int64),
        column(head, np.int32), column(parallel, np.float64), column(into_start, np.int64),
        column(into, np.int32), column(tail, np.int32), column(rank, np.int64),
    )  # fmt: skip


def slot_of_edges(net: TwinNet, src: Ints, dst: Ints) -> Longs:
    """The slot that every edge between switches is a part of, shape (E,)."""
    sets = len(net.size)
    slots = net.tail.astype(np.int64) * sets + net.head
    return np.searchsorted(slots, net.set_of[src].astype(np.int64) * sets + net.set_of[dst])


def no_twins() -> TwinNet:
    """A network without sets, which stands for one that has too few of them."""
    ints, longs, floats = (column([], kind) for kind in (np.int32, np.int64, np.float64))
    return TwinNet(ints, longs, longs, ints, floats, longs, ints, ints, longs)
