"""Distances and equal-cost path counts against NetworkX, on builders and on random networks."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.distances import diameter_hops, distances

ENTRIES = list(TOPOLOGIES)


def by_enumeration(net):
    """Ordered pairs, and paths of least metric, by distance; every path of NetworkX is walked."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(net.nodes)))
    many = {}
    for link in np.flatnonzero(net.up).tolist():
        ends = (int(net.links.src[link]), int(net.links.dst[link]))
        weight = float(net.links.weight[link])
        old = many.get(ends, (np.inf, 0))
        many[ends] = (weight, 1) if weight < old[0] else (old[0], old[1] + (weight == old[0]))
    for (a, b), (weight, _) in many.items():
        graph.add_edge(a, b, weight=weight)
    forwards, ends = net.nodes.forwards, net.endpoint_nodes.tolist()
    found, lost = {}, 0
    for src, dst in itertools.permutations(ends, 2):
        inner = graph.subgraph([n for n in graph if forwards[n] or n in (src, dst)])
        if not nx.has_path(inner, src, dst):
            lost += 1
            continue
        paths = list(nx.all_shortest_paths(inner, src, dst, weight="weight"))
        count = sum(np.prod([many[pair][1] for pair in itertools.pairwise(path)]) for path in paths)
        access = (not forwards[src]) + (not forwards[dst])
        entry = found.setdefault(min(len(path) for path in paths) - 1 - access, [])
        entry.append(count)
    return found, lost


def expected(net):
    """Pairs out of reach; by distance: ordered pairs, and the least, mean and most paths of a pair."""
    found, lost = by_enumeration(net)
    by_hops = {
        hops: (len(counts), min(counts), pytest.approx(np.mean(counts)), max(counts)) for hops, counts in found.items()
    }
    return lost, by_hops


def counted(net):
    """The same as we count it."""
    found = distances(net)
    classes = found.classes
    assert [entry.hops for entry in classes] == sorted({entry.hops for entry in classes})
    by_hops = {entry.hops: (entry.pairs, entry.least_paths, entry.mean_paths, entry.most_paths) for entry in classes}
    return found.unreachable, by_hops


@pytest.mark.parametrize("kind", ["leaf-spine", "dcell", "explicit", "multi-plane", "superpod", "jellyfish"])
def test_counts_equal_walking_every_path(kind):
    net = TOPOLOGIES[kind](dict(TOPOLOGIES[kind].example))
    assert counted(net) == expected(net)


def test_dual_homed_hosts_and_failures_are_counted_as_they_are():
    net = TOPOLOGIES["dual-plane"](dict(TOPOLOGIES["dual-plane"].example) | {"pods": 1, "agg_uplinks": 0})
    assert counted(net) == expected(net)
    failed = net.with_down(nodes=[net.node("pod0/plane0/agg0")], links=[0])
    assert counted(failed) == expected(failed)


@settings(max_examples=40)
@given(st.data())
def test_random_networks_with_metrics_agree(data):
    switches = data.draw(st.integers(2, 7))
    hosts = data.draw(st.integers(2, 5))
    net = assemble("random", "random")
    ids = net.switches("switch", [f"s{i}" for i in range(switches)], level=1)
    ends = net.hosts([f"h{i}" for i in range(hosts)])
    for host in ends:
        net.cables([host], [ids[data.draw(st.integers(0, switches - 1))]], 100.0)
    for _ in range(data.draw(st.integers(1, 12))):
        a, b = data.draw(st.integers(0, switches - 1)), data.draw(st.integers(0, switches - 1))
        if a != b:
            weight = float(data.draw(st.sampled_from([1, 1, 2, 3])))
            net.cables([ids[a]], [ids[b]], 100.0, weight=weight, parallel=data.draw(st.integers(1, 2)))
    built = net.freeze()
    assert counted(built) == expected(built)


