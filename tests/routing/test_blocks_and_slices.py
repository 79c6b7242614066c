"""Ways to compute the same: dense blocks or rows, one slice or many, one thread or several."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.evaluation.phases import route_phase
from fabric.routing import kernels
from fabric.routing.router import ROUTERS, RoutingOptions
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from topologies.hosts import HostGroup
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

EMPTY = (column([], np.int32), column([], np.int32), column([], np.float64))


def routed(net, flows, router="ecmp"):
    parts = flows if isinstance(flows, list) else [flows]
    classes = tuple(TrafficClass(f"job{code}", "steady", "rows", steady=True) for code in range(len(parts)))
    demands = Demands("main", classes, tuple(parts))
    return route_phase(net, demands, "steady", router=router, options=RoutingOptions(), efficiency=1.0)


def block(members, amount):
    return Flows(*EMPTY, (UniformBlock(column(members, np.int32), amount),))


def rows(members, amount):
    tail, head = np.repeat(members, len(members)), np.tile(members, len(members))
    return Flows.of(tail, head, amount)


def storage(dual=True):
    """Four leaves, two spines; six dual-homed servers on leaf pairs, five single-homed clients over the leaves."""
    groups = [HostGroup("osd", tuple(f"osd{i}" for i in range(6)), 2, 100.0, dual_home=dual)]
    groups.append(HostGroup("client", tuple(f"c{i}" for i in range(5)), 1, 100.0))
    keys = {"leaves": 4, "spines": 2, "hosts_per_leaf": 8, "uplink_speed": "200G"}
    return TOPOLOGIES["leaf-spine"](keys, hosts=groups)


def members_of(net, what):
    ends = net.endpoint_nodes
    chosen = {"all": ends, "dual-homed": ends[:6], "single-homed": ends[6:], "some of each": ends[[0, 1, 5, 6, 8, 10]]}
    return chosen[what]


@pytest.mark.parametrize("router", ROUTERS.names())
@pytest.mark.parametrize("what", ["all", "dual-homed", "single-homed", "some of each"])
def test_a_block_is_the_same_as_its_rows(what, router):
    """Every member sends 3 Gbps to every other."""
    net = storage()
    members = members_of(net, what)
    dense, explicit = routed(net, block(members, 3.0), router), routed(net, rows(members, 3.0), router)
    assert dense.max_utilisation == pytest.approx(explicit.max_utilisation, rel=1e-7)
    if router != "optimal":  # several routings may be optimal
        np.testing.assert_allclose(dense.link_gbps, explicit.link_gbps, atol=1e-9)


@pytest.mark.parametrize("router", ROUTERS.names())
def test_a_block_beside_rows_of_another_class_keeps_both_apart(router):
    """Columns of the loads belong to the classes; together they are what one class with everything gives."""
    net = storage()
    ends = net.endpoint_nodes
    extra = Flows.of(ends[:3], ends[8:11], [10.0, 20.0, 30.0])
    two = routed(net, [block(ends, 3.0), extra], router)
    one = routed(net, Flows(extra.src, extra.dst, extra.amount, block(ends, 3.0).blocks), router)
    assert two.link_gbps.shape[1] == 2
    assert two.max_utilisation == pytest.approx(one.max_utilisation, rel=1e-7) or router == "ecmp-hash"
    if router == "ecmp":
        np.testing.assert_allclose(two.link_gbps.sum(axis=1), one.link_gbps[:, 0], atol=1e-9)
        np.testing.assert_allclose(two.link_gbps[:, 1], routed(net, extra).link_gbps[:, 0], atol=1e-9)


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash"])
def test_slices_and_threads_do_not_change_the_loads(router, monkeypatch):
    """300 leaves on 4 spines, large enough to be cut into slices: one slice against eight, one thread against four."""
    keys = {"leaves": 300, "spines": 4, "hosts_per_leaf": 1, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    flows = block(net.endpoint_nodes, 0.1)
    eight = routed(net, flows, router).link_gbps
    assert eight.tobytes() == routed(net, flows, router).link_gbps.tobytes()
    monkeypatch.setattr(kernels.os, "cpu_count", lambda: 1)
    assert eight.tobytes() == routed(net, flows, router).link_gbps.tobytes()
    monkeypatch.setattr(kernels.os, "cpu_count", lambda: 4)
    assert eight.tobytes() == routed(net, flows, router).link_gbps.tobytes()
    monkeypatch.setattr(kernels, "SLICES", 1)
    np.testing.assert_allclose(routed(net, flows, router).link_gbps, eight, rtol=1e-12)


def test_optimal_gives_the_same_bytes_twice():
    """Solver and extraction are deterministic."""
    net = storage().with_down(links=[len(storage().links) - 1])
    ends = net.endpoint_nodes
    flows = Flows.of(ends[[0, 1, 2, 6, 7]], ends[[8, 9, 10, 3, 4]], [90.0, 80.0, 70.0, 60.0, 95.0])
    one, other = routed(net, flows, "optimal"), routed(net, flows, "optimal")
    assert one.link_gbps.tobytes() == other.link_gbps.tobytes()
    assert one.certificate.lower_bound == other.certificate.lower_bound


def test_pairs_of_a_block_that_are_cut_off_are_counted():
    """One of 5 clients loses its only link: 4 pairs to it and 4 from it have no path; the rest is routed."""
    net = storage()
    members = members_of(net, "single-homed")
    net = net.with_down(nodes=[]).with_down(links=np.flatnonzero(net.links.src == members[0]))
    for flows in (block(members, 3.0), rows(members, 3.0)):
        route = routed(net, flows)
        assert route.unreachable_pairs == 8
        assert route.link_gbps[net.links.src == members[1]].sum() == pytest.approx(9.0)


def test_pairs_of_a_block_between_islands_are_counted():
    """Both spines down: 5 clients lie on leaves in order; all ordered pairs but those on one leaf are lost."""
    net = storage()
    net = net.with_down(nodes=[net.node("spine0"), net.node("spine1")])
    members = members_of(net, "single-homed")
    leaf = np.array([net.links.dst[net.links.src == member][0] for member in members])
    together = sum(int(count) * (int(count) - 1) for count in np.bincount(leaf))
    for flows in (block(members, 3.0), rows(members, 3.0)):
        assert 0 < together < 5 * 4
        assert routed(net, flows).unreachable_pairs == 5 * 4 - together
