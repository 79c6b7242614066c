"""Decisions that switches can be programmed with, from what a router answered."""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Routing
from fabric.routing.shortest_splits import Rule
from fabric.routing.tables.decisions import Decisions, decide, decide_paths
from topologies.errors import RoutingError

# Routers whose switches follow one rule towards every destination.
RULES: dict[str, Rule] = {
    "ecmp": "equal",
    "ecmp-hash": "equal",
    "wcmp": "downstream-capacity",
    "bgp-ucmp": "next-hop-count",
    "spray": "link-capacity",
    "single-path": "lowest",
    "optimal": "equal",  # towards destinations without demand
    "pinned": "equal",  # below the rules of single flows
}
PROGRAMMABLE = (*RULES, "ftree")
MOST_PORTS = 100_000_000  # switches x endpoints, of routers with one path per endpoint


def table_decisions(router: str, graph: RoutingGraph, demand: PhaseDemand, routing: Routing | None) -> Decisions:
    """Decisions of all nodes for all destinations.

    Destinations that the demand does not have, and nodes it does not cross, follow equal-cost shortest paths.

    Parameters
    ----------
    routing : Routing or None
        What the router answered for the demand; None where there is no demand.

    Raises
    ------
    RoutingError
        When a router's paths depend on more than the destination, so that no destination table can say them.
    """
    if router == "ftree":
        return _ftree(graph)
    check_programmable(router)
    if router == "optimal" and routing is not None and routing.splits is not None:
        return decide(graph, RULES[router], splits=routing.splits, split_sinks=demand.dest)
    return decide(graph, RULES[router])


def check_programmable(router: str) -> None:
    """Refuse routers that no destination table can carry."""
    if router not in PROGRAMMABLE:
        raise RoutingError(
            f"router {router} chooses paths by source; a table that looks at destinations cannot carry it",
            hint=f"routers with tables: {', '.join(PROGRAMMABLE)}",
            code="FP5031",
        )


def _ftree(graph: RoutingGraph) -> Decisions:
    from fabric.routing.modulo_ports import ftree_ports

    ends = graph.topology.endpoint_nodes
    cells = int(graph.topology.nodes.forwards.sum()) * len(ends)
    if cells > MOST_PORTS:
        raise RoutingError(
            f"router ftree has a next hop per switch and endpoint: {cells:,}; {MOST_PORTS:,} are the most",
            hint="router ecmp has tables of any size",
            code="FP5030",
        )
    return decide_paths(graph, ftree_ports(graph.topology), ends)
