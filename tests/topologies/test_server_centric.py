"""BCube and DCell: addresses, ports, diameters, and hosts that forward."""

import networkx as nx
import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.builders.dcell import servers_of
from topologies.distances import distances
from topologies.errors import TopologyError
from topologies.hosts import HostGroup


def graph_of(net):
    graph = nx.MultiGraph()
    cable = net.is_cable
    graph.add_edges_from(zip(net.links.src[cable].tolist(), net.links.dst[cable].tolist(), strict=True))
    return graph


@pytest.mark.parametrize(("n", "k"), [(2, 0), (2, 3), (3, 2), (4, 1), (8, 1)])
def test_a_bcube_switch_joins_servers_that_differ_in_one_digit(n, k):
    """Guo 2009, section 3: n^(k+1) servers; two of one switch of layer l differ in digit l alone; diameter k+1."""
    net = TOPOLOGIES["bcube"]({"n": n, "k": k, "speed": "10G"})
    graph = graph_of(net)
    for node in np.flatnonzero(net.is_switch).tolist():
        addresses = [net.nodes.name[host].removeprefix("h").split(".") for host in graph[node]]
        assert len(addresses) == n
        layer, *others = net.nodes.name[node].removeprefix("switch").split(".")
        layer = int(layer)
        assert all(address[: k - layer] + address[k - layer + 1 :] == others for address in addresses)
        for digit in range(k + 1):
            values = {address[k - digit] for address in addresses}
            assert len(values) == (n if digit == layer else 1)
    assert distances(net).diameter_hops == 2 * (k + 1)  # every step is a switch and a server


@pytest.mark.parametrize(("n", "k"), [(2, 0), (2, 2), (4, 1), (3, 2), (6, 1)])
def test_a_dcell_joins_every_two_cells_of_a_level_once(n, k):
    """Guo 2008, section 3 and theorem 1: t_k servers, diameter at most 2^(k+1) - 1 links between servers."""
    net = TOPOLOGIES["dcell"]({"n": n, "k": k, "speed": "10G"})
    graph = graph_of(net)
    hosts = net.endpoint_nodes.tolist()
    assert len(hosts) == servers_of(n, k)
    assert all(graph.degree(host) == k + 1 for host in hosts)
    if k == 1:
        cells = nx.Graph()
        for a, b in graph.edges():
            if a in hosts and b in hosts:
                assert not cells.has_edge(a // n, b // n)
                cells.add_edge(a // n, b // n)
        assert cells.number_of_edges() == (n + 1) * n // 2
    # A step through a switch is two links of ours and one hop of the paper's.
    weight = {True: 0.5, False: 1.0}
    weighted = nx.Graph()
    for a, b in graph.edges():
        weighted.add_edge(a, b, weight=weight[bool(net.is_switch[a] or net.is_switch[b])])
    if len(hosts) <= 200:
        far = max(max(row.values()) for _, row in nx.all_pairs_dijkstra_path_length(weighted))
        assert far <= 2 ** (k + 1) - 1


def test_listed_servers_need_a_port_per_level_and_places():
    good = HostGroup("s", tuple(f"n{i}" for i in range(4)), 2, 10.0)
    assert TOPOLOGIES["bcube"]({"n": 2, "k": 1, "speed": "10G"}, hosts=[good]).nodes.name[:4] == (
        "n0",
        "n1",
        "n2",
        "n3",
    )
    with pytest.raises(TopologyError, match="a server here has 3 ports"):
        TOPOLOGIES["bcube"]({"n": 2, "k": 2, "speed": "10G"}, hosts=[good])
    many = HostGroup("s", tuple(f"n{i}" for i in range(5)), 2, 10.0)
    with pytest.raises(TopologyError, match="do not fit 4 places"):
        TOPOLOGIES["bcube"]({"n": 2, "k": 1, "speed": "10G"}, hosts=[many])
    with pytest.raises(TopologyError, match="nearest sizes are"):
        TOPOLOGIES["dcell"]({"n": 2, "k": 1, "speed": "10G"}, hosts=[good])
