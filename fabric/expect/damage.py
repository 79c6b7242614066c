"""Networks with something wrong in them: slow NICs, slow links, a switch that is gone, rails on the wrong leaf."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabric.pipeline.network import Network
from topologies.columns import Ints, column
from topologies.topology import Topology


def with_topology(network: Network, fabric: str, topology: Topology) -> Network:
    """The network with one of its fabrics in place of its own; the inventory knows it too."""
    topologies = {**network.topologies, fabric: topology}
    return replace(network, topologies=topologies, inventory=replace(network.inventory, topologies=topologies))


def slowed(topology: Topology, links: Ints, factor: float) -> Topology:
    """Cables at a part of their speed, in both directions."""
    both = np.concatenate([links, topology.links.reverse[links]])
    capacity = topology.links.capacity_gbps.copy()
    chosen = np.unique(both[both >= 0])
    capacity[chosen] *= factor
    return replace(topology, links=replace(topology.links, capacity_gbps=column(capacity, np.float64)))


def capped(topology: Topology, endpoints: Ints, limit_gbps: float) -> Topology:
    """NICs that get no more than a rate out of their hosts, however fast their links are."""
    access = access_links(topology, endpoints)
    per_endpoint = np.zeros(len(topology.nodes))
    np.add.at(per_endpoint, topology.links.src[access], topology.nominal_gbps[access])
    part = np.minimum(1.0, limit_gbps / np.maximum(per_endpoint[topology.links.src[access]], 1e-9))
    capacity = topology.links.capacity_gbps.copy()
    for links in (access, topology.links.reverse[access]):
        there = links >= 0
        capacity[links[there]] *= part[there]
    return replace(topology, links=replace(topology.links, capacity_gbps=column(capacity, np.float64)))


def access_links(topology: Topology, endpoints: Ints) -> Ints:
    """Links from endpoints into the fabric."""
    wanted = np.zeros(len(topology.nodes), dtype=bool)
    wanted[endpoints] = True
    return column(np.flatnonzero(wanted[topology.links.src] & topology.up), np.int32)


def uplinks(topology: Topology, endpoint: int) -> Ints:
    """Links of an endpoint's first switch to switches above it; empty where there are none."""
    access = access_links(topology, column([endpoint], np.int32))
    if not len(access):
        return access
    leaf = topology.links.dst[access[0]]
    level = topology.nodes.level
    return column(
        np.flatnonzero((topology.links.src == leaf) & (level[topology.links.dst] > level[leaf]) & topology.up), np.int32
    )


def top_switch(topology: Topology, endpoint: int) -> int | None:
    """A switch of the highest level that an endpoint's uplinks lead to; None where its leaf is the highest."""
    level, links = topology.nodes.level, topology.links
    frontier = {int(node) for node in links.dst[uplinks(topology, endpoint)]}
    best: int | None = None
    while frontier:
        best = min(frontier, key=lambda node: (-int(level[node]), node))
        above = (links.src == best) & (level[links.dst] > level[best]) & topology.up
        frontier = {int(node) for node in links.dst[np.flatnonzero(above)]}
    return best


def without_switch(topology: Topology, switch: int) -> Topology:
    """All links of a switch down."""
    return topology.with_down(nodes=[switch])


def rails_crossed(topology: Topology, endpoints: Ints) -> Topology:
    """Every second host's NICs cabled one rail off.

    Parameters
    ----------
    endpoints : ndarray of int, shape (hosts, NICs)
        Endpoints of the hosts, rail by rail.
    """
    other = np.arange(len(topology.nodes))
    crossed = endpoints[1::2]
    other[crossed] = np.roll(crossed, 1, axis=1)
    links = replace(
        topology.links,
        src=column(other[topology.links.src], np.int32),
        dst=column(other[topology.links.dst], np.int32),
    )
    return replace(topology, links=links)
