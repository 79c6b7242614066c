"""Dragonfly, Dragonfly+, Slim Fly, HyperX, torus, Jellyfish, Xpander: shape, ports and refusals, by NetworkX."""

from __future__ import annotations

from math import prod

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.finite_field import finite_field, prime_power
from topologies.flat import between_groups
from topologies.validate import validate


def built(kind, **keys):
    """A topology with cables of 100G."""
    return TOPOLOGIES[kind]({"speed": "100G", **keys})


def switches_of(net) -> nx.MultiGraph:
    """Switches and the cables between them."""
    links, inside = net.links, net.is_cable & net.is_switch[net.links.src] & net.is_switch[net.links.dst]
    graph = nx.MultiGraph()
    graph.add_nodes_from(np.flatnonzero(net.is_switch).tolist())
    graph.add_edges_from(zip(links.src[inside].tolist(), links.dst[inside].tolist(), strict=True))
    return graph


# ---- Slim Fly --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [3, 4, 5, 7, 8, 9, 11, 13])
def test_any_two_switches_of_a_slim_fly_are_two_hops_apart(q):
    """2q² switches of degree (3q−δ)/2 and diameter 2, for prime and other prime-power orders."""
    graph = switches_of(built("slim-fly", q=q, p=1))
    delta = {1: 1, 3: -1}.get(q % 4, 0)
    assert len(graph) == 2 * q * q
    assert {degree for _, degree in graph.degree()} == {(3 * q - delta) // 2}
    assert nx.diameter(graph) == 2
    assert len(nx.Graph(graph).edges) == len(graph.edges)  # no doubled cables


def test_hosts_are_half_the_network_ports_unless_said():
    """q 7: degree 11, 6 hosts."""
    assert len(built("slim-fly", q=7).endpoint_nodes) == 98 * 6


@pytest.mark.parametrize(("q", "near"), [(6, "q 5 has 50 .*q 7 has 98"), (12, "q 11 .*q 13"), (2, "q 3 has 18")])
def test_an_order_that_is_no_prime_power_is_refused(q, near):
    """The nearest that can be built, with their sizes."""
    with pytest.raises(TopologyError, match=rf"q: q is {q}, which is not a prime power above 2; .*{near}"):
        built("slim-fly", q=q)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 7, 8, 9, 16, 25, 27])
def test_a_finite_field_is_one(order):
    """Rows of both tables are permutations, products distribute over sums, one element makes all others."""
    field, element = finite_field(order), np.arange(order)
    assert (np.sort(field.addition, axis=1) == element).all()
    assert (np.sort(field.multiplication[1:], axis=1) == element).all()
    add, times = field.addition, field.multiplication
    a, b, c = np.meshgrid(element, element, element, indexing="ij")
    np.testing.assert_array_equal(times[a, add[b, c]], add[times[a, b], times[a, c]])
    np.testing.assert_array_equal(times[a, times[b, c]], times[times[a, b], c])
    assert {field.power(exponent) for exponent in range(order - 1)} == set(range(1, order))
    assert [number for number in range(2, 28) if prime_power(number)] == [
        2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27,
    ]  # fmt: skip


# ---- Dragonfly -------------------------------------------------------------------------------------------------------


@given(st.integers(2, 20), st.integers(0, 60))
def test_global_cables_are_even_and_use_all_ports(groups, more):
    """Every two groups have as many cables as others, or one more; every port is used once."""
    ports = groups - 1 + more
    rows = between_groups(groups, ports)
    assert (rows[:, 0] != rows[:, 2]).all()
    ends = np.concatenate([rows[:, :2], rows[:, 2:]])
    used = np.bincount(ends[:, 0], minlength=groups)
    assert used.sum() == groups * ports // 2 * 2
    assert (used >= ports - 1).all()
    assert (used <= ports).all()
    assert len(np.unique(ends, axis=0)) == len(ends)
    assert ends[:, 1].max() < ports
    count = np.zeros((groups, groups), dtype=int)
    np.add.at(count, (rows[:, 0], rows[:, 2]), 1)
    count += count.T
    apart = count[~np.eye(groups, dtype=bool)]
    assert apart.max() - apart.min() <= 1


@pytest.mark.parametrize(
    ("p", "a", "h", "groups"), [(2, 4, 2, 9), (2, 4, 2, 5), (1, 4, 2, 7), (3, 6, 3, 19), (1, 4, 3, 2)]
)
def test_a_dragonfly_has_three_hops_at_most(p, a, h, groups):
    """Local, global, local; every router has its h global ports, doubled pairs among them."""
    net = built("dragonfly", p=p, a=a, h=h, groups=groups)
    assert nx.diameter(switches_of(net)) <= 3
    assert set(net.ports_used[net.is_switch].tolist()) == {p + a - 1 + h}
    assert validate(net) == []


