"""Loads of planned tables where all switches hash alike, since nobody tells them a seed of their own.

With many flows the loads are those of a uniform hash. Open vSwitch hashes a group that names no basis by the exclusive
or of both addresses, and leaves UDP ports out (``flow_hash_symmetric_l3l4``): pairs of hosts are the flows, and those
whose addresses differ alike have one hash. So few values scatter about the limit of many; ``DRAWS`` draws say by how
much: on a fat tree of radix 4, twelve of them decide the links to the core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import PairTraffic
from fabric.routing.tables.programme import Programme
from fabric.routing.tables.shared_hash import OWN, buckets_by_hash, choices_by_hash
from fabric.routing.tables.walk import walk
from fabric.rules.ports import Ports
from topologies.columns import Floats, Ints, Longs, column, concatenate

DRAWS = 100
MOST_DRAWN = 500_000  # pairs of hosts, and entries of the demand x values of the hash; with more nothing is drawn


@dataclass(frozen=True, eq=False)
class AlikeLoads:
    """What switches that hash alike do to a demand."""

    gbps: Floats  # shape (L,), with many flows
    drawn: Floats  # shape (DRAWS,) or (0,), highest utilisation when pairs of addresses are the flows, ascending


def link_loads(graph: RoutingGraph, edge_gbps: Floats, planned: Floats) -> Floats:
    """Loads of the links, shape (L,); what endpoints of one link send and receive is the plan's, weights or not."""
    none = np.zeros((len(graph.topology.nodes), 1))
    loads = graph.link_loads(edge_gbps.sum(axis=1, keepdims=True), none, none)[:, 0]
    for links in graph.single_homed[1:]:
        loads[links] = planned[links]
    return np.asarray(loads)


def loads_alike(
    made: Programme,
    demand: PhaseDemand,
    pairs: Sequence[PairTraffic],
    planned: Floats,
    separate: Floats,
    *,
    offset: Longs,
    seed: int | None,
) -> AlikeLoads:
    """Walk a demand along tables whose switches hash alike.

    Parameters
    ----------
    planned, separate : ndarray, shape (L,)
        Loads as planned, and with a seed of every switch's own, Gbps.
    offset : ndarray, shape (N,)
        Of every endpoint's address.
    seed : int or None
        Of the draws; None: nothing is drawn.
    """
    graph = made.decisions.graph
    choice = choices_alike(made, Ports(graph.topology))
    values, total = choice.shape[1], demand.total_gbps[:, None]
    if not values:
        return AlikeLoads(separate, column(np.empty(0), np.float64))
    many = walk(made.decisions, made.part, demand, choice=choice, gbps=total).edge_gbps
    drawn: list[float] = []
    count = max(sum(pair.flows.pairs for pair in pairs), len(total) * values)
    if seed is not None and count <= MOST_DRAWN:
        rng, flows = np.random.default_rng(seed), _Pairs.of(graph, pairs, demand, offset)
        capacity = np.maximum(graph.topology.capacity_gbps, 1e-12)
        for _ in range(DRAWS):
            gbps = flows.drawn(rng, len(total), values)
            edges = walk(made.decisions, made.part, demand, choice=choice, gbps=gbps).edge_gbps
            drawn.append(float((link_loads(graph, edges, planned) / capacity).max(initial=0.0)))
    return AlikeLoads(column(link_loads(graph, many, planned), np.float64), column(np.sort(drawn), np.float64))


def choices_alike(made: Programme, ports: Ports) -> Ints:
    """What every value of the hash does at every switch, if all hash alike; hosts keep a hash of their own."""
    decisions, graph = made.decisions, made.decisions.graph
    port = np.zeros(len(graph.src), dtype=np.int64)
    port[graph.member_edge] = ports.of_link[graph.member_link]
    inner = graph.link_of >= 0
    port[inner] = ports.of_link[graph.link_of[inner]]
    ways: list[tuple[int, ...]] = []
    alike: list[int] = []
    for k, (low, high) in enumerate(pairwise(decisions.start.tolist())):
        single = high - low < 2 or bool(graph.is_terminal[graph.src[decisions.edge[low]]])
        alike.append(OWN if single else 0)
        ways.append(() if single else _ways(made, k, decisions.edge[low:high], port))
    return choices_by_hash(decisions.start, ways, alike, made.carrier)


def _ways(made: Programme, decision: int, edges: Ints, port: np.ndarray) -> tuple[int, ...]:
    """Place among the edges of a decision by value of the hash; a group lists its buckets by port."""
    place = {int(edge): index for index, edge in enumerate(edges.tolist())}
    buckets = sorted((int(port[edge]), weight, place[edge]) for edge, weight in made.buckets(decision))
    taken = buckets_by_hash(tuple(weight for _, weight, _ in buckets), made.carrier)
    return tuple(buckets[bucket][2] for bucket in taken)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of hosts, by the entry of the demand that they are in."""

    entry: Longs  # shape (P,)
    key: Longs  # what the hash sees of both addresses, numbered from 0
    gbps: Floats

    @staticmethod
    def of(graph: RoutingGraph, pairs: Sequence[PairTraffic], demand: PhaseDemand, offset: Longs) -> _Pairs:
        """Of what a phase sends; ``offset`` of every endpoint's address, shape (N,)."""
        rows = [pair.flows.rows() for pair in pairs]
        src = concatenate([row[0] for row in rows], np.int64)
        dst = concatenate([row[1] for row in rows], np.int64)
        gbps = [row[2] * pair.gbps_per_unit for row, pair in zip(rows, pairs, strict=True)]
        known = demand.dest_of_entry.astype(np.int64) * graph.nodes + demand.src
        wanted = graph.sink[dst].astype(np.int64) * graph.nodes + graph.source[src]
        at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
        kept = known[at] == wanted if len(known) else np.zeros(len(src), dtype=np.bool_)
        _, key = np.unique(offset[src[kept]] ^ offset[dst[kept]], return_inverse=True)
        return _Pairs(
            column(at[kept], np.int64), column(key, np.int64), column(concatenate(gbps, np.float64)[kept], np.float64)
        )

    def drawn(self, rng: np.random.Generator, entries: int, values: int) -> Floats:
        """Gbps of every entry by value of the hash in one draw, shape (entries, values)."""
        value = rng.integers(0, values, int(self.key.max(initial=-1)) + 1)
        cell = self.entry * values + value[self.key]
        return np.asarray(np.bincount(cell, self.gbps, entries * values).reshape(entries, values))
