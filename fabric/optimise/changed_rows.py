"""Tables of arcs per destination with some rows changed: further arcs on cheap paths, or other splits altogether."""

from __future__ import annotations

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.dags import Dags
from fabric.optimise.trees import Slots
from fabric.routing.compiled import compiled
from fabric.routing.graph import PhaseDemand
from fabric.routing.kernels import weighted_order
from fabric.routing.router import Splits
from topologies.columns import Bools, Floats, Ints, Longs, Shares, column

_TIE = 1e-9  # relative; cheapest paths within this of each other are all taken


@compiled
def _merge_row(
    dest: int,
    slots: Ints,
    shares: Floats,
    net: Slots,
    price: Floats,
    sources: Ints,
    begin: float,
    out_slots: Ints,
    out_shares: Floats,
) -> int:
    """A row's arcs and those on its sources' cheapest paths, loop-free; returns how many were written."""
    nodes, tail = len(net.start) - 1, net.tail
    share_of = np.full(len(tail), -1.0)
    total = np.zeros(nodes)
    count = np.zeros(nodes, dtype=np.int64)
    for position in range(len(slots)):
        share_of[slots[position]] = shares[position]
        total[tail[slots[position]]] += shares[position]
        count[tail[slots[position]]] += 1
    _add_cheapest(dest, net, price, sources, begin, share_of, total, count)
    rank = np.empty(nodes, dtype=np.int64)
    ranked = _without_circles(dest, net, share_of, total, count, rank)
    # Only what traffic can reach, farthest heads first.
    active = np.zeros(nodes, dtype=np.bool_)
    for source in sources:
        active[source] = True
    written = 0
    for position in range(ranked - 1, -1, -1):
        node = rank[position]
        for slot in range(net.start[node], net.start[node + 1]):
            if share_of[slot] >= 0.0 and active[tail[slot]]:
                active[node] = True
                out_slots[written] = slot
                out_shares[written] = share_of[slot]
                written += 1
    return written


@compiled
def _add_cheapest(
    dest: int, net: Slots, price: Floats, sources: Ints, begin: float, share_of: Floats, total: Floats, count: Longs
) -> None:
    """Give the arcs on the sources' cheapest paths a share where they have none."""
    nodes, tail = len(net.start) - 1, net.tail
    distance = np.empty(nodes)
    order = np.empty(nodes, dtype=np.int64)
    reached = weighted_order(dest, net.start, tail, price, distance, order)
    active = np.zeros(nodes, dtype=np.bool_)
    for source in sources:
        active[source] = True
    for position in range(reached - 1, -1, -1):
        node = order[position]
        for slot in range(net.start[node], net.start[node + 1]):
            far = tail[slot]
            if active[far] and distance[node] + price[slot] <= distance[far] * (1.0 + _TIE):
                active[node] = True
                if share_of[slot] < 0.0:
                    share_of[slot] = begin * total[far] / count[far] if count[far] > 0 else 1.0
                    total[far] += share_of[slot]
                    count[far] += 1


@compiled
def _without_circles(dest: int, net: Slots, share_of: Floats, total: Floats, count: Longs, rank: Longs) -> int:
    """Order nodes so that all arcs lead to earlier ones, arcs that prevent it are cut; returns how many have arcs.

    Nodes are taken nearest first once all their arcs lead to nodes already taken. Where a cycle stops that, the node
    that loses the least traffic gives up its arcs back into the cycle.
    """
    nodes, tail = len(net.start) - 1, net.tail
    taken = np.zeros(nodes, dtype=np.bool_)
    ranked = 1
    rank[0] = dest
    taken[dest] = True
    cursor = 0
    waiting = count.copy()
    inside = np.int64(0)
    for node in range(nodes):
        if count[node] > 0 and node != dest:
            inside += 1
    while True:
        while cursor < ranked:
            node = rank[cursor]
            cursor += 1
            for slot in range(net.start[node], net.start[node + 1]):
                far = tail[slot]
                if share_of[slot] >= 0.0 and not taken[far]:
                    waiting[far] -= 1
                    if waiting[far] == 0:
                        taken[far] = True
                        rank[ranked] = far
                        ranked += 1
        if ranked > inside:
            break
        best = _least_loser(net, share_of, total, taken)
        if best < 0:
            break
        for slot in range(len(tail)):
            if tail[slot] == best and share_of[slot] >= 0.0 and not taken[net.head[slot]]:
                share_of[slot] = -1.0
        taken[best] = True
        rank[ranked] = best
        ranked += 1
    return ranked


