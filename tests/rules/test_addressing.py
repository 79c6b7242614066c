"""Address plans: unique, aligned, hierarchical, stable under failures, refused with numbers when they do not fit."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.rules.addressing import RESERVED, AddressOptions, plan_addresses
from fabric.rules.errors import RuleError
from topologies.builder import TOPOLOGIES

FAT_TREE = {"radix": 4, "speed": "100G"}
LEAF_SPINE = {"leaves": 3, "spines": 2, "hosts_per_leaf": 5, "host_speed": "100G", "uplink_speed": "100G"}
SOME = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def fat_tree(radix=4):
    return TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})


def leaf_spine(**changes):
    return TOPOLOGIES["leaf-spine"](LEAF_SPINE | changes)


def test_a_leaf_of_five_hosts_gets_a_block_of_eight():
    """Network, gateway, five hosts, broadcast: 8 addresses, a /29; leaf 1 begins at .8."""
    plan = plan_addresses(leaf_spine(), "main")
    assert plan.sites.size.tolist() == [8, 8, 8]
    assert plan.sites.start.tolist() == [0, 8, 16]
    first = [str(plan.ipv4(node)) for node in plan.node_at[:6].tolist()]
    assert first == ["10.64.0.2", "10.64.0.3", "10.64.0.4", "10.64.0.5", "10.64.0.6", "10.64.0.10"]


@pytest.mark.parametrize("radix", [4, 6, 8])
def test_pods_are_prefixes(radix):
    """All addresses of a pod lie in one aligned block that no other pod shares."""
    topology = fat_tree(radix)
    plan = plan_addresses(topology, "main")
    ends = plan.node_at
    pod = np.array([int(topology.nodes.name[node].split("/")[0].removeprefix("pod")) for node in ends])
    half = radix // 2
    block = 1 << (half * (1 << (half + RESERVED - 1).bit_length()) - 1).bit_length()
    assert len(np.unique(plan.offset[ends] // block)) == radix
    for number in range(radix):
        assert len(np.unique(plan.offset[ends[pod == number]] // block)) == 1


@SOME
@given(st.integers(1, 6), st.integers(1, 40), st.integers(1, 3), st.sampled_from([4, 6]), st.integers(0, 11))
def test_addresses_are_unique_and_come_back(leaves, hosts, spines, family, number):
    """Every endpoint has one address of its site's prefix, not the network, gateway or broadcast address."""
    topology = leaf_spine(leaves=leaves, hosts_per_leaf=hosts, spines=spines)
    plan = plan_addresses(topology, "main", number=number)
    ends = topology.endpoint_nodes.tolist()
    found = [plan.address(family, node) for node in ends]
    assert len(set(found)) == len(ends)
    for node, address in zip(ends, found, strict=True):
        assert plan.endpoint_at(plan.offset_of(family, address)) == node
        network, bits = plan.site_prefix(family, int(plan.site_of[node]))
        width = 32 if family == 4 else 128
        inside = 1 << (width - bits)
        assert network % inside == 0
        assert network + 2 <= address < network + inside
        assert family == 6 or address != network + inside - 1


@SOME
@given(st.integers(0, 2**9 - 1), st.integers(0, 9), st.sampled_from([4, 6]))
def test_prefixes_and_regions_are_inverse(offset, bits, family):
    """A prefix of an aligned block covers exactly the block's offsets."""
    plan = plan_addresses(leaf_spine(leaves=32, hosts_per_leaf=13), "main")
    offset = offset >> bits << bits
    assert plan.region(family, *plan.prefix(family, offset, bits)) == (offset, offset + (1 << bits))


def test_regions_are_clipped_to_the_host_blocks():
    """0.0.0.0/0 covers all host blocks, a foreign prefix none."""
    plan = plan_addresses(leaf_spine(), "main")
    everything = (0, 1 << plan.span_bits)
    assert plan.region(4, 0, 0) == everything
    assert plan.region(6, 0, 0) == everything
    assert plan.region(4, int(IPv4Network("192.168.0.0/16").network_address), 16) == (0, 0)
    assert plan.region(6, int(IPv6Network("fe80::/10").network_address), 10) == (0, 0)


def test_failures_move_no_address():
    """What hangs where as built decides."""
    topology = fat_tree()
    broken = topology.with_down(nodes=[topology.node("pod0/edge0")], links=[0, 5, 9])
    before, after = plan_addresses(topology, "main"), plan_addresses(broken, "main")
    np.testing.assert_array_equal(before.offset, after.offset)
    assert [before.link4(link) for link in range(8)] == [after.link4(link) for link in range(8)]


