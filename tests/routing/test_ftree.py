"""Destination-modulo routing: shifts without contention, failures, parallel cables, several ports, dense blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import Case, cases, larger_case, node_imbalance_gbps, ours, plain_ecmp, reachable

from fabric.routers import ftree as module
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.modulo_trees import number_endpoints
from fabric.routing.router import ROUTERS, PairTraffic
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from topologies.hosts import HostGroup
from traffic.demands import Flows, UniformBlock

SOME = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def shifted(net, shift, gbps=100.0):
    """Every endpoint sends to the one ``shift`` places on, in the order of the leaves."""
    number = number_endpoints(net).of_node
    hosts = net.endpoint_nodes[np.argsort(number[net.endpoint_nodes])]
    return Flows.of(hosts, np.roll(hosts, -shift), gbps)


def routed(net, flows):
    graph = build_graph(net, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1.0])
    return graph, demand, ROUTERS["ftree"]({}, graph=graph, demand=demand, pairs=[PairTraffic(flows, 1.0, 1)])


def highest(net, flows):
    graph, _, routing = routed(net, flows)
    return float((routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max())


@pytest.mark.parametrize("radix", [4, 6, 8])
def test_every_shift_of_a_fat_tree_is_free_of_contention(radix):
    """k³/4 hosts at full rate: no link carries two of the flows, for any shift (Zahavi 2010)."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    hosts = len(net.endpoint_nodes)
    for shift in range(1, hosts):
        assert highest(net, shifted(net, shift)) == pytest.approx(1.0)


@pytest.mark.parametrize("cables", [1, 2, 4])
@pytest.mark.parametrize("spines", [1, 2, 3])
def test_every_shift_of_leaves_with_parallel_cables_is_free_of_contention(spines, cables):
    """As many hosts as uplinks on each of 4 leaves, ``cables`` parallel to every spine: up and down all different."""
    net = assemble("parallel", "test")
    leaf, spine = net.switches("leaf", list("abcd"), level=1), net.switches("spine", list("xyz"[:spines]), level=2)
    for _ in range(cables):
        net.full_mesh(leaf, spine, 100.0)
    hosts = net.hosts([f"h{host}" for host in range(4 * spines * cables)])
    net.cables(hosts, np.repeat(leaf, spines * cables), 100.0)
    built = net.freeze()
    for shift in range(spines * cables, 3 * spines * cables + 1):
        assert highest(built, shifted(built, shift)) == pytest.approx(1.0)


@pytest.mark.parametrize("cables", [1, 2, 3])
def test_every_shift_of_three_levels_with_parallel_cables_is_free_of_contention(cables):
    """3 pods of 2 leaves and 2 spines, ``cables`` parallel ones between each; as many cores as a spine has uplinks.

    2·cables hosts on a leaf, 2·cables uplinks on leaf and spine: full bisection.
    """
    net = assemble("pods", "test")
    cores = [net.switches("core", [f"c{side}.{at}" for at in range(2 * cables)], level=3) for side in range(2)]
    leaves = []
    for pod in range(3):
        leaf = net.switches("leaf", [f"p{pod}l{at}" for at in range(2)], level=1)
        spine = net.switches("spine", [f"p{pod}s{at}" for at in range(2)], level=2)
        for _ in range(cables):
            net.full_mesh(leaf, spine, 100.0)
        for side in range(2):
            net.full_mesh(spine[side : side + 1], cores[side], 100.0)
        leaves += leaf.tolist()
    hosts = net.hosts([f"h{host}" for host in range(len(leaves) * 2 * cables)])
    net.cables(hosts, np.repeat(leaves, 2 * cables), 100.0)
    built = net.freeze()
    for shift in range(1, len(hosts)):
        assert highest(built, shifted(built, shift)) == pytest.approx(1.0)


