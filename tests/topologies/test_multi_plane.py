"""Independent planes: what is on which, and names that fit the nodes of a scenario."""

import networkx as nx
import pytest
from pydantic import ValidationError

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.validate import validate

PLANE = {
    "kind": "leaf-spine", "leaves": 2, "spines": 2, "hosts_per_leaf": 8, "host_speed": "400G", "uplink_speed": "400G",
}  # fmt: skip


def multi_plane(hosts=(), planes=4, plane=PLANE):
    return TOPOLOGIES["multi-plane"]({"planes": planes, "plane": plane}, hosts=hosts)


def plane_of_endpoint(net, name):
    node = net.node(name)
    return sorted(net.nodes.plane[net.links.dst[net.links.src == node]].tolist())


def test_nic_i_of_a_gpu_is_on_plane_i():
    net = multi_plane([HostGroup("gpu", ("n0", "n1", "n2"), 8, 400.0, "per-gpu")])
    for nic in range(8):
        assert plane_of_endpoint(net, f"n1.nic{nic}") == [nic % 4]
        assert net.nodes.rail[net.node(f"n1.nic{nic}")] == nic
    assert [net.nodes.name[node] for node in net.endpoint_nodes[:2]] == ["n0.nic0", "n0.nic1"]
    assert [problem.code for problem in validate(net)] == ["FP3015"]  # planes never meet


def test_shared_nics_and_ports_of_a_nic_reach_every_plane():
    shared = multi_plane([HostGroup("gpu", ("n0", "n1"), 8, 400.0, "shared")])
    assert plane_of_endpoint(shared, "n0") == [0, 0, 1, 1, 2, 2, 3, 3]
    ported = multi_plane([HostGroup("gpu", ("n0", "n1"), 2, 400.0, "per-gpu", ports=4)])
    assert plane_of_endpoint(ported, "n1.nic1") == [0, 1, 2, 3]
    assert ported.nodes.nics[ported.node("n1.nic1")] == 4
    assert validate(ported) == []


def test_switches_of_two_planes_are_not_joined():
    net = multi_plane()
    graph = nx.Graph()
    switch = net.is_switch
    for a, b in zip(net.links.src.tolist(), net.links.dst.tolist(), strict=True):
        if switch[a] and switch[b]:
            graph.add_edge(a, b)
    assert len(list(nx.connected_components(graph))) == 4


def test_planes_may_be_of_any_kind_with_optical_switches_too():
    net = multi_plane(planes=2, plane={"kind": "torus", "dims": [4, 4], "speed": "100G", "cube": 2, "ocs": 32})
    ocs = [node for node, name in enumerate(net.nodes.name) if "ocs" in name]
    assert len(ocs) == 8
    assert (net.ports_used[ocs] == 8).all()


def test_what_does_not_spread_is_refused():
    for group in (HostGroup("g", ("n0",), 6, 400.0, "per-gpu"), HostGroup("g", ("n0",), 1, 400.0, "shared", ports=3)):
        with pytest.raises(TopologyError, match="do not spread over 4 planes"):
            multi_plane([group])
    with pytest.raises(ValidationError, match="unknown topology kind"):
        multi_plane(plane={"kind": "leafspine"})
    with pytest.raises(TopologyError, match=r"plane\.radix: radix 7 is odd"):
        multi_plane(plane={"kind": "fat-tree", "radix": 7, "speed": "100G"})
