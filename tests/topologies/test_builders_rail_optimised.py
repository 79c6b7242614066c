"""Rail-optimised units: NIC i on leaf i, and the published 2,048-GPU example."""

from __future__ import annotations

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.topology import role_nodes
from topologies.validate import validate

SMALL = {"nodes_per_unit": 4, "leaf": {"radix": 8, "down": 4, "up": 4}, "spine": {"radix": 8}, "speed": "400G"}
BIG = {
    "nodes_per_unit": 32,
    "leaf": {"model": "ib-64x400", "down": 32, "up": 32},
    "spine": {"model": "ib-64x400"},
}
THREE = {"tiers": 3, "nodes_per_unit": 4, "rails": 2, "leaf": {"radix": 8}, "speed": "400G"}


def rail_optimised(hosts=(), **keys):
    return TOPOLOGIES["rail-optimised"](keys, hosts=hosts)


def nodes(count, nics=8, gbps=400.0, rail="per-gpu"):
    return HostGroup("gpu", tuple(f"n{i:03d}" for i in range(count)), nics, gbps, rail=rail)


def test_two_thousand_gpus():
    """256 nodes of 8 in 8 units of 32: 64 leaves, 64 x 32 = 2,048 uplinks on 32 spines, 4,096 cables."""
    net = rail_optimised([nodes(256)], **BIG)
    found = summarise(net)
    assert found.endpoints == 2048
    assert found.nodes_by_role == {"leaf": 64, "spine": 32, "host": 2048}
    assert found.cables == 4096
    assert found.cables_by_tier == {"host-leaf": 2048, "leaf-spine": 2048}
    assert found.capacity_gbps_by_tier == {"host-leaf": 819_200.0, "leaf-spine": 819_200.0}
    assert (net.ports_used[net.is_switch] == 64).all()
    assert (net.parallel_count == 1).all()
    assert validate(net) == []