def test_groups_default_to_the_most():
    """a·h + 1, one cable between every two groups."""
    assert int(built("dragonfly", p=1, a=4, h=2).nodes.pod.max()) == 8


def test_more_groups_than_global_ports_are_refused():
    """a·h = 8 reaches 9 groups."""
    with pytest.raises(TopologyError, match=r"groups: 10 groups need 9 global ports each.*they have 8 .*at most 9"):
        built("dragonfly", p=1, a=4, h=2, groups=10)


def test_a_dragonfly_plus_joins_groups_by_its_spines():
    """5 groups of 4 x 4, 16 global ports to 4 peers: 4 cables each; leaf to leaf in three hops between switches."""
    net = built("dragonfly-plus", groups=5, leaves=4, spines=4, p=2, global_links=4)
    graph = switches_of(net)
    assert set(net.ports_used[net.is_switch].tolist()) == {2 + 4, 4 + 4}
    leaves = [node for node in graph if net.roles[net.nodes.role[node]] == "leaf"]
    far = max(nx.single_source_shortest_path_length(graph, leaves[0])[leaf] for leaf in leaves)
    assert far == 3


# ---- grids -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(2, 5), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_a_hyperx_is_the_product_of_complete_graphs(dims):
    """As NetworkX multiplies them; the diameter is the number of dimensions."""
    graph = switches_of(built("hyperx", dims=dims, endpoints_per_switch=1))
    assert len(graph) == prod(dims)
    assert {degree for _, degree in graph.degree()} == {sum(dims) - len(dims)}
    assert nx.diameter(graph) == len(dims)
    product = nx.complete_graph(dims[0])
    for size in dims[1:]:
        product = nx.cartesian_product(product, nx.complete_graph(size))
    assert nx.faster_could_be_isomorphic(nx.Graph(graph), product)


@given(st.lists(st.integers(2, 6), min_size=1, max_size=3), st.booleans())
@settings(max_examples=25)
def test_a_torus_is_networkxs_grid(dims, wrap):
    """Half way round every ring, or all along every line."""
    graph = nx.Graph(switches_of(built("torus", dims=dims, wrap=wrap)))
    reference = nx.grid_graph(dims, periodic=wrap)
    assert sorted(degree for _, degree in graph.degree()) == sorted(degree for _, degree in reference.degree())
    assert nx.diameter(graph) == sum(size // 2 if wrap else size - 1 for size in dims) == nx.diameter(reference)


def test_one_dimension_may_stay_open():
    """A ring of 4 by a line of 3."""
    net = built("torus", dims=[4, 3], wrap=[True, False])
    assert len(switches_of(net).edges) == 12 + 8


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("hyperx", {"dims": [3, 1], "endpoints_per_switch": 1}, r"dims \[3, 1\] has a dimension of 1.*dims: \[3\]"),
        ("torus", {"dims": [1]}, r"dims \[1\] has a dimension of 1"),
        ("torus", {"dims": [3, 3], "wrap": [True]}, "wrap has 1 entries, but there are 2 dimensions"),
        ("jellyfish", {"switches": 5, "ports": 4, "network_ports": 3}, "leave one port over .*switches: 6"),
        ("jellyfish", {"switches": 9, "ports": 4, "network_ports": 4}, "4 network ports, but a switch has 4 ports"),
        ("xpander", {"switches": 16, "ports": 6, "network_ports": 4}, "not a multiple of 5.*switches: 15 or 20"),
        ("xpander", {"switches": 4, "ports": 9, "network_ports": 4}, "there are 3 other switches"),
        ("single-switch", {"speed": None}, "host ports of the switch are not known"),
        (
            "dragonfly",
            {"p": 1, "a": 2, "h": 1, "switch": {"model": "eth-64x400"}, "speed": "800G"},
            "speed is 800G but",
        ),
    ],
)
def test_networks_that_cannot_be_are_refused(kind, keys, message):
    """With what can."""
    with pytest.raises(TopologyError, match=message):
        built(kind, **keys)


def test_ports_are_checked_against_the_model():
    """A dragonfly of 70 ports on switches of 64."""
    net = built("dragonfly", p=20, a=40, h=11, groups=3, switch={"model": "eth-64x400"})
    (problem,) = validate(net)
    assert (problem.code, "needs 70 ports but has 64" in problem.message) == ("FP3011", True)


