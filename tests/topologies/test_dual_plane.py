"""Alibaba's HPN 7.0 by the numbers of its paper, and what its planes promise."""

import networkx as nx
import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.validate import validate

HPN = {
    "segments": 15, "hosts_per_segment": 128, "gpus_per_host": 8, "nic_ports": 2, "port_speed": "200G",
    "tor_uplinks": 60, "uplink_speed": "400G", "aggs_per_plane": 60, "agg_uplinks": 8, "pods": 1, "backup_ports": 8,
}  # fmt: skip


def dual_plane(hosts=(), **keys):
    return TOPOLOGIES["dual-plane"](HPN | keys, hosts=hosts)


def test_a_pod_has_the_figures_of_the_paper():
    """Qian et al., SIGCOMM 2024: 15 segments of 1,024 GPUs, ToRs of 128 + 8 ports down and 60 up, 15:1 above."""
    found = summarise(dual_plane())
    assert found.gpus == 15_360
    assert found.planes == 2
    assert found.nodes_by_role["tor"] == 15 * 16
    assert found.nodes_by_role["agg"] == 120
    assert found.ports_used_max_by_role["tor"] == 128  # 136 halves and 60 whole ports of 400 Gb/s
    assert found.oversubscription_by_role["tor"] == pytest.approx(128 * 200 / (60 * 400))
    assert found.oversubscription_by_role["agg"] == pytest.approx(15.0)
    assert found.cables_by_tier == {
        "host-tor": 30_720, "backup-tor": 1_920, "tor-agg": 14_400, "agg-core": 960,
    }  # fmt: skip


def test_planes_meet_only_in_the_core():
    net = dual_plane(segments=2, hosts_per_segment=4, tor_uplinks=4, aggs_per_plane=2, agg_uplinks=2, pods=2)
    graph = nx.Graph()
    below = (net.nodes.level < 3) & (net.nodes.level > 0)
    for a, b in zip(net.links.src.tolist(), net.links.dst.tolist(), strict=True):
        if below[a] and below[b]:
            graph.add_edge(a, b)
    for part in nx.connected_components(graph):
        assert len({int(net.nodes.plane[node]) for node in part}) == 1
    for node in net.endpoint_nodes.tolist():
        homes = net.links.dst[net.links.src == node]
        assert sorted(net.nodes.plane[homes].tolist()) == [0, 1]
        assert len(set(net.nodes.rail[homes].tolist())) == 1


def test_backup_hosts_have_a_cable_to_every_tor_and_end_no_traffic():
    net = dual_plane(segments=1, hosts_per_segment=4, tor_uplinks=4, aggs_per_plane=2, backup_ports=2)
    backup = [node for node, name in enumerate(net.nodes.name) if "backup" in name]
    assert len(backup) == 2
    assert (net.nodes.nics[backup] == 0).all()
    assert all(np.count_nonzero(net.links.src == node) == 16 for node in backup)


@pytest.mark.parametrize(("pods", "uplinks", "aggs"), [(1, 8, 60), (2, 8, 60), (8, 8, 60), (64, 4, 12), (3, 6, 10)])
def test_cores_are_the_fewest_that_take_the_uplinks_evenly(pods, uplinks, aggs):
    net = dual_plane(pods=pods, agg_uplinks=uplinks, aggs_per_plane=aggs, segments=1, hosts_per_segment=1)
    core = net.nodes.level == 3
    used = net.ports_used[core]
    assert used.max() <= 128
    assert len(set(used.tolist())) == 1
    assert core.sum() >= pods * 2 * aggs * uplinks / 128


def test_listed_hosts_have_nics_of_two_ports():
    group = HostGroup("gpu", tuple(f"n{i}" for i in range(6)), 8, 200.0, "per-gpu", ports=2)
    net = dual_plane([group], segments=2, hosts_per_segment=4, tor_uplinks=4, aggs_per_plane=2, agg_uplinks=0)
    assert net.nodes.nics[net.node("n5.nic7")] == 2
    assert len(net.endpoint_nodes) == 48
    shared = HostGroup("gpu", ("n0",), 8, 200.0, "shared", ports=2)
    assert dual_plane([shared], segments=1, agg_uplinks=0).nodes.nics.max() == 16


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tor_uplinks": 50}, "do not spread evenly"),
        ({"pods": 2, "agg_uplinks": 0}, "no uplinks"),
        ({"pods": 65}, "pods: 64 is the most"),
        ({"switch": {"model": "eth-64x400"}}, ""),
    ],
)
def test_what_cannot_be_is_refused_or_found_by_the_port_check(keys, words):
    from topologies.validate import validate

    if words:
        with pytest.raises(TopologyError, match=words):
            dual_plane(**keys)
    else:
        assert "FP3011" in [problem.code for problem in validate(dual_plane(**keys))]


def test_hosts_with_other_nics_are_refused():
    for group in (
        HostGroup("gpu", ("n0",), 8, 200.0, "per-gpu"),
        HostGroup("gpu", ("n0",), 4, 200.0, "per-gpu", ports=2),
    ):
        with pytest.raises(TopologyError, match="not 8 of 2"):
            dual_plane([group])


def test_sixteen_planes_keep_the_rails_of_eight_nics_apart():
    """Port p of NIC i in plane 2i + p: its ToR meets aggregation switches of that plane only."""
    keys = {
        "segments": 2, "hosts_per_segment": 4, "gpus_per_host": 8, "port_speed": "200G", "tor_uplinks": 2,
        "uplink_speed": "400G", "aggs_per_plane": 2, "agg_uplinks": 2, "planes": 16,
    }  # fmt: skip
    net = TOPOLOGIES["dual-plane"](keys)
    nodes, links = net.nodes, net.links
    tor, agg = net.roles.index("tor"), net.roles.index("agg")
    assert int((nodes.role == agg).sum()) == 32
    up = (nodes.role[links.src] == tor) & (nodes.role[links.dst] == agg)
    assert (nodes.plane[links.src[up]] == nodes.plane[links.dst[up]]).all()
    for end in net.endpoint_nodes.tolist():
        planes = sorted(nodes.plane[links.dst[links.src == end]].tolist())
        assert planes == [2 * nodes.rail[end], 2 * nodes.rail[end] + 1]
    assert validate(net) == []
    with pytest.raises(
        TopologyError, match=r"8 NICs of 2 ports do not spread over 12 planes.*planes: 2, 4, 8, 16 would"
    ):
        TOPOLOGIES["dual-plane"](keys | {"planes": 12})


def test_nics_faster_than_the_switch_are_refused():
    keys = {"segments": 1, "hosts_per_segment": 4, "port_speed": "800G", "tor_uplinks": 2, "uplink_speed": "400G"}
    with pytest.raises(TopologyError, match="port_speed is 800G but the ports of the switch run at 400G"):
        TOPOLOGIES["dual-plane"]({**keys, "aggs_per_plane": 2})