def farthest(net):
    """By NetworkX: from each endpoint to each other, over links between nodes that forward."""
    graph = nx.MultiDiGraph()
    live = np.flatnonzero(net.up).tolist()
    src, dst, forwards = net.links.src, net.links.dst, net.nodes.forwards
    graph.add_edges_from(
        (int(src[link]), int(dst[link])) for link in live if forwards[src[link]] and forwards[dst[link]]
    )
    homes = {
        end: [end] if forwards[end] else [int(dst[link]) for link in live if src[link] == end and forwards[dst[link]]]
        for end in net.endpoint_nodes.tolist()
    }
    far = 0
    for end, mine in homes.items():
        lengths = [nx.single_source_shortest_path_length(graph, home) if home in graph else {home: 0} for home in mine]
        for other, its in homes.items():
            hops = [each[home] for each in lengths for home in its if home in each]
            far = max([far, min(hops)]) if hops and other != end else far
    return far


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_the_diameter_is_that_of_networkx_between_endpoints(entry):
    """Of every builder, as built, and with a third of the cables between switches down."""
    net = entry(dict(entry.example))
    assert diameter_hops(net) == distances(net).diameter_hops == distances(net).longest_path_hops == farthest(net)
    inner = np.flatnonzero(net.is_cable & net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst])
    broken = net.with_down(links=inner[::3].tolist())
    assert diameter_hops(broken) == distances(broken).longest_path_hops == farthest(broken)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_the_diameter_of_any_network_is_that_of_networkx(data):
    """Random switches, hosts on one or several of them or forwarding themselves, metrics that play no part."""
    net = assemble("random", "random")
    switches = data.draw(st.integers(1, 7))
    ids = net.switches("switch", [f"s{i}" for i in range(switches)], level=1)
    for number in range(data.draw(st.integers(1, 6))):
        forwards = data.draw(st.booleans())
        homes = data.draw(st.lists(st.integers(0, switches - 1), min_size=1, max_size=3))
        host = net.nodes("host", [f"h{number}"], level=0, nics=len(homes), forwards=forwards)
        net.cables(np.repeat(host, len(homes)), ids[homes], 100.0)
    for _ in range(data.draw(st.integers(0, 10))):
        a, b = data.draw(st.integers(0, switches - 1)), data.draw(st.integers(0, switches - 1))
        if a != b:
            net.cables([ids[a]], [ids[b]], 100.0, weight=float(data.draw(st.sampled_from([1, 2, 9]))))
    built = net.freeze()
    assert diameter_hops(built) == distances(built).diameter_hops == farthest(built)


def test_a_host_on_two_leaves_counts_from_the_nearer_one():
    """h0 on leaves 0 and 1, h1 on leaf 1 and h2 on leaf 0: only h1 and h2 are two hops apart."""
    net = assemble("pairs", "pairs")
    leaf, spine = net.switches("leaf", ["l0", "l1"], level=1), net.switches("spine", ["s0"], level=2)
    net.full_mesh(leaf, spine, 100.0)
    both = net.hosts(["h0"], nics=2)
    net.cables(np.repeat(both, 2), leaf, 100.0)
    net.cables(net.hosts(["h1"]), leaf[1:], 100.0)
    assert diameter_hops(net.freeze()) == 0
    net.cables(net.hosts(["h2"]), leaf[:1], 100.0)
    assert diameter_hops(net.freeze()) == 2


@pytest.mark.parametrize(
    ("kind", "keys", "diameter"),
    [
        ("fat-tree", {"radix": 6}, 4),
        ("slim-fly", {"q": 5, "p": 2}, 2),
        ("hyperx", {"dims": [3, 3, 2], "endpoints_per_switch": 1}, 3),
        ("dragonfly", {"p": 2, "a": 4, "h": 2, "groups": 9}, 3),
        ("torus", {"dims": [6, 4]}, 5),
    ],
)
def test_diameters_of_the_books(kind, keys, diameter):
    assert diameter_hops(TOPOLOGIES[kind]({"speed": "100G", **keys})) == diameter
