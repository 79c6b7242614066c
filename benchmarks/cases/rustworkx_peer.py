"""Edge betweenness by rustworkx: an equal rate between **all** pairs of nodes, split over shortest paths by count.

It takes no demand, so it answers ``everywhere-K`` alone. In a fat tree a split by number of paths is the equal split
at every hop, which the closed form confirms. Arguments: the instance. Timed: import, graph, betweenness. The graph is
undirected, which is twice as fast as one arc per direction and the same here, links being alike both ways.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks import checks
from benchmarks.instances import everywhere_pair_gbps, make, plain
from benchmarks.measure import taken


def main() -> None:
    """Count once, check, print."""
    instance = make(sys.argv[1])
    given = plain(instance)
    cable = given.tail < given.head
    ends = list(zip(given.tail[cable].tolist(), given.head[cable].tolist(), strict=True))
    began = time.perf_counter()
    import rustworkx as rx

    graph = rx.PyGraph()
    graph.add_nodes_from(range(given.nodes))
    graph.add_edges_from_no_data(ends)
    count = np.fromiter(rx.graph_edge_betweenness_centrality(graph, normalized=False).values(), np.float64, len(ends))
    result = taken(began)
    # Unordered pairs that use a cable either way are as many as ordered pairs that use it in one direction.
    of_cable = dict(zip(ends, count.tolist(), strict=True))
    arcs = zip(given.tail.tolist(), given.head.tolist(), strict=True)
    load = np.array([of_cable[min(arc), max(arc)] for arc in arcs]) * everywhere_pair_gbps(instance.size)
    checks.symmetric(instance, given, load)
    print(json.dumps({**result, "theta": float((load / given.gbps).max())}))


if __name__ == "__main__":
    main()
