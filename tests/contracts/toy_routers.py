"""Routers that exist for a test only: one path a destination, single flows, and one that no table carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from fabric.routing.equal_split import ecmp_loads
from fabric.routing.flow_table import flow_table
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, FlowPaths, PairTraffic, Routing, Splits
from fabric.routing.traits import RouterTraits
from topologies.columns import column
from topologies.registry import Injected


def next_edges(graph: RoutingGraph, dest: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every node to a destination, and the first of its shortest next hops, -1 without one."""
    pair, first = np.unique(graph.dst.astype(np.int64) * graph.nodes + graph.src, return_index=True)
    backwards = csr_array((graph.weight[first], np.divmod(pair, graph.nodes)), shape=(graph.nodes, graph.nodes))
    distance = dijkstra(backwards, indices=dest)
    with np.errstate(invalid="ignore"):
        tight = np.isclose(distance[graph.src], distance[graph.dst] + graph.weight)
    chosen = np.full(graph.nodes, -1)
    for edge in np.flatnonzero(tight & np.isfinite(distance[graph.src]))[::-1]:
        chosen[graph.src[edge]] = edge
    return distance, chosen


def first_hop(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """All traffic of a switch to one destination on one link."""
    loads = np.zeros((len(graph.src), demand.gbps.shape[1]))
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    start, used = [0], []
    for row, dest in enumerate(demand.dest):
        distance, chosen = next_edges(graph, dest)
        waiting = np.zeros((graph.nodes, demand.gbps.shape[1]))
        entries = slice(demand.start[row], demand.start[row + 1])
        unreachable[entries] = ~np.isfinite(distance[demand.src[entries]])
        waiting[demand.src[entries]] = np.where(unreachable[entries, None], 0.0, demand.gbps[entries])
        for node in np.argsort(-distance, kind="stable"):
            if node != dest and waiting[node].any():
                loads[chosen[node]] += waiting[node]
                waiting[graph.dst[chosen[node]]] += waiting[node]
                used.append(int(chosen[node]))
        start.append(len(used))
    splits = Splits(column(start, np.int64), column(used, np.int32), column(np.ones(len(used)), np.float64))
    return Routing("first-hop", loads, unreachable, splits=splits)


def first_fit(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], pairs: Injected[Sequence[PairTraffic]]
) -> Routing:
    """Every flow on the first of its shortest paths."""
    flows = flow_table(graph, pairs)
    loads = np.zeros((len(graph.src), demand.gbps.shape[1]))
    hops = {int(dest): next_edges(graph, int(dest)) for dest in flows.dest}
    kept, edges, start = [], [], [0]
    for flow, (node, dest) in enumerate(zip(flows.src.tolist(), flows.dst.tolist(), strict=True)):
        distance, chosen = hops[dest]
        if not np.isfinite(distance[node]):
            continue
        at = node
        while at != dest:
            edges.append(int(chosen[at]))
            loads[edges[-1], flows.code[flow]] += flows.gbps[flow]
            at = int(graph.dst[edges[-1]])
        kept.append(flow)
        start.append(len(edges))
    paths = FlowPaths(
        src=flows.src[kept],
        dst=flows.dst[kept],
        src_endpoint=flows.src_endpoint[kept],
        dst_endpoint=flows.dst_endpoint[kept],
        code=flows.code[kept],
        gbps=flows.gbps[kept],
        start=column(start, np.int32),
        edge=column(edges, np.int32),
    )
    _, unreachable = ecmp_loads(graph, demand)
    return Routing("first-fit", loads, unreachable, paths=paths)


def tunnelled(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Equal split over shortest paths, inside tunnels that sources begin."""
    loads, unreachable = ecmp_loads(graph, demand)
    return Routing("tunnelled", loads, unreachable)


FIRST_HOP = RouterTraits(
    placement="one-path", rule="lowest", tables_from_splits=True, ties="number", compared=6, suggested=4
)
FIRST_FIT = RouterTraits(placement="placed", rule="equal", ties="number")
TUNNELLED = RouterTraits(
    placement="fluid",
    not_programmable="begins tunnels at its sources, which no table of a switch says",
    way_out="router ecmp loads the same links",
)
TOYS = {
    "first-hop": (first_hop, FIRST_HOP),
    "first-fit": (first_fit, FIRST_FIT),
    "tunnelled": (tunnelled, TUNNELLED),
}


@contextmanager
def registered(name: str) -> Iterator[str]:
    """A router while the block runs."""
    function, traits = TOYS[name]
    ROUTERS.names()  # all of ours are there first, as when a module of a user's own is imported
    ROUTERS.register(name, example={}, traits=traits)(function)
    try:
        yield name
    finally:
        ROUTERS.remove(name)