def test_links_are_pairs_and_do_not_meet_hosts():
    """Both ends of a link share a /31, all links differ, none lies in the host blocks; links to hosts have none."""
    topology = fat_tree()
    plan = plan_addresses(topology, "main")
    links = topology.links
    ends = {link: plan.link4(link) for link in range(len(links))}
    inner = topology.nodes.forwards[links.src] & topology.nodes.forwards[links.dst]
    assert [link for link, address in ends.items() if address is None] == np.flatnonzero(~inner).tolist()
    addresses = [int(address) for address in ends.values() if address is not None]
    assert len(set(addresses)) == len(addresses) == inner.sum()
    for link in np.flatnonzero(inner).tolist():
        assert int(ends[link]) ^ 1 == int(ends[int(links.reverse[link])])
        assert plan.offset_of(4, int(ends[link])) == -1
        assert int(plan.link6(link)) ^ 1 == int(plan.link6(int(links.reverse[link])))


def test_every_switch_has_its_own_loopback_datapath_and_as_number():
    """Over two fabrics of a scenario too, but for the AS numbers."""
    topology = fat_tree()
    plans = [plan_addresses(topology, name, number=number) for number, name in enumerate(("one", "two"))]
    switches = plans[0].switches.tolist()
    assert len({plan.datapath(node) for plan in plans for node in switches}) == 2 * len(switches)
    assert len({plan.loopback4(node) for plan in plans for node in switches}) == 2 * len(switches)
    assert len({plan.mac(node) for plan in plans for node in range(len(topology.nodes))}) == 2 * len(topology.nodes)
    assert len({int(plans[0].asn[node]) for node in switches}) == len(switches)


def test_as_numbers_begin_where_the_scenario_says():
    """leaf 65001 and on; unknown roles and overlaps are refused."""
    plan = plan_addresses(leaf_spine(), "main", AddressOptions(asn={"leaf": 65001, "spine": 65100}))
    topology = plan.topology
    assert [int(plan.asn[topology.node(name)]) for name in ("leaf0", "leaf2", "spine1")] == [65001, 65003, 65101]
    with pytest.raises(RuleError, match="role 'core'"):
        plan_addresses(topology, "main", AddressOptions(asn={"core": 1}))
    with pytest.raises(RuleError, match="overlap: 65002"):
        plan_addresses(topology, "main", AddressOptions(asn={"leaf": 65001, "spine": 65002}))


def test_exhaustion_is_refused_with_the_numbers():
    """Three blocks of 8 fit into 32 addresses packed, not into 16; the next prefix is named."""
    with pytest.raises(RuleError, match=r"10\.0\.0\.0/28 has 8 addresses for hosts.*needs 24.*15 endpoints") as caught:
        plan_addresses(leaf_spine(), "main", AddressOptions(underlay=IPv4Network("10.0.0.0/28")))
    assert caught.value.problems[0].code == "FP8001"
    assert "/26" in caught.value.problems[0].hint
    plan_addresses(leaf_spine(), "main", AddressOptions(underlay=IPv4Network("10.0.0.0/26")))


def test_without_room_for_padding_sites_are_packed():
    """Pods of 3 edges of 8 addresses are padded to 32; where that is too much they lie close, still aligned."""
    topology = fat_tree(6)
    wide = plan_addresses(topology, "main")
    close = plan_addresses(
        topology, "main", AddressOptions(IPv4Network("10.9.0.0/24"), links=IPv4Network("10.8.0.0/16"))
    )
    assert int(wide.sites.start[-1]) == 5 * 32 + 2 * 8
    assert int(close.sites.start[-1]) <= 256 - 8
    assert np.all(close.sites.start % close.sites.size == 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (AddressOptions(loopback=IPv4Network("10.127.0.0/30")), "2 addresses; fabric main has 5 switches"),
        (AddressOptions(links=IPv4Network("10.1.0.0/30")), "6 links between the switches"),
        (AddressOptions(loopback=IPv4Network("10.64.0.0/24")), "overlap"),
        (AddressOptions(underlay6=IPv6Network("fd00::/64")), "subnets of 64 bits"),
    ],
)
def test_ranges_that_cannot_be_are_refused(options, words):
    """Loopbacks, links, overlaps and IPv6, each with its numbers."""
    with pytest.raises(RuleError, match=words):
        plan_addresses(leaf_spine(), "main", options)
