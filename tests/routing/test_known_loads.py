"""Loads one can work out on paper, on fabrics the builders make."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.evaluation.phases import route_phase
from fabric.routing.router import RoutingOptions
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

BOTH = pytest.mark.parametrize("router", ["ecmp", "optimal"])


def build(kind, **keys):
    return TOPOLOGIES[kind](keys)


def routed(net, flows, router):
    demands = Demands("main", (TrafficClass("job", "steady", "rows", steady=True),), (flows,))
    return route_phase(net, demands, "steady", router=router, options=RoutingOptions(), efficiency=1.0)


def all_to_all(net, gbps_per_host):
    members = net.endpoint_nodes
    return Flows(
        *(column([], kind) for kind in (np.int32, np.int32, float)),
        (UniformBlock(members, gbps_per_host / (len(members) - 1)),),
    )


def highest(route):
    """Highest utilisation by tier and direction."""
    return {(row.tier, row.direction): row.max for row in route.tiers if row.direction != "both"}


@BOTH
@pytest.mark.parametrize("k", [4, 8])
def test_all_to_all_at_full_rate_on_a_fat_tree(k, router):
    """n = k³/4 hosts; of the n-1 others, k/2-1 share the edge switch and k²/4-1 the pod.

    Hosts are full. What leaves the edge switch spreads evenly: (n - k/2)/(n - 1); the pod: (n - k²/4)/(n - 1).
    """
    net, n = build("fat-tree", radix=k, speed="400G"), k**3 // 4
    route = routed(net, all_to_all(net, 400.0), router)
    edge, core = (n - k / 2) / (n - 1), (n - k**2 / 4) / (n - 1)
    expected = {"host-edge": 1.0, "edge-aggregation": edge, "aggregation-core": core}
    found = highest(route)
    for tier, value in expected.items():
        assert found[tier, "up"] == pytest.approx(value)
        assert found[tier, "down"] == pytest.approx(value)
    assert route.max_utilisation == pytest.approx(1.0)
    assert route.links_over_capacity == 0
    assert route.best_possible.lower_bound == pytest.approx(1.0)


@BOTH
@pytest.mark.parametrize("k", [4, 8])
def test_a_permutation_to_the_next_pod_fills_every_link_of_a_fat_tree(k, router):
    """Host i of pod p sends its full rate to host i of pod p+1: all k³/4 cables of every tier are exactly full."""
    net = build("fat-tree", radix=k, speed="100G")
    hosts = net.endpoint_nodes
    route = routed(net, Flows.of(hosts, np.roll(hosts, -(k * k // 4)), 100.0), router)
    np.testing.assert_allclose(route.utilisation, 1.0)


@BOTH
def test_a_permutation_inside_the_edge_switch_stays_below(router):
    """Neighbours swap: host cables full, nothing above."""
    net = build("fat-tree", radix=4, speed="100G")
    hosts = net.endpoint_nodes.reshape(-1, 2)
    route = routed(net, Flows.of(hosts.ravel(), hosts[:, ::-1].ravel(), 100.0), router)
    assert highest(route)["host-edge", "up"] == pytest.approx(1.0)
    assert highest(route)["edge-aggregation", "up"] == 0


@BOTH
def test_one_uplink_down_loads_the_others_of_its_leaf(router):
    """4 leaves x 4 hosts at 100G, 4 spines at 100G, cable leaf0 - spine0 down.

    12 of a host's 15 peers are on other leaves: 4 · 100 · 12/15 = 320 Gbps leave leaf0 over 3 links: 320/300.
    """
    net = build("leaf-spine", leaves=4, spines=4, hosts_per_leaf=4, host_speed="100G", uplink_speed="100G")
    ends = (net.links.src == net.node("leaf0")) & (net.links.dst == net.node("spine0"))
    net = net.with_down(links=np.flatnonzero(ends))
    route = routed(net, all_to_all(net, 100.0), router)
    assert route.max_utilisation == pytest.approx(320 / 300)
    assert route.links_over_capacity == 6
    assert route.best_possible.lower_bound == pytest.approx(320 / 300)
    assert "leaf0" in route.best_possible.witness


def test_optimal_moves_traffic_of_other_leaves_away_from_a_crippled_spine():
    """Leaves a, b, c on two spines of 100G; a - spine1 is down, a and b send 60 and 100 to c.

    ECMP: a's 60 and half of b's 100 meet on spine0 - c: 110 %. Best: b sends 20 over spine0 and 80 over spine1: 80 %.
    """
    net = build("leaf-spine", leaves=3, spines=2, hosts_per_leaf=1, host_speed="400G", uplink_speed="100G")
    ends = (net.links.src == net.node("leaf0")) & (net.links.dst == net.node("spine1"))
    net = net.with_down(links=np.flatnonzero(ends))
    a, b, c = net.endpoint_nodes.tolist()
    flows = Flows.of([a, b], [c, c], [60.0, 100.0])
    assert routed(net, flows, "ecmp").max_utilisation == pytest.approx(1.1)
    best = routed(net, flows, "optimal")
    assert best.max_utilisation == pytest.approx(0.8)
    assert best.certificate.lower_bound == pytest.approx(0.8)


@BOTH
def test_rails_meet_only_at_the_spines(router):
    """2 units x 4 rails x 4 nodes; every NIC sends at full rate to the NIC of its rail in the other unit: all full.

    To the next rail of its own node, likewise: rails meet at the spines.
    """
    net = build("rail-optimised", **TOPOLOGIES["rail-optimised"].example)
    nics = net.endpoint_nodes.reshape(2, 4, 4)
    across = routed(net, Flows.of(nics.ravel(), nics[::-1].ravel(), 400.0), router)
    np.testing.assert_allclose(across.utilisation, 1.0)
    sideways = routed(net, Flows.of(nics.ravel(), np.roll(nics, -1, axis=2).ravel(), 400.0), router)
    np.testing.assert_allclose(sideways.utilisation, 1.0)


@pytest.mark.parametrize(("leaf", "spine"), [(1.0, 1.0), (3.0, 1.0), (1.0, 2.0), (2.0, 2.0)])
def test_oversubscription_is_what_a_permutation_between_pods_meets(leaf, spine):
    """Every host of pod p sends its full rate to pod p+1 of a full three-tier Clos, on hardware sized exactly.

    Uplinks of the leaves run at the leaf's down/up, those of the spines at that times the spine's down/up.
    """
    net = build("clos", radix=12, speed="100G", tiers=3, oversubscription={"leaf": leaf, "spine": spine})
    hosts = net.endpoint_nodes
    per_pod = len(hosts) // 12
    route = routed(net, Flows.of(hosts, np.roll(hosts, -per_pod), 100.0), "ecmp")
    assert highest(route)["leaf-spine", "up"] == pytest.approx(leaf)
    assert highest(route)["spine-core", "up"] == pytest.approx(leaf * spine)
    assert route.best_possible.lower_bound == pytest.approx(leaf * spine)
