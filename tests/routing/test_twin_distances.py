"""Distances over sets of twins are those of a search, and hashed flows take the same paths by either."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.routing import twin_loads
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.kernels import hop_order
from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions
from fabric.routing.twin_distances import twin_distances
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows

DAMAGE = pytest.mark.parametrize("failed", [0.0, 0.1, 0.4])


def damaged(failed):
    """A fat tree of radix 8 with links down at random."""
    topology = TOPOLOGIES["fat-tree"]({"radix": 8, "speed": "100G"})
    down = np.random.default_rng(5).choice(len(topology.links), int(failed * len(topology.links)), replace=False)
    switches = topology.is_switch[topology.links.src[down]] & topology.is_switch[topology.links.dst[down]]
    return topology.with_down(links=down[switches].tolist())


@DAMAGE
def test_distances_are_those_of_a_search(failed):
    """To every switch, twins of its own among them; some are cut off."""
    graph = build_graph(damaged(failed), [])
    net, nodes = graph.twin_net, graph.nodes
    found, wanted, order = np.empty(nodes), np.empty(nodes), np.empty(nodes, dtype=np.int64)
    away, turn = (np.empty(len(net.size) + 1, dtype=np.int64) for _ in range(2))
    for dest in range(nodes):
        twin_distances(net, dest, found, away, turn)
        hop_order(dest, graph.into.start, graph.src[graph.into.edge], wanted, order)
        np.testing.assert_array_equal(found, wanted)


@DAMAGE
@pytest.mark.parametrize("resilient", [False, True])
def test_hashed_flows_take_the_same_paths(failed, resilient, monkeypatch):
    """A permutation of hosts, three replicas: loads to the bit."""
    topology = damaged(failed)
    ends = topology.endpoint_nodes
    flows = Flows.of(ends, np.random.default_rng(1).permutation(ends), 1.0)
    graph = build_graph(topology, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1.0])
    options = RoutingOptions(hash=HashOptions(replicas=3, resilient=resilient))
    answers = []
    for least in (0, np.inf):
        monkeypatch.setattr(twin_loads, "LEAST_STEPS", least)
        monkeypatch.setattr(twin_loads, "LEAST_FOLDING", 0)
        given = {"graph": graph, "demand": demand, "pairs": [PairTraffic(flows, 1.0, 2)], "options": options}
        answers.append(ROUTERS["ecmp-hash"]({}, **given))
    np.testing.assert_array_equal(answers[0].edge_gbps, answers[1].edge_gbps)
    np.testing.assert_array_equal(answers[0].unreachable, answers[1].unreachable)
    assert answers[0].spread == answers[1].spread
