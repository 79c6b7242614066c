"""Designs that just fit, and requests that must be refused rather than built as something else."""

from __future__ import annotations

import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from traffic.workload import DEMAND_FORMATS

LEAF = {"radix": 8, "speed": "400G", "count": 2, "down_ports": 2, "up": 2}
SPINE = {"radix": 8, "count": 2}
REFUSED = (FabricError, ValueError)


def build(kind, hosts=(), **keys):
    return TOPOLOGIES[kind](keys, hosts=hosts)


def group(name, count, nics=1, **keys):
    return HostGroup(name, tuple(f"{name}{i}" for i in range(count)), nics, 100.0, **keys)


def test_two_groups_that_fill_the_leaves_exactly_fit():
    """3 + 3 hosts on 2 leaves of 3: the odd hosts of the two groups go to different leaves."""
    net = build("leaf-spine", [group("g", 3), group("s", 3)], leaves=2, spines=1, hosts_per_leaf=3, uplink_speed="100G")
    assert summarise(net).endpoints == 6


def test_a_clos_sized_for_its_groups_takes_them():
    """7 + 5 hosts on radix 8 fill 3 leaves of 4."""
    assert summarise(build("clos", [group("g", 7), group("s", 5)], radix=8, speed="100G")).endpoints == 12


def test_a_clos_sized_for_wide_hosts_takes_them():
    """4 hosts of 3 NICs on leaves of 4 ports need 4 leaves, not 12/4 = 3, since hosts are whole."""
    assert summarise(build("clos", [group("g", 4, 3)], radix=8, speed="100G")).endpoints == 12


def test_a_clos_with_dual_homed_hosts_has_an_even_number_of_leaves():
    """6 hosts of 2 ports on radix 8 would fill 3 leaves; pairs need 4."""
    assert summarise(build("clos", [group("g", 6, 2, dual_home=True)], radix=8, speed="100G")).endpoints == 12


def test_endpoints_fewer_than_the_hosts_are_refused_not_overridden():
    """endpoints: 4 contradicts 6 listed hosts."""
    with pytest.raises(REFUSED, match="endpoints"):
        build("clos", [group("g", 3), group("s", 3)], radix=16, speed="100G", endpoints=4)


@pytest.mark.parametrize("breakout", ["0x200", "2x0"])
def test_a_breakout_into_nothing_is_refused(breakout):
    """No ways, or ways of no speed."""
    with pytest.raises(REFUSED, match="breaks a port out into nothing"):
        build("leaf-spine", leaf=LEAF | {"down_breakout": breakout}, spine=SPINE)


def test_a_breakout_has_no_more_than_the_port():
    """2x400 of a 400G port would be 800G of hosts on it."""
    with pytest.raises(REFUSED, match="2x400 is 800G on a port of 400G"):
        build("leaf-spine", leaf=LEAF | {"down_breakout": "2x400"}, spine=SPINE)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("leaf-spine", {"leaf": {"model": "eth-64x800", "count": 2, "down": 2, "up": 2}}),
        ("rail-optimised", {"units": 1, "nodes_per_unit": 2, "leaf": {"model": "eth-64x800", "up": 2}}),
    ],
)
def test_a_link_is_not_faster_than_the_slower_of_its_ports(kind, keys):
    """Links between 800G leaves and 400G spines run at 400G."""
    try:
        net = build(kind, spine={"model": "eth-64x400", "count": 2}, **keys)
    except REFUSED:
        return
    assert net.links.capacity_gbps[net.links.tier == net.tiers.index("leaf-spine")].max() == 400.0


@pytest.mark.parametrize("key", ["uplink_speed", "host_speed"])
def test_a_speed_above_the_model_s_port_is_refused(key):
    """800G cannot be had from a 400G switch model."""
    leaf = {"model": "eth-64x400", "count": 2, "down": 2, "up": 2}
    with pytest.raises(REFUSED, match=r"is 800G but .* run at 400G"):
        build("leaf-spine", leaf=leaf, spine={"model": "eth-64x400", "count": 2}, **{key: "800G"})


def test_a_leaf_spine_without_a_number_of_spines_or_uplinks_is_refused():
    """An open question is refused, not answered by one spine."""
    with pytest.raises(REFUSED, match="spine"):
        build("leaf-spine", leaves=4, hosts_per_leaf=4, host_speed="100G", uplink_speed="100G")


@pytest.mark.parametrize(
    "keys",
    [
        {"leaf": {"radix": 8, "count": 2, "down": 4, "up": 2}, "spine": {"radix": 8, "count": 2}, "spines": 4},
        {"leaf": {"radix": 8, "count": 2, "down": 4, "up": 2}, "spine": {"radix": 8, "count": 2}, "hosts_per_leaf": 3},
    ],
    ids=["spines", "hosts_per_leaf"],
)
def test_a_short_key_that_contradicts_the_long_one_is_refused(keys):
    """The short form and the long form say the same or are refused."""
    with pytest.raises(REFUSED, match=r"spine|hosts_per_leaf"):
        build("leaf-spine", uplink_speed="100G", **keys)


RAIL = {"nodes_per_unit": 2, "units": 2, "rails": 2, "speed": "400G", "leaf": {"radix": 8, "up": 2}}


@pytest.mark.parametrize(
    "keys",
    [
        {"leaf": {"radix": 8, "up": 2, "down_ports": 1, "down_breakout": "2x200"}},
        {"leaf": {"radix": 8, "up": 2, "count": 99}},
        {"core": {"radix": 8, "count": 3}},
        {"units_per_pod": 1},
    ],
    ids=["breakout", "leaf.count", "core", "units_per_pod"],
)
def test_keys_that_change_nothing_are_refused(keys):
    """Breakouts, cores and pods have no meaning in a rail-optimised fabric of two tiers."""
    with pytest.raises(REFUSED, match=r"breakout|down_ports|leaf.count|cores|units_per_pod"):
        build("rail-optimised", spine={"radix": 8, "count": 2}, **RAIL | keys)


def test_a_dual_homed_host_with_nics_per_gpu_has_the_names_the_inventory_asks_for():
    """NICs of single GPUs are not dual-homed, or each keeps its name."""
    hosts = group("g", 4, 2, rail="per-gpu", dual_home=True)
    try:
        net = build("leaf-spine", [hosts], leaves=2, spines=1, hosts_per_leaf=8, uplink_speed="100G")
    except REFUSED:
        return
    assert all(net.has_node(hosts.nic_name(host, nic)) for host in hosts.hosts for nic in range(2))


@pytest.mark.parametrize("entry", list(DEMAND_FORMATS), ids=DEMAND_FORMATS.names())
def test_the_example_of_a_demand_format_validates(entry):
    """The topology is supplied at run time and is not a key of the format."""
    entry.model.model_validate({"kind": entry.name, **entry.example})


def test_links_are_as_fast_as_the_slower_port():
    """800G leaves under 400G spines: 2 x 2 x 400 Gb/s between them."""
    keys = {
        "leaf": {"model": "eth-64x800", "count": 2, "down": 2, "up": 2},
        "spine": {"model": "eth-64x400", "count": 2},
    }
    assert summarise(build("leaf-spine", **keys)).capacity_gbps_by_tier["leaf-spine"] == 1600.0
