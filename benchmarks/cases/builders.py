"""Building one large network and checking it; the argument is a kind, sized to about 200,000 cables."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

SIZES: dict[str, dict[str, Any]] = {
    "fat-tree": {"radix": 64, "speed": "400G"},
    "clos": {"radix": 64, "speed": "400G", "endpoints": 65_536, "tiers": 3},
    "superpod": {"scalable_units": 256},
    "rail-only": {"gpus": 65_536, "domain_size": 8, "radix": 64, "speed": "400G"},
    "dual-plane": {
        "segments": 15, "hosts_per_segment": 128, "port_speed": "200G", "tor_uplinks": 60, "uplink_speed": "400G",
        "aggs_per_plane": 60, "agg_uplinks": 8, "pods": 4, "backup_ports": 8,
    },
    "multi-plane": {
        "planes": 4,
        "plane": {"kind": "clos", "radix": 64, "speed": "400G", "endpoints": 16_384, "tiers": 3},
    },
    "dragonfly": {"p": 16, "a": 32, "h": 16, "groups": 128, "speed": "400G"},
    "slim-fly": {"q": 37, "p": 28, "speed": "400G"},
    "hyperx": {"dims": [24, 16, 8], "endpoints_per_switch": 20, "speed": "400G"},
    "torus": {"dims": [32, 32, 48], "speed": "400G", "cube": 4, "ocs": True},
    "jellyfish": {"switches": 4096, "ports": 64, "network_ports": 48, "seed": 1, "speed": "400G"},
    "xpander": {"switches": 4018, "ports": 64, "network_ports": 48, "seed": 1, "speed": "400G"},
    "bcube": {"n": 16, "k": 3, "speed": "100G"},
    "dcell": {"n": 17, "k": 2, "speed": "100G"},
}  # fmt: skip


def main() -> None:
    """Build once, as a process does that builds nothing before."""
    import numpy as np

    from topologies.builder import TOPOLOGIES
    from topologies.validate import validate

    kind = sys.argv[1]
    builder = TOPOLOGIES[kind]
    began = time.perf_counter()
    topology = builder(SIZES[kind])
    built = time.perf_counter()
    problems = [problem for problem in validate(topology) if problem.severity == "error"]
    checked = time.perf_counter()
    used = np.bincount(topology.links.src, minlength=len(topology.nodes))
    if problems or (used == 0).any() != (topology.circuit is not None):
        raise SystemExit(f"the {kind} is wrong: {problems}")
    cables = int(topology.is_cable.sum())
    micros = 1e6 * (built - began) / cables
    printed = {"seconds": built - began, "check_s": checked - built, "cables": cables, "us_per_cable": round(micros, 3)}
    print(json.dumps(printed))


if __name__ == "__main__":
    main()