def test_nic_i_of_every_node_is_attached_to_leaf_i_of_its_unit():
    """All 2,048, by name, unit and rail."""
    net = rail_optimised([nodes(256)], **BIG)
    for node in range(256):
        for nic in range(8):
            end = net.node(f"n{node:03d}.nic{nic}")
            (leaf,) = net.links.dst[net.links.src == end]
            assert net.nodes.name[leaf] == f"unit{node // 32}/leaf{nic}"
            assert (net.nodes.unit[end], net.nodes.rail[end]) == (node // 32, nic)
            assert (net.nodes.unit[leaf], net.nodes.rail[leaf]) == (node // 32, nic)


@pytest.mark.parametrize(("units", "spines", "parallel"), [(1, 2, 2), (2, 4, 1)])
def test_the_fewest_spines_that_share_the_uplinks_evenly(units, spines, parallel):
    """4 rails x 4 uplinks a unit on spines of 8 ports."""
    net = rail_optimised(units=units, rails=4, **SMALL)
    assert len(role_nodes(net, "spine")) == spines
    switch = net.is_switch[net.links.src] & net.is_switch[net.links.dst]
    assert set(net.parallel_count[switch].tolist()) == {parallel}
    assert summarise(net).endpoints == units * 16
    assert validate(net) == []


@pytest.mark.parametrize("count", [5, 8, 9])
def test_the_last_unit_may_be_half_full(count):
    """Units follow the nodes, 4 each; the leaves of all units are built."""
    net = rail_optimised([nodes(count, nics=2)], **SMALL)
    units = -(-count // 4)
    found = summarise(net)
    assert found.nodes_by_role["leaf"] == units * 2
    assert found.endpoints == count * 2
    down = np.bincount(net.links.dst[net.nodes.level[net.links.src] == 0], minlength=len(net.nodes))
    assert sorted(set(down[role_nodes(net, "leaf")].tolist())) == sorted({4, count - 4 * (units - 1)})


def test_nodes_with_shared_nics_are_one_endpoint_on_every_rail():
    """4 nodes with 2 shared NICs: one node with two links, one to each rail's leaf."""
    net = rail_optimised([nodes(4, nics=2, rail="shared")], **SMALL)
    assert len(net.endpoint_nodes) == 4
    for end in net.endpoint_nodes.tolist():
        assert net.nodes.rail[net.links.dst[net.links.src == end]].tolist() == [0, 1]


@pytest.mark.parametrize(("units", "pods", "groups"), [(4, 1, 2), (8, 2, 4), (16, 4, 8)])
def test_three_tiers_give_full_bisection(units, pods, groups):
    """N = units x 4 x 2 at radix 8: 2N/8 leaves, 2N/8 spines, N/8 cores; pods of 4 units, one spine group per rail."""
    net = rail_optimised(units=units, **THREE)
    found, n = summarise(net), units * 8
    assert found.nodes_by_role == {"leaf": n // 4, "spine": n // 4, "core": n // 8, "host": n}
    assert found.cables_by_tier == {"host-leaf": n, "leaf-spine": n, "spine-core": n}
    assert found.capacity_gbps_by_tier == dict.fromkeys(found.cables_by_tier, n * 400.0)
    assert found.oversubscription_by_role == {"leaf": 1.0, "spine": 1.0, "core": None}
    assert len(set(net.nodes.pod[role_nodes(net, "spine")].tolist())) == pods
    keys = {(net.nodes.pod[s], net.nodes.rail[s]) for s in role_nodes(net, "spine")}
    assert len(keys) == groups
    assert validate(net) == []


def test_leaf_count_may_repeat_units_times_rails():
    """2 x 2 leaves, said twice."""
    net = rail_optimised(units=2, rails=2, **SMALL | {"leaf": SMALL["leaf"] | {"count": 4}})
    assert len(role_nodes(net, "leaf")) == 4


def test_a_link_runs_at_the_slower_of_its_ports():
    """800G leaves under 400G spines: hosts at 800G, 2 leaf-spine cables a leaf at 400G."""
    leaf, spine = {"model": "eth-64x800", "up": 2}, {"model": "eth-64x400", "count": 2}
    found = summarise(rail_optimised(units=1, rails=8, nodes_per_unit=2, leaf=leaf, spine=spine))
    assert found.capacity_gbps_by_tier == {"host-leaf": 16 * 800.0, "leaf-spine": 16 * 400.0}


def test_every_tier_of_three_has_its_own_speed():
    """400G leaves, 800G spines and cores at radix 8: host-leaf and leaf-spine at 400G, spine-core at 800G."""
    keys = THREE | {"leaf": {"radix": 8, "speed": "400G"}, "spine": {"radix": 8, "speed": "800G"}}
    keys |= {"core": {"radix": 8, "speed": "800G"}}
    keys.pop("speed")
    found = summarise(rail_optimised(units=4, **keys))
    assert found.capacity_gbps_by_tier == {"host-leaf": 32 * 400.0, "leaf-spine": 32 * 400.0, "spine-core": 32 * 800.0}


def test_three_tiers_keep_rails_and_planes_apart():
    """A leaf meets only spines of its rail and pod; spine i of every group meets only cores of plane i."""
    net = rail_optimised(units=8, **THREE)
    nodes_, links = net.nodes, net.links
    low = (nodes_.level[links.src] == 1) & (nodes_.level[links.dst] == 2)
    np.testing.assert_array_equal(nodes_.rail[links.src[low]], nodes_.rail[links.dst[low]])
    np.testing.assert_array_equal(nodes_.pod[links.src[low]], nodes_.pod[links.dst[low]])
    high = (nodes_.level[links.src] == 2) & (nodes_.level[links.dst] == 3)
    np.testing.assert_array_equal(nodes_.plane[links.src[high]], nodes_.plane[links.dst[high]])


@pytest.mark.parametrize("units", range(1, 17))
def test_three_tiers_of_any_number_of_units_keep_the_port_budget(units):
    """Uneven pods too: ports at most 8, links up of the spines as many as their leaves can send."""
    net = rail_optimised(units=units, **THREE)
    assert validate(net) == []
    assert (net.ports_used[net.is_switch] <= 8).all()
    assert summarise(net).oversubscription_by_role["spine"] <= 1.0


REFUSALS = {
    "more nodes than units take": (
        {"units": 1, "hosts": [nodes(5, nics=2)]},
        "5 nodes do not fit 1 units of 4.*2 units",
    ),
    "rails and NICs differ": (
        {"rails": 4, "hosts": [nodes(4, nics=2)]},
        "rails is 4 but the nodes have 2 NICs.*rails: 2",
    ),
    "NIC counts differ": (
        {"hosts": [nodes(4, nics=2), HostGroup("x", ("x0",), 4, 400.0)]},
        "node groups with 2, 4 NICs share a rail-optimised fabric",
    ),
    "NIC too fast": (
        {"hosts": [nodes(4, nics=2, gbps=800.0)]},
        "gpu has 800G NICs but the leaf's host ports run at 400G",
    ),
    "unit larger than the leaf": (
        {"units": 1, "nodes_per_unit": 6},
        "6 nodes per unit need as many host ports on each leaf; it has 4",
    ),
    "spines do not divide": (
        {"units": 2, "rails": 2, "spine": {"radix": 64, "count": 3}},
        "4 uplinks per leaf do not spread evenly over 3",
    ),
    "spines too small": ({"units": 3, "rails": 4}, "12 leaves with 4 uplinks each need spines of at least 12 ports"),
    "unknown field": (
        {"units": 1, "leaf": SMALL["leaf"] | {"name": "l{pod}"}},
        r"uses \{pod\}.*\{index\}, \{unit\}, \{rail\}",
    ),
    "cores with two tiers": (
        {"units": 2, "rails": 2, "core": {"radix": 8, "count": 3}},
        "core: two tiers have no cores.*set tiers: 3, or leave core out",
    ),
    "pods with two tiers": (
        {"units": 2, "rails": 2, "units_per_pod": 1},
        "units_per_pod: units_per_pod is 1 but two tiers have no pods.*set tiers: 3",
    ),
    "breakout": (
        {"units": 2, "rails": 2, "leaf": {"radix": 8, "up": 2, "down_ports": 4, "down_breakout": "2x200"}},
        "leaf.down_breakout: 2x200 is not applied.*leave down_breakout out, or use a leaf-spine",
    ),
    "leaves and units differ": (
        {"units": 2, "rails": 2, "leaf": SMALL["leaf"] | {"count": 99}},
        "leaf.count: leaf.count is 99 but 2 units x 2 rails have 4 leaves.*set it to 4",
    ),
    "several keys that change nothing": (
        {"units": 2, "rails": 2, "core": {"count": 3}, "units_per_pod": 1},
        "core: two tiers have no cores.*; units_per_pod: units_per_pod is 1",
    ),
    "down and down_ports differ": (
        {"units": 1, "leaf": SMALL["leaf"] | {"down_ports": 3}},
        "leaf.down: leaf.down_ports is 3 but leaf.down is 4",
    ),
    "links faster than the leaf": (
        {"units": 1, "speed": "800G", "leaf": {"model": "eth-64x400", "down": 4, "up": 4}},
        "speed: speed is 800G but the ports of a leaf run at 400G",
    ),
    "leaf too small": (
        {"units": 1, "leaf": {"radix": 8, "down": 8, "up": 4}},
        "leaf needs 12 ports but the switch has 8",
    ),
}


@pytest.mark.parametrize(("keys", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_built_is_refused(keys, message):
    """With the numbers, the rule and a way out."""
    given = dict(keys)
    with pytest.raises(TopologyError, match=message):
        rail_optimised(given.pop("hosts", ()), **SMALL | given)


def test_a_pod_larger_than_half_a_spine_is_refused():
    """6 units a pod need 6 ports down; half of 8 is 4."""
    with pytest.raises(
        TopologyError, match=r"pod of 6 units needs 6 ports down on each spine; half of 8 is 4.*4 is the most"
    ):
        rail_optimised(units=6, units_per_pod=6, **THREE)


def test_an_unknown_speed_is_refused():
    """Neither the leaf's model nor ``speed`` says."""
    with pytest.raises(TopologyError, match=r"speed of the leaves is not known.*leaf.model, or speed"):
        rail_optimised(units=1, nodes_per_unit=4, leaf={"radix": 8})


# ---- fewer uplinks than downlinks, and rails that share a switch -----------------------------------------------------

WIDE = {"tiers": 3, "nodes_per_unit": 32, "leaf": {"model": "ib-64x400"}, "spine": {"model": "ib-64x400"}}


def spine_ratios(net):
    """Links down over links up of every spine."""
    level, links = net.nodes.level, net.links
    spines = role_nodes(net, "spine")
    down = np.bincount(links.src[level[links.dst] < level[links.src]], minlength=len(level))[spines]
    up = np.bincount(links.src[level[links.dst] > level[links.src]], minlength=len(level))[spines]
    return set((down / up).tolist())


@pytest.mark.parametrize(
    ("keys", "units", "ratio", "cables"),
    [
        ({"oversubscription": {"spine": "3:1"}}, 12, 3.0, 3072 // 3),
        ({"oversubscription": {"spine": "32:5"}}, 16, 6.4, 4096 * 5 // 32),
        ({"oversubscription": {"spine": "1:1.5"}}, 8, 1 / 1.5, 2048 * 3 // 2),
        ({"spine": {"model": "ib-64x400", "up": 8}}, 16, 4.0, 4096 // 4),
    ],
)
def test_spines_may_have_other_numbers_of_uplinks(keys, units, ratio, cables):
    """units x 8 x 32 uplinks of leaves, divided by the ratio."""
    net = rail_optimised(units=units, **WIDE | keys)
    assert spine_ratios(net) == {ratio}
    assert summarise(net).cables_by_tier["spine-core"] == cables
    assert validate(net) == []
    assert net.said == ()


def test_a_ratio_of_spines_that_cannot_be_is_refused_or_said():
    """16 units make 32 down; 5 up is 6.4:1, and 21 units would make 7:1."""
    with pytest.raises(
        TopologyError, match=r'7:1 of the spines .*32 down / 5 up is 6.4:1.*spine: "32:5".*units: 21 makes 7:1'
    ):
        rail_optimised(units=16, **WIDE, oversubscription={"spine": "7:1"})
    net = rail_optimised(units=16, **WIDE, oversubscription={"spine": "7:1", "at_most": True})
    assert spine_ratios(net) == {6.4}
    assert net.said == ("spines are 6.4:1 by the links that are there; at most 7:1 was asked for",)


def test_a_leaf_may_have_more_uplinks_than_hosts():
    """1:1.125 of 16 nodes: 18 uplinks; the spines above follow."""
    net = rail_optimised(units=4, **WIDE | {"nodes_per_unit": 16}, oversubscription={"leaf": "1:1.125"})
    assert summarise(net).cables_by_tier["leaf-spine"] == 32 * 18
    with pytest.raises(TopologyError, match=r'16 down / 5 up is 3.2:1.*leaf: "16:5"'):
        rail_optimised(units=4, **WIDE | {"nodes_per_unit": 16}, oversubscription={"leaf": "3:1"})


def test_a_pod_with_fewer_units_is_said():
    """5 units in pods of 2: the last pod has one, and half as much below its spines."""
    net = rail_optimised(units=5, units_per_pod=2, **THREE)
    assert net.said == ("the last of 3 pods has 1 of 2 units: its spines are 1:2 where others are 1:1",)
    assert spine_ratios(net) == {0.5, 1.0}


@pytest.mark.parametrize("tiers", [2, 3])
@pytest.mark.parametrize(("together", "leaves"), [(1, 32), (2, 16), (4, 8), (8, 4)])
def test_rails_may_share_a_leaf(together, leaves, tiers):
    """4 units x 8 rails: NIC i on leaf ⌊i / rails_per_switch⌋ of its unit, 2 nodes x so many NICs on each."""
    keys = {"units": 4, "nodes_per_unit": 2, "leaf": {"radix": 64, "up": 16}, "spine": {"radix": 64}, "speed": "400G"}
    net = rail_optimised(**keys, tiers=tiers, rails_per_switch=together)
    assert len(role_nodes(net, "leaf")) == leaves
    for end in net.endpoint_nodes.tolist():
        (leaf,) = net.links.dst[net.links.src == end]
        rail = int(net.nodes.rail[end])
        assert net.nodes.name[leaf] == f"unit{net.nodes.unit[end]}/leaf{rail // together * together}"
    down = np.bincount(net.links.dst[net.nodes.level[net.links.src] == 0], minlength=len(net.nodes))
    assert set(down[role_nodes(net, "leaf")].tolist()) == {2 * together}
    assert validate(net) == []


IDLE = {
    "rails that do not split": ({"rails_per_switch": 3, "units": 2}, "8 rails do not split.*1, 2, 4, 8 divide"),
    "no ports for shared rails": ({"rails_per_switch": 2, "units": 2}, "8 nodes per unit need .* it has 4"),
    "uplinks of spines": (
        {"units": 2, "spine": {"radix": 16, "up": 4}},
        "spine.up: spine.up is 4 but with two tiers nothing is above a spine",
    ),
    "ratio of spines": (
        {"units": 2, "oversubscription": {"spine": "3:1"}},
        "oversubscription.spine: 3:1 is asked of spines but with two tiers",
    ),
    "breakout": (
        {"units": 2, "spine": {"model": "eth-64x800", "breakout": "3x400"}},
        "spine.breakout: eth-64x800 does not break|at most 3x266",
    ),
}


@pytest.mark.parametrize(("keys", "message"), IDLE.values(), ids=IDLE)
def test_what_shared_rails_and_ratios_cannot_be_is_refused(keys, message):
    with pytest.raises(TopologyError, match=message):
        rail_optimised(**SMALL | keys)
