"""What every node does with traffic for every destination in the intact state, endpoint by endpoint.

Routers look at classes of endpoints that are attached alike; a case may take a link of one of them. So every endpoint
with several links is a node of its own here, with the splits of its class.
"""

from __future__ import annotations

import numpy as np

from fabric.evaluation.phases import PreparedPhase, prepare_phase
from fabric.failures.engine import SweepPhase
from fabric.result import Routed
from fabric.routing.graph import RoutingGraph
from fabric.routing.names import PACKETS
from fabric.routing.router import Splits, traits_of
from fabric.routing.shortest_splits import shortest_splits
from fabric.routing.traits import Rule
from topologies.columns import Ints, Longs, column
from topologies.errors import RoutingError


def rule_of(phase: SweepPhase) -> Rule | None:
    """The rule that all loads of a phase follow; None where something else decides."""
    traits = traits_of(phase.router)
    if traits.takes_granularity:  # every packet for itself is spraying
        return "link-capacity" if phase.options.adaptive.granularity == PACKETS else None
    return traits.rule_alone if traits.follows_rule else None


def efficiency_of(phase: SweepPhase) -> float:
    """Part of a link that spread traffic can fill."""
    sprays = "spray_efficiency" in traits_of(phase.router).options and rule_of(phase) is not None
    return phase.options.spray_efficiency if sprays else 1.0


def prepared_of(phase: SweepPhase) -> PreparedPhase:
    """The phase with every endpoint of several links as a node of its own: a case may take one of them."""
    return prepare_phase(
        phase.topology,
        phase.demands,
        phase.phase,
        efficiency=phase.efficiency,
        per_endpoint=True,
        latency=phase.latency,
    )


def link_of_edge(graph: RoutingGraph) -> Ints:
    """Topology link of every edge of a graph without classes of several endpoints, shape (E,)."""
    link = np.array(graph.link_of, np.int32)
    link[graph.member_edge] = graph.member_link
    return link


def frozen_splits(phase: SweepPhase, prepared: PreparedPhase) -> Splits:
    """Splits of the intact state for every destination of ``prepared``.

    Raises
    ------
    RoutingError
        Of a router that does not split by destination: it has no groups that could be frozen.
    """
    rule, routed, traits = rule_of(phase), phase.intact.routed, traits_of(phase.router)
    if rule is not None:
        return shortest_splits(prepared.graph, prepared.demand, rule)
    explicit = routed.routing.splits if routed is not None else None
    if routed is not None and explicit is not None:
        return _of_classes(routed, explicit, prepared)
    if traits.follows_rule and traits.rule is not None and (routed is None or routed.routing.paths is None):
        return shortest_splits(prepared.graph, prepared.demand, traits.rule)
    raise RoutingError(
        f"router {phase.router} does not split by destination, so it has no groups of next hops to freeze",
        hint="--reaction converged routes every case again; --router ecmp has groups",
        code="FP5036",
    )


def _of_classes(routed: Routed, splits: Splits, prepared: PreparedPhase) -> Splits:
    """Splits of classes of endpoints, written out for their members."""
    graph, single = routed.graph, prepared.graph
    edge_of_link = np.full(len(graph.topology.links), -1, np.int32)
    edge_of_link[link_of_edge(single)] = np.arange(len(single.src))
    order = np.argsort(graph.member_edge, kind="stable")
    first = np.searchsorted(graph.member_edge[order], np.arange(len(graph.src) + 1))
    row_of = {int(node): row for row, node in enumerate(routed.demand.dest.tolist())}
    edges: list[Ints] = []
    parts: list[np.ndarray] = []
    for node in prepared.demand.dest.tolist():
        own = int(single.node_of[node])
        row = row_of[int(graph.sink[own]) if single.is_terminal[node] else node]
        listed: list[Longs] = []
        size: list[int] = []
        some = slice(int(splits.start[row]), int(splits.start[row + 1]))
        for edge in splits.edge[some].tolist():
            link = int(graph.link_of[edge])
            links = np.array([link]) if link >= 0 else graph.member_link[order[first[edge] : first[edge + 1]]]
            if link < 0 and graph.is_terminal[graph.dst[edge]]:
                links = links[graph.topology.links.dst[links] == own]
            listed.append(edge_of_link[links].astype(np.int64))
            size.append(len(links))
        edges.append(np.concatenate([np.empty(0, np.int64), *listed]).astype(np.int32))
        parts.append(np.repeat(splits.fraction[some], size))
    start = np.concatenate([[0], np.cumsum([len(part) for part in edges])])
    return Splits(
        column(start, np.int64),
        column(np.concatenate([np.empty(0, np.int32), *edges]), np.int32),
        column(np.concatenate([np.empty(0), *parts]), np.float64),
    )
