"""The k-ary fat tree against Al-Fares et al., SIGCOMM 2008, section 3."""

from __future__ import annotations

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.topology import role_nodes
from topologies.validate import validate

SIZES = pytest.mark.parametrize("k", [2, 4, 8, 16])


def fat_tree(k, hosts=(), speed="400G", **keys):
    return TOPOLOGIES["fat-tree"]({"radix": k, "speed": speed, **keys}, hosts=hosts)


def neighbours(net, node):
    """Nodes at the far end of a node's links, with repetition."""
    return net.links.dst[net.links.src == node].tolist()


@SIZES
def test_counts(k):
    """k³/4 hosts, k²/2 edge, k²/2 aggregation and k²/4 core switches, k³/4 cables in every tier, all k ports used."""
    found = summarise(fat_tree(k))
    assert found.endpoints == k**3 // 4
    assert found.nodes_by_role == {"edge": k * k // 2, "aggregation": k * k // 2, "core": k * k // 4, "host": k**3 // 4}
    assert found.switches == 5 * k * k // 4
    tiers = ("host-edge", "edge-aggregation", "aggregation-core")
    assert found.cables_by_tier == dict.fromkeys(tiers, k**3 // 4)
    assert found.capacity_gbps_by_tier == dict.fromkeys(tiers, k**3 // 4 * 400.0)
    assert found.cables == 3 * k**3 // 4
    assert found.ports_used_max_by_role == dict.fromkeys(("edge", "aggregation", "core"), k)
    assert found.oversubscription_by_role == {"edge": 1.0, "aggregation": 1.0, "core": None}


@SIZES
def test_every_switch_uses_all_its_ports(k):
    """Not only the maximum: k ports on each of the 5k²/4."""
    net = fat_tree(k)
    assert (net.ports_used[net.is_switch] == k).all()
    assert validate(net) == []


@SIZES
def test_edges_meet_every_aggregation_switch_of_their_pod_and_no_other(k):
    """k/2 x k/2 single cables a pod."""
    net = fat_tree(k)
    pods = net.nodes.pod
    for edge in role_nodes(net, "edge").tolist():
        above = [node for node in neighbours(net, edge) if net.nodes.level[node] == 2]
        expected = [node for node in role_nodes(net, "aggregation").tolist() if pods[node] == pods[edge]]
        assert sorted(above) == expected


@SIZES
def test_every_core_meets_every_pod_once_at_the_same_position(k):
    """Core c is attached to aggregation switch c div k/2 of each of the k pods."""
    net = fat_tree(k)
    for index, core in enumerate(role_nodes(net, "core").tolist()):
        names = [net.nodes.name[node] for node in neighbours(net, core)]
        assert sorted(names) == sorted(f"pod{pod}/agg{index // (k // 2)}" for pod in range(k))


def test_forty_eight_ports_give_the_paper_s_number_of_hosts():
    """ "27,648 hosts" in section 3 for k = 48; 2,880 switches."""
    found = summarise(fat_tree(48))
    assert (found.endpoints, found.switches, found.cables) == (27_648, 2_880, 82_944)


@pytest.mark.parametrize(
    ("k", "smaller", "larger"),
    [(3, "radix 2 gives 2 hosts", "radix 4 gives 16"), (5, "radix 4 gives 16 hosts", "radix 6 gives 54")],
)
def test_an_odd_radix_is_refused_with_the_even_ones_beside_it(k, smaller, larger):
    """Half of the ports point up."""
    with pytest.raises(TopologyError, match=rf"radix {k} is odd.*{smaller}, {larger}"):
        fat_tree(k)


def test_one_port_is_refused():
    """k = 1 is odd too; nothing below 2 is offered."""
    with pytest.raises(TopologyError, match=r"radix 1 is odd.*radix 2 gives 2 hosts"):
        fat_tree(1)


def test_listed_hosts_fill_the_edges_in_order_or_are_spread_over_them():
    """12 hosts fill 6 of the 8 edge switches of k = 4, or are 1 or 2 on each; 20 would need 3 ports on some."""
    group = HostGroup("n", tuple(f"n{i}" for i in range(12)), 1, 100.0)
    net = fat_tree(4, hosts=[group])
    per_edge = np.bincount(net.links.dst[net.links.src >= net.node("n0")], minlength=8)[:8]
    assert per_edge.tolist() == [2, 2, 2, 2, 2, 2, 0, 0]
    spread = fat_tree(4, hosts=[group], attach_order="spread")
    per_edge = np.bincount(spread.links.dst[spread.links.src >= spread.node("n0")], minlength=8)[:8]
    assert sorted(per_edge.tolist()) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert summarise(net).capacity_gbps_by_tier["host-edge"] == 1200
    many = HostGroup("n", tuple(f"n{i}" for i in range(20)), 1, 100.0)
    with pytest.raises(TopologyError, match=r"20 NIC ports do not fit.*3 host ports and has 2.*take 16 NIC ports"):
        fat_tree(4, hosts=[many], attach_order="spread")
    with pytest.raises(TopologyError, match=r"8 leaves of 2 host ports leave out 4 hosts of n.*take 16 NIC ports"):
        fat_tree(4, hosts=[many])


def test_a_nic_faster_than_its_port_is_refused():
    """A slower one makes a slower link."""
    with pytest.raises(TopologyError, match=r"n has 800G NICs but the leaf's host ports run at 400G.*use 400G NICs"):
        fat_tree(4, hosts=[HostGroup("n", ("n0",), 1, 800.0)])
