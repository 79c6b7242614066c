"""The fabric as a tree: units and pods by number, the way down to every node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fabric.faces.views.tree import FabricTree
from fabric.pipeline.run import route
from fabric.scenario.load import load_scenario

SCENARIO = """
version: 1
name: tree
fabrics:
  main: {{topology: {topology}}}
workloads:
  - {{id: w, kind: alltoall, members: all, size: 1 MiB, fabric: main}}
"""
UNITS = "{kind: superpod, scalable_units: 12, nodes_per_unit: 2, gpus_per_node: 2, radix: 24, speed: 100G}"
PODS = "{kind: fat-tree, radix: 4, speed: 100G}"


@pytest.mark.parametrize(("topology", "kind"), [(UNITS, "unit"), (PODS, "pod")])
def test_every_node_is_under_the_branch_of_its_number(topology: str, kind: str, tmp_path: Path) -> None:
    """12 units: 1 is not taken for 11; the switches of a branch are those of its column, and the way leads to each."""
    (tmp_path / "x.fabric.yaml").write_text(SCENARIO.format(topology=topology), encoding="utf-8")
    entry = route(load_scenario(tmp_path / "x.fabric.yaml")).routes[0]
    net, tree = entry.topology, FabricTree(entry)
    numbers = getattr(net.nodes, kind)
    branches = [child for role in tree.children(tree.root()) for child in tree.children(role) if child.kind == kind]
    assert {branch.number for branch in branches} == set(numbers[net.is_switch].tolist()) - {-1}
    for branch in branches:
        role = net.roles.index(branch.key[1])
        inside = np.flatnonzero(net.is_switch & (net.nodes.role == role) & (numbers == branch.number))
        assert [child.node for child in tree.children(branch)] == inside.tolist()
    for node in range(len(net.nodes)):
        way = tree.way(node)
        assert way[-1].node == node
        steps = [branch.number for branch in way if branch.kind == kind]
        switch = next(branch.node for branch in way if branch.kind == "switch")
        assert steps == ([int(numbers[switch])] if numbers[switch] >= 0 else [])
