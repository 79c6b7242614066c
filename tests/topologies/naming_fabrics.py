"""Fabrics of every builder whose names are tested: its example, and what it builds with other sizes."""

from __future__ import annotations

from typing import Any

from topologies.builder import TOPOLOGIES

_PODS: dict[str, Any] = {
    "units": 4, "rails": 2, "nodes_per_unit": 4, "speed": "400G", "tiers": 3, "units_per_pod": 2,
    "leaf": {"radix": 8, "up": 4}, "spine": {"radix": 8}, "core": {"radix": 8},
}  # fmt: skip
_SEGMENTS: dict[str, Any] = {
    "segments": 3, "hosts_per_segment": 2, "port_speed": "200G", "tor_uplinks": 2, "uplink_speed": "400G",
    "aggs_per_plane": 2, "gpus_per_host": 1,
}  # fmt: skip
_CUBES: dict[str, Any] = {"dims": [4, 4, 4], "speed": "100G", "cube": 4, "ocs": True}

MORE: dict[str, list[dict[str, Any]]] = {
    "clos": [
        {"radix": 8, "speed": "100G", "endpoints": 20, "tiers": 2},
        {"radix": 4, "speed": "100G", "tiers": 4, "zones": 2},
    ],
    "bcube": [{"n": 3, "k": 2, "speed": "100G"}, {"n": 3, "k": 0, "speed": "100G"}],
    "dcell": [{"n": 2, "k": 2, "speed": "100G"}, {"n": 4, "k": 0, "speed": "100G"}],
    "torus": [_CUBES, {"dims": [4, 4], "speed": "100G", "cube": 2, "ocs": True}, {"dims": [12], "speed": "100G"}],
    "rail-optimised": [
        _PODS,
        {**_PODS, "rails": 4, "nodes_per_unit": 2, "rails_per_switch": 2},
        {**TOPOLOGIES["rail-optimised"].example, "spine": {"radix": 16, "count": 2}},
    ],
    "superpod": [
        {"scalable_units": 4, "nodes_per_unit": 4, "gpus_per_node": 4, "radix": 8, "tiers": 3, "speed": "400G"},
        {"scalable_units": 12, "nodes_per_unit": 12, "gpus_per_node": 4, "radix": 48, "speed": "400G"},
    ],
    "rail-only": [
        {"gpus": 256, "domain_size": 2, "radix": 8, "speed": "400G"},
        {"gpus": 16, "domain_size": 4, "radix": 8, "speed": "400G"},
        {"gpus": 16, "domain_size": 1, "radix": 8, "speed": "400G"},
    ],
    "dual-plane": [_SEGMENTS, {**_SEGMENTS, "gpus_per_host": 4, "planes": 8}],
    "multi-plane": [
        {"planes": 2, "plane": {"kind": "clos", "radix": 4, "speed": "100G", "tiers": 3}},
        {"planes": 2, "plane": {"kind": "torus", **_CUBES}},
        {"planes": 3, "plane": {"kind": "rail-optimised", **_PODS}},
    ],
}

FABRICS = [(entry.name, spec) for entry in TOPOLOGIES for spec in [dict(entry.example), *MORE.get(entry.name, [])]]
IDS = [f"{kind}-{number}" for number, (kind, _) in enumerate(FABRICS)]
