"""Decisions once per node: the same parts as explicit splits, and the same loads when walked."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from oracle_fabrics import larger_case

from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.reach import split_reachable
from fabric.routing.router import ROUTERS, RoutingOptions
from fabric.routing.tables.decisions import ARRIVED, CUT_OFF, all_sinks, decide, decide_paths, edge_of_links
from fabric.routing.tables.table_decisions import table_decisions
from fabric.routing.tables.walk import walk
from topologies.builder import TOPOLOGIES


def routed(seed, router):
    """Graph, demand and routing of a random network with multi-homed hosts."""
    case = larger_case(seed)
    graph = build_graph(case.net, [case.flows])
    flows, _ = split_reachable(graph, [case.flows])
    demand = phase_demand(graph, flows, [1.0])
    return graph, demand, ROUTERS[router]({}, graph=graph, demand=demand, options=RoutingOptions())


def parts_of(decisions, node, row):
    """(edge, part) of a node for a destination."""
    code = decisions.code[node, row]
    if code < 0:
        return {}
    mine = slice(decisions.start[code], decisions.start[code + 1])
    return dict(zip(decisions.edge[mine].tolist(), decisions.fraction[mine].tolist(), strict=True))


def test_equal_decisions_are_the_next_hops_of_networkx():
    """k = 4 fat tree with a failed link: every node, every edge switch."""
    topology = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"}).with_down(links=[40])
    graph = build_graph(topology, [])
    found = decide(graph, "equal")
    net = nx.DiGraph(list(zip(graph.src.tolist(), graph.dst.tolist(), strict=True)))
    for row, sink in enumerate(found.sink.tolist()):
        distance = nx.single_source_shortest_path_length(net.reverse(), sink)
        for node in range(graph.nodes):
            hops = {
                edge for edge in graph.out.edge[graph.out.start[node] : graph.out.start[node + 1]].tolist()
                if distance[int(graph.dst[edge])] == distance[node] - 1
            }  # fmt: skip
            parts = parts_of(found, node, row)
            assert set(parts) == hops
            assert all(part == pytest.approx(1 / len(hops)) for part in parts.values())
            assert (found.code[node, row] == ARRIVED) == (node == sink)


def test_a_fat_tree_has_few_decisions():
    """k = 4: one per edge switch (up), three per aggregation switch, four per core switch."""
    found = decide(build_graph(TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"}), []), "equal")
    assert len(found) == 8 * 1 + 8 * 3 + 4 * 4


def test_what_cannot_be_reached_is_cut_off():
    """An edge switch without uplinks reaches nobody and is reached by nobody."""
    topology = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    edge = topology.node("pod0/edge0")
    links = topology.links
    inner = np.flatnonzero((links.src == edge) & topology.nodes.forwards[links.dst])
    graph = build_graph(topology.with_down(links=inner.tolist()), [])
    found = decide(graph, "equal")
    row = found.sink.tolist().index(graph.sink[topology.node("pod0/edge0/h0")])
    others = np.arange(graph.nodes) != found.sink[row]
    assert np.all(found.code[others, row] == CUT_OFF)


@pytest.mark.parametrize(
    "router", [entry.name for entry in ROUTERS if entry.traits.rule_alone and entry.traits.follows_rule]
)
@pytest.mark.parametrize("seed", range(4))
def test_walked_decisions_give_the_loads_of_the_router(router, seed):
    """Random networks with multi-homed hosts, parallel and weighted links."""
    graph, demand, routing = routed(seed, router)
    decisions = table_decisions(router, graph, demand, routing)
    found = walk(decisions, decisions.fraction, demand)
    np.testing.assert_allclose(found.edge_gbps, routing.edge_gbps, atol=1e-7)
    assert not found.loops.any()
    assert not found.lost_gbps.any()


@pytest.mark.parametrize("seed", range(6))
def test_explicit_splits_are_followed_and_reach_from_everywhere(seed):
    """Loads of optimal; then one unit from every node to every destination arrives, splits or not."""
    graph, demand, routing = routed(seed, "optimal")
    decisions = table_decisions("optimal", graph, demand, routing)
    found = walk(decisions, decisions.fraction, demand)
    total = routing.edge_gbps.sum(axis=1)
    np.testing.assert_allclose(found.edge_gbps.sum(axis=1), total, atol=1e-4 * max(total.max(initial=0), 1))
    equal = decide(graph, "equal")
    assert np.all((decisions.code == CUT_OFF) == (equal.code == CUT_OFF))
    for row in range(len(decisions.sink)):
        # No node comes back to itself along the decisions of one destination.
        edges = [edge for node in range(graph.nodes) for edge in parts_of(decisions, node, row)]
        net = nx.DiGraph([(int(graph.src[edge]), int(graph.dst[edge])) for edge in edges])
        assert nx.is_directed_acyclic_graph(net)


def test_one_path_per_endpoint_becomes_decisions():
    """Two leaves, one spine: out links given by hand; a link to a host means it has arrived."""
    topology = TOPOLOGIES["leaf-spine"](
        {"leaves": 2, "spines": 1, "hosts_per_leaf": 1, "host_speed": "100G", "uplink_speed": "100G"}
    )
    graph = build_graph(topology, [])
    links, node = topology.links, topology.node

    def link(a, b):
        return int(np.flatnonzero((links.src == node(a)) & (links.dst == node(b)))[0])

    hosts = topology.endpoint_nodes
    first, second = (topology.nodes.name[host] for host in hosts.tolist())
    forwarding = np.flatnonzero(topology.nodes.forwards).tolist()
    out = np.full((len(forwarding), 2), -1)
    ways = {
        ("leaf0", 0): link("leaf0", first), ("leaf0", 1): link("leaf0", "spine0"),
        ("leaf1", 0): link("leaf1", "spine0"), ("leaf1", 1): link("leaf1", second),
        ("spine0", 0): link("spine0", "leaf0"), ("spine0", 1): link("spine0", "leaf1"),
    }  # fmt: skip
    for (name, column), way in ways.items():
        out[forwarding.index(node(name)), column] = way
    found = decide_paths(graph, out, hosts)
    edge_of = edge_of_links(graph)
    assert found.code[graph.sink[hosts[0]], 0] == ARRIVED
    assert parts_of(found, forwarding.index(node("spine0")), 1) == {int(edge_of[link("spine0", "leaf1")]): 1.0}
    assert all_sinks(graph).tolist() == sorted(set(graph.sink[hosts].tolist()))
