"""Small fabrics on which a router is easily wrong, each with the answer worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case, PairFlows, larger_case, node_imbalance_gbps, ours, plain_ecmp

from fabric.evaluation.phases import route_phase
from fabric.routing.router import RoutingOptions
from topologies.assemble import assemble
from traffic.demands import Demands, Flows, TrafficClass


def test_steady_traffic_beside_a_large_volume_stays_with_its_host():
    """Dual-homed a and b each write 10 TB in the phase; a alone has 50 Gbps of steady traffic besides, b none.

    Both hang alike. a's two links carry 100 + 25 each, b's 100 each.
    """
    net = assemble("x", "test")
    leaf = net.switches("leaf", ["l0", "l1", "l2"], level=1)
    net.full_mesh(leaf, net.switches("spine", ["s"], level=2), 400.0)
    a, b = net.hosts(["a", "b"], nics=2)
    (c,) = net.hosts(["c"])
    net.cables([a, a, b, b], [leaf[0], leaf[1]] * 2, 100.0)
    net.cables([c], [leaf[2]], 1000.0)
    built = net.freeze()
    classes = (TrafficClass("ckpt", "write", "rows", steady=False), TrafficClass("ceph", "steady", "rows", steady=True))
    flows = (Flows.of([a, b], [c, c], 1e13), Flows.of([a], [c], 50.0))
    demands = Demands("main", classes, flows)
    route = route_phase(built, demands, "write", router="ecmp", options=RoutingOptions(), efficiency=1.0)
    loads = route.link_gbps.sum(axis=1)
    assert loads[built.links.src == b] == pytest.approx([100, 100])
    assert loads[built.links.src == a] == pytest.approx([125, 125])


def unlike_partners():
    """a and b hang alike and send 100 each, a to d1 and b to d2, which hang alike too; but x fills d1 from l3.

    a, b ── l1 ── l4 ── d1, d2      75G at a and b, 100G at d1 and d2
    a, b ── l2 ── l3 ── d1, d2
             x ── l3
    """
    net = assemble("unlike", "test")
    l1, l2, l3, l4 = net.switches("leaf", ["l1", "l2", "l3", "l4"], level=1)
    net.cables([l1, l2], [l4, l3], 1000.0, tier="leaf-leaf")
    a, b, d1, d2 = net.hosts(["a", "b", "d1", "d2"], nics=2)
    (x,) = net.hosts(["x"])
    net.cables([a, a, b, b], [l1, l2, l1, l2], 75.0)
    net.cables([d1, d1, d2, d2], [l3, l4, l3, l4], 100.0)
    net.cables([x], [l3], 1000.0)
    return Case(net.freeze(), ((int(a), int(d1), 100.0), (int(b), int(d2), 100.0), (int(x), int(d1), 100.0)))


def test_optimal_does_not_mix_hosts_whose_partners_differ():
    """y of a over l1: y/75 at a, (200 - y)/100 at d1; equal at y = 600/7, so θ = 8/7.

    Hosts are alike only if their partners are; that the partners hang alike is not enough: θ would be 1, impossible.
    """
    case = unlike_partners()
    assert PairFlows(case).least_theta() == pytest.approx(8 / 7)
    assert ours(case, "optimal").max_utilisation == pytest.approx(8 / 7)


def test_parallel_links_with_unlike_ways_back_are_paired_right():
    """a and b have two links to one leaf, 50 and 100 back, cabled in opposite order; 150 to each fits exactly."""
    net = assemble("x", "test")
    (leaf,) = net.switches("leaf", ["l"], level=1)
    a, b = net.hosts(["a", "b"], nics=2)
    (c,) = net.hosts(["c"])
    net.cables([a, a, b, b], [leaf] * 4, 100.0, back_gbps=[50.0, 100.0, 100.0, 50.0])
    net.cables([c], [leaf], 1000.0)
    case = Case(net.freeze(), ((int(c), int(a), 150.0), (int(c), int(b), 150.0)))
    assert ours(case, "optimal").max_utilisation == pytest.approx(1.0)


@pytest.mark.parametrize("router", ["ecmp", "optimal"])
def test_a_one_way_link_of_a_multi_homed_host_has_no_way_back(router):
    """a reaches l0 by a cable and l1 one way; to a, traffic must come over l0.

    c on l1 sends 150 to a: all of it over l1 - l0 (10G).
    """
    net = assemble("x", "test")
    l0, l1 = net.switches("leaf", ["l0", "l1"], level=1)
    net.cables([l0], [l1], 10.0, tier="leaf-leaf")
    (a,), (c,) = net.hosts(["a"], nics=2), net.hosts(["c"])
    net.cables([a], [l0], 100.0)
    net.one_way([a], [l1], 100.0, tier="host-leaf")
    net.cables([c], [l1], 1000.0)
    case = Case(net.freeze(), ((int(c), int(a), 150.0),))
    loads = ours(case, router).link_gbps.sum(axis=1)
    np.testing.assert_allclose(loads, plain_ecmp(case), atol=1e-6)


@pytest.mark.parametrize("router", ["ecmp", "optimal"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_host_link_without_capacity_back_is_no_next_hop(router):
    """a has two links out, 0 and 100 back; 50 to a go over the second."""
    net = assemble("x", "test")
    l0, l1 = net.switches("leaf", ["l0", "l1"], level=1)
    net.cables([l0], [l1], 1000.0, tier="leaf-leaf")
    (a,), (c,) = net.hosts(["a"], nics=2), net.hosts(["c"])
    net.cables([a, a], [l0, l1], 100.0, back_gbps=[0.0, 100.0])
    net.cables([c], [l0], 1000.0)
    case = Case(net.freeze(), ((int(c), int(a), 50.0),))
    assert ours(case, router).max_utilisation == pytest.approx(0.5)


def test_a_single_homed_host_without_capacity_back_cannot_be_reached():
    """c -> a has no way but a link of capacity 0, which is none; utilisation is never infinite."""
    net = assemble("x", "test")
    (leaf,) = net.switches("leaf", ["l"], level=1)
    a, c = net.hosts(["a", "c"])
    net.cables([a, c], [leaf, leaf], 100.0, back_gbps=[0.0, 100.0])
    route = ours(Case(net.freeze(), ((int(c), int(a), 50.0),)), "ecmp")
    assert route.unreachable_pairs == 1
    assert np.isfinite(route.max_utilisation)


def test_a_cable_between_two_hosts_carries_nothing():
    """a and b on one leaf, and cabled to each other. Hosts do not forward; the leaf does."""
    net = assemble("x", "test")
    (leaf,) = net.switches("leaf", ["l"], level=1)
    a, b = net.hosts(["a", "b"], nics=2)
    net.cables([a, b], [leaf, leaf], 100.0)
    net.cables([a], [b], 100.0, tier="direct")
    case = Case(net.freeze(), ((int(a), int(b), 50.0),))
    loads = ours(case, "ecmp").link_gbps.sum(axis=1)
    np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, case.rows), 0, atol=1e-9)


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash", "optimal"])
@pytest.mark.parametrize("links", [1, 2])
def test_demand_without_a_path_loads_no_link(links, router):
    """Two leaves that do not meet. The access links of the hosts stay empty too, one or two of them."""
    net = assemble("islands", "test")
    leaf = net.switches("leaf", ["l0", "l1"], level=1)
    a, b = net.hosts(["a", "b"], nics=links)
    net.cables(np.repeat([a, b], links), np.repeat(leaf, links), 100.0)
    route = ours(Case(net.freeze(), ((int(a), int(b), 250.0),)), router)
    assert route.unreachable_pairs == 1
    assert route.max_utilisation == 0


@pytest.mark.parametrize("router", ["ecmp", "optimal"])
def test_small_weights_are_weights(router):
    """Weights 1e-10, 1e-10 and 3e-10: a - b - c is shorter than a - c."""
    net = assemble("x", "test")
    a, b, c = net.switches("router", ["a", "b", "c"], level=1, nics=1)
    net.cables([a, b, a], [b, c, c], 100.0, weight=np.array([1e-10, 1e-10, 3e-10]), tier="x")
    case = Case(net.freeze(), ((int(a), int(c), 50.0),))
    loads = ours(case, router).link_gbps.sum(axis=1)
    np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, case.rows), 0, atol=1e-9)


@pytest.fixture
def wide_range(monkeypatch):
    """Links of 1 to 400 Gbps, demands of 10 kbps to 50 Gbps: a wide-area network with its long tail."""
    monkeypatch.setattr("oracle_fabrics.CAPACITIES", (1.0, 10.0, 100.0, 400.0))
    monkeypatch.setattr("oracle_fabrics.AMOUNTS", (1e-5, 1e-3, 50.0))


@pytest.mark.parametrize("seed", [247])
def test_small_demand_beside_large_does_not_vanish(seed, wide_range):
    """A solver may send 20 kbps, within its tolerance, into a switch from which the destination cannot be reached."""
    case = larger_case(seed)
    loads = ours(case, "optimal").link_gbps.sum(axis=1)
    np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, case.rows), 0, atol=1e-9)


@pytest.mark.parametrize("seed", [209, 228, 234])
def test_optimal_says_when_it_is_far_from_its_bound(seed, monkeypatch):
    """Capacities 10 Mbps to 100 Tbps, demands 10 kbps to 1 Tbps: optimal within 1e-3, or marked partial."""
    monkeypatch.setattr("oracle_fabrics.CAPACITIES", (1e-2, 1.0, 1e3, 1e5))
    monkeypatch.setattr("oracle_fabrics.AMOUNTS", (1e-5, 1e-1, 1e3))
    case = larger_case(seed)
    route = ours(case, "optimal")
    assert route.partial or route.max_utilisation == pytest.approx(PairFlows(case).least_theta(), rel=1e-3)
