"""Loads of planned tables where all switches hash alike, since nobody tells them a seed of their own.

With many flows the loads are those of a uniform hash. Open vSwitch leaves UDP ports out of the hash of a group that
names no basis, and takes both directions alike: all that two hosts send each other then has one value of it. With few
pairs of hosts loads scatter about the limit of many; ``DRAWS`` draws of the hash say by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph, phase_demand
from fabric.routing.router import PairTraffic
from fabric.routing.tables.programme import Programme
from fabric.routing.tables.shared_hash import OWN, buckets_by_hash, choices_by_hash
from fabric.routing.tables.walk import walk
from fabric.rules.ports import Ports
from topologies.columns import Floats, Ints, Longs, column
from traffic.demands import Flows

DRAWS = 100
MOST_DRAWN = 100_000  # entries of the demand x values of the hash; with more the limit of many flows is near


@dataclass(frozen=True, eq=False)
class AlikeLoads:
    """What switches that hash alike do to a demand."""

    gbps: Floats  # shape (L,), with many flows
    drawn: Floats  # shape (DRAWS,) or (0,), highest utilisation when pairs of hosts are the flows, ascending


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
    seed: int | None,
) -> AlikeLoads:
    """Walk a demand along tables whose switches hash alike.

    Parameters
    ----------
    planned, separate : ndarray, shape (L,)
        Loads as planned, and with a seed of every switch's own, Gbps.
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
    if seed is not None and len(total) * values <= MOST_DRAWN:
        rng, (couple, count) = np.random.default_rng(seed), _couples(graph, pairs, demand)
        capacity = np.maximum(graph.topology.capacity_gbps, 1e-12)
        for _ in range(DRAWS):
            part = rng.multinomial(count, np.full(values, 1 / values)) / count[:, None]
            edges = walk(made.decisions, made.part, demand, choice=choice, gbps=total * part[couple]).edge_gbps
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


def _couples(graph: RoutingGraph, pairs: Sequence[PairTraffic], demand: PhaseDemand) -> tuple[Longs, Ints]:
    """Couple of graph nodes of every entry, whichever sends, shape (nnz,); how many pairs of hosts each stands for."""
    ones = [_ones(pair.flows) for pair in pairs]
    counted = phase_demand(graph, ones, [1.0] * len(ones))
    key = counted.dest_of_entry.astype(np.int64) * graph.nodes + counted.src
    wanted = demand.dest_of_entry.astype(np.int64) * graph.nodes + demand.src
    at = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
    count = np.where(key[at] == wanted, counted.gbps.max(axis=1)[at], 1.0)
    ends = np.sort(np.column_stack([graph.node_of[demand.dest_of_entry], graph.node_of[demand.src]]), axis=1)
    unique, couple = np.unique(ends[:, 0].astype(np.int64) * len(graph.topology.nodes) + ends[:, 1], return_inverse=True)
    most = np.ones(len(unique), dtype=np.int32)
    np.maximum.at(most, couple, np.round(count).astype(np.int32))
    return column(couple, np.int64), column(most, np.int32)


def _ones(flows: Flows) -> Flows:
    blocks = tuple(replace(block, amount=1.0) for block in flows.blocks if block.amount > 0)
    return replace(flows, amount=column((flows.amount > 0).astype(np.float64), np.float64), blocks=blocks)
