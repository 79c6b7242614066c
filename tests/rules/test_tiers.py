"""Tiers of switches, and where a path chooses twice in one: against paths counted in NetworkX."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest

from fabric.rules.tiers import chooses_once_per_tier, tiers
from topologies.builder import TOPOLOGIES
from topologies.hosts import HostGroup
from topologies.topology import Topology

FABRICS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "two tiers": ("leaf-spine", {"leaves": 3, "spines": 2, "hosts_per_leaf": 2}, True),
    "two tiers, parallel cables": ("clos", {"radix": 8, "speed": "100G", "endpoints": 12, "tiers": 2}, True),
    "three tiers": ("fat-tree", {"radix": 4, "speed": "100G"}, True),
    "three tiers, parallel cables": (
        "clos", {"radix": 8, "speed": "100G", "tiers": 3, "pods": 2, "leaves_per_pod": 2, "spines_per_pod": 2}, False,
    ),
    "four tiers": ("clos", {"radix": 4, "speed": "100G", "tiers": 4}, False),
    "flat": ("torus", {"dims": [4, 4], "speed": "100G"}, False),
}  # fmt: skip
SPEEDS = {"host_speed": "100G", "uplink_speed": "100G"}


def built(kind: str, keys: dict[str, Any]) -> Topology:
    return TOPOLOGIES[kind]({**keys, **(SPEEDS if kind == "leaf-spine" else {})})


def chooses_twice(net: Topology) -> bool:
    """Whether some shortest path of hosts meets two switches of a tier that both have several ways on."""
    links = net.links
    graph = nx.MultiDiGraph(zip(links.src.tolist(), links.dst.tolist(), strict=True))
    hosts, tier = np.flatnonzero(~net.nodes.forwards).tolist(), tiers(net)
    for src in hosts[:2]:
        for dst in hosts:
            if src == dst:
                continue
            away = nx.single_source_shortest_path_length(graph.reverse(copy=False), dst)
            for path in nx.all_shortest_paths(nx.DiGraph(graph), src, dst):
                choosing = [
                    int(tier[node])
                    for node, _ in pairwise(path[1:])
                    if sum(graph.number_of_edges(node, to) for to in graph[node] if away[to] < away[node]) > 1
                ]
                if len(choosing) != len(set(choosing)):
                    return True
    return False


@pytest.mark.parametrize(("kind", "keys", "once"), FABRICS.values(), ids=FABRICS)
def test_a_seed_per_tier_is_enough_only_where_no_path_chooses_twice_in_one(
    kind: str, keys: dict[str, Any], once: bool
) -> None:
    net = built(kind, keys)
    assert chooses_once_per_tier(net) is once
    if once:
        assert not chooses_twice(net)


def test_hosts_on_two_switches_of_three_tiers_make_a_tier_choose_twice() -> None:
    """On two tiers only the top chooses between the leaves of a host."""
    group = HostGroup("osd", ("o0", "o1", "o2", "o3"), nics=2, nic_gbps=100.0, dual_home=True)
    two = TOPOLOGIES["clos"]({"radix": 8, "speed": "100G", "tiers": 2}, hosts=[group])
    assert chooses_once_per_tier(two)
    three = TOPOLOGIES["clos"]({"radix": 4, "speed": "100G", "tiers": 3}, hosts=[group])
    assert not chooses_once_per_tier(three)
    assert chooses_twice(three)


def test_tiers_count_links_to_the_hosts() -> None:
    net = built("fat-tree", {"radix": 4, "speed": "100G"})
    roles = {name: set(tiers(net)[net.nodes.role == index].tolist()) for index, name in enumerate(net.roles)}
    assert roles == {"edge": {0}, "aggregation": {1}, "core": {2}, "host": {-1}}
