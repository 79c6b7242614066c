"""Decisions that switches can be programmed with, from what a router answered."""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing, traits_of
from fabric.routing.tables.decisions import Decisions, decide, decide_paths
from topologies.errors import RoutingError


def table_decisions(router: str, graph: RoutingGraph, demand: PhaseDemand, routing: Routing | None) -> Decisions:
    """Decisions of all nodes for all destinations, as the router's traits say.

    Destinations that the demand does not have, and nodes it does not cross, follow the router's rule.

    Parameters
    ----------
    routing : Routing or None
        What the router answered for the demand; None where there is no demand.

    Raises
    ------
    RoutingError
        When a router's paths depend on more than the destination, so that no destination table can say them.
    """
    check_programmable(router)
    traits = traits_of(router)
    if traits.endpoint_ports is not None:
        return decide_paths(graph, traits.endpoint_ports(graph.topology), graph.topology.endpoint_nodes)
    assert traits.rule is not None  # programmable without ports
    if traits.tables_from_splits and routing is not None and routing.splits is not None:
        return decide(graph, traits.rule, splits=routing.splits, split_sinks=demand.dest)
    return decide(graph, traits.rule)


def check_programmable(router: str) -> None:
    """Refuse routers that no destination table can carry, with their own reason."""
    traits = traits_of(router)
    if not traits.programmable:
        carried = ", ".join(entry.name for entry in ROUTERS if entry.traits.programmable)
        raise RoutingError(
            f"router {router} {traits.not_programmable}",
            hint=f"{traits.way_out}; routers with tables: {carried}",
            code="FP5031",
        )