# ---- expanders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "switches"), [("jellyfish", 40), ("xpander", 42)])
def test_an_expander_is_regular_connected_and_follows_its_seed(kind, switches):
    """Degree 6, simple, close to Ramanujan's 2·√5: the second eigenvalue is far below the first."""
    keys = {"switches": switches, "ports": 10, "network_ports": 6}
    first, again, other = (built(kind, **keys, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.links.dst, again.links.dst)
    assert not np.array_equal(first.links.dst, other.links.dst)
    graph = switches_of(first)
    assert {degree for _, degree in graph.degree()} == {6}
    assert nx.is_connected(graph)
    assert len(nx.Graph(graph).edges) == len(graph.edges)
    eigenvalues = np.sort(np.abs(np.linalg.eigvalsh(nx.to_numpy_array(nx.Graph(graph)))))
    assert eigenvalues[-2] < 5.2
    assert len(first.endpoint_nodes) == 4 * switches


def test_a_dense_flat_network_is_drawn_with_few_boxes():
    """The hottest switches and the rest as one: Graphviz does not finish 98 boxes with 539 lines."""
    from fabric.faces.drawing.views.tier import tier_view_dot
    from tests.drawing.drawn_routes import routed

    lines = tier_view_dot(routed(built("slim-fly", q=7)), title="x").count(" -- ")
    assert 10 < lines < 120


# ---- written out -----------------------------------------------------------------------------------------------------

WRITTEN = {
    "switches": [{"name": "s{index}", "count": 2, "radix": 4}, {"name": "top", "level": 2, "role": "spine"}],
    "endpoints": ["h0", "h1"],
    "cables": [
        {"ends": ["h0", "s0:1"], "speed": "100G"},
        {"ends": ["s1:1", "h1"], "speed": "100G"},
        {"ends": ["top", "s0"], "speed": "400G", "count": 2, "length": "3 m"},
        {"ends": ["s1", "top"], "speed": "400G"},
        {"ends": ["s0", "s1"], "speed": "50G"},
    ],
}


def test_a_written_network_is_what_it_says():
    """Lower ends first whatever the order; parallel cables; a cable between equals."""
    net = TOPOLOGIES["explicit"](WRITTEN)
    assert (net.tiers, net.roles) == (("host-switch", "switch-spine", "switch-switch"), ("switch", "spine", "host"))
    assert int(net.is_cable.sum()) == 6
    assert np.nanmax(net.links.length_m) == 3
    assert validate(net) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends": ["h0", "s9"], "speed": "100G"}, r"cables\.5\.ends\.1: no node is called 's9'.*nodes are s0, s1, top"),
        ({"ends": ["h0", "s1:1"], "speed": "100G"}, r"s1:1: cable 1 has the port too"),
        ({"ends": ["s0:3", "s1:3"], "speed": "100G", "count": 2}, r"s0:3: 2 cables on one port"),
        ({"ends": ["s0", "s0"], "speed": "100G"}, r"cables\.5: s0 is cabled to itself"),
    ],
)
def test_mistakes_of_a_written_network_are_found(change, message):
    """Each with its place."""
    with pytest.raises(TopologyError, match=message):
        TOPOLOGIES["explicit"](WRITTEN | {"cables": [*WRITTEN["cables"], change]})


def test_a_host_without_a_cable_is_named():
    """And two nodes of one name."""
    with pytest.raises(TopologyError, match="host h2 has 0 cables"):
        TOPOLOGIES["explicit"](WRITTEN | {"endpoints": ["h0", "h1", "h2"]})
    with pytest.raises(TopologyError, match="two nodes are called 's0'"):
        TOPOLOGIES["explicit"](WRITTEN | {"switches": [*WRITTEN["switches"], {"name": "s0"}]})


@pytest.mark.parametrize(
    ("kind", "keys", "notes"),
    [
        ("dragonfly", {"p": 2, "a": 4, "h": 2, "groups": 9}, 0),
        ("dragonfly", {"p": 2, "a": 4, "h": 2, "groups": 4}, 1),
        ("dragonfly", {"p": 2, "a": 3, "h": 3, "groups": 5}, 2),
        ("dragonfly-plus", {"p": 2, "leaves": 2, "spines": 3, "global_links": 3, "groups": 7}, 2),
    ],
)
def test_groups_that_are_not_joined_alike_are_said(kind, keys, notes):
    """What is said of pairs is what they have; a port stays free where groups x ports are odd."""
    net = TOPOLOGIES[kind]({"speed": "100G", **keys})
    assert len(net.said) == notes
    own = net.is_cable & (net.links.tier == net.tiers.index("global"))
    ends = np.sort(np.stack([net.nodes.pod[net.links.src[own]], net.nodes.pod[net.links.dst[own]]]), axis=0)
    counts = np.unique(ends, axis=1, return_counts=True)[1]
    if notes == 0:
        assert len(set(counts.tolist())) == 1
    else:
        assert f"{counts.min()} or {counts.max()} cables" in net.said[0]
