"""Destination-modulo routing of fat trees, as InfiniBand's ``ftree`` engine assigns its forwarding tables.

Every destination endpoint has one path from every switch. Going up, a switch on level l takes of its n shortest next
hops number ⌊j / (w₁ … w_l)⌋ mod n, where j is the endpoint's index in the fabric and w the numbers of next hops of the
levels passed (D-mod-k: Zahavi, "D-Mod-K routing providing non-blocking traffic for shift permutations on real life fat
trees", CCIT 776, 2010). Going down there is one way, or the same rule over parallel links. On an intact fat tree every
shift permutation then has a link of its own per flow. With failed links the modulus runs over the hops that are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import compiled, is_step, nearest_first, parallel_loads
from fabric.routing.router import ROUTERS, PairTraffic, Routing
from fabric.routing.routers.ecmp import ecmp_loads
from topologies.columns import Floats, Ints, Longs, column
from topologies.registry import Injected


@compiled
def _modulo_slice(
    begin: int,
    end: int,
    into_start: Ints,
    tail: Ints,
    into_weight: Floats,
    equal: bool,
    out_start: Ints,
    out_edge: Ints,
    head: Ints,
    out_weight: Floats,
    divisor: Longs,
    sink: Ints,
    index: Longs,
    start: Longs,
    entry_src: Ints,
    gbps: Floats,
    loads: Floats,
) -> None:
    """Send what every endpoint of some rows receives along its own tree; rows are sorted by sink."""
    nodes = len(into_start) - 1
    classes = gbps.shape[1]
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    amount = np.zeros((nodes, classes))
    busy = np.zeros(nodes, dtype=np.bool_)
    last_sink = -1
    reached = 0
    for row in range(begin, end):
        if sink[row] != last_sink:
            reached = nearest_first(sink[row], into_start, tail, into_weight, equal, distance, order)
            last_sink = sink[row]
        for entry in range(start[row], start[row + 1]):
            if distance[entry_src[entry]] < np.inf:
                busy[entry_src[entry]] = True
                for code in range(classes):
                    amount[entry_src[entry], code] += gbps[entry, code]
        for position in range(reached - 1, 0, -1):
            node = order[position]
            if not busy[node]:
                continue
            hops = 0
            for slot in range(out_start[node], out_start[node + 1]):
                if is_step(distance[head[slot]], distance[node], out_weight[slot], equal):
                    hops += 1
            wanted = (index[row] // divisor[node]) % hops
            for slot in range(out_start[node], out_start[node + 1]):
                if is_step(distance[head[slot]], distance[node], out_weight[slot], equal):
                    if wanted == 0:
                        busy[head[slot]] = True
                        for code in range(classes):
                            loads[out_edge[slot], code] += amount[node, code]
                            amount[head[slot], code] += amount[node, code]
                        break
                    wanted -= 1
            busy[node] = False
            amount[node, :] = 0.0
        busy[sink[row]] = False
        amount[sink[row], :] = 0.0


@ROUTERS.register("ftree", example={})
def ftree(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], pairs: Injected[Sequence[PairTraffic]]
) -> Routing:
    """One path per destination endpoint, next hops by its index modulo their number (D-mod-k)."""
    rows = _by_endpoint(graph, pairs)
    into, out = graph.into, graph.out
    tail, into_weight = graph.src[into.edge], graph.weight[into.edge]
    head, out_weight = graph.dst[out.edge], graph.weight[out.edge]
    divisor = _divisors(graph)

    def work(first: int, last: int, loads: Floats) -> None:
        _modulo_slice(
            first, last, into.start, tail, into_weight, graph.equal_weights, out.start, out.edge, head, out_weight,
            divisor, rows.sink, rows.index, rows.start, rows.src, rows.gbps, loads,
        )  # fmt: skip

    loads = parallel_loads(len(rows.sink), (len(graph.src), len(pairs)), work)
    _, unreachable = ecmp_loads(graph, demand)
    return Routing("ftree", loads, unreachable)


def _divisors(graph: RoutingGraph) -> Longs:
    """Per graph node, the product of the widest switches' numbers of uplinks on the levels below it, shape (V,)."""
    level = np.where(graph.is_terminal, 0, graph.topology.nodes.level[graph.node_of])
    between = ~graph.is_terminal[graph.src]
    rise = between & (level[graph.dst] > level[graph.src])
    ups = np.bincount(graph.src[rise], minlength=graph.nodes)
    widest = np.ones(int(level.max(initial=0)) + 2, dtype=np.int64)
    for at in range(1, len(widest)):
        mine = ups[(level == at) & ~graph.is_terminal]
        widest[at] = max(int(mine.max(initial=0)), 1)
    below = np.concatenate([[1, 1], np.cumprod(widest[1:])])
    return column(below[level], np.int64)


@dataclass(frozen=True, eq=False)
class _Receivers:
    """Demand by destination endpoint, sorted by sink, so that a sink's distances are found once."""

    sink: Ints  # shape (R,), graph node
    index: Longs  # the endpoint's number among all endpoints of the fabric
    start: Longs  # shape (R + 1,)
    src: Ints  # shape (nnz,), graph nodes
    gbps: Floats  # shape (nnz, C)


def _by_endpoint(graph: RoutingGraph, pairs: Sequence[PairTraffic]) -> _Receivers:
    """Add up what every endpoint receives from every graph node, per class."""
    keys, values, codes = [], [], []
    for code, pair in enumerate(pairs):
        for key, gbps in _entries(graph, pair):
            keys.append(key)
            values.append(gbps)
            codes.append(np.full(len(key), code))
    key = np.concatenate(keys) if keys else np.empty(0, dtype=np.int64)
    unique, at = np.unique(key, return_inverse=True)
    cell = at * len(pairs) + (np.concatenate(codes) if codes else at)
    received = np.bincount(cell, np.concatenate(values) if values else None, len(unique) * len(pairs))
    node, src = np.divmod(unique, graph.nodes)
    order = np.lexsort((src, node, graph.sink[node]))
    node, src = node[order], src[order]
    first = np.flatnonzero(np.diff(node, prepend=-1))
    rank = np.full(len(graph.topology.nodes), -1, dtype=np.int64)
    rank[graph.topology.endpoint_nodes] = np.arange(len(graph.topology.endpoint_nodes))
    return _Receivers(
        sink=column(graph.sink[node[first]], np.int32),
        index=column(rank[node[first]], np.int64),
        start=column(np.append(first, len(node)), np.int64),
        src=column(src, np.int32),
        gbps=column(received.reshape(len(unique), len(pairs))[order], np.float64),
    )


def _entries(graph: RoutingGraph, pair: PairTraffic) -> Iterator[tuple[Longs, Floats]]:
    """Keys (destination endpoint, source node) and Gbps of a class, blocks summed by source node."""
    part = pair.flows
    yield _kept(graph, part.dst, graph.source[part.src], part.amount * pair.gbps_per_unit)
    for block in part.blocks:
        entry, count = np.unique(graph.source[block.members], return_counts=True)
        for member in block.members.tolist():
            others = count - (entry == graph.source[member])
            yield _kept(graph, np.full(len(entry), member), entry, others * block.amount * pair.gbps_per_unit)


def _kept(graph: RoutingGraph, node: Ints, src: Ints, gbps: Floats) -> tuple[Longs, Floats]:
    """Entries that cross the graph, as one number each."""
    keep = (src >= 0) & (graph.sink[node] >= 0) & (graph.sink[node] != src) & (gbps > 0)
    return np.asarray(node[keep].astype(np.int64) * graph.nodes + src[keep]), np.asarray(gbps[keep])
