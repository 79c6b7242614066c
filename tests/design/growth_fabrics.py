"""Fabrics that tests of growth grow."""

from __future__ import annotations

from typing import Any

from fabric.growth.rule import BuiltFabric
from topologies.builder import TOPOLOGIES
from topologies.hosts import HostGroup


def hosts(count: int, nics: int = 1) -> tuple[HostGroup, ...]:
    """So many hosts with a NIC for each of their GPUs."""
    return (HostGroup("gpu", tuple(f"n{number}" for number in range(count)), nics, 400.0, "per-gpu"),)


def built(keys: dict[str, Any], count: int, nics: int = 1) -> BuiltFabric:
    """A fabric with so many hosts."""
    groups = hosts(count, nics)
    return BuiltFabric(keys, TOPOLOGIES[keys["kind"]](keys, hosts=groups), groups)


def leaf_spine(radix: int) -> dict[str, Any]:
    """Leaves with half their ports up."""
    leaf = {"radix": radix, "down": radix // 2, "up": radix // 2, "speed": "400G"}
    return {"kind": "leaf-spine", "leaf": leaf, "spine": {"radix": radix, "speed": "400G"}}


def rails(radix: int) -> dict[str, Any]:
    """The same with a leaf per rail."""
    return {**leaf_spine(radix), "kind": "rail-optimised", "nodes_per_unit": radix // 2}


GROWN: dict[str, tuple[dict[str, Any], tuple[int, ...], int]] = {
    "leaf-spine": (leaf_spine(16), (32, 64, 128), 1),
    "leaf-spine, then three tiers": (leaf_spine(8), (16, 32, 128), 1),
    "leaf-spine, an odd size": (leaf_spine(16), (32, 40, 72), 1),
    "clos": ({"kind": "clos", "radix": 8, "speed": "400G"}, (16, 32, 64, 128), 1),
    "rail-optimised": (rails(16), (8, 16, 32), 4),
    "rail-optimised, then three tiers": (rails(8), (8, 32), 2),
    "superpod": ({"kind": "superpod", "nodes_per_unit": 8, "gpus_per_node": 4, "radix": 16}, (8, 16, 32), 4),
    "multi-plane": ({"kind": "multi-plane", "planes": 2, "plane": leaf_spine(16)}, (16, 32, 64), 2),
    "rail-only": ({"kind": "rail-only", "domain_size": 2, "radix": 8, "speed": "400G"}, (16, 32), 2),
    "dragonfly": ({"kind": "dragonfly", "p": 2, "a": 4, "h": 2, "groups": 4, "speed": "400G"}, (32, 48, 72), 1),
}
"""Kinds that grow: keys, numbers of hosts, NICs of each."""
