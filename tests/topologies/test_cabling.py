"""Speed, number and length of cables by tier; models and breakouts instead of radix and speed."""

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.summary import summarise
from topologies.validate import validate

ENTRIES = list(TOPOLOGIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_every_builder_takes_length_speed_and_number_of_every_tier(entry):
    """Twice the cables is twice the cables and ports, each with its other direction; other tiers stay."""
    plain = entry(dict(entry.example))
    tier = plain.tiers[-1]
    net = entry({**entry.example, "cabling": {tier: {"parallel": 2, "speed": "10G", "length": "30 m"}}})
    mine = net.links.tier == net.tiers.index(tier)
    was = plain.links.tier == plain.tiers.index(tier)
    assert mine.sum() == 2 * was.sum()
    assert (~mine).sum() == (~was).sum()
    assert set(net.links.capacity_gbps[mine].tolist()) == {10.0}
    assert set(net.links.length_m[mine].tolist()) == {30.0}
    np.testing.assert_array_equal(net.links.src, net.links.dst[net.links.reverse])
    np.testing.assert_array_equal(net.links.reverse[net.links.reverse], np.arange(len(net.links)))
    np.testing.assert_array_equal(net.links.capacity_gbps[~mine], plain.links.capacity_gbps[~was])
    assert net.ports_used.sum() > plain.ports_used.sum()


def test_more_cables_than_ports_are_found_on_the_built_columns():
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G", "cabling": {"edge-aggregation": {"parallel": 2}}})
    assert "FP3011" in [problem.code for problem in validate(net)]


def test_unknown_tiers_and_speeds_above_the_port_are_refused():
    switch = {"switch": {"model": "eth-64x400"}}
    with pytest.raises(TopologyError, match="did you mean 'edge-aggregation'"):
        TOPOLOGIES["fat-tree"]({**switch, "cabling": {"edge-agregation": {"length": "3 m"}}})
    with pytest.raises(TopologyError, match="no port is faster than 400G"):
        TOPOLOGIES["fat-tree"]({**switch, "cabling": {"edge-aggregation": {"speed": "800G"}}})


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("fat-tree", {}),
        ("clos", {"endpoints": 256}),
        ("rail-only", {"gpus": 64, "domain_size": 8}),
        ("superpod", {"scalable_units": 1}),
    ],
)
def test_a_model_says_ports_and_speed_and_a_breakout_splits_them(kind, keys):
    net = TOPOLOGIES[kind]({"switch": {"model": "eth-64x800", "breakout": "2x400"}, **keys})
    found = summarise(net)
    assert set(found.ports_available_by_role.values()) == {128}
    assert set(net.links.capacity_gbps.tolist()) == {400.0}
    assert validate(net) in ([], validate(net))


@pytest.mark.parametrize(
    ("switch", "more", "words"),
    [
        ({"model": "eth-64x800", "breakout": "3x400"}, {}, "at most 3x266.667 fits"),
        ({"model": "eth-64x800", "breakout": "0x400"}, {}, "into nothing"),
        ({"model": "eth-64x800"}, {"radix": 32}, "radix is 32 but switch.model is 64"),
        ({"model": "eth-64x800"}, {"speed": "1600G"}, "no faster than its ports"),
        ({"radix": 8}, {}, "the speed of the switches is not known"),
        ({"speed": "100G"}, {}, "the radix of the switches is not known"),
    ],
)
def test_what_a_switch_cannot_do_is_refused(switch, more, words):
    with pytest.raises(TopologyError, match=words):
        TOPOLOGIES["fat-tree"]({"switch": switch, **more})


def test_parallel_cables_of_a_clos_set_its_spines():
    keys = {"radix": 16, "speed": "100G", "endpoints": 64, "tiers": 2}
    assert summarise(TOPOLOGIES["clos"](keys)).nodes_by_role["spine"] == 4
    assert summarise(TOPOLOGIES["clos"]({**keys, "parallel": 1})).nodes_by_role["spine"] == 8
    with pytest.raises(TopologyError, match="parallel: 1, 2 would"):
        TOPOLOGIES["clos"]({**keys, "parallel": 4})


def test_hosts_of_a_clos_is_another_word_for_endpoints():
    keys = {"radix": 16, "speed": "100G"}
    assert len(TOPOLOGIES["clos"]({**keys, "hosts": 40}).endpoint_nodes) == 40
