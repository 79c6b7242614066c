"""NetworkX graphs of every kind in, and every column out and back."""

from __future__ import annotations

from dataclasses import fields

import networkx as nx
import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.errors import TopologyError
from topologies.networkx_adapter import from_networkx, to_networkx
from topologies.validate import validate


@pytest.fixture
def mixed():
    """Every column in use: hosts, breakout, parallel and lopsided cables, one-way links, one cable down.

        s0 -> s1      two one-way links against each other, which are not a cable
        ||     |
        l0    l1
       /  \\     \\
      h0  h1    h2
    """
    net = assemble("mixed", "test")
    leaf = net.switches("leaf", ["l0", "l1"], level=1, radix=8, pod=[0, 1], unit=[3, 4], rail=[0, 1])
    spine = net.switches("spine", ["s0", "s1"], level=2, radix=16, plane=[0, 1])
    host = net.hosts(["h0", "h1", "h2"], nics=[1, 1, 2], rail=[0, 1, 2])
    net.cables(host, leaf[[0, 0, 1]], 200.0, upper_ports=0.5, length_m=3.0)
    net.cables(leaf[:1], spine[:1], 400.0, parallel=2, weight=2.0, back_gbps=100.0, back_weight=7.0)
    net.cables(leaf[1:], spine[1:], 400.0, delay_us=0.5)
    net.one_way(spine[:1], spine[1:], 800.0, tier="ring")
    net.one_way(spine[1:], spine[:1], 800.0, tier="ring")
    return net.freeze().with_down(links=[6])


def assert_same(one, other):
    """Every column and code table is equal, not-a-number to itself."""
    for key in ("name", "kind", "roles", "tiers"):
        assert getattr(one, key) == getattr(other, key), key
    np.testing.assert_array_equal(one.up, other.up)
    for part in ("nodes", "links"):
        for column in fields(getattr(one, part)):
            ours, theirs = getattr(getattr(one, part), column.name), getattr(getattr(other, part), column.name)
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{part}.{column.name}")


def test_the_round_trip_keeps_every_column(mixed):
    """Columns, code tables and the mask of what is up."""
    assert_same(from_networkx(to_networkx(mixed), name="mixed", kind="test"), mixed)


def test_the_graph_has_the_documented_attributes(mixed):
    """Keys of edges are link ids; values are plain Python, so that any writer of NetworkX takes them."""
    graph = to_networkx(mixed)
    assert isinstance(graph, nx.MultiDiGraph)
    assert graph.number_of_edges() == len(mixed.links)
    assert set(graph.nodes["l0"]) == {
        "role", "level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards",
    }  # fmt: skip
    assert set(graph.edges["l0", "s0", 6]) == {
        "capacity_gbps", "weight", "tier", "length_m", "delay_us", "src_ports", "up", "reverse",
    }  # fmt: skip
    assert graph.nodes["h2"]["nics"] == 2
    assert graph.edges["l0", "s0", 6]["up"] is False
    assert graph.edges["l0", "s0", 6]["capacity_gbps"] == 400.0
    assert type(graph.edges["s0", "l0", 7]["weight"]) is float


def test_shortest_paths_of_networkx_see_the_weights(mixed):
    """The attribute is called weight so that NetworkX uses it unasked: h0 - l0 - s0 - s1 is 1 + 2 + 1."""
    assert nx.shortest_path_length(to_networkx(mixed), "h0", "s1", weight="weight") == 4


def test_a_removed_edge_leaves_its_other_direction_one_way(mixed):
    """The mate is gone, so the link has no reverse; the other cables keep theirs."""
    graph = to_networkx(mixed)
    graph.remove_edge("l0", "s0", 6)
    net = from_networkx(graph, name="cut")
    lonely = next(
        row for row in range(len(net.links)) if net.link_name(row).startswith("s0 -> l0") and net.links.reverse[row] < 0
    )
    assert net.links.capacity_gbps[lonely] == 100.0
    assert (net.links.reverse < 0).sum() == 3
    assert validate(net) == []


@pytest.mark.parametrize("kind", [nx.Graph, nx.MultiGraph])
def test_an_undirected_edge_is_a_full_duplex_cable(kind):
    """Two links of the whole capacity each."""
    graph = kind()
    graph.add_edge("a", "b", capacity_gbps=100, weight=3, length_m=10, tier="wan")
    graph.add_edge("b", "c", capacity_gbps=40.0)
    net = from_networkx(graph, name="three")
    assert net.links.capacity_gbps.tolist() == [100, 100, 40, 40]
    assert net.links.weight.tolist() == [3, 3, 1, 1]
    assert net.links.reverse.tolist() == [1, 0, 3, 2]
    assert net.tiers == ("wan", "router-router")
    assert validate(net) == []


def test_defaults_are_routers_where_demand_may_start():
    """Role router, level 1, one NIC, forwards; nothing is known about ports and places."""
    graph = nx.path_graph(2)
    nx.set_edge_attributes(graph, 100.0, "capacity_gbps")
    net = from_networkx(graph, name="path")
    assert net.kind == "networkx"
    assert net.nodes.name == ("0", "1")
    assert net.roles == ("router",)
    for key, value in {"level": 1, "nics": 1, "forwards": True, "pod": -1, "rail": -1, "plane": -1, "radix": 0}.items():
        assert getattr(net.nodes, key).tolist() == [value, value], key
    assert np.isnan(net.links.length_m).all()
    assert net.links.src_ports.tolist() == [1, 1]
    assert net.up.all()


