"""ECMP as switches do it: every flow follows one path, each switch picking a next hop by a hash of the flow's header.

A pair's traffic is spread evenly over its transport flows (queue pairs). With few large flows some links draw several
and others none, which the fluid ``ecmp`` does not show. Loads are those of the options' seed; the answer's ``draws``
have those of any other. More draws of source ports and switch seeds say how badly single flows fare: percentiles of the
fullest link and of the worst flow's max-min fair rate.

``random`` hashes are ideal; ``crc16``, ``crc32`` and ``xor`` are computed over the header's bytes. With
``per_switch_seed`` off, all switches hash alike: the flows a switch receives are those that chose it, so that they
choose alike again and most of its next hops stay empty (polarisation). The choice is the hash modulo the number of
next hops, all weighing the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected

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
    from fabric.routing.hashing.streamed_flows import hashed_routing

    return hashed_routing(graph, demand, pairs, options, most_listed=MOST_PATH_EDGES)
