"""The tree of a fabric against NetworkX: who shares switches, and who meets below a level."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario
from fabric.share.schedulers.blocks import DOMAIN, UNIT, host_blocks
from fabric.share.schedulers.switch_tree import SwitchTree, switch_tree
from topologies.builder import TOPOLOGIES
from topologies.catalogue import ScaleUpModel
from topologies.errors import ScenarioError
from topologies.hosts import HostGroup
from topologies.topology import Topology
from traffic.inventory import Inventory, NodeGroup

KINDS = [entry.name for entry in TOPOLOGIES]


def _built(kind: str) -> Topology:
    entry = TOPOLOGIES[kind]
    topology = entry(entry.model.model_validate({"kind": kind, **entry.example}), hosts=())
    return replace(topology, name="net")


def _tree(topology: Topology) -> SwitchTree:
    return switch_tree(Inventory({}, {"net": topology}), "net")


def _host(topology: Topology, node: int) -> str:
    return topology.nodes.name[node].split(".nic", 1)[0] if topology.nodes.nics[node] else topology.nodes.name[node]


def _graph(topology: Topology, height: int, *, across: bool) -> nx.Graph:
    """Hosts (all their NICs one node) and the switches up to a level, with links of the level inside pods or all."""
    graph, nodes = nx.Graph(), topology.nodes
    graph.add_nodes_from(_host(topology, node) for node in topology.endpoint_nodes.tolist())
    for a, b in zip(topology.links.src.tolist(), topology.links.dst.tolist(), strict=True):
        levels = (int(nodes.level[a]), int(nodes.level[b]))
        if max(levels) > height or any(not nodes.nics[n] and not topology.is_switch[n] for n in (a, b)):
            continue
        if levels == (0, 0) and not across:
            continue
        outside = levels[0] == levels[1] == height and (nodes.pod[a] != nodes.pod[b] or nodes.pod[a] < 0)
        if across or not outside:
            graph.add_edge(_host(topology, a), _host(topology, b))
    return graph


def _partitions(topology: Topology) -> Iterator[set[frozenset[str]]]:
    """Hosts that meet, cut above every level."""
    hosts = {_host(topology, node) for node in topology.endpoint_nodes.tolist()}
    for height in sorted(set(topology.nodes.level[topology.is_switch].tolist())):
        for across in (False, True):
            yield {
                frozenset(part & hosts)
                for part in nx.connected_components(_graph(topology, height, across=across))
                if part & hosts
            }


def _groups(tree: SwitchTree, level: int) -> set[frozenset[str]]:
    return {frozenset(tree.hosts[host] for host in rows.tolist()) for rows in tree.members(level)}


@pytest.mark.parametrize("kind", KINDS)
def test_higher_groups_are_the_parts_of_the_network_cut_above_a_level(kind: str) -> None:
    """Every partition that NetworkX finds is a level of the tree, or joins nothing that lower ones do not."""
    topology = _built(kind)
    tree = _tree(topology)
    levels = [_groups(tree, level) for level in range(len(tree.levels))]
    wanted: list[set[frozenset[str]]] = []
    for parts in _partitions(topology):
        if len(parts) < len(wanted[-1] if wanted else levels[0]):
            wanted.append(parts)
    assert levels[1:] == wanted


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("bcube", "zcube")])
def test_lowest_groups_are_the_hosts_of_the_same_switches(kind: str) -> None:
    topology = _built(kind)
    switches: dict[str, set[int]] = {}
    for a, b in zip(topology.links.src.tolist(), topology.links.dst.tolist(), strict=True):
        if topology.nodes.nics[a] and topology.is_switch[b]:
            switches.setdefault(_host(topology, a), set()).add(b)
    groups: dict[frozenset[int], set[str]] = {}
    for host, own in switches.items():
        groups.setdefault(frozenset(own), set()).add(host)
    assert _groups(_tree(topology), 0) == {frozenset(hosts) for hosts in groups.values()}


@pytest.mark.parametrize("kind", ["bcube", "zcube"])
def test_hosts_with_sets_of_their_own_are_grouped_by_the_first_switch_and_that_is_said(kind: str) -> None:
    """16 hosts on 4 + 4 switches: four groups of four, not sixteen of one."""
    tree = _tree(_built(kind))
    assert [len(rows) for rows in tree.members(0)] == [4, 4, 4, 4]
    assert any("first switch" in note for note in tree.notes)


@pytest.mark.parametrize("kind", KINDS)
def test_groups_nest_and_names_are_unique(kind: str) -> None:
    tree = _tree(_built(kind))
    names = [name for level in tree.levels for name in level.names]
    assert len(set(names)) == len(names)
    for level in range(1, len(tree.levels)):
        finer = _groups(tree, level - 1)
        assert all(any(small <= large for large in _groups(tree, level)) for small in finer)
        assert len(tree.levels[level]) < len(tree.levels[level - 1])
    assert (tree.levels[-1].parent == -1).all()


@pytest.mark.parametrize(
    ("kind", "words", "first"),
    [
        ("fat-tree", ["edge", "pod", "fabric"], "pod0/edge0"),
        ("rail-optimised", ["unit", "fabric"], "unit0"),
        ("dual-plane", ["unit", "pod", "fabric"], "unit0"),
        ("dragonfly", ["router", "group", "fabric"], "group0/router0"),
        ("multi-plane", ["leaf", "fabric"], "leaf0"),
        ("torus", ["switch", "pod", "fabric"], "switch0.0.0"),
        ("single-switch", ["switch"], "switch0"),
    ],
)
def test_levels_are_called_as_the_topology_calls_them(kind: str, words: list[str], first: str) -> None:
    tree = _tree(_built(kind))
    assert [level.word for level in tree.levels] == words
    assert tree.levels[0].names[0] == first


def _rail_only(domain: int | None) -> Inventory:
    """4 domains of 2 hosts of 4 GPUs, 8 rails: host 2d is on rails 0-3, host 2d + 1 on rails 4-7."""
    hosts = tuple(f"n{number}" for number in range(8))
    group = HostGroup("gpu", hosts, nics=4, nic_gbps=400.0, rail="per-gpu")
    entry = TOPOLOGIES["rail-only"]
    spec = entry.model.model_validate({"kind": "rail-only", "domain_size": 8, "radix": 8, "speed": "400G"})
    topology = replace(entry(spec, hosts=(group,)), name="net")
    scale_up = None if domain is None else ScaleUpModel.model_validate({"domain": domain, "speed": "450 GB/s"})
    return Inventory({"gpu": NodeGroup("gpu", hosts, 4, {"net": group}, scale_up=scale_up)}, {"net": topology})


def test_rails_that_never_meet_have_no_common_top() -> None:
    tree = switch_tree(_rail_only(None), "net")
    assert _groups(tree, 0) == {frozenset({"n0", "n2", "n4", "n6"}), frozenset({"n1", "n3", "n5", "n7"})}
    assert tree.roots == 2
    assert any("never meet" in note for note in tree.notes)


def test_scale_up_domains_join_rails_in_a_level_of_their_own() -> None:
    tree = switch_tree(_rail_only(8), "net")
    assert (tree.roots, len(tree.levels), tree.levels[-1].joint) == (1, 2, True)
    assert any("only scale-up domains join them" in note for note in tree.notes)


def test_blocks_are_scale_up_domains_or_units() -> None:
    inventory = _rail_only(8)
    tree = switch_tree(inventory, "net")
    blocks = host_blocks(inventory, tree, DOMAIN)
    assert blocks.names == ("gpu-domain0", "gpu-domain1", "gpu-domain2", "gpu-domain3")
    assert blocks.of_host.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert host_blocks(inventory, tree, UNIT).sizes.tolist() == [4, 4]


def test_blocks_by_domain_need_domains_of_several_hosts() -> None:
    inventory = _rail_only(4)
    with pytest.raises(ScenarioError, match="no scale-up domain joins hosts"):
        host_blocks(inventory, switch_tree(inventory, "net"), DOMAIN)


def test_what_is_down_changes_no_group_and_is_said() -> None:
    topology = _built("rail-optimised")
    whole = _tree(topology)
    gone = [topology.node(f"unit0/h1.nic{nic}") for nic in range(4)]
    tree = _tree(topology.with_down(nodes=[*gone, topology.node("unit1/leaf2"), topology.node("unit0/h0.nic0")]))
    assert tree.group.tolist() == whole.group.tolist()
    assert [tree.hosts[host] for host in np.flatnonzero(tree.down)] == ["unit0/h1"]
    assert any("unit0/h1" in note for note in tree.notes)


def test_a_tree_of_65_536_hosts_is_made_in_seconds() -> None:
    """A fat tree of radix 64: 2,048 edges of 32 hosts in 64 pods."""
    entry = TOPOLOGIES["fat-tree"]
    topology = entry(entry.model.model_validate({"kind": "fat-tree", "radix": 64, "speed": "400G"}), hosts=())
    begun = time.perf_counter()
    tree = _tree(replace(topology, name="net"))
    assert time.perf_counter() - begun < 20  # 1 s on a quiet core
    assert [len(level) for level in tree.levels] == [2048, 64, 1]
    assert np.bincount(tree.group).tolist() == [32] * 2048


def test_routers_where_traffic_ends_are_groups_of_their_own() -> None:
    """Abilene: 12 routers are switches and endpoints at once."""
    loaded = load_scenario("examples/abilene.fabric.yaml")
    tree = switch_tree(build(loaded).inventory, "wan")
    assert tree.levels[0].names == tree.hosts
    assert len(tree.hosts) == 12
