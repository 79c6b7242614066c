"""Access links where demand is admitted only in part.

Access links of single-homed endpoints are outside the routing graph, as no routing changes what they carry. An
objective that cuts demand does change it: an endpoint that offers more than its links can carry is limited by them
before any switch. Such endpoints are therefore put inside the graph, each set of like ones with a terminal of its own,
and their links become edges like others. All other endpoints offer no more than they can send, so their links limit
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.utilisation import OVER
from topologies.columns import Floats, Ints, Longs, column
from topologies.topology import Topology
from traffic.demands import Flows, UniformBlock


def overloaded_endpoints(topology: Topology, flows: Sequence[Flows], gbps_per_unit: Sequence[float]) -> Ints:
    """Hosts that send or receive more than their links that are up can carry; topology nodes, ascending."""
    nodes, links = len(topology.nodes), topology.links
    sent, received = np.zeros(nodes), np.zeros(nodes)
    for part, scale in zip(flows, gbps_per_unit, strict=True):
        sent += part.sent(nodes) * scale
        received += part.received(nodes) * scale
    forwards = topology.nodes.forwards
    out = np.bincount(links.src, topology.capacity_gbps * forwards[links.dst], nodes)
    back = np.bincount(links.dst, topology.capacity_gbps * forwards[links.src], nodes)
    over = (sent > out * OVER) | (received > back * OVER)
    return column(np.flatnonzero(over & ~forwards), np.int32)


def admitted_ends(
    graph: RoutingGraph, demand: PhaseDemand, flows: Sequence[Flows], gbps_per_unit: Sequence[float], admitted: Floats
) -> tuple[Floats, Floats]:
    """What every endpoint sends and receives of the demand that is admitted, shape (N, C) each, Gbps.

    Parameters
    ----------
    flows, gbps_per_unit : one per traffic class
        What the demand was made of.
    admitted : ndarray, shape (nnz,)
        Part of every entry of the demand that is admitted. What stays at one switch is admitted whole.
    """
    nodes = len(graph.topology.nodes)
    sent, received = np.zeros((nodes, len(flows))), np.zeros((nodes, len(flows)))
    part_of = _Parts(graph, demand, admitted)
    for code, (part, scale) in enumerate(zip(flows, gbps_per_unit, strict=True)):
        amount = part.amount * scale * part_of.pairs(graph.source[part.src], graph.sink[part.dst])
        sent[:, code] += np.bincount(part.src, amount, nodes)
        received[:, code] += np.bincount(part.dst, amount, nodes)
        for block in part.blocks:
            out, back = part_of.block(graph, block)
            sent[block.members, code] += out * block.amount * scale
            received[block.members, code] += back * block.amount * scale
    return sent, received


class _Parts:
    """Admitted part by (source, sink) of the graph; 1 where there is no entry."""

    def __init__(self, graph: RoutingGraph, demand: PhaseDemand, admitted: Floats) -> None:
        self._nodes = graph.nodes
        # Entries are sorted by destination, then source.
        self._key: Longs = demand.dest_of_entry.astype(np.int64) * graph.nodes + demand.src
        self._admitted = admitted

    def pairs(self, source: Ints, sink: Ints) -> Floats:
        """Part of each pair, shape of the arguments."""
        key = sink.astype(np.int64) * self._nodes + source
        if not len(self._key):
            return np.ones(key.shape)
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._admitted[at], 1.0)

    def block(self, graph: RoutingGraph, block: UniformBlock) -> tuple[Floats, Floats]:
        """Σ of the parts of what every member sends to, and receives from, all others."""
        source, from_source, senders = np.unique(graph.source[block.members], return_inverse=True, return_counts=True)
        sink, to_sink, receivers = np.unique(graph.sink[block.members], return_inverse=True, return_counts=True)
        table = self.pairs(source[:, None], sink[None, :])
        own = table[from_source, to_sink]
        return (table @ receivers)[from_source] - own, (senders @ table)[to_sink] - own
