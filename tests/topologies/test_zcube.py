"""ZCube by the figures of its paper (Yan et al., SIGCOMM 2025), and what its two groups of switches promise.

What the paper says was read in summaries of it and in network files that others generated from it, as its own text was
not at hand: ZCube(n, 1) is a switch with n GPUs; ZCube(n, k + 1) is n ZCube(n, k) and n^k switches; switches of the
first and the last level have 2n ports, others 3n; any two GPUs are k switches apart.
"""

import networkx as nx
import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.summary import summarise
from topologies.validate import validate


def zcube(hosts=(), **keys):
    return TOPOLOGIES["zcube"]({"dims": [4, 4], "speed": "200G"} | keys, hosts=hosts)


def graph_of(net):
    graph = nx.Graph()
    graph.add_edges_from(zip(net.links.src.tolist(), net.links.dst.tolist(), strict=True))
    return graph


def switches_between(net, one, others):
    """Switches on a shortest path from an endpoint to each of others, hosts forwarding nothing."""
    graph = graph_of(net)
    ends = set(net.endpoint_nodes.tolist())
    found = []
    for other in others:
        part = graph.subgraph(set(graph) - (ends - {one, other}))
        found.append(nx.shortest_path_length(part, one, other) - 1)
    return found


def test_sixteen_thousand_gpus_take_the_switches_and_cables_of_the_paper():
    """Table 6: ZCube(128, 2) has 256 switches of 256 ports of 200G and 49,152 cables; ROFT 640, HPN 384."""
    found = summarise(zcube(dims=[128, 128], switch={"model": "eth-128x400", "breakout": "2x200"}))
    assert (found.switches, found.cables, found.endpoints) == (256, 49_152, 2 * 16_384)
    assert found.ports_used_max_by_role == found.ports_available_by_role == {"switch": 256}
    assert set(found.port_gbps_by_tier.values()) == {200.0}
    assert (found.groups, found.planes, found.pods) == (2, 1, 0)


@pytest.mark.parametrize(("gpus", "n", "switches"), [(16, 4, 8), (256, 16, 32), (1024, 32, 64)])
def test_smaller_ones_have_the_counts_of_the_testbed_and_of_files_of_others(gpus, n, switches):
    """Figure 11: 16 GPUs on 8 switches by 48 cables of 200G; SimAI files of 256 and 1,024 GPUs."""
    found = summarise(zcube(dims=[n, n]))
    assert (found.nodes_by_role["host"], found.switches, found.cables) == (gpus, switches, 3 * gpus)


@pytest.mark.parametrize("keys", [{}, {"dims": [3, 5], "hosts_per_place": 2, "parallel": 3}])
def test_the_two_groups_are_a_complete_bipartite_graph(keys):
    net = zcube(**keys)
    graph = graph_of(net).subgraph(np.flatnonzero(net.is_switch).tolist())
    sides = [set(np.flatnonzero(net.is_switch & (net.nodes.plane == side)).tolist()) for side in (0, 1)]
    assert nx.is_isomorphic(graph, nx.complete_bipartite_graph(len(sides[0]), len(sides[1])))
    assert nx.bipartite.is_bipartite_node_set(graph, sides[0])
    between = net.links.tier == net.tiers.index("switch-switch")
    assert set(net.parallel_count[between].tolist()) == {keys.get("parallel", 1)}


@pytest.mark.parametrize(
    ("keys", "most"),
    [
        ({"dims": [3, 3]}, 2),
        ({"dims": [3, 3, 3]}, 3),
        ({"dims": [2, 2, 2, 2]}, 4),
        ({"dims": [3, 3, 3], "nic_ports": 2}, 4),
    ],
)
def test_gpus_are_as_many_switches_apart_as_the_paper_says(keys, most):
    """Table 2: ZCube(n, 2) 2, ZCube(n, 3) 3, ZCube(n, 4) 4, ZCube(n, 3)-partial 4."""
    net = zcube(**keys)
    one, *others = net.endpoint_nodes.tolist()
    assert max(switches_between(net, one, others)) == most
    assert validate(net) == []


