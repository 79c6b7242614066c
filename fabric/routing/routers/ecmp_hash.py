"""ECMP as switches do it: every flow follows one path, each switch picking a next hop by a hash with a seed of its own.

A pair's traffic is spread evenly over its transport flows (queue pairs). With few large flows some links draw several
and others none, which the fluid ``ecmp`` does not show. One draw of the hashes, decided by the scenario's seed; hashes
are ideal (independent and uniform), so polarisation between tiers is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import hash_slice, parallel_loads
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.routers.ecmp import ecmp_loads, has_equal_weights
from topologies.columns import Floats
from topologies.errors import RoutingError
from topologies.registry import Injected
from traffic.demands import Flows

MOST_FLOWS = 50_000_000


def _pairs(part: Flows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of a class as rows (src, dst, amount), blocks written out."""
    src, dst, amount = [part.src], [part.dst], [part.amount]
    for block in part.blocks:
        tail, head = np.repeat(block.members, len(block.members)), np.tile(block.members, len(block.members))
        other = tail != head
        src.append(tail[other])
        dst.append(head[other])
        amount.append(np.full(int(other.sum()), block.amount))
    return np.concatenate(src), np.concatenate(dst), np.concatenate(amount)


def _mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser over an array."""
    z = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


class _FlowTable:
    """Flows of all classes, sorted by the node they leave the graph at."""

    def __init__(self, graph: RoutingGraph, pairs: Sequence[PairTraffic]) -> None:
        total = sum(pair.flows.pairs * pair.flows_per_pair for pair in pairs)
        if total > MOST_FLOWS:
            raise RoutingError(
                f"{total:,} flows to hash; {MOST_FLOWS:,} are the most",
                hint="router ecmp gives the average over many flows at once",
                code="FP5002",
            )
        entry, leave, gbps, code, key = [], [], [], [], []
        for number, pair in enumerate(pairs):
            src, dst, amount = _pairs(pair.flows)
            keep = (graph.source[src] >= 0) & (graph.sink[dst] >= 0)
            keep &= graph.source[src] != graph.sink[dst]
            src, dst, amount = src[keep], dst[keep], amount[keep]
            name = _mix(_mix(src.astype(np.uint64)) ^ dst.astype(np.uint64))
            for queue_pair in range(pair.flows_per_pair):
                entry.append(graph.source[src])
                leave.append(graph.sink[dst])
                gbps.append(amount * pair.gbps_per_unit / pair.flows_per_pair)
                code.append(np.full(len(src), number, dtype=np.int32))
                key.append(_mix(name ^ np.uint64(number * 1_000_003 + queue_pair)))
        sinks = np.concatenate(leave)
        order = np.argsort(sinks, kind="stable")
        self.dest, first = np.unique(sinks[order], return_index=True)
        self.start = np.append(first, len(sinks)).astype(np.int32)
        self.src = np.concatenate(entry)[order]
        self.gbps = np.concatenate(gbps)[order]
        self.code = np.concatenate(code)[order]
        self.key = np.concatenate(key)[order]


@ROUTERS.register("ecmp-hash", example={})
def ecmp_hash(
    graph: Injected[RoutingGraph],
    demand: Injected[PhaseDemand],
    pairs: Injected[Sequence[PairTraffic]],
    options: Injected[RoutingOptions],
) -> Routing:
    """One path per flow: every switch hashes it over its shortest next hops, with a seed of its own."""
    table = _FlowTable(graph, pairs)
    equal = has_equal_weights(graph)
    into, out = graph.into, graph.out
    tail, into_weight = graph.src[into.edge], graph.weight[into.edge]
    head, out_weight = graph.dst[out.edge], graph.weight[out.edge]
    seeds = _mix(np.arange(graph.nodes, dtype=np.uint64) ^ np.uint64(options.seed * 2_654_435_761 % 2**64))

    def work(first: int, last: int, loads: Floats) -> None:
        hash_slice(
            first, last, into.start, tail, into_weight, equal, out.start, out.edge, head, out_weight,
            table.dest, table.start, table.src, table.code, table.key, table.gbps, seeds, loads,
        )  # fmt: skip

    loads = parallel_loads(len(table.dest), (len(graph.src), len(pairs)), work)
    _, unreachable = ecmp_loads(graph, demand)
    return Routing("ecmp-hash", loads, unreachable)
