"""ECMP as switches do it: every flow follows one path, each switch picking a next hop by a hash of the flow's header.

A pair's traffic is spread evenly over its transport flows (queue pairs). With few large flows some links draw several
and others none, which the fluid ``ecmp`` does not show. Loads are those of the scenario's seed. With ``replicas`` above
1, more draws of source ports and switch seeds say how much of it is hash imbalance: percentiles of the fullest link and
of the worst flow's max-min fair rate.

``random`` hashes are ideal; ``crc16``, ``crc32`` and ``xor`` are computed over the header's bytes. With
``per_switch_seed`` off, all switches hash alike: the flows a switch receives are those that chose it, so that they
choose alike again and most of its next hops stay empty (polarisation). The choice is the hash modulo the number of
next hops, all weighing the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected
from topologies.units import format_seconds

MOST_PATH_EDGES = 5_000_000  # paths longer than this in all are not listed


@ROUTERS.register(
    "ecmp-hash",
    example={},
    traits=RouterTraits(
        placement="hashed",
        rule="equal",
        ties="number",
        compared=5,
        stage="hashing",
        mean_router="ecmp",
        options=("hash",),
    ),
)
def ecmp_hash(
    graph: Injected[RoutingGraph],
    demand: Injected[PhaseDemand],
    pairs: Injected[Sequence[PairTraffic]],
    options: Injected[RoutingOptions],
) -> Routing:
    """One path per flow: every switch hashes it over its shortest next hops, with a seed of its own or the same."""
    from fabric.routing.hashing.flows import FlowTable
    from fabric.routing.hashing.headers import draw
    from fabric.routing.hashing.replicas import Room, flow_paths, spread
    from fabric.routing.hashing.walk import Walker

    table = FlowTable.of(graph, pairs, options.hash.replicas)
    walker = Walker(graph, table)
    draws = partial(draw, graph, (table.src_endpoint, table.dst_endpoint), table.name, options.hash)
    first = draws((options.seed,))
    length, unreachable = walker.lengths(demand)
    room = Room(graph, table, length)
    listed = int(length.sum()) <= MOST_PATH_EDGES
    replicas = options.hash.replicas
    found, stopped = spread(room, walker, draws, options) if replicas > 1 else (None, False)
    note = f"the time limit of {format_seconds(options.time_limit_s)} left out the last of {replicas:,} replicas"
    return Routing(
        "ecmp-hash",
        walker.loads_gbps(first, len(pairs)),
        unreachable,
        paths=flow_paths(room, walker, first) if listed else None,
        spread=found,
        partial=stopped,
        notes=(note,) if stopped else (),
    )
