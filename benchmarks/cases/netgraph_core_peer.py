"""ECMP by NetGraph's C++ core: one shortest-path DAG per source, then every demand placed on it with an equal split.

Arguments: an instance. The core admits a demand only as far as it fits, so capacities are doubled, and nothing is cut;
utilisation is of the true ones. Timed: import, graph, placement. It runs on one core: placements on one flow state
follow each other.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks import checks
from benchmarks.instances import make, plain
from benchmarks.measure import taken

ROOM = 2.0


def main() -> None:
    """Place once, check, print."""
    instance = make(sys.argv[1])
    given = plain(instance)
    ends, demand = given.ends.tolist(), given.demand_gbps.tolist()
    arcs = np.arange(len(given.tail))
    began = time.perf_counter()
    import netgraph_core as core

    columns = {"src": given.tail, "dst": given.head, "capacity": given.gbps * ROOM}
    graph = core.StrictMultiDiGraph.from_arrays(
        given.nodes, **columns, cost=np.ones(len(arcs), np.int64), ext_edge_ids=arcs.astype(np.int64)
    )
    algorithms = core.Algorithms(core.Backend.cpu())
    handle = algorithms.build_graph(graph)
    state = core.FlowState(graph)
    placed = 0.0
    for src, row in zip(ends, demand, strict=True):
        _, dag = algorithms.spf(handle, src)
        for dst, gbps in zip(ends, row, strict=True):
            if gbps:
                placed += state.place_on_dag(src, dst, dag, gbps, core.FlowPlacement.EQUAL_BALANCED)
    load = np.zeros(len(arcs))
    load[graph.ext_edge_ids_view()] = state.edge_flow_view()
    result = taken(began)
    checks.require(abs(placed / given.demand_gbps.sum() - 1) < checks.EXACT, "not all demand was placed")
    if instance.is_symmetric:
        checks.symmetric(instance, given, load)
    print(json.dumps({**result, "theta": checks.conserved(given, load)}))


if __name__ == "__main__":
    main()
