"""Reading a file of 200,000 cables; the argument is the format."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Write the file untimed, read it once."""
    from topologies.builder import TOPOLOGIES
    from topologies.format_registry import read_topology, write_topology

    name = sys.argv[1]
    # 100,000 hosts on 1,000 leaves of 100 uplinks each.
    net = TOPOLOGIES["leaf-spine"](
        {"leaves": 1000, "spines": 100, "hosts_per_leaf": 100, "host_speed": "100G", "uplink_speed": "100G"}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net.{name}"
        write_topology(net, path, name)
        began = time.perf_counter()
        back = read_topology(path, name)
        seconds = time.perf_counter() - began
    cables = int(back.is_cable.sum())
    if cables != 200_000 or len(back.nodes) != len(net.nodes):
        raise SystemExit(f"{cables} cables and {len(back.nodes)} nodes came back")
    print(json.dumps({"seconds": seconds, "cables": cables}))


if __name__ == "__main__":
    main()
