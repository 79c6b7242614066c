"""NVIDIA SuperPOD against the published tables of component counts."""

import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.validate import validate


def superpod(hosts=(), **keys):
    return TOPOLOGIES["superpod"](keys, hosts=hosts)


# DGX SuperPOD B200 reference architecture, table of larger deployments: units, leaves, spines, cores, cables per layer.
PUBLISHED = [
    (2, 16, 8, 0, 512),
    (4, 32, 16, 0, 1024),
    (8, 64, 32, 0, 2048),
    (16, 128, 128, 64, 4096),
    (32, 256, 256, 128, 8192),
    (64, 512, 512, 256, 16384),
]


@pytest.mark.parametrize(("units", "leaves", "spines", "cores", "cables"), PUBLISHED)
def test_counts_equal_the_published_table(units, leaves, spines, cores, cables):
    found = summarise(superpod(scalable_units=units))
    assert found.nodes_by_role.get("leaf") == leaves
    assert found.nodes_by_role.get("spine") == spines
    assert found.nodes_by_role.get("core", 0) == cores
    tiers = {"host-leaf": cables, "leaf-spine": cables} | ({"spine-core": cables} if cores else {})
    assert found.cables_by_tier == tiers
    assert found.gpus == 256 * units
    assert found.oversubscription_by_role["leaf"] == 1.0
    assert max(found.ports_used_max_by_role.values()) <= 64


# DGX SuperPOD H100 reference architecture: one node is left out, its ports take the fabric managers.
@pytest.mark.parametrize(("units", "nodes", "spines"), [(1, 31, 4), (2, 63, 8), (3, 95, 16), (4, 127, 16)])
def test_a_reserved_node_makes_room_for_management(units, nodes, spines):
    found = summarise(superpod(scalable_units=units, reserved_nodes=1, management_links=4))
    assert found.cables_by_tier["host-leaf"] + found.cables_by_tier["management-leaf"] == nodes * 8 + 4
    assert found.cables_by_tier["leaf-spine"] == units * 256
    assert found.nodes_by_role["spine"] == spines
    assert found.gpus == nodes * 8


def test_nic_i_of_every_node_is_on_leaf_i_of_its_unit():
    net = superpod(scalable_units=2, nodes_per_unit=3, gpus_per_node=4, radix=16)
    for node in net.endpoint_nodes.tolist():
        home = int(net.links.dst[net.links.src == node][0])
        name = net.nodes.name[node]
        unit, nic = name.split("/")[0], name.rsplit("nic", 1)[1]
        assert net.nodes.name[home] == f"{unit}/leaf{nic}"


def test_three_tiers_keep_rails_apart_below_the_core():
    net = superpod(scalable_units=16)
    spine = net.roles.index("spine")
    for link in (
        ((net.nodes.role[net.links.dst] == spine) & (net.nodes.level[net.links.src] == 1)).nonzero()[0].tolist()
    ):
        assert net.nodes.rail[net.links.src[link]] == net.nodes.rail[net.links.dst[link]]


def test_listed_nodes_decide_the_units_and_models_the_ports():
    group = HostGroup("gpu", tuple(f"n{i}" for i in range(40)), 8, 400.0, "per-gpu")
    net = superpod([group], switch={"model": "ib-64x400"})
    found = summarise(net)
    assert found.nodes_by_role["leaf"] == 16
    assert found.endpoints == 320
    assert validate(net) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"scalable_units": 1, "nodes_per_unit": 33}, "nodes_per_unit: 32 is the most"),
        ({"scalable_units": 9, "tiers": 2}, "third tier"),
        ({"scalable_units": 1, "reserved_nodes": 32}, "leave no node"),
        ({"scalable_units": 1, "management_links": 4}, "has 0"),
        ({"scalable_units": 1, "reserved_nodes": 1, "management_links": 9}, "at most 8"),
        ({"scalable_units": 1000}, "at most 64 pods"),
    ],
)
def test_impossible_requests_say_the_nearest(keys, words):
    with pytest.raises(TopologyError, match=words):
        superpod(**keys)
