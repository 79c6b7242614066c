"""Route the 2,048-GPU example with ECMP, take one cable down and route again: ``reroute [FAILURES]``.

Every failure is a cable between a leaf and a spine, drawn with a fixed seed. Timed: from the built network with its
demands to the loads of all phases of the fabric with the cable down; the median over the failures is reported. Loads of
the first failure are checked against a breadth-first search in plain Python, and the cable carries nothing.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from benchmarks import checks
from benchmarks.instances import Instance, plain
from benchmarks.measure import ROOT, taken
from topologies.topology import Topology
from traffic.demands import Flows, merge_flows

FABRIC = "backend"


def main() -> None:
    """Solve intact, then every failure."""
    from fabric.evaluation.phases import phase_codes, phase_names, route_phase
    from fabric.pipeline.prepared import build, derive_traffic
    from fabric.routing.router import RoutingOptions
    from fabric.scenario.fabric_schema import DEFAULT_EFFICIENCY
    from fabric.scenario.load import load_scenario
    from traffic.workload import demands_of

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    loaded = load_scenario(str(ROOT / "examples" / "train-2k.fabric.yaml"))
    network = build(loaded)
    topology = network.topologies[FABRIC]
    demands = demands_of(derive_traffic(loaded, network), FABRIC)
    keys: dict[str, Any] = {"router": "ecmp", "options": RoutingOptions(), "efficiency": DEFAULT_EFFICIENCY}

    def routed(network: Topology) -> list[Any]:
        return [route_phase(network, demands, phase, **keys) for phase in phase_names(demands)]

    intact = routed(topology)
    tier = topology.tiers.index("leaf-spine")
    cables = np.flatnonzero(topology.is_cable & (topology.links.tier == tier))
    chosen = np.random.default_rng(1).choice(cables, count, replace=False)
    seconds, routes = [], []
    for cable in chosen.tolist():
        began = time.perf_counter()
        broken = topology.with_down(links=[cable])
        routes.append(routed(broken))
        seconds.append(time.perf_counter() - began)
    memory = taken(0.0)["peak_mib"]
    for cable, phases in zip(chosen.tolist(), routes, strict=True):
        for entry in phases:
            checks.require(not entry.link_gbps[cable].any(), "the cable that is down carries traffic")
            checks.require(entry.unreachable_pairs == 0, "one cable cuts pairs off")
    for entry in routes[0]:
        flows = merge_flows([demands.flows[code] for code in phase_codes(demands, entry.phase)])
        _check(entry, flows)
    theta = max(entry.max_utilisation for phases in routes for entry in phases)
    result = {"seconds": statistics.median(seconds), "slowest_s": max(seconds), "peak_mib": memory, "theta": theta}
    before = max(entry.max_utilisation for entry in intact)
    print(json.dumps({**result, "failures": count, "phases": len(intact), "theta_before": before}))


def _check(entry: Any, flows: Flows) -> None:
    """Compare the loads of one phase; its rate per byte is what the hosts' links show."""
    topology = entry.topology
    from_hosts = topology.is_switch[topology.links.dst] & ~topology.is_switch[topology.links.src]
    gbps = float(entry.link_gbps[from_hosts].sum()) / flows.total
    blocks = tuple(type(block)(block.members, block.amount * gbps) for block in flows.blocks)
    checks.require(not blocks, "all-to-all blocks of hosts are not written out here")
    given = plain(Instance("train", 2048, topology, Flows(flows.src, flows.dst, flows.amount * gbps)))
    found = entry.link_gbps.sum(axis=1)[given.link]
    far = float(np.abs(found - checks.equal_split(given)).max() / given.gbps.max())
    checks.require(far <= checks.EXACT, f"{entry.phase}: a load is {far:.1e} of a link away from the plain search's")


if __name__ == "__main__":
    main()
