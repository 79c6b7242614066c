"""Packet spraying and adaptive routing as a fluid.

Every switch spreads packets over its shortest next hops by the state of its own queues, so in proportion to the
capacities of its live links (rule ``link-capacity``). It does not see what is left behind a neighbour: where a remote
link has failed, local choice overloads what remains (Alizadeh et al., "CONGA", SIGCOMM 2014, section 2.4; Ghorbani et
al., "DRILL", SIGCOMM 2017). Router ``wcmp`` is what spraying with weights for remote failures reaches.

The offered load is what is offered; ``spray_efficiency`` e is about the room it needs. Packets of a message that take
different ways meet uneven queues and arrive out of order, so links that carry sprayed traffic cannot be filled: a Gbps
that was spread over several next hops, before a link or onto it, takes 1/e Gbps of a link between switches. Traffic
that never had a choice takes 1, and so do access links. Utilisation is room taken over capacity. e is not derived from
anything: 1 is an ideal, and what a product reaches must be measured or taken from its vendor.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing, RoutingOptions
from fabric.routing.shortest_splits import MOST_SPLITS, shortest_loads, shortest_splits, spread_gbps
from fabric.routing.traits import RouterTraits
from topologies.columns import Floats, column
from topologies.registry import Injected
from topologies.units import percent


def usable_part(graph: RoutingGraph, demand: PhaseDemand, load_gbps: Floats, efficiency: float) -> Floats:
    """Part of every edge's capacity that its mix of sprayed and unsprayed traffic can fill, shape (E,).

    Parameters
    ----------
    load_gbps : ndarray, shape (E,)
        Offered load of every edge.
    efficiency : float
        Part of a link that sprayed traffic alone can fill, in (0, 1].
    """
    sprayed = np.minimum(spread_gbps(graph, demand, "link-capacity"), load_gbps)
    room = load_gbps + sprayed * (1 / efficiency - 1)
    part = np.divide(load_gbps, room, out=np.ones(len(load_gbps)), where=load_gbps > 0)
    return np.where(graph.link_of >= 0, part, 1.0)


@ROUTERS.register(
    "spray",
    example={},
    traits=RouterTraits(
        placement="fluid", rule="link-capacity", compared=4, suggested=1, options=("spray_efficiency",)
    ),
)
def spray(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]) -> Routing:
    """Packet spraying: over shortest next hops by live link capacity (fluid), with a stated efficiency."""
    loads, unreachable, used = shortest_loads(graph, demand, "link-capacity")
    rows, efficiency = int(used.sum()), options.spray_efficiency
    notes: tuple[str, ...] = (f"sprayed traffic fills at most {percent(efficiency)} of a link between switches",)
    usable = None
    if efficiency < 1:
        usable = column(usable_part(graph, demand, loads.sum(axis=1), efficiency), np.float64)
    if rows > MOST_SPLITS:
        notes += (f"weights of {rows:,} next hops are worked out when they are exported",)
    splits = shortest_splits(graph, demand, "link-capacity", used=used) if rows <= MOST_SPLITS else None
    return Routing("spray", loads, unreachable, splits=splits, notes=notes, usable=usable)
