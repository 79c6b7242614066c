"""Rail-only: rails never meet, each is the smallest non-blocking Clos."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.networkx_adapter import to_networkx


def built(**keys):
    """A fabric of 400G."""
    hosts = keys.pop("hosts", ())
    return TOPOLOGIES["rail-only"]({"speed": "400G", **keys}, hosts=hosts)


def test_every_rail_is_a_part_of_its_own():
    """64 GPUs in domains of 4: 4 rails of 16 endpoints, each on 4 leaves and 2 spines of 8 ports."""
    net = built(gpus=64, domain_size=4, radix=8)
    parts = list(nx.connected_components(nx.Graph(to_networkx(net))))
    assert len(parts) == 4
    assert int(net.is_switch.sum()) == 4 * 6
    assert set(net.ports_used[net.is_switch].tolist()) == {8}
    for end in net.endpoint_nodes.tolist():
        leaf = net.links.dst[net.links.src == end]
        assert net.nodes.rail[leaf].tolist() == [net.nodes.rail[end]]


def test_a_rail_that_fits_one_switch_is_one():
    """32 GPUs in domains of 4 on switches of 8 ports."""
    assert int(built(gpus=32, domain_size=4, radix=8).is_switch.sum()) == 4


def test_nodes_make_domains_together():
    """NVL72 as 18 nodes of 4: the fifth node has GPUs 16 to 19 of its domain."""
    nodes = HostGroup("gpu", tuple(f"n{number}" for number in range(36)), 4, 400.0, rail="per-gpu")
    net = built(domain_size=72, radix=64, hosts=[nodes])
    assert net.nodes.rail[[net.node("n4.nic0"), net.node("n18.nic3"), net.node("n35.nic3")]].tolist() == [16, 3, 71]
    assert np.bincount(net.nodes.rail[net.endpoint_nodes]).tolist() == [2] * 72


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gpus": 30, "domain_size": 4, "radix": 8}, "30 GPUs do not make whole domains of 4 .*gpus: 28"),
        ({"domain_size": 4, "radix": 8}, "neither gpus nor nodes say"),
        ({"gpus": 4 * 600, "domain_size": 4, "radix": 8}, "600 endpoints do not fit 3 tiers of radix 8"),
    ],
)
def test_what_makes_no_rails_is_refused(keys, message):
    """With the nearest that does."""
    with pytest.raises(TopologyError, match=message):
        built(**keys)


@pytest.mark.parametrize(("together", "leaves"), [(1, 8), (2, 4), (4, 2), (8, 1)])
def test_neighbouring_rails_may_share_a_switch(together, leaves):
    """4 domains of 8: with k rails together, 8 / k switches of 4k endpoints, each with the NICs of its rails."""
    net = built(gpus=32, domain_size=8, radix=32, rails_per_switch=together)
    assert int(net.is_switch.sum()) == leaves
    assert nx.number_connected_components(nx.Graph(to_networkx(net))) == leaves
    for end in net.endpoint_nodes.tolist():
        (leaf,) = net.links.dst[net.links.src == end]
        assert net.nodes.rail[leaf] == net.nodes.rail[end] // together * together
    assert (net.ports_used[net.is_switch] == 4 * together).all()


def test_rails_that_share_a_clos_meet():
    """64 GPUs of 4 rails, 2 together: two Clos of 32 endpoints, 8 leaves and 4 spines of 8 ports."""
    net = built(gpus=64, domain_size=4, radix=8, rails_per_switch=2)
    assert nx.number_connected_components(nx.Graph(to_networkx(net))) == 2
    assert int(net.is_switch.sum()) == 2 * 12


def test_rails_that_do_not_split_are_refused():
    with pytest.raises(
        TopologyError, match=r"8 rails do not split into switches of 3.*1, 2, 4, 8 divide domain_size: 8"
    ):
        built(gpus=32, domain_size=8, radix=32, rails_per_switch=3)
