"""Adaptive routing: switches choose among shortest next hops by their queues, for every packet, flowlet or flow.

``routing.adaptive.granularity`` says what is chosen for:

``packet``
    Every packet for itself, as Spectrum-X Ethernet and InfiniBand do where NICs take packets out of order: the same as
    router ``spray``, with ``spray_efficiency`` (Ghorbani et al., "DRILL", SIGCOMM 2017).
``flowlet``
    Pieces of a flow between two pauses, ``adaptive.flowlet`` bytes each; see ``fabric.routing.hashing.pieces``. The
    default is what half of the bytes travel in with a gap of 500 us (Alizadeh et al., "CONGA", SIGCOMM 2014, section
    2.6.1). NICs that pace RoCE in hardware pause rarely (Song et al., "ConWeave", SIGCOMM 2023): their flowlets are
    larger, up to whole flows.
``flow``
    A whole flow keeps the path that it began on. The flows of a collective begin together, on empty queues, so that a
    choice by queues is as good as chance: the same as router ``ecmp-hash``.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.names import PACKETS, WHOLE_FLOWS
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.spraying import sprayed
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected

_MOST_PATH_EDGES = 5_000_000  # paths longer than this in all are not listed


@ROUTERS.register(
    "adaptive",
    example={},
    traits=RouterTraits(
        placement="fluid",
        takes_granularity=True,
        not_programmable="chooses by the queues of the moment, which no table says",
        way_out="export under router ecmp, whose groups switches then choose from, and turn adaptive routing on there",
        options=("adaptive", "spray_efficiency", "hash"),
    ),
)
def adaptive(
    graph: Injected[RoutingGraph],
    demand: Injected[PhaseDemand],
    pairs: Injected[Sequence[PairTraffic]],
    options: Injected[RoutingOptions],
) -> Routing:
    """Adaptive routing by packet, flowlet or flow: spraying with a stated granularity."""
    if options.adaptive.granularity == PACKETS:
        return sprayed("adaptive", graph, demand, options.spray_efficiency)
    if options.adaptive.granularity == WHOLE_FLOWS:
        from fabric.routing.hashing.streamed_flows import hashed_routing

        return hashed_routing(graph, demand, pairs, options, most_listed=_MOST_PATH_EDGES)
    from fabric.routing.hashing.pieces import FlowPieces

    return FlowPieces.of(graph, demand, pairs, options).routing(options.seed)
