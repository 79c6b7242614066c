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


def test_one_nic_of_four_ports_is_one_endpoint_with_two_ports_on_each_of_two_planes():
    net = multi_plane([HostGroup("gpu", ("n0", "n1"), 1, 400.0, "per-gpu", ports=4)], planes=2)
    assert plane_of_endpoint(net, "n1") == [0, 0, 1, 1]
    assert net.nodes.nics[net.node("n1")] == 4
    assert len(net.endpoint_nodes) == 2


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


SPREADS = [(8, 2, 16), (4, 2, 8), (8, 1, 8), (8, 4, 32), (8, 2, 4), (8, 2, 2), (6, 2, 4), (1, 4, 4), (2, 3, 6)]


@pytest.mark.parametrize(("nics", "ports", "planes"), SPREADS)
@pytest.mark.parametrize("rail", ["per-gpu", "shared"])
def test_ports_spread_over_planes(nics, ports, planes, rail):
    """Port j of NIC i is port i x ports + j of its node, on that plane modulo their number; as many ports on each."""
    net = multi_plane([HostGroup("gpu", ("n0", "n1"), nics, 400.0, rail, ports=ports)], planes=planes)
    for host in ("n0", "n1"):
        if rail == "shared" or nics == 1:
            each = nics * ports // planes
            assert plane_of_endpoint(net, host) == sorted(list(range(planes)) * each)
            continue
        for nic in range(nics):
            wanted = sorted((nic * ports + port) % planes for port in range(ports))
            assert plane_of_endpoint(net, f"{host}.nic{nic}") == wanted
            assert net.nodes.nics[net.node(f"{host}.nic{nic}")] == ports
    assert {problem.code for problem in validate(net)} <= {"FP3015"}
    assert int(net.nodes.nics.sum()) == 2 * nics * ports


@pytest.mark.parametrize(
    ("nics", "ports", "planes", "rail", "words"),
    [
        (8, 2, 12, "per-gpu", "8 per-gpu NIC.* of 2 ports .*do not spread over 12 planes.*planes: 2, 4, 8, 16 would"),
        (8, 2, 32, "shared", "do not spread over 32 planes.*planes: 2, 4, 8, 16 would"),
        (8, 4, 2, "per-gpu", "planes: 4, 8, 16, 32 would"),
        (1, 1, 2, "shared", "1 shared NIC.*or give it NICs with ports: 2"),
    ],
)
def test_planes_that_do_not_divide_are_refused_with_those_that_do(nics, ports, planes, rail, words):
    with pytest.raises(TopologyError, match=words):
        multi_plane([HostGroup("gpu", ("n0",), nics, 400.0, rail, ports=ports)], planes=planes)


def test_what_a_plane_has_to_say_is_said():
    """5 down and 2 up of 8 ports are 2.5:1."""
    plane = {"kind": "clos", "radix": 8, "speed": "400G", "tiers": 2}
    net = multi_plane(planes=2, plane=plane | {"oversubscription": {"leaf": 2.7, "at_most": True}})
    assert net.said == ("every plane: leaves are 2.5:1 by the links that are there; at most 2.7:1 was asked for",)
