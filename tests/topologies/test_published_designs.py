"""Designs that their operators published, against the counts and ratios of the publications."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.summary import summarise
from topologies.topology import role_nodes
from topologies.validate import validate


def built(kind, **keys):
    net = TOPOLOGIES[kind](keys)
    assert validate(net) == []
    return net


def ratios(net, role):
    """Bandwidth down over bandwidth up of the switches of a role that end traffic of, added up link by link."""
    level, links = net.nodes.level, net.links
    ends = net.is_switch | (net.nodes.nics > 0)
    found = set()
    for node in role_nodes(net, role).tolist():
        own = (links.src == node) & ends[links.dst]
        up = links.capacity_gbps[own & (level[links.dst] > level[node])].sum()
        down = links.capacity_gbps[own & (level[links.dst] < level[node])].sum()
        found.add(Fraction(down) / Fraction(up))
    return found


def test_hpn_of_one_pod():
    """Qian et al., SIGCOMM 2024, section 5: 15 segments of 128 hosts, 8 rails, 2 planes: 15,360 GPUs in a pod.

    A ToR has 128 NIC ports of 200G down and 60 of 400G up (16:15, printed as 1.067:1); an aggregation switch 120 down
    and 8 up to the core: 15:1.
    """
    net = built(
        "dual-plane", segments=15, hosts_per_segment=128, port_speed="200G", tor_uplinks=60, uplink_speed="400G",
        aggs_per_plane=60, agg_uplinks=8, backup_ports=8,
    )  # fmt: skip
    found = summarise(net)
    assert found.gpus == 15_360
    assert found.nodes_by_role["tor"] == 15 * 8 * 2
    assert found.nodes_by_role["agg"] == 120
    assert ratios(net, "tor") == {Fraction(16, 15)}
    assert ratios(net, "agg") == {Fraction(15)}
    assert found.ports_used_max_by_role["tor"] == found.ports_used_max_by_role["agg"] == 128


LLAMA = {
    "speed": "400G", "leaf": {"radix": 64}, "spine": {"radix": 576}, "core": {"radix": 576},
    "pods": 8, "racks_per_pod": 192, "hosts_per_leaf": 16, "aggregation_per_pod": 18,
}  # fmt: skip


def test_the_roce_cluster_of_llama_3():
    """Llama 3 herd of models, section 3.3.1: 16 GPUs in a rack, 192 racks in a pod of 3,072, 8 pods: 24,576 GPUs.

    Gangidi et al., SIGCOMM 2024: racks have 1:1.125 of their GPUs' bandwidth up, 18 uplinks for 16. The published 1:7
    above the pods is 192 down and 28 up, 6.857.
    """
    net = built("clos", **LLAMA, oversubscription={"leaf": "1:1.125", "spine": "48:7"})
    found = summarise(net)
    assert found.endpoints == 24_576
    assert found.nodes_by_role["leaf"] == 1_536
    assert found.nodes_by_role["spine"] == 144
    assert (np.bincount(net.nodes.pod[role_nodes(net, "leaf")]) * 16 == 3_072).all()
    assert found.cables_by_tier == {"host-leaf": 24_576, "leaf-spine": 27_648, "spine-core": 4_032}
    assert ratios(net, "leaf") == {Fraction(8, 9)}
    assert ratios(net, "spine") == {Fraction(192, 28)}


def test_a_facebook_fabric_of_pods():
    """Andreyev, "Introducing data center fabric", 2014: pods of 48 racks and 4 fabric switches, 4 planes of 48 spines.

    A rack has 4 uplinks of 40G, one to each fabric switch; a fabric switch 48 racks down and 48 spines of its plane up.
    """
    net = built(
        "clos", speed="40G", radix=96, pods=8, racks_per_pod=48, aggregation_per_pod=4, cores=4 * 48,
        parallel={"leaf": 1, "spine": 1}, hosts_per_leaf=4,
    )  # fmt: skip
    found = summarise(net)
    assert found.nodes_by_role == {"leaf": 384, "spine": 32, "core": 192, "host": 1536}
    assert ratios(net, "spine") == {Fraction(1)}
    assert len(set(net.nodes.plane[role_nodes(net, "core")].tolist())) == 4


@pytest.mark.parametrize(("units", "leaves", "spines", "cores"), [(4, 32, 16, 0), (16, 128, 128, 64)])
def test_superpods_as_rail_optimised(units, leaves, spines, cores):
    """DGX SuperPOD H100 and B200 reference architectures: 32 nodes a unit, 8 rails, switches of 64 x 400G, 1:1."""
    keys = {"leaf": {"model": "ib-64x400"}, "spine": {"model": "ib-64x400"}, "nodes_per_unit": 32, "units": units}
    net = built("rail-optimised", **keys, rails=8, tiers=3 if cores else 2)
    by_role = summarise(net).nodes_by_role
    assert (by_role["leaf"], by_role["spine"], by_role.get("core", 0)) == (leaves, spines, cores)
    assert ratios(net, "leaf") == {Fraction(1)}
