"""ECMP of all-to-all traffic between all hosts of a fat tree, which is all-to-all between its edge switches.

Arguments: k, and ``networkx`` to compute the same with NetworkX and plain Python (small k only). Loads are checked
against the closed form: a host sends r Gb/s in all, evenly to every other of n = k³/4 hosts, so that of what the k/2
hosts of an edge switch send, n − k/2 parts in n − 1 leave over its k/2 uplinks, and n − k²/4 leave the pod.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topologies.topology import Topology
from traffic.demands import Flows, UniformBlock

HOST_GBPS = 400.0


def fat_tree(radix: int) -> Topology:
    """The network, with 400G links."""
    from topologies.builder import TOPOLOGIES

    return TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "400G"})


def demand(topology: Topology) -> list[Flows]:
    """All-to-all between the hosts as one block."""
    hosts = topology.endpoint_nodes
    none = Flows.none()
    return [Flows(none.src, none.dst, none.amount, (UniformBlock(hosts, HOST_GBPS / (len(hosts) - 1)),))]


def ours(topology: Topology, flows: Sequence[Flows]) -> NDArray[np.float64]:
    """Gbps of every directed link by the router ``ecmp``."""
    from fabric.routing.graph import build_graph, phase_demand
    from fabric.routing.router import ROUTERS, RoutingOptions

    graph = build_graph(topology, flows)
    needed = phase_demand(graph, flows, [1.0])
    routing = ROUTERS["ecmp"]({}, graph=graph, demand=needed, options=RoutingOptions())
    return np.asarray(graph.link_loads(routing.edge_gbps, needed.sent_gbps, needed.received_gbps)[:, 0])


def by_networkx(topology: Topology) -> NDArray[np.float64]:
    """The same between switches: distances by NetworkX, then an equal split at every node, farthest first."""
    import networkx as nx

    links, forwards = topology.links, topology.nodes.forwards
    graph = nx.DiGraph()
    for link, (src, dst) in enumerate(zip(links.src.tolist(), links.dst.tolist(), strict=True)):
        if forwards[src] and forwards[dst]:
            graph.add_edge(src, dst, link=link)
    hosts = topology.endpoint_nodes
    uplinks = np.flatnonzero(np.isin(links.src, hosts))
    at, count = np.unique(links.dst[uplinks], return_counts=True)
    per_pair = HOST_GBPS / (len(hosts) - 1)
    load = np.zeros(len(links))
    backwards = graph.reverse(copy=False)
    for dest, members in zip(at.tolist(), count.tolist(), strict=True):
        hops: dict[int, int] = nx.single_source_shortest_path_length(backwards, dest)
        waiting = dict.fromkeys(hops, 0.0)
        waiting.update({src: per_pair * n * members for src, n in zip(at.tolist(), count.tolist(), strict=True)})
        for node in sorted(hops, key=lambda found: -hops[found]):
            following = [other for other in graph[node] if hops[other] == hops[node] - 1]
            for other in following:
                load[graph[node][other]["link"]] += waiting[node] / len(following)
                waiting[other] += waiting[node] / len(following)
    return load


def expected(radix: int) -> dict[str, float]:
    """Gbps of a link of each tier by the closed form."""
    hosts = radix**3 // 4
    leaves_edge, leaves_pod = hosts - radix // 2, hosts - radix**2 // 4
    each = HOST_GBPS / (hosts - 1)
    return {"host-edge": HOST_GBPS, "edge-aggregation": leaves_edge * each, "aggregation-core": leaves_pod * each}


def main() -> None:
    """Route once, and check the loads."""
    radix = int(sys.argv[1])
    topology = fat_tree(radix)
    flows = demand(topology)
    began = time.perf_counter()
    loads = ours(topology, flows)
    result: dict[str, Any] = {"seconds": time.perf_counter() - began, "links": len(topology.links)}
    for tier, gbps in expected(radix).items():
        found = loads[topology.links.tier == topology.tiers.index(tier)]
        np.testing.assert_allclose(found, gbps, rtol=1e-9, err_msg=tier)
    if "networkx" in sys.argv[2:]:
        began = time.perf_counter()
        other = by_networkx(topology)
        result["networkx_s"] = time.perf_counter() - began
        between = topology.nodes.forwards[topology.links.src] & topology.nodes.forwards[topology.links.dst]
        np.testing.assert_allclose(loads[between], other[between], rtol=1e-9)
        began = time.perf_counter()
        ours(topology, flows)
        result["warm_s"] = time.perf_counter() - began
    print(json.dumps(result))


if __name__ == "__main__":
    main()
