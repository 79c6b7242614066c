"""A design that is asked to survive a switch does: every pair of endpoints still has a path, by NetworkX."""

from __future__ import annotations

from random import Random

import networkx as nx
import pytest
from counted_fabrics import SMALL, build, designs

from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from topologies.topology import role_nodes

CLOS_LIKE = ("leaf-spine", "clos", "fat-tree", "rail-optimised", "superpod", "dual-plane", "multi-plane")
ROLES = {"leaf": ("leaf", "tor", "edge"), "spine": ("spine", "agg", "aggregation"), "core": ("core",)}


def pairs_cut_off(net, dead):
    """Whether endpoints lose each other when a node is dead; those that keep no link count."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(net.nodes)))
    graph.add_edges_from(zip(net.links.src.tolist(), net.links.dst.tolist(), strict=True))
    graph.remove_node(dead)
    ends = set(net.endpoint_nodes.tolist())
    # Endpoints forward nothing: a component is what they reach over switches.
    switches = graph.subgraph(node for node in graph if node not in ends)
    part_of = {node: number for number, part in enumerate(nx.connected_components(switches)) for node in part}
    reached = {end: frozenset(part_of[node] for node in graph[end]) for end in ends}
    kinds = list(set(reached.values()))
    return any(not a & b for a in kinds for b in kinds)


@pytest.mark.parametrize("family", CLOS_LIKE)
@pytest.mark.parametrize("role", ["spine", "leaf", "core"])
@pytest.mark.parametrize("rail", ["per-gpu", "shared"])
def test_one_switch_may_die(family, role, rail):
    draw = Random(f"{family} {role} {rail}")
    for _ in range(4):
        nics = draw.choice([1, 2, 4])
        need = FabricNeed(
            "backend", draw.randint(2, 20), nics, nics, 400.0, (1, 2), rail=rail, oversubscription=2.0,
            kinds=(*CLOS_LIKE,), single_failures=(role,),
        )  # fmt: skip
        variants = list(FAMILIES[family].variants(need, SMALL))
        for variant in draw.sample(variants, min(2, len(variants))):
            for counted in designs(variant, draw, most=1):
                net = build(need, SMALL, counted)
                there = [node for name in ROLES[role] if name in net.roles for node in role_nodes(net, name).tolist()]
                assert not any(pairs_cut_off(net, node) for node in draw.sample(there, min(4, len(there))))


def test_a_leaf_of_one_cable_to_each_host_may_not_die():
    """What no family can do is not offered: NICs of GPUs with one port each hang on one leaf."""
    need = FabricNeed("backend", 8, 4, 4, 400.0, rail="per-gpu", single_failures=("leaf",))
    assert [name for name in CLOS_LIKE if list(FAMILIES[name].variants(need, SMALL))] == []