def test_hosts_do_not_forward_unless_told():
    """The roles host and nic stand for endpoints at level 0; attributes win over the role."""
    graph = nx.Graph()
    graph.add_node("h", role="host")
    graph.add_node("server", role="host", forwards=True, level=1)
    graph.add_node("leaf", role="leaf", nics=0)
    graph.add_edge("h", "leaf", capacity_gbps=1)
    graph.add_edge("leaf", "server", capacity_gbps=1)
    net = from_networkx(graph, name="hosts")
    assert net.nodes.forwards.tolist() == [False, True, True]
    assert net.nodes.level.tolist() == [0, 1, 1]
    assert net.nodes.nics.tolist() == [1, 1, 0]
    assert net.tiers == ("host-leaf",)


@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiDiGraph])
def test_directed_edges_pair_up_where_both_directions_exist(kind):
    """a <-> b is a cable with two speeds, b -> c a one-way link."""
    graph = kind()
    graph.add_edge("a", "b", capacity_gbps=100)
    graph.add_edge("b", "a", capacity_gbps=10)
    graph.add_edge("b", "c", capacity_gbps=50)
    net = from_networkx(graph, name="directed")
    assert net.links.reverse.tolist() == [1, 0, -1]
    assert net.links.capacity_gbps.tolist() == [100, 10, 50]


def test_parallel_directed_edges_pair_in_order():
    """Three a -> b and two b -> a: two cables, and the third a -> b alone."""
    graph = nx.MultiDiGraph()
    for gbps in (1, 2, 3):
        graph.add_edge("a", "b", capacity_gbps=gbps)
    for gbps in (10, 20):
        graph.add_edge("b", "a", capacity_gbps=gbps)
    net = from_networkx(graph, name="parallel")
    assert net.links.capacity_gbps.tolist() == [1, 2, 3, 10, 20]
    assert net.links.reverse.tolist() == [3, 4, -1, 0, 1]


def test_a_missing_capacity_names_every_edge_that_lacks_it():
    """Each undirected edge is told once."""
    graph = nx.Graph([("a", "b"), ("b", "c")])
    with pytest.raises(TopologyError, match="edge a -> b has no capacity_gbps") as raised:
        from_networkx(graph, name="bare")
    assert [problem.message for problem in raised.value.problems] == [
        "edge a -> b has no capacity_gbps",
        "edge b -> c has no capacity_gbps",
    ]
    assert "in Gbps" in raised.value.problems[0].hint


def test_at_most_twenty_problems_are_reported():
    """A graph without any capacity has one cause."""
    with pytest.raises(TopologyError, match="no capacity_gbps") as raised:
        from_networkx(nx.path_graph(100), name="bare")
    assert len(raised.value.problems) == 20


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"capacity_gbps": "400G"}, "edge a -> b has capacity_gbps '400G', which is not a number"),
        ({"capacity_gbps": True}, "edge a -> b has capacity_gbps True, which is not a number"),
        ({"capacity_gbps": 1, "weight": "low"}, "edge a -> b has weight 'low', which is not a number"),
        ({"capacity_gbps": 1, "up": "no"}, "edge a -> b has up 'no', which is not true or false"),
    ],
)
def test_an_edge_attribute_of_the_wrong_type_is_refused(attributes, message):
    """A word is not read as a number."""
    graph = nx.Graph()
    graph.add_edge("a", "b", **attributes)
    with pytest.raises(TopologyError, match=message):
        from_networkx(graph, name="wrong")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"nics": 1.5}, "a has nics 1.5, which is not a whole number"),
        ({"level": "top"}, "a has level 'top', which is not a whole number"),
        ({"pod": 2**40}, "which is not a whole number"),
        ({"forwards": 1}, "a has forwards 1, which is not true or false"),
    ],
)
def test_a_node_attribute_of_the_wrong_type_is_refused(attributes, message):
    """Whole numbers are whole, and truth is true or false."""
    graph = nx.Graph()
    graph.add_node("a", **attributes)
    with pytest.raises(TopologyError, match=message):
        from_networkx(graph, name="wrong")


def test_an_edge_to_itself_is_refused():
    """No port is cabled to its own switch."""
    graph = nx.Graph()
    graph.add_edge("a", "a", capacity_gbps=1)
    with pytest.raises(TopologyError, match="node a has an edge to itself"):
        from_networkx(graph, name="loop")


def test_nodes_whose_names_are_alike_as_text_are_refused():
    """1 and "1" are two nodes in NetworkX and one name here."""
    graph = nx.Graph()
    graph.add_edge(1, "1", capacity_gbps=1)
    with pytest.raises(TopologyError, match="two nodes are called '1'"):
        from_networkx(graph, name="alike")


def test_an_empty_graph_is_an_empty_topology():
    """No nodes, no links, no error."""
    net = from_networkx(nx.DiGraph(), name="empty")
    assert len(net.nodes) == len(net.links) == 0
    assert_same(from_networkx(to_networkx(net), name="empty", kind="networkx"), net)
