"""Spraying as a fluid: packets over shortest next hops by live link capacity, and the room that they need.

The offered load is what is offered; an efficiency e is about the room it needs. Packets of a message that take
different ways meet uneven queues and arrive out of order, so links that carry sprayed traffic cannot be filled: a Gbps
that was spread over several next hops, before a link or onto it, takes 1/e Gbps of a link between switches. Traffic
that never had a choice takes 1, and so do access links. Utilisation is room taken over capacity.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Routing
from fabric.routing.shortest_splits import MOST_SPLITS, shortest_loads, shortest_splits, spread_gbps
from fabric.routing.traits import Rule
from topologies.columns import Floats, column
from topologies.units import percent


def usable_part(
    graph: RoutingGraph, demand: PhaseDemand, load_gbps: Floats, efficiency: float, rule: Rule = "link-capacity"
) -> Floats:
    """Part of every edge's capacity that its mix of sprayed and unsprayed traffic can fill, shape (E,).

    Parameters
    ----------
    load_gbps : ndarray, shape (E,)
        Offered load of every edge.
    efficiency : float
        Part of a link that sprayed traffic alone can fill, in (0, 1].
    rule : str
        How switches divide what they spread.
    """
    sprayed = np.minimum(spread_gbps(graph, demand, rule), load_gbps)
    room = load_gbps + sprayed * (1 / efficiency - 1)
    part = np.divide(load_gbps, room, out=np.ones(len(load_gbps)), where=load_gbps > 0)
    return np.where(graph.link_of >= 0, part, 1.0)


def sprayed(router: str, graph: RoutingGraph, demand: PhaseDemand, efficiency: float) -> Routing:
    """Every packet for itself: over shortest next hops by live link capacity, of which ``efficiency`` can be filled."""
    loads, unreachable, used = shortest_loads(graph, demand, "link-capacity")
    rows = int(used.sum())
    notes: tuple[str, ...] = (f"sprayed traffic fills at most {percent(efficiency)} of a link between switches",)
    usable = None
    if efficiency < 1:
        usable = column(usable_part(graph, demand, loads.sum(axis=1), efficiency), np.float64)
    if rows > MOST_SPLITS:
        notes += (f"weights of {rows:,} next hops are worked out when they are exported",)
    splits = shortest_splits(graph, demand, "link-capacity", used=used) if rows <= MOST_SPLITS else None
    return Routing(router, loads, unreachable, splits=splits, notes=notes, usable=usable)
