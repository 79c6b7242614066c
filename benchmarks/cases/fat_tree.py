"""Building a k-ary fat tree with hosts on every port, and checking it; the argument is k."""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Build once, as a process does that builds nothing before."""
    from topologies.builder import TOPOLOGIES
    from topologies.validate import validate

    radix = int(sys.argv[1])
    builder = TOPOLOGIES["fat-tree"]
    began = time.perf_counter()
    topology = builder({"radix": radix, "speed": "400G"})
    built = time.perf_counter()
    problems = validate(topology)
    checked = time.perf_counter()
    if problems or len(topology.endpoint_nodes) != radix**3 // 4 or len(topology.links) != 3 * radix**3 // 2:
        raise SystemExit(f"the fat tree is wrong: {problems}")
    print(json.dumps({"seconds": built - began, "check_s": checked - built, "links": len(topology.links)}))


if __name__ == "__main__":
    main()
