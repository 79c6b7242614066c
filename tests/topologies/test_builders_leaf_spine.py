"""Leaf-spine: the short form and the described form, breakout, dual-homing, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.fabric_size import facts_of
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.topology import role_nodes
from topologies.validate import validate

SHORT = {"leaves": 4, "spines": 2, "hosts_per_leaf": 6, "host_speed": "100G", "uplink_speed": "400G"}
LEAF = {"model": "eth-64x400", "count": 4, "down": 32, "up": 32}

BROKEN = {"radix": 8, "speed": "400G", "count": 2, "down_ports": 2, "up": 2, "down_breakout": "2x200"}


def leaf_spine(hosts=(), **keys):
    return TOPOLOGIES["leaf-spine"](keys, hosts=hosts)


def group(name, count, nics=1, gbps=100.0, **keys):
    return HostGroup(name, tuple(f"{name}{i}" for i in range(count)), nics, gbps, **keys)


def leaves_of(net, host):
    """Names of the leaves a host is attached to, one per link."""
    return [net.nodes.name[leaf] for leaf in net.links.dst[net.links.src == net.node(host)]]


@pytest.mark.parametrize(("leaves", "spines", "down"), [(1, 1, 1), (4, 2, 6), (32, 16, 48)])
def test_the_short_form(leaves, spines, down):
    """leaves x down hosts, leaves x spines cables, each at its own speed."""
    net = leaf_spine(**SHORT | {"leaves": leaves, "spines": spines, "hosts_per_leaf": down})
    found = summarise(net)
    assert found.nodes_by_role == {"leaf": leaves, "spine": spines, "host": leaves * down}
    assert found.cables_by_tier == {"host-leaf": leaves * down, "leaf-spine": leaves * spines}
    assert found.capacity_gbps_by_tier == {"host-leaf": leaves * down * 100.0, "leaf-spine": leaves * spines * 400.0}
    assert found.ports_used_max_by_role == {"leaf": down + spines, "spine": leaves}
    assert found.oversubscription_by_role["leaf"] == pytest.approx(down * 100 / (spines * 400))
    assert validate(net) == []


@pytest.mark.parametrize(("radix", "expected"), [(32, 16), (64, 32), (16, 8)])
def test_largest_non_blocking_two_tier(radix, expected):
    """Radix R: R leaves of R/2 down and R/2 up on R/2 spines, R²/2 hosts, R²/2 uplinks, every port used."""
    leaf = {"radix": radix, "speed": "400G", "count": radix, "up": radix // 2}
    net = leaf_spine(leaf=leaf, spine={"radix": radix})
    found = summarise(net)
    assert found.nodes_by_role == {"leaf": radix, "spine": expected, "host": radix**2 // 2}
    assert found.cables_by_tier == {"host-leaf": radix**2 // 2, "leaf-spine": radix**2 // 2}
    assert (net.ports_used[net.is_switch] == radix).all()


@pytest.mark.parametrize(
    ("leaves", "spines", "parallel"), [(1, 1, 32), (2, 1, 32), (4, 2, 16), (6, 4, 8), (8, 4, 8), (9, 8, 4), (64, 32, 1)]
)
def test_the_fewest_spines_that_share_the_uplinks_evenly(leaves, spines, parallel):
    """32 uplinks a leaf on spines of 64 ports: leaves/2 spines suffice, rounded up to a divisor of 32."""
    net = leaf_spine(leaf=LEAF | {"count": leaves}, spine={"model": "eth-64x400"})
    assert len(role_nodes(net, "spine")) == spines
    rising = net.is_switch[net.links.src] & net.is_switch[net.links.dst]
    assert set(net.parallel_count[rising].tolist()) == {parallel}
    assert validate(net) == []


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, 32])
def test_a_given_number_of_spines_takes_the_uplinks_in_equal_parts(count):
    """32 uplinks over 1 … 32 spines: every leaf-spine pair has 32/count cables."""
    net = leaf_spine(leaf=LEAF, spine={"radix": 128, "count": count})
    pairs = net.links.src.astype(int) * len(net.nodes) + net.links.dst
    up = pairs[np.isin(net.links.src, role_nodes(net, "leaf")) & np.isin(net.links.dst, role_nodes(net, "spine"))]
    assert set(np.unique(up, return_counts=True)[1].tolist()) == {32 // count}
    assert len(np.unique(up)) == 4 * count


def test_breakout_doubles_the_host_links_of_a_port():
    """8 ports of 400G as 2x200 take 16 hosts at 200G, which use 8 ports; 8 uplinks at 400G: no oversubscription."""
    leaf = {"radix": 16, "speed": "400G", "count": 2, "down_ports": 8, "down_breakout": "2x200", "up": 8}
    net = leaf_spine(leaf=leaf, spine={"radix": 16, "count": 8})
    found = summarise(net)
    assert found.endpoints == 32
    assert found.capacity_gbps_by_tier == {"host-leaf": 6400.0, "leaf-spine": 6400.0}
    assert found.ports_used_max_by_role["leaf"] == 16
    assert found.oversubscription_by_role["leaf"] == pytest.approx(1.0)
    assert validate(net) == []


def test_dual_homed_hosts_attach_to_pairs_of_leaves_and_others_on_one():
    """4 leaves of 6 are 2 pairs; 5 dual-homed hosts take 5 ports of the first, single-homed ones what is left."""
    hosts = [group("osd", 5, nics=2, dual_home=True), group("client", 4)]
    net = leaf_spine(hosts, **SHORT)
    assert [leaves_of(net, f"osd{i}") for i in range(5)] == [["leaf0", "leaf1"]] * 5
    assert [leaves_of(net, f"client{i}") for i in range(4)] == [["leaf0"], ["leaf1"], ["leaf2"], ["leaf2"]]
    even = leaf_spine(hosts, **SHORT, attach_order="spread")
    assert [leaves_of(even, f"osd{i}") for i in range(5)] == [["leaf0", "leaf1"]] * 3 + [["leaf2", "leaf3"]] * 2
    assert [leaves_of(even, f"client{i}") for i in range(4)] == [["leaf0"], ["leaf1"], ["leaf2"], ["leaf3"]]
    assert summarise(net).endpoints == 14
    assert validate(net) == []


def test_groups_that_fill_the_leaves_exactly_fit():
    """3 + 3 hosts on 2 leaves of 3: one group a leaf; spread, the first leaves a port of leaf1 more for the second."""
    keys = {"leaves": 2, "spines": 1, "hosts_per_leaf": 3, "uplink_speed": "100G"}
    net = leaf_spine([group("g", 3), group("s", 3)], **keys)
    assert [leaves_of(net, f"{name}{i}") for name in "gs" for i in range(3)] == [["leaf0"]] * 3 + [["leaf1"]] * 3
    net = leaf_spine([group("g", 3), group("s", 3)], **keys, attach_order="spread")
    where = [leaves_of(net, f"{name}{i}") for name in "gs" for i in range(3)]
    assert where == [["leaf0"], ["leaf0"], ["leaf1"], ["leaf0"], ["leaf1"], ["leaf1"]]
    assert summarise(net).ports_used_max_by_role["leaf"] == 4


@pytest.mark.parametrize(("leaf", "spine"), [("eth-64x800", "eth-64x400"), ("eth-64x400", "eth-64x800")])
def test_a_link_runs_at_the_slower_of_its_ports(leaf, spine):
    """800G under 400G and the other way round: 4 leaf-spine cables of 400G; hosts keep the leaf's speed."""
    net = leaf_spine(leaf={"model": leaf, "count": 2, "down": 2, "up": 2}, spine={"model": spine, "count": 2})
    host_gbps = {"eth-64x800": 800.0, "eth-64x400": 400.0}[leaf]
    assert summarise(net).capacity_gbps_by_tier == {"host-leaf": 4 * host_gbps, "leaf-spine": 4 * 400.0}


