"""A network with one node for each set of twins, and the way back from its routings and prices.

Edge switches of a pod whose links are all up have the same links to the same switches, however much of the core is
down. Exchanging two of them changes nothing for the others, so traffic to all of a set can be routed as if to one node:
what passes a set divides evenly over its members, and what goes to one of them is sent there by the last switch before.
That is exact where the members of a set send and receive alike; elsewhere it is a routing to begin with. Nothing is
taken on trust: loads and bounds are computed again on the whole network.

Between two twins traffic leaves their set and comes back. Where there is any, what enters a set ``T`` passes a node in
between, one for each arc into it, from where it goes to ``T``, as traffic that passes, or to ``T*``, where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.trees import TreeNet
from fabric.routing.graph import Adjacency, PhaseDemand
from fabric.routing.router import Splits
from fabric.routing.twins import find_twins
from topologies.columns import Bools, Floats, Ints, Longs, column

AMPLE = 2.0  # capacity of arcs out of nodes in between, relative to the arc into them: more than ever comes


@dataclass(frozen=True, eq=False)
class Folded:
    """Sets of twins as nodes; the last arcs are those out of nodes in between, first to ``T``, then to ``T*``."""

    whole: Arcs
    demand: PhaseDemand  # of the whole network
    set_of: Ints  # shape (V,)
    arcs: Arcs
    arc_of: Longs  # shape (A,), folded arc that every arc is a part of
    net: TreeNet
    row_of: Longs  # shape (D,), row of the folded demand that every destination is a part of
    parts: int  # folded arcs that stand for arcs
    between: int  # those of them that lead to nodes in between, which are the last
    unlike: float  # demand that members of a set would have to exchange to be alike, relative to all demand

    @property
    def size(self) -> int:
        """Destinations x arcs."""
        return len(self.net.demand.dest) * len(self.arcs.src)

    @staticmethod
    def of(whole: Arcs, demand: PhaseDemand, routable: Bools) -> Folded:
        """Fold a network by the twins it has."""
        kind = np.unique(np.stack([whole.capacity_gbps, whole.weight]), axis=1, return_inverse=True)[1].ravel()
        kinds = int(kind.max(initial=0)) + 1
        set_of = find_twins(whole.src, whole.dst, whole.nodes, column(kind, np.int32))
        gbps = np.where(routable & (demand.src != demand.dest_of_entry), demand.total_gbps, 0.0)
        sender, receiver = set_of[demand.src], set_of[demand.dest_of_entry]
        inner = np.zeros(int(set_of.max(initial=-1)) + 1, dtype=np.bool_)
        inner[receiver[(sender == receiver) & (gbps > 0)]] = True
        tail, head = set_of[whole.src].astype(np.int64), set_of[whole.dst].astype(np.int64)
        # Arcs into sets with traffic inside come last, so that their nodes in between are in the same order.
        key = ((inner[head] * len(inner) + tail) * len(inner) + head) * kinds + kind
        _, first, arc_of, many = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        arcs = _with_nodes_between(whole, tail[first], head[first], many, first, inner)
        end = np.where(inner, len(inner) + int(inner[head[first]].sum()) + np.cumsum(inner) - 1, np.arange(len(inner)))
        folded, row_of = _folded_demand(demand, sender, column(end[set_of[demand.dest]], np.int64), gbps)
        unlike = max(_unlike(demand.src, sender, receiver, gbps), _unlike(demand.dest_of_entry, receiver, sender, gbps))
        net = TreeNet.of(arcs, folded, np.ones(len(folded.src), dtype=np.bool_))
        return Folded(
            whole, demand, set_of, arcs, arc_of.ravel(), net, row_of, len(first), int(inner[head[first]].sum()), unlike
        )

    def prices(self, by_slot: Floats) -> Floats:
        """Prices of the arcs from those of the folded slots, shape (A,)."""
        price = np.zeros(len(self.arcs.src))
        price[self.arcs.into.edge] = by_slot
        return np.asarray(price[self.arc_of])

    def splits(self, flow: Floats) -> Splits:
        """Loop-free splits of the whole network from flows by folded destination and slot, shape (D', A')."""
        row, slot = np.nonzero(flow > 0)
        used, demand = column(self.arcs.into.edge[slot], np.int32), self.net.demand
        everyone = np.ones(len(demand.src), dtype=np.bool_)
        found = splits_from_flows(self.arcs, demand, everyone, column(row, np.int32), used, flow[row, slot])
        members = Adjacency.by(column(self.arc_of, np.int32), self.parts)
        edges: list[Ints] = [np.empty(0, np.int32)] * len(self.row_of)
        fractions: list[Floats] = [np.empty(0)] * len(self.row_of)
        rows = Adjacency.by(column(self.row_of, np.int32), len(demand.dest))
        for number in range(len(demand.dest)):
            own = slice(int(found.start[number]), int(found.start[number + 1]))
            mine = rows.edge[rows.start[number] : rows.start[number + 1]]
            edge, last, other = self._unfolded(
                found.edge[own], found.fraction[own], members, int(self.demand.dest[mine[0]])
            )
            for one in mine.tolist():
                dest = int(self.demand.dest[one])
                fraction = np.where(self.whole.dst[edge] == dest, last, other)
                keep = (fraction > 0) & (self.whole.src[edge] != dest)
                edges[one], fractions[one] = edge[keep], fraction[keep]
        start = np.cumsum([0, *(len(edge) for edge in edges)])
        return Splits(
            column(start, np.int64),
            column(np.concatenate(edges), np.int32),
            column(np.concatenate(fractions), np.float64),
        )

    def _unfolded(self, used: Ints, fraction: Floats, members: Adjacency, dest: int) -> tuple[Ints, Floats, Floats]:
        """Arcs that the splits of a row stand for; their fractions where they lead to the destination and elsewhere."""
        share = np.zeros(len(self.arcs.src))
        share[used] = fraction
        real = used[used < self.parts]
        target = int(self.set_of[dest])
        size = np.bincount(self.set_of)
        into = self.set_of[self.whole.dst[members.edge[members.start[real]]]]
        ends = np.where(into == target, share[real], share[real] / size[into])
        passes = np.where(into == target, 0.0, ends)
        between = real - (self.parts - self.between)
        split = (between >= 0) & (into == target)
        through, stop = self.parts + between[split], self.parts + self.between + between[split]
        ends[split] = share[real[split]] * share[stop]
        passes[split] = share[real[split]] * share[through] / max(size[target] - 1, 1)
        # Arcs of other sets' nodes in between carry what passes these sets on its way.
        count = members.start[real + 1] - members.start[real]
        offset = np.repeat(members.start[real] - np.append(0, np.cumsum(count)[:-1]), count)
        edge = members.edge[offset + np.arange(int(count.sum()))]
        return edge, np.repeat(ends, count), np.repeat(passes, count)


def _with_nodes_between(whole: Arcs, tail: Longs, head: Longs, many: Longs, first: Longs, inner: Bools) -> Arcs:
    """Arcs between sets, and those by which traffic enters sets with traffic inside."""
    capacity, weight = whole.capacity_gbps[first] * many, whole.weight[first]
    split = inner[head]
    between = len(inner) + np.arange(int(split.sum()))
    end = len(inner) + len(between) + np.cumsum(inner) - 1  # T* by T
    ample, free = AMPLE * capacity[split], np.zeros(len(between))
    src = np.concatenate([tail, between, between])
    onward = head.copy()
    onward[split] = between
    dst = np.concatenate([onward, head[split], end[head[split]]])
    return Arcs(
        nodes=len(inner) + len(between) + int(inner.sum()),
        src=column(src, np.int32),
        dst=column(dst, np.int32),
        capacity_gbps=column(np.concatenate([capacity, ample, ample]), np.float64),
        weight=column(np.concatenate([weight, free, free]), np.float64),
        of_edge=column(np.arange(len(src)), np.int32),
        share=column(np.ones(len(src)), np.float64),
    )


def _folded_demand(demand: PhaseDemand, sender: Ints, end: Longs, gbps: Floats) -> tuple[PhaseDemand, Longs]:
    """What sets send to the nodes where it ends, and the row of every destination; ``end`` is by destination."""
    dest, row_of = np.unique(end, return_inverse=True)
    row_of = row_of.ravel()
    nodes = int(max(sender.max(initial=0), 0)) + 1
    some = gbps > 0
    key, code = np.unique(row_of[demand.row_of_entry[some]] * nodes + sender[some], return_inverse=True)
    total = np.bincount(code.ravel(), gbps[some], len(key))
    none = np.empty((0, 1))
    start = np.searchsorted(key // nodes, np.arange(len(dest) + 1))
    return PhaseDemand(
        column(dest, np.int32), column(start, np.int32), column(key % nodes, np.int32),
        column(total[:, None], np.float64), none, none,
    ), row_of  # fmt: skip


def _unlike(own: Ints, own_set: Ints, other_set: Ints, gbps: Floats) -> float:
    """Demand of nodes with other sets that differs from the mean of their own set, relative to all of it."""
    sets = int(max(own_set.max(initial=0), other_set.max(initial=0))) + 1
    node, code = np.unique(own.astype(np.int64) * sets + other_set, return_inverse=True)
    each = np.bincount(code.ravel(), gbps, len(node))
    set_of = np.zeros(len(node), dtype=np.int64)
    set_of[code.ravel()] = own_set
    _, pair = np.unique(set_of * sets + node % sets, return_inverse=True)
    _, first = np.unique(own, return_index=True)
    size = np.bincount(own_set[first], minlength=sets)[set_of]  # of members that have any demand
    mean = np.bincount(pair.ravel(), each)[pair.ravel()] / size
    # Members that have none of it differ by the mean: as much in all as the others exceed it.
    return float(2.0 * np.maximum(each - mean, 0.0).sum() / max(float(gbps.sum()), np.finfo(float).tiny))