@compiled
def _least_loser(net: Slots, share_of: Floats, total: Floats, taken: Bools) -> int:
    """The node not taken that sends the largest part to nodes that are; -1 where none sends any."""
    nodes, tail = len(net.start) - 1, net.tail
    kept = np.zeros(nodes)
    for slot in range(len(tail)):
        if share_of[slot] >= 0.0 and taken[net.head[slot]] and not taken[tail[slot]]:
            kept[tail[slot]] += share_of[slot]
    best = -1
    for node in range(nodes):
        if kept[node] > 0.0 and (best < 0 or kept[node] / total[node] > kept[best] / total[best]):
            best = node
    return best


def with_cheap_arcs(
    dags: Dags, shares: Shares, demand: PhaseDemand, routable: Bools, price: Floats, rows: Ints, *, begin: float = 1.0
) -> tuple[Dags, Shares]:
    """Add to some rows the arcs on cheapest paths under ``price`` (by slot, > 0), and cut what would close a cycle.

    Parameters
    ----------
    shares : ndarray, shape (nnz,)
        Split fractions of ``dags``; the answer has those of the new table.
    rows : ndarray
        Destinations to extend.
    begin : float
        Fraction of an arc that is new at a node, relative to the mean of those there; descent decides what it is worth.
    """
    arcs, net = dags.arcs, Slots(dags.arcs.into.start, dags.tail, dags.head)
    wanted = np.zeros(len(demand.dest), dtype=np.bool_)
    wanted[rows] = True
    pieces, parts = [], []
    slots, values = np.empty(len(arcs.src), dtype=np.int32), np.empty(len(arcs.src))
    size = np.diff(dags.start)
    kept = 0
    for row in rows.tolist():
        mine = slice(int(dags.start[row]), int(dags.start[row + 1]))
        pieces.append(dags.slot[kept : mine.start])
        parts.append(shares[kept : mine.start])
        entries = np.arange(demand.start[row], demand.start[row + 1])
        count = _merge_row(
            int(demand.dest[row]), dags.slot[mine], shares[mine].astype(np.float64),
            net, price, demand.src[entries[routable[entries]]], begin, slots, values,
        )  # fmt: skip
        pieces.append(slots[:count].copy())
        parts.append(values[:count].astype(shares.dtype))
        size[row] = count
        kept = mine.stop
    pieces.append(dags.slot[kept:])
    parts.append(shares[kept:])
    start = np.concatenate([[0], np.cumsum(size)])
    return Dags(arcs, column(start, np.int64), column(np.concatenate(pieces), np.int32)), np.concatenate(parts)


def with_splits(dags: Dags, shares: Shares, rows: Ints, dest: Ints, splits: Splits) -> tuple[Dags, Shares]:
    """Put loop-free splits over arcs in place of what some rows have, one for each of ``rows``, which ascend.

    In the splits of a row, arcs out of a node come before those out of any node that it sends to; ``dest`` is where
    they lead. Arcs to nodes that send nothing on, the rest of a rounded flow, are left out.
    """
    arcs = dags.arcs
    slot_of = np.empty(len(arcs.src), dtype=np.int32)
    slot_of[arcs.into.edge] = np.arange(len(arcs.src), dtype=np.int32)
    size = np.diff(dags.start)
    pieces, parts, kept = [], [], 0
    for number, row in enumerate(rows.tolist()):
        mine = slice(int(splits.start[number]), int(splits.start[number + 1]))
        edge, fraction = _ending(arcs, splits.edge[mine], splits.fraction[mine], int(dest[number]))
        place = np.full(arcs.nodes, len(edge), dtype=np.int64)  # of the destination, which sends nothing
        place[arcs.src[edge[::-1]]] = np.arange(len(edge))[::-1]
        order = np.argsort(place[arcs.dst[edge]], kind="stable")
        pieces += [dags.slot[kept : dags.start[row]], slot_of[edge[order]]]
        parts += [shares[kept : dags.start[row]], fraction[order].astype(shares.dtype)]
        size[row] = len(edge)
        kept = int(dags.start[row + 1])
    pieces.append(dags.slot[kept:])
    parts.append(shares[kept:])
    start = np.concatenate([[0], np.cumsum(size)])
    return Dags(arcs, column(start, np.int64), column(np.concatenate(pieces), np.int32)), np.concatenate(parts)


def _ending(arcs: Arcs, edge: Ints, fraction: Floats, dest: int) -> tuple[Ints, Floats]:
    """Those of a row's arcs from which the destination is reached."""
    while True:
        sends = np.zeros(arcs.nodes, dtype=np.bool_)
        sends[arcs.src[edge]] = True
        sends[dest] = True
        keep = sends[arcs.dst[edge]]
        if keep.all():
            return edge, fraction
        edge, fraction = edge[keep], fraction[keep]