def test_hosts_on_two_leaves_use_all_uplinks():
    """12 dual-homed hosts on a pair of leaves, 2 x 2 uplinks: what others send them comes from all spines alike."""
    groups = [HostGroup("h", tuple(f"h{i}" for i in range(24)), 2, 100.0, dual_home=True)]
    keys = {"leaves": 4, "spines": 4, "hosts_per_leaf": 12, "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys, hosts=groups)
    graph, _, routing = routed(net, shifted(net, 12))
    level = net.nodes.level[graph.node_of]
    down = (level[graph.src] == 2) & (level[graph.dst] == 1)
    by_spine = np.bincount(graph.src[down], routing.edge_gbps[down, 0])
    assert by_spine[level[: len(by_spine)] == 2].tolist() == [600.0] * 4


def test_hosts_dealt_over_rails_are_numbered_by_leaf():
    """Rail-optimised, 4 NICs a node on 4 leaves: neighbours in the order of the nodes hang on different leaves."""
    net = TOPOLOGIES["rail-optimised"](TOPOLOGIES["rail-optimised"].example)
    number = number_endpoints(net)
    leaf = net.links.dst[np.isin(net.links.src, net.endpoint_nodes)]
    assert number.per_leaf == 4
    of_leaf = number.of_node[net.endpoint_nodes] // 4
    assert sorted(number.of_node[net.endpoint_nodes].tolist()) == list(range(32))
    assert (np.argsort(np.unique(leaf)) == np.unique(of_leaf)).all()
    for shift in (4, 12, 16):
        assert highest(net, shifted(net, shift, 400.0)) == pytest.approx(1.0)


def test_the_path_of_an_endpoint_is_that_of_the_formula():
    """k = 4, host j = 13: up port 13 mod 2 = 1 of the edge switch, ⌊13/2⌋ mod 2 = 0 of the aggregation switch."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    graph, _, routing = routed(net, Flows.of([hosts[0]], [hosts[13]], 10.0))
    names = [graph.node_name(node) for node in graph.dst[routing.paths.edge]]
    assert names == ["pod0/agg1", "core2", "pod3/agg1", "pod3/edge0"]
    assert routing.paths.dst_endpoint.tolist() == [hosts[13]]


def test_with_an_uplink_down_the_modulus_runs_over_the_others():
    """2 leaves x 4 hosts, 4 spines; leaf0 - spine3 down: hosts 4..7 of leaf1 have j mod 3 = 1, 2, 0, 1: spine1 gets 2.

    What comes back to leaf0 cannot cross spine3 either: j mod 3 of 0..3 is 0, 1, 2, 0, and spine0 carries two.
    """
    keys = {"leaves": 2, "spines": 4, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    ends = (net.links.src == net.node("leaf0")) & (net.links.dst == net.node("spine3"))
    net = net.with_down(links=np.flatnonzero(ends))
    graph, _, routing = routed(net, shifted(net, 4))
    load = {graph.edge_name(edge): gbps for edge, gbps in enumerate(routing.edge_gbps[:, 0])}
    assert [load[f"leaf0 -> spine{spine}"] for spine in range(3)] == [100, 200, 100]
    assert [load[f"leaf1 -> spine{spine}"] for spine in range(4)] == [200, 100, 100, 0]


@SOME
@given(cases())
def test_every_pair_keeps_to_one_shortest_path(case):
    """A pair by itself loads every link with all or nothing, and only links that ECMP uses; random flat fabrics."""
    connected, _ = reachable(case)
    for row in connected[:3]:
        alone = Case(case.net, (row,))
        loads = ours(alone, "ftree").link_gbps.sum(axis=1)
        assert set(loads.tolist()) == {0.0, row[2]}
        assert not (loads > 0)[plain_ecmp(alone) == 0].any()
        np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, alone.rows), 0, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_traffic_to_one_endpoint_forms_a_tree_and_pairs_add_up(seed):
    """All rows together load what they load one by one: the path depends on the destination alone."""
    case = larger_case(seed)
    parts = [ours(Case(case.net, (row,)), "ftree").link_gbps.sum(axis=1) for row in case.rows]
    route = ours(case, "ftree")
    np.testing.assert_allclose(route.link_gbps.sum(axis=1), np.sum(parts, axis=0), atol=1e-9)
    assert "without a tree" in route.notes[0]


def dual_homed():
    """Four leaves and two spines; six servers on two leaves each, five clients on one."""
    groups = [HostGroup("osd", tuple(f"osd{i}" for i in range(6)), 2, 100.0, dual_home=True)]
    groups.append(HostGroup("client", tuple(f"c{i}" for i in range(5)), 1, 100.0))
    return TOPOLOGIES["leaf-spine"](
        {"leaves": 4, "spines": 2, "hosts_per_leaf": 8, "uplink_speed": "200G"}, hosts=groups
    )


@pytest.mark.parametrize("chunk", [1, 10, 10_000])
def test_blocks_count_as_their_rows_in_chunks_of_any_size(chunk, monkeypatch):
    """All-to-all of servers with two ports and clients with one, dense beside explicit; paths carry the loads."""
    net = dual_homed()
    ends = net.endpoint_nodes
    empty = (column([], np.int32), column([], np.int32), column([], np.float64))
    dense = Flows(*empty, (UniformBlock(ends, 3.0), UniformBlock(ends[2:9], 1.5)))
    tail, head = np.meshgrid(ends, ends)
    rows = Flows.of(tail.ravel(), head.ravel(), 3.0)
    inner = np.isin(rows.src, ends[2:9]) & np.isin(rows.dst, ends[2:9])
    rows = Flows(rows.src, rows.dst, rows.amount + 1.5 * inner)
    _, _, explicit = routed(net, rows)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    graph, demand, routing = routed(net, dense)
    np.testing.assert_allclose(routing.edge_gbps, explicit.edge_gbps, atol=1e-9)
    paths = routing.paths
    carried = np.zeros(len(graph.src))
    for path, gbps in enumerate(paths.gbps):
        edges = paths.edge[paths.start[path] : paths.start[path + 1]]
        assert graph.src[edges[0]] == paths.src[path]
        assert graph.dst[edges[-1]] == paths.dst[path] == graph.sink[paths.dst_endpoint[path]]
        carried[edges] += gbps
    np.testing.assert_allclose(carried, routing.edge_gbps[:, 0])
    assert paths.gbps.sum() == pytest.approx(demand.total_gbps.sum())


def test_many_paths_are_left_to_the_exporter(monkeypatch):
    """Above the stated number they are not written out, and a note says so."""
    net = dual_homed()
    monkeypatch.setattr(module, "MOST_PATHS", 3)
    routing = routed(net, Flows.of(net.endpoint_nodes[:4], net.endpoint_nodes[4:8], 1.0))[2]
    assert routing.paths is None
    assert routing.notes == (
        "2 endpoints with several ports receive on one of them",
        "4 paths are worked out when they are exported",
    )