def test_a_short_key_may_repeat_the_long_one():
    """2 spines and 4 host links a leaf, said twice."""
    net = leaf_spine(leaf=BROKEN, spine={"radix": 8, "count": 2}, spines=2, leaves=2, hosts_per_leaf=4)
    assert summarise(net).nodes_by_role == {"leaf": 2, "spine": 2, "host": 8}


def test_four_ports_of_a_dual_homed_host_go_two_and_two():
    """Alternating, so that half of them survive a leaf."""
    net = leaf_spine([group("osd", 2, nics=4, dual_home=True)], **SHORT)
    assert sorted(leaves_of(net, "osd0")) == ["leaf0", "leaf0", "leaf1", "leaf1"]


def test_nics_of_their_own_are_endpoints_of_their_own():
    """Per-GPU NICs: 2 hosts with 4 NICs are 8 endpoints with rails 0 to 3."""
    net = leaf_spine([group("g", 2, nics=4, rail="per-gpu")], **SHORT | {"hosts_per_leaf": 8})
    assert net.nodes.name[-8:] == tuple(f"g{host}.nic{nic}" for host in range(2) for nic in range(4))
    assert net.nodes.rail[-8:].tolist() == [0, 1, 2, 3] * 2


def test_a_slow_nic_makes_a_slow_link():
    """25G NICs in 100G ports."""
    net = leaf_spine([group("c", 4, gbps=25.0)], **SHORT)
    assert summarise(net).capacity_gbps_by_tier["host-leaf"] == 100.0


