"""The sized Clos: closed forms when full, and the rules of practice on whatever size is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.topology import role_nodes
from topologies.validate import validate

PLENTY = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def clos(hosts=(), **keys):
    return TOPOLOGIES["clos"]({"speed": "100G", **keys}, hosts=hosts)


@pytest.mark.parametrize("radix", [4, 8, 12, 16])
def test_two_tiers_when_full(radix):
    """R²/2 endpoints, R leaves and R/2 spines (3R/2 switches), R²/2 uplinks."""
    found = summarise(clos(radix=radix, tiers=2))
    assert found.endpoints == radix**2 // 2
    assert found.nodes_by_role == {"leaf": radix, "spine": radix // 2, "host": radix**2 // 2}
    assert found.cables_by_tier == {"host-leaf": radix**2 // 2, "leaf-spine": radix**2 // 2}
    assert found.ports_used_max_by_role == {"leaf": radix, "spine": radix}


@pytest.mark.parametrize("radix", [4, 8, 12, 16])
def test_three_tiers_when_full(radix):
    """N = R³/4: 2N/R leaves, 2N/R spines, N/R cores, and 2N cables between switches; all ports used."""
    net = clos(radix=radix, tiers=3)
    found, n = summarise(net), radix**3 // 4
    assert found.endpoints == n
    assert found.nodes_by_role == {"leaf": 2 * n // radix, "spine": 2 * n // radix, "core": n // radix, "host": n}
    assert found.cables_by_tier == {"host-leaf": n, "leaf-spine": n, "spine-core": n}
    assert found.capacity_gbps_by_tier == dict.fromkeys(found.cables_by_tier, n * 100.0)
    assert (net.ports_used[net.is_switch] == radix).all()
    assert found.oversubscription_by_role == {"leaf": 1.0, "spine": 1.0, "core": None}


@pytest.mark.parametrize(
    ("radix", "endpoints", "leaves", "spines", "cores"),
    [(64, 16384, 512, 512, 256), (64, 8192, 256, 256, 128), (32, 2048, 128, 128, 64)],
)
def test_three_tiers_of_published_sizes(radix, endpoints, leaves, spines, cores):
    """2N/R, 2N/R and N/R also for sizes below the largest that divide evenly."""
    found = summarise(clos(radix=radix, endpoints=endpoints, tiers=3))
    assert found.nodes_by_role == {"leaf": leaves, "spine": spines, "core": cores, "host": endpoints}


@pytest.mark.parametrize(
    ("ratio", "radix", "down", "up"),
    [
        (1, 64, 32, 32),
        ("3:1", 64, 48, 16),
        (2, 36, 24, 12),
        (7, 8, 7, 1),
        (1, 5, 2, 2),
        ("3:1", 14, 9, 3),
        ("1:1.125", 64, 24, 27),
        (0.888, 17, 8, 9),
        ("48:7", 64, 48, 7),
    ],
)
def test_oversubscription_divides_the_ports_of_a_leaf(ratio, radix, down, up):
    """Down/up is the ratio and down + up at most the radix: 48 + 16 for 3:1 on 64; ports that make none stay unused."""
    net = clos(radix=radix, tiers=2, oversubscription={"leaf": ratio})
    leaf = role_nodes(net, "leaf")[0]
    rises = net.nodes.level[net.links.dst] > 1
    assert np.count_nonzero((net.links.src == leaf) & ~rises) == down
    assert np.count_nonzero((net.links.src == leaf) & rises) == up


def test_a_third_tier_comes_only_when_two_do_not_reach():
    """Radix 8 reaches 32 endpoints with two tiers."""
    assert "core" not in clos(radix=8, endpoints=32).roles
    assert "core" in clos(radix=8, endpoints=33).roles


@st.composite
def plans(draw):
    """Radix, endpoints within reach, and an oversubscription per tier."""
    radix = draw(st.integers(4, 14))
    tiers = draw(st.sampled_from([None, 2, 3, 4]))
    leaf, spine = (draw(st.sampled_from([None, 1.0, 1.5, 2.0, 3.0, 4.0, 2.7, 0.5, 0.75])) for _ in range(2))
    return radix, draw(st.integers(1, radix**2)), tiers, leaf, None if tiers == 2 else spine


@PLENTY
@given(plans())
@example((8, 33, None, 1.0, 1.0))
@example((4, 1, 3, 4.0, 4.0))
def test_any_size_keeps_the_rules(asked):
    """Ports, oversubscription, leaves filled in order, reach, endpoints: read off the columns, never off the plan."""
    radix, endpoints, tiers, leaf, spine = asked
    try:
        net = clos(radix=radix, endpoints=endpoints, tiers=tiers, oversubscription={"leaf": leaf, "spine": spine})
    except TopologyError as error:
        assert "do not fit" in str(error) or "cannot be built exactly" in str(error)  # noqa: PT017 - only these
        return
    assert validate(net) == []
    assert len(net.endpoint_nodes) == endpoints
    assert (net.ports_used[net.is_switch] <= radix).all()
    level, links = net.nodes.level, net.links
    for node in np.flatnonzero(net.is_switch & (level < level.max())).tolist():
        own = links.src == node
        down = np.count_nonzero(own & (level[links.dst] < level[node]))
        up = np.count_nonzero(own & (level[links.dst] > level[node]))
        ratio = {1: leaf, 2: spine}.get(int(level[node])) or 1.0
        assert down <= ratio * up + 1e-9
        if level[node] > 1:
            assert down == pytest.approx(ratio * up)
        above = own & (level[links.dst] > level[node])
        assert len(set(net.parallel_count[above].tolist())) == 1
    per_leaf = np.bincount(links.dst[level[links.src] == 0], minlength=len(level))[role_nodes(net, "leaf")]
    assert (np.diff(per_leaf) <= 0).all()
    assert np.count_nonzero((per_leaf > 0) & (per_leaf < per_leaf.max())) <= 1


@PLENTY
@given(plans())
def test_equal_switches_have_equal_uplinks(asked):
    """Every leaf, and every spine, has as many links up as the others of its tier."""
    radix, endpoints, tiers, leaf, spine = asked
    try:
        net = clos(radix=radix, endpoints=endpoints, tiers=tiers, oversubscription={"leaf": leaf, "spine": spine})
    except TopologyError:
        return
    rises = net.nodes.level[net.links.dst] > net.nodes.level[net.links.src]
    up = np.bincount(net.links.src[rises], minlength=len(net.nodes))
    for role in ("leaf", "spine"):
        assert len(set(up[role_nodes(net, role)].tolist())) == 1


def test_spine_i_of_every_pod_meets_core_plane_i():
    """Planes do not mix below the core."""
    net = clos(radix=8, tiers=3)
    core, links = role_nodes(net, "core"), net.links
    for node in core.tolist():
        below = links.dst[links.src == node]
        assert {net.nodes.name[spine].rsplit("spine", 1)[1] for spine in below.tolist()} == {str(net.nodes.plane[node])}
        assert len(set(net.nodes.pod[below].tolist())) == 8


def test_the_size_follows_the_listed_hosts():
    """10 hosts with 2 NICs are 20 ports: 5 leaves of radix 8 with 4 down, both NICs of a host on the same leaf."""
    net = clos(radix=8, hosts=[HostGroup("n", tuple(f"n{i}" for i in range(10)), 2, 100.0)])
    assert summarise(net).nodes_by_role == {"leaf": 5, "spine": 4, "host": 10}
    assert summarise(net).endpoints == 20


def ports_by_leaf(net):
    """Host ports in use on every leaf."""
    down = np.bincount(net.links.dst[net.nodes.level[net.links.src] == 0], minlength=len(net.nodes))
    return down[role_nodes(net, "leaf")].tolist()


@pytest.mark.parametrize(
    ("groups", "leaves"),
    [
        ([("g", 7, 1, False), ("s", 5, 1, False)], [4, 4, 4]),
        ([("g", 4, 3, False)], [3, 3, 3, 3]),
        ([("g", 6, 2, True)], [4, 4, 2, 2]),
        ([("g", 4, 3, False), ("s", 4, 1, False)], [4, 4, 4, 4]),
    ],
    ids=["two groups", "wide hosts", "dual-homed", "wide and narrow"],
)
def test_leaves_of_four_take_whole_hosts(groups, leaves):
    """7 + 5 ports fill 3 leaves; a leaf takes one host of 3 NICs; 6 dual-homed hosts need 2 pairs, not 3 leaves."""
    hosts = [
        HostGroup(name, tuple(f"{name}{i}" for i in range(count)), nics, 100.0, dual_home=dual)
        for name, count, nics, dual in groups
    ]
    net = clos(hosts, radix=8)
    assert ports_by_leaf(net) == leaves
    assert validate(net) == []


def test_pairs_of_leaves_lie_in_one_pod():
    """12 dual-homed hosts of 2 need 6 leaves of 4; as 2 pods of 3 a pair would span both, so pods have 4."""
    hosts = [HostGroup("g", tuple(f"g{i}" for i in range(12)), 2, 100.0, dual_home=True)]
    net = clos(hosts, radix=8, tiers=3)
    pod = net.nodes.pod
    homes = {end: set(pod[net.links.dst[net.links.src == end]].tolist()) for end in net.endpoint_nodes.tolist()}
    assert all(len(pods) == 1 for pods in homes.values())
    assert len(role_nodes(net, "leaf")) == 8
    assert validate(net) == []


@st.composite
def host_groups(draw):
    """One to three groups of up to 12 hosts with 1 to 4 NICs, some dual-homed."""
    groups = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        dual = draw(st.booleans())
        nics = draw(st.sampled_from([2, 4] if dual else [1, 2, 3, 4]))
        hosts = tuple(f"{name}{i}" for i in range(draw(st.integers(1, 12))))
        groups.append(HostGroup(name, hosts, nics, 100.0, dual_home=dual))
    return groups


@PLENTY
@given(host_groups(), st.sampled_from([2, 3]))
def test_a_clos_takes_the_hosts_it_is_sized_for(hosts, tiers):
    """Every NIC port attached, ports within the radix, even numbers of leaves for pairs; 12 down and 12 up."""
    net = clos(hosts, radix=24, tiers=tiers)
    assert validate(net) == []
    assert sum(ports_by_leaf(net)) == sum(len(group.hosts) * group.nics for group in hosts)
    assert max(ports_by_leaf(net)) <= 12
    assert len(ports_by_leaf(net)) % max(group.homes for group in hosts) == 0


def test_endpoints_above_the_hosts_leave_room():
    """6 hosts need 2 leaves of 4; endpoints: 16 makes them 4, of which the hosts fill two, or are spread over all."""
    net = clos([HostGroup("g", tuple(f"g{i}" for i in range(6)), 1, 100.0)], radix=8, endpoints=16)
    assert ports_by_leaf(net) == [4, 2, 0, 0]
    net = clos(
        [HostGroup("g", tuple(f"g{i}" for i in range(6)), 1, 100.0)], radix=8, endpoints=16, attach_order="spread"
    )
    assert sorted(ports_by_leaf(net)) == [1, 1, 2, 2]


HOST_REFUSALS = {
    "endpoints below the hosts": (
        {"radix": 16, "endpoints": 4},
        (6, 1, {}),
        "endpoints: endpoints is 4 but the hosts attached have 6 NIC ports.*set endpoints: 6 or more",
    ),
    "host wider than a leaf": (
        {"radix": 8},
        (1, 5, {}),
        "radix: a host of g needs 5 ports on one leaf, which has 4 for hosts.*larger radix",
    ),
    "whole hosts beyond reach": (
        {"radix": 8, "tiers": 2},
        (9, 3, {}),
        "27 endpoints do not fit 2 tiers of radix 8: hosts are whole, and need 9 leaves of 4 host ports",
    ),
    "odd dual-homing": ({"radix": 8}, (2, 3, {"dual_home": True}), "g is dual-homed but has 3 NIC port"),
}


@pytest.mark.parametrize(("keys", "hosts", "message"), HOST_REFUSALS.values(), ids=HOST_REFUSALS)
def test_hosts_that_cannot_be_attached_are_refused(keys, hosts, message):
    """With the numbers, the rule and a way out."""
    count, nics, more = hosts
    with pytest.raises(TopologyError, match=message):
        clos([HostGroup("g", tuple(f"g{i}" for i in range(count)), nics, 100.0, **more)], **keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"radix": 8, "endpoints": 33, "tiers": 2},
            "33 endpoints do not fit 2 tiers of radix 8.*reaches 32 .*two tiers and 128 with three",
        ),
        ({"radix": 8, "endpoints": 129}, "129 endpoints do not fit 3 tiers of radix 8"),
    ],
)
def test_more_than_the_radix_reaches_is_refused(keys, message):
    """R²/2 with two tiers, R³/4 with three."""
    with pytest.raises(TopologyError, match=message):
        clos(**keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"radix": 3}, "greater than or equal to 4"),
        ({"radix": 8, "tiers": 5}, "less than or equal to 4"),
        ({"radix": 8, "oversubscription": {"leaf": 0}}, "0 is not between 1:256 and 256:1"),
        ({"radix": 8, "oversubscription": {"leaf": "1:1000"}}, "'1:1000' is not between"),
        ({"radix": 8, "switch": {"count": 4}}, "Extra inputs are not permitted"),
        ({"radix": 8, "parallel": "two"}, "valid integer"),
        ({"radix": 8, "oversubscription": {"leaf": "3:0"}}, "'3:0' is not a ratio"),
        ({"radix": 8, "oversubscription": {"core": 2}}, "Extra inputs are not permitted"),
        ({"radix": 8.5}, "valid integer"),
    ],
)
def test_values_outside_the_schema_are_refused(keys, message):
    """Before anything is built."""
    with pytest.raises(ValueError, match=message):
        clos(**keys)
