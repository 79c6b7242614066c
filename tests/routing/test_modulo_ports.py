"""Forwarding tables of destination-modulo routing: followed, they are the paths that router ftree reports."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.modulo_ports import ftree_ports
from fabric.routing.router import ROUTERS, PairTraffic, RoutingOptions
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

CASES = {
    "fat-tree": (TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"}), []),
    "damaged": (TOPOLOGIES["fat-tree"]({"radix": 6, "speed": "100G"}), [100, 130]),
    "leaf-spine": (
        TOPOLOGIES["leaf-spine"](
            {"leaves": 5, "spines": 3, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}
        ),
        [],
    ),
}


def follow(topology, ports, src, dst):
    """Links from the first switch to an endpoint."""
    links = topology.links
    place = {int(node): row for row, node in enumerate(np.flatnonzero(topology.nodes.forwards).tolist())}
    column = topology.endpoint_nodes.tolist().index(dst)
    path, node = [], src
    while node != dst:
        link = int(ports[place[node], column])
        assert link >= 0
        path.append(link)
        node = int(links.dst[link])
        assert len(path) < 20
    return path


@pytest.mark.parametrize("name", CASES)
def test_followed_tables_are_the_routers_paths(name):
    """A permutation of the endpoints."""
    topology, cut = CASES[name]
    topology = topology.with_down(links=cut)
    ports = ftree_ports(topology)
    ends = topology.endpoint_nodes
    flows = Flows.of(ends, np.roll(ends, 5), np.full(len(ends), 10.0))
    graph = build_graph(topology, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1.0])
    pairs = [PairTraffic(flows, 1.0, 1)]
    routing = ROUTERS["ftree"]({}, graph=graph, demand=demand, pairs=pairs, options=RoutingOptions())
    paths = routing.paths
    for index in range(len(paths.src)):
        edges = paths.edge[paths.start[index] : paths.start[index + 1]]
        found = follow(topology, ports, int(graph.node_of[paths.src[index]]), int(paths.dst_endpoint[index]))
        assert graph.link_of[edges].tolist() == found[:-1]


def test_shift_permutations_share_no_link():
    """D-mod-k on an intact fat tree: every link between switches carries at most one flow of every shift."""
    topology, _ = CASES["fat-tree"]
    ports, ends, links = ftree_ports(topology), topology.endpoint_nodes.tolist(), topology.links
    leaf = {end: int(links.dst[int(np.flatnonzero(links.src == end)[0])]) for end in ends}
    for shift in range(1, len(ends)):
        load = np.zeros(len(links), dtype=int)
        for at, end in enumerate(ends):
            other = ends[(at + shift) % len(ends)]
            if leaf[end] != leaf[other]:
                load[follow(topology, ports, leaf[end], other)] += 1
        assert load.max() == 1