def test_names_follow_the_template():
    """And keep their order."""
    net = leaf_spine(leaf=LEAF | {"name": "tor{index:03d}"}, spine={"radix": 128, "count": 2, "name": "s-{index}"})
    assert net.nodes.name[:6] == ("tor000", "tor001", "tor002", "tor003", "s-0", "s-1")


REFUSALS = {
    "uneven uplinks": (
        {"leaf": LEAF, "spine": {"radix": 128, "count": 3}},
        "32 uplinks per leaf do not spread evenly over 3 spines.*2, 4",
    ),
    "spines too small": (
        {"leaf": LEAF | {"count": 65}, "spine": {"model": "eth-64x400"}},
        "65 leaves with 32 uplinks each need spines of at least 65 ports; these have 64.*third tier",
    ),
    "more ports than the model has": (
        {"leaf": LEAF | {"down": 48}, "spine": {"model": "eth-64x400"}},
        "leaf needs 80 ports but eth-64x400 has 64",
    ),
    "no leaves": ({"spines": 2, "hosts_per_leaf": 4, "uplink_speed": "100G"}, "neither leaf.count nor leaves is given"),
    "two counts": (SHORT | {"leaf": {"count": 5}}, "leaf.count is 5 but leaves is 4"),
    "no speed": ({"leaves": 2, "spines": 2, "hosts_per_leaf": 2}, "the speed of the uplinks is not known"),
    "no port for hosts": (
        {"leaf": {"radix": 8, "speed": "400G", "count": 2, "up": 8}, "spine": {"radix": 8}},
        "leaf.up: 8 uplinks leave no port of 8 for hosts.*at most 7 uplinks",
    ),
    "neither spines nor uplinks": (
        {"leaves": 4, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"},
        "spine: neither the spines nor the uplinks of a leaf are counted.*add spine.count .or spines., or leaf.up",
    ),
    "two numbers of spines": (
        {"leaf": LEAF, "spine": {"radix": 128, "count": 2}, "spines": 4},
        "spines: spine.count is 2 but spines is 4.*give one of them",
    ),
    "two numbers of hosts": (
        {"leaf": LEAF, "spine": {"radix": 128, "count": 2}, "hosts_per_leaf": 30},
        "hosts_per_leaf: leaf.down is 32 but hosts_per_leaf is 30",
    ),
    "two numbers of hosts with breakout": (
        {"leaf": BROKEN, "spine": {"radix": 8, "count": 2}, "hosts_per_leaf": 2},
        "hosts_per_leaf: leaf.down_ports x 2 is 4 but hosts_per_leaf is 2",
    ),
    "two numbers of host ports": (
        {"leaf": LEAF | {"down_ports": 16}, "spine": {"radix": 128, "count": 2}},
        "leaf.down: leaf.down_ports is 16 but leaf.down is 32",
    ),
    "breakout into no links": (
        {"leaf": BROKEN | {"down_breakout": "0x200"}, "spine": {"radix": 8, "count": 2}},
        "leaf.down_breakout: 0x200 breaks a port out into nothing.*a link or more, each above 0 Gb/s",
    ),
    "breakout into links of no speed": (
        {"leaf": BROKEN | {"down_breakout": "2x0"}, "spine": {"radix": 8, "count": 2}},
        "leaf.down_breakout: 2x0 breaks a port out into nothing.*2x200",
    ),
    "breakout above the port": (
        {"leaf": BROKEN | {"down_breakout": "2x400"}, "spine": {"radix": 8, "count": 2}},
        "leaf.down_breakout: 2x400 is 800G on a port of 400G.*at most 2x200 fits",
    ),
    "uplinks faster than the leaf": (
        {"leaf": LEAF, "spine": {"model": "eth-64x800", "count": 2}, "uplink_speed": "800G"},
        "uplink_speed: uplink_speed is 800G but the ports of a leaf run at 400G.*set uplink_speed: 400G",
    ),
    "uplinks faster than the spine": (
        {"leaf": LEAF | {"model": "eth-64x800"}, "spine": {"model": "eth-64x400", "count": 2}, "uplink_speed": "800G"},
        "uplink_speed is 800G but the ports of a spine run at 400G",
    ),
    "hosts faster than the leaf": (
        {"leaf": LEAF, "spine": {"model": "eth-64x400", "count": 2}, "host_speed": "800G"},
        "host_speed: host_speed is 800G but the host ports of a leaf run at 400G",
    ),
    "hosts faster than the breakout": (
        {"leaf": BROKEN, "spine": {"radix": 8, "count": 2}, "host_speed": "400G"},
        "host_speed is 400G but the host ports of a leaf run at 200G",
    ),
    "no host ports": (
        {"leaves": 2, "spines": 2, "uplink_speed": "100G"},
        "number of host ports per leaf is not known.*add leaf.down",
    ),
    "unknown field": (
        {"leaf": LEAF | {"name": "l{rack}"}, "spine": {"count": 2}},
        r"uses \{rack\}.*available: \{index\}",
    ),
    "same name twice": (
        {"leaf": LEAF | {"name": "leaf"}, "spine": {"count": 2}},
        r"gives 1 names for 4 switches.*include \{index\}",
    ),
    "broken template": ({"leaf": LEAF | {"name": "l{index"}, "spine": {"count": 2}}, "bad name template"),
    "same name in two roles": (
        {"leaf": LEAF | {"name": "s{index}"}, "spine": {"radix": 128, "count": 2, "name": "s{index}"}},
        "two nodes are called 's0'",
    ),
}


@pytest.mark.parametrize(("keys", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_built_is_refused(keys, message):
    """With the numbers, the rule and a way out."""
    with pytest.raises(TopologyError, match=message):
        leaf_spine(**keys)


HOST_REFUSALS = {
    "too many hosts": (
        [group("n", 25)],
        "25 NIC ports do not fit: 4 leaves of 6 host ports leave out 1 host of n .*24 NIC ports; 5 leaves",
    ),
    "fast NIC": ([group("n", 4, gbps=200.0)], "n has 200G NICs but the leaf's host ports run at 100G"),
    "wider than a leaf": (
        [group("w", 1, nics=7)],
        "7 NIC ports do not fit: 4 leaves of 6 host ports leave out 1 host.*a host of w needs 7 ports on one leaf",
    ),
    "whole hosts": (
        [group("w", 6, nics=4)],
        "24 NIC ports do not fit: 4 leaves of 6 host ports leave out 2 hosts.*24 NIC ports; 6 leaves would take",
    ),
    "a NIC per GPU to two leaves": (
        [group("g", 4, nics=2, rail="per-gpu", dual_home=True)],
        "dual_home: g is dual-homed but its 2 NICs are per-gpu.*set rail: shared for the NICs of g",
    ),
    "one port to two leaves": (
        [group("n", 4, nics=1, dual_home=True)],
        "dual-homed but has 1 NIC port.*even number of NIC ports",
    ),
}


@pytest.mark.parametrize(("hosts", "message"), HOST_REFUSALS.values(), ids=HOST_REFUSALS)
def test_hosts_that_do_not_fit_are_refused(hosts, message):
    """With the numbers, the rule and a way out."""
    with pytest.raises(TopologyError, match=message):
        leaf_spine(hosts, **SHORT)


SIX = {"spines": 2, "hosts_per_leaf": 6, "uplink_speed": "100G"}
DERIVED = {
    "short form": (SIX, [("a", 7, 1, False), ("b", 6, 1, False)], 3),
    "ports down": (
        {"leaf": {"radix": 16, "speed": "100G", "down": 4, "up": 4}, "spine": {"radix": 16}},
        [("a", 6, 3, False), ("b", 6, 1, False)],
        6,
    ),
    "ports left by the uplinks": (
        {"leaf": {"radix": 8, "speed": "100G", "up": 2}, "spine": {"radix": 16}},
        [("a", 20, 1, False)],
        4,
    ),
    "ports left by a link to each spine": (
        {"leaf": {"radix": 8, "speed": "100G"}, "spine": {"radix": 16, "count": 3}},
        [("a", 20, 1, False)],
        4,
    ),
    "breakout": (
        {"leaf": BROKEN | {"radix": 8, "count": None, "down_ports": 3}, "spine": {"count": 2}},
        [("a", 13, 1, False)],
        3,
    ),
    "pairs": (SIX, [("a", 7, 2, True), ("b", 1, 1, False)], 4),
    "wide hosts": (SIX, [("a", 4, 4, False)], 4),
}


@pytest.mark.parametrize(("keys", "listed", "leaves"), DERIVED.values(), ids=DERIVED)
def test_the_nodes_say_how_many_leaves_there_are(keys, listed, leaves):
    """Fewest leaves on which whole hosts fit, by whatever says how many host ports a leaf has."""
    hosts = [group(name, count, nics=nics, dual_home=dual) for name, count, nics, dual in listed]
    net = leaf_spine(hosts, **keys)
    assert summarise(net).nodes_by_role["leaf"] == leaves
    assert validate(net) == []
    entry = TOPOLOGIES["leaf-spine"]
    spec = entry.model.model_validate({"kind": "leaf-spine", **keys})
    assert facts_of(entry, spec, hosts).switches == int(net.is_switch.sum())


def test_a_host_wider_than_a_leaf_has_no_number_of_leaves():
    with pytest.raises(TopologyError, match=r"a host of w needs 7 ports on one leaf, which has 6.*fewer NICs per host"):
        leaf_spine([group("w", 1, nics=7)], spines=2, hosts_per_leaf=6, uplink_speed="100G")


def test_dual_homing_on_an_odd_number_of_leaves_is_refused():
    """The last leaf would have no partner."""
    with pytest.raises(TopologyError, match=r"3 leaves, which do not pair up.*even number of leaves"):
        leaf_spine([group("n", 4, nics=2, dual_home=True)], **SHORT | {"leaves": 3})


def test_a_model_nobody_sells_is_refused_with_the_nearest():
    """Before anything is built."""
    with pytest.raises(ValueError, match=r"unknown switch model 'eth-64x4000'"):
        leaf_spine(leaf=LEAF | {"model": "eth-64x4000"}, spine={"count": 2})
