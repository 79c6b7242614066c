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


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_the_diameter_is_that_of_networkx_between_switches_with_endpoints(entry):
    net = entry(dict(entry.example))
    graph = nx.Graph()
    inner = net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst]
    graph.add_edges_from(zip(net.links.src[inner].tolist(), net.links.dst[inner].tolist(), strict=True))
    ends = set(net.endpoint_nodes[net.nodes.forwards[net.endpoint_nodes]].tolist())
    attached = (
        (net.nodes.nics[net.links.src] > 0) & net.nodes.forwards[net.links.dst] & ~net.nodes.forwards[net.links.src]
    )
    ends |= set(net.links.dst[attached].tolist())
    far = 0
    for node in ends & set(graph):
        lengths = nx.single_source_shortest_path_length(graph, node)
        far = max(far, max(lengths[other] for other in ends & set(lengths)))
    assert diameter_hops(net) == far
    found = distances(net)
    multi_homed = (np.bincount(net.links.src)[net.endpoint_nodes] > 1).any()
    assert found.diameter == far or (multi_homed and found.diameter <= far)


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