def test_switches_of_levels_between_have_three_times_n_ports():
    """Section 5: 2n at level 0 and k - 1, 3n between."""
    net = zcube(dims=[4, 4, 4])
    used = [set(net.ports_used[net.is_switch & (net.nodes.plane == level)].tolist()) for level in range(3)]
    assert used == [{8}, {12}, {8}]
    assert np.bincount(net.nodes.plane[net.is_switch]).tolist() == [16, 16, 16]


def test_any_two_switches_of_neighbouring_groups_share_one_nic_of_every_place():
    """A NIC is a place of the mesh: where two switches are cabled, hosts_per_place NICs are on both."""
    net = zcube(dims=[3, 2], hosts_per_place=2)
    homes = [net.links.dst[net.links.src == end].tolist() for end in net.endpoint_nodes.tolist()]
    pairs = {tuple(home) for home in homes}
    assert all(net.nodes.plane[home].tolist() == [0, 1] for home in homes)
    assert len(pairs) == 6
    assert all(homes.count(list(pair)) == 2 for pair in pairs)


def test_nics_of_a_host_are_on_one_switch_of_group_0_and_on_rails_of_group_1():
    """Figure 24: a level-0 switch has 16 servers of 8 GPUs; GPU i of all of them is on the same switch of level 1."""
    group = HostGroup("gpu", tuple(f"n{i}" for i in range(16)), 8, 200.0, "per-gpu", ports=2)
    net = zcube([group], dims=[16, 8], switch={"radix": 64, "speed": "200G"})
    nodes, links = net.nodes, net.links
    for host in range(16):
        homes = np.array([links.dst[links.src == net.node(f"n{host}.nic{nic}")] for nic in range(8)])
        assert len(set(homes[:, 0].tolist())) == 1
        assert len(set(homes[:, 1].tolist())) == 8
        assert nodes.name[homes[0, 0]] == f"group0/switch{host // 2}"
        assert [nodes.name[home] for home in homes[:, 1]] == [f"group1/switch{host % 2 * 8 + i}" for i in range(8)]
    assert nodes.rail[net.node("n3.nic5")] == 5


def test_shared_nics_are_one_endpoint_with_all_ports():
    """Eight NICs of two ports, or sixteen of one."""
    for nics, ports in ((8, 2), (16, 1)):
        net = zcube([HostGroup("gpu", ("n0", "n1"), nics, 200.0, "shared", ports=ports)], dims=[16, 2])
        assert net.nodes.nics[net.node("n1")] == 16
        homes = net.links.dst[net.links.src == net.node("n1")]
        assert sorted(net.nodes.plane[homes].tolist()) == [0] * 8 + [1] * 8


@pytest.mark.parametrize(
    ("group", "keys", "words"),
    [
        (HostGroup("gpu", ("n0",), 8, 200.0, "per-gpu"), {"dims": [8, 8]}, "ports: 2"),
        (HostGroup("gpu", ("n0",), 8, 200.0, "per-gpu", ports=4), {"dims": [8, 8]}, "dims of 4 sizes"),
        (HostGroup("gpu", ("n0",), 3, 200.0, "shared"), {}, "2 ports of each"),
        (HostGroup("gpu", ("n0",), 1, 400.0, "shared", ports=2), {}, "400G NICs"),
        (HostGroup("gpu", tuple(f"n{i}" for i in range(17)), 1, 200.0, "shared", ports=2), {}, "do not fit"),
        (HostGroup("gpu", ("n0",), 8, 200.0, "per-gpu", ports=2), {}, "needs 8 ports on one leaf"),
    ],
)
def test_hosts_that_do_not_fit_are_refused_with_what_would(group, keys, words):
    with pytest.raises(TopologyError, match=words):
        zcube([group], **keys)


@pytest.mark.parametrize("ports", [1, 3])
def test_nics_have_a_port_on_two_groups_or_more(ports):
    with pytest.raises(TopologyError, match="do not go to 2 groups"):
        zcube(nic_ports=ports)


def test_too_many_ports_are_found_by_the_port_check():
    net = zcube(dims=[16, 16], hosts_per_place=3, switch={"model": "eth-64x400", "breakout": "2x200"})
    assert validate(net) == []
    net = zcube(dims=[32, 16], hosts_per_place=4, switch={"model": "eth-64x400", "breakout": "2x200"})
    assert "FP3011" in [problem.code for problem in validate(net)]
