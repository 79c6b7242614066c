"""What has no path is told apart from what has one, as NetworkX says pair by pair."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from fabric.routing.graph import build_graph
from fabric.routing.reach import split_reachable
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock


def digraph(topology):
    """Live links as a graph in which hosts are crossed by nobody: each is one node to send from and one to receive."""
    links, forwards = topology.links, topology.nodes.forwards
    live = topology.up & (links.capacity_gbps > 0)
    net = nx.DiGraph()
    for node in topology.endpoint_nodes.tolist():
        net.add_nodes_from([("from", node), ("to", node)])
        if forwards[node]:
            net.add_edges_from([(("from", node), node), (node, ("to", node))])
    for src, dst in zip(links.src[live].tolist(), links.dst[live].tolist(), strict=True):
        if forwards[src] or forwards[dst]:
            net.add_edge(src if forwards[src] else ("from", src), dst if forwards[dst] else ("to", dst))
    return net


@pytest.mark.parametrize("name", ["multi-plane", "dual-plane", "leaf-spine", "rail-only", "bcube"])
@pytest.mark.parametrize("failed", [0.0, 0.2, 0.6])
def test_pairs_that_have_a_path_are_those_of_a_search(name, failed):
    """Planes that never meet, hosts on several switches, and parts cut off, some of them one way only."""
    rng = np.random.default_rng(int(10 * failed))
    topology = TOPOLOGIES[name](TOPOLOGIES[name].example)
    links = len(topology.links)
    up = topology.up.copy()
    up[rng.choice(links, int(failed * links), replace=False)] = False
    topology = type(topology)(**{key: getattr(topology, key) for key in topology.__dataclass_fields__} | {"up": up})
    ends = topology.endpoint_nodes
    rows = Flows.of(rng.choice(ends, 60), rng.choice(ends, 60), 1.0)
    none = np.empty(0, dtype=np.int32)
    flows = [rows, Flows(none, none, np.empty(0), (UniformBlock(ends, 1.0), UniformBlock(ends[:3], 2.0)))]
    graph = build_graph(topology, flows)
    kept, lost = split_reachable(graph, flows)
    net = digraph(topology)
    reaches = {src: nx.descendants(net, ("from", src)) for src in ends.tolist()}
    cut = 0
    for part, found in zip(flows, kept, strict=True):
        src, dst, amount = part.rows()
        good = np.array([("to", b) in reaches[a] for a, b in zip(src.tolist(), dst.tolist(), strict=True)], np.bool_)
        wanted, got = Flows.of(src[good], dst[good], amount[good]), Flows.of(*found.rows())
        for key in ("src", "dst", "amount"):
            np.testing.assert_array_equal(getattr(got, key), getattr(wanted, key))
        cut += int((~good).sum())
    assert lost.pairs == cut
