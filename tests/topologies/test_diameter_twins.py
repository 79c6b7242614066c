"""The diameter, searched from one of all twins, against NetworkX from every endpoint."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.distances import diameter_hops
from topologies.topology import Topology


def _diameter(net: Topology) -> int:
    """Longest of the distances between the switches of two endpoints that reach each other."""
    forwards, links = net.nodes.forwards, net.links
    graph = nx.DiGraph()
    graph.add_nodes_from(np.flatnonzero(forwards).tolist())
    homes: dict[int, set[int]] = {}
    for link in np.flatnonzero(net.up).tolist():
        tail, head = int(links.src[link]), int(links.dst[link])
        if forwards[tail] and forwards[head]:
            graph.add_edge(tail, head)
        elif not forwards[tail] and forwards[head]:
            homes.setdefault(tail, set()).add(head)
    far = dict(nx.all_pairs_shortest_path_length(graph))
    sets = list({frozenset(each) for each in homes.values()})
    longest = 0
    for first in sets:
        for second in sets:
            apart = [far[tail][head] for tail in first for head in second if head in far[tail]]
            longest = max(longest, min(apart, default=0))
    return longest


@pytest.mark.parametrize("seed", range(30))
def test_random_fabrics_with_twins(seed: int) -> None:
    """Leaves of few kinds of cabling, hosts on one or two of them, cables down, links one way."""
    rng = np.random.default_rng(seed)
    net = assemble("random", "random")
    spines = net.switches("spine", [f"s{each}" for each in range(5)], level=2)
    leaves = net.switches("leaf", [f"l{each}" for each in range(9)], level=1)
    kinds = [rng.choice(5, rng.integers(1, 3), replace=False) for _ in range(3)]
    for leaf in leaves:
        kind = kinds[int(rng.integers(3))]
        net.cables(np.full(len(kind), leaf), spines[kind], 100.0)
    if seed % 3 == 0:
        net.one_way([leaves[0]], [leaves[1]], 100.0)
    if seed % 2 == 0:
        net.cables(spines[:-1], spines[1:], 100.0)
    hosts = net.hosts([f"h{each}" for each in range(12)])
    for host in hosts:
        own = rng.choice(leaves, rng.integers(1, 3), replace=False)
        net.cables(np.full(len(own), host), own, 100.0)
    topology = net.freeze()
    assert diameter_hops(topology) == _diameter(topology)
    cut = topology.with_down(links=rng.choice(len(topology.links.src), 6, replace=False).astype(np.int64))
    assert diameter_hops(cut) == _diameter(cut)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("fat-tree", {"radix": 4, "speed": "400G"}),
        ("fat-tree", {"radix": 8, "speed": "400G"}),
    ],
)
def test_built_fabrics(kind: str, keys: dict[str, object]) -> None:
    """Fabrics whose edge switches of a pod are twins."""
    topology = TOPOLOGIES[kind](keys)
    assert diameter_hops(topology) == _diameter(topology)
