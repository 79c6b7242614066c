"""Hashed ECMP of a random permutation between the hosts of a fat tree, in many replicas, max-min fair rates included.

Arguments, all optional: k (32), the number of replicas (1,000), and a hash function (``random``). Every host sends one
flow at line rate, so that closed forms check the answer: a link carries whole flows, and the worst flow of a replica
has 1 / (flows on the fullest link).
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks.instances import LINK_GBPS, fat_tree
from fabric.routing.router import HashSpread
from topologies.topology import Topology
from traffic.demands import Flows


def permutation(topology: Topology) -> Flows:
    """Every host sends at line rate to another, everybody to somebody else."""
    hosts = topology.endpoint_nodes
    shuffled = np.random.default_rng(0).permutation(hosts)
    return Flows.of(shuffled, np.roll(shuffled, 1), np.full(len(hosts), LINK_GBPS))


def ours(topology: Topology, flows: Flows, replicas: int, function: str) -> HashSpread:
    """Percentiles over the replicas."""
    from fabric.routing.graph import build_graph, phase_demand
    from fabric.routing.router import ROUTERS, HashOptions, PairTraffic, RoutingOptions

    graph = build_graph(topology, [flows], per_endpoint=True)
    demand = phase_demand(graph, [flows], [1.0])
    options = RoutingOptions(hash=HashOptions(function=function, replicas=replicas))
    pairs = [PairTraffic(flows, 1.0, 1)]
    routing = ROUTERS["ecmp-hash"]({}, graph=graph, demand=demand, pairs=pairs, options=options)
    if routing.spread is None or routing.partial:
        raise SystemExit(f"{replicas} replicas gave {routing.spread}")
    return routing.spread


def check(spread: HashSpread) -> None:
    """Whole flows on every link, and the worst flow as the fullest link says."""
    for part in ("p50", "p95", "p99"):
        fullest = getattr(spread.max_utilisation, part)
        np.testing.assert_allclose(fullest, round(fullest), rtol=1e-9)
        np.testing.assert_allclose(getattr(spread.worst_rate, part), 1 / fullest, rtol=1e-9)


def main() -> None:
    """Route once, and check the percentiles."""
    radix, replicas, function = (*sys.argv[1:], *("32", "1000", "random")[len(sys.argv) - 1 :])
    topology = fat_tree(int(radix))
    flows = permutation(topology)
    began = time.perf_counter()
    spread = ours(topology, flows, int(replicas), function)
    seconds = time.perf_counter() - began
    check(spread)
    fullest, worst = spread.max_utilisation, spread.worst_rate
    result = {"seconds": seconds, "flows": flows.pairs, "replicas": spread.replicas, "function": function}
    result |= {"max_p50": fullest.p50, "max_p99": fullest.p99, "worst_p50": worst.p50, "worst_p99": worst.p99}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
