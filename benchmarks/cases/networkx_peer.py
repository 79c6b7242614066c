"""Loads of demand between all pairs of edge switches by NetworkX: edge betweenness from a subset to a subset.

Arguments: an instance ``uniform-K``. It splits by number of paths, which in a fat tree is the equal split at every hop.
Timed: import, graph, betweenness.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks import checks
from benchmarks.instances import make, plain
from benchmarks.measure import taken


def main() -> None:
    """Count once, check, print."""
    instance = make(sys.argv[1])
    given = plain(instance)
    began = time.perf_counter()
    import networkx as nx

    graph = nx.DiGraph()
    arcs = list(zip(given.tail.tolist(), given.head.tolist(), strict=True))
    graph.add_edges_from(arcs)
    ends = given.ends.tolist()
    count = nx.edge_betweenness_centrality_subset(graph, sources=ends, targets=ends, normalized=False)
    result = taken(began)
    load = np.array([count[arc] for arc in arcs]) * given.demand_gbps.max()
    checks.symmetric(instance, given, load)
    print(json.dumps({**result, "theta": checks.conserved(given, load)}))


if __name__ == "__main__":
    main()
