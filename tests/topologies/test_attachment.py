"""Attachment groups against the definition, written as slowly and plainly as possible."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.assemble import assemble


def groups_by_definition(net):
    """Sets of endpoint ids: hosts with the same links out and in; everyone else alone.

    A link counts by its other end, capacity and weight. Where a host has one way out and one way in, weights do not
    matter: there is nothing to choose.
    """
    members = defaultdict(set)
    links = net.links
    for node in net.endpoint_nodes.tolist():
        live = [link for link in range(len(links)) if net.up[link]]
        out = [link for link in live if links.src[link] == node]
        back = [link for link in live if links.dst[link] == node]
        single = len(out) == 1 and len(back) == 1
        if net.nodes.forwards[node] or not out:
            members["alone", node].add(node)
            continue
        ways = tuple(
            sorted(
                (int(far[link]), float(links.capacity_gbps[link]), 0.0 if single else float(links.weight[link]))
                for link in way
            )
            for way, far in ((out, links.dst), (back, links.src))
        )
        members[tuple(map(tuple, ways))].add(node)
    return sorted(map(sorted, members.values()))


def as_sets(groups):
    """The same from the columns."""
    members = defaultdict(list)
    for node, group in enumerate(groups.of_node.tolist()):
        if group >= 0:
            members[group].append(node)
    return sorted(members.values())


def check_columns(net):
    """Group ids count from 0 in order of their first member; sizes and firsts agree with membership."""
    groups = net.groups
    assert (groups.of_node >= 0).tolist() == (net.nodes.nics > 0).tolist()
    assert (np.diff(groups.first) > 0).all()
    for group in range(len(groups)):
        members = np.flatnonzero(groups.of_node == group)
        assert members[0] == groups.first[group]
        assert len(members) == groups.size[group]


@pytest.fixture
def two_leaves():
    """Hosts h0 h1 on leaf0, h2 on leaf1, d0 d1 on both, slow on leaf0 at half speed; router r ends traffic too.

         r
        / \\
      leaf0 leaf1
    """
    net = assemble("groups", "test")
    leaf = net.switches("leaf", ["leaf0", "leaf1"], level=1)
    router = net.nodes("router", ["r"], level=2, nics=1)
    host = net.hosts(["h0", "h1", "h2", "d0", "d1", "slow"])
    net.cables(leaf, router, 400.0)
    net.cables(host[:3], leaf[[0, 0, 1]], 100.0)
    net.cables(host[[3, 3]], leaf[[0, 1]], 100.0)
    net.cables(host[[4, 4]], leaf[[1, 0]], 100.0)
    net.cables(host[5:], leaf[:1], 50.0)
    return net.freeze()


def named(net):
    """Groups as sets of names."""
    return [{net.nodes.name[node] for node in group} for group in as_sets(net.groups)]


def test_single_homed_hosts_group_by_switch_and_speed(two_leaves):
    """h0 and h1 share leaf0 at 100 Gb/s; slow is on leaf0 too, at 50."""
    assert {"h0", "h1"} in named(two_leaves)
    assert {"h2"} in named(two_leaves)
    assert {"slow"} in named(two_leaves)


def test_dual_homed_hosts_group_by_their_switches_in_any_order(two_leaves):
    """d0 was cabled to leaf0 first, d1 to leaf1 first."""
    assert {"d0", "d1"} in named(two_leaves)


def test_an_endpoint_that_forwards_is_a_group_of_its_own(two_leaves):
    """The router carries traffic of others: nothing is like it."""
    assert {"r"} in named(two_leaves)
    check_columns(two_leaves)


def test_a_dead_link_moves_a_host_to_another_group(two_leaves):
    """d1 without its cable to leaf1 is attached to leaf0 only, like h0 and h1."""
    cable = next(i for i in range(len(two_leaves.links)) if two_leaves.link_name(i) == "d1 -> leaf1")
    after = two_leaves.with_down(links=[cable])
    assert {"h0", "h1", "d1"} in named(after)
    assert {"d0"} in named(after)
    check_columns(after)


def test_hosts_cut_off_are_groups_of_their_own(two_leaves):
    """leaf0 down: h0, h1 and slow reach nobody; d0 and d1 stay alike on leaf1 and are like h2."""
    after = two_leaves.with_down(nodes=[two_leaves.node("leaf0")])
    assert [{"h0"}, {"h1"}] == [group for group in named(after) if group & {"h0", "h1"}]
    assert {"h2", "d0", "d1"} in named(after)


def test_hosts_with_different_speeds_back_are_not_alike():
    """Both send at 100 Gb/s; one receives at 100, the other at 10."""
    net = assemble("skewed", "test")
    leaf = net.switches("leaf", ["leaf"], level=1)
    net.cables(net.hosts(["even", "skewed"]), leaf, 100.0, back_gbps=[100.0, 10.0])
    assert named(net.freeze()) == [{"even"}, {"skewed"}]


def test_dual_homed_hosts_with_different_weights_back_are_not_alike():
    """Traffic to a goes over either leaf, traffic to b over leaf0 only: the weights of the links to the host decide."""
    net = assemble("weights", "test")
    leaf = net.switches("leaf", ["leaf0", "leaf1"], level=1)
    host = net.hosts(["a", "b"])
    net.cables(host[[0, 0, 1, 1]], leaf[[0, 1, 0, 1]], 100.0, back_weight=[1.0, 1.0, 1.0, 5.0])
    assert named(net.freeze()) == [{"a"}, {"b"}]


def test_a_topology_without_endpoints_has_no_groups():
    """Only switches."""
    net = assemble("bare", "test")
    net.switches("leaf", ["leaf"], level=1)
    built = net.freeze()
    assert len(built.groups) == 0
    assert built.groups.of_node.tolist() == [-1]


@st.composite
def small_topologies(draw):
    """Up to 4 switches, 8 endpoints of which some forward, up to 20 cables, some dead, some lopsided or one-way."""
    net = assemble("random", "test")
    switches = draw(st.integers(1, 4))
    net.switches("leaf", [f"s{i}" for i in range(switches)], level=1)
    forwards = draw(st.lists(st.booleans(), min_size=1, max_size=8))
    for index, through in enumerate(forwards):
        net.nodes("end", [f"e{index}"], level=0, nics=1, forwards=through)
    end = st.integers(switches, switches + len(forwards) - 1)
    switch = st.integers(0, switches - 1)
    speed, weight = st.sampled_from([100.0, 400.0]), st.sampled_from([1.0, 2.0])
    for _ in range(draw(st.integers(0, 20))):
        low, high, gbps = draw(end), draw(switch), draw(speed)
        if draw(st.integers(0, 9)) == 0:
            tail, head = (low, high) if draw(st.booleans()) else (high, low)
            net.one_way([tail], [head], gbps, weight=draw(weight))
        elif draw(st.booleans()):
            net.cables([low], [high], gbps)
        else:
            net.cables([low], [high], gbps, back_gbps=draw(speed), weight=draw(weight), back_weight=draw(weight))
    built = net.freeze()
    dead = draw(st.lists(st.integers(0, max(len(built.links) - 1, 0)), max_size=3))
    return built.with_down(links=dead if len(built.links) else [])


@settings(max_examples=300, deadline=None)
@given(small_topologies())
def test_groups_follow_the_definition(net):
    """The columns agree with the plain definition on small random topologies."""
    assert as_sets(net.groups) == groups_by_definition(net)
    check_columns(net)
