"""Equal split over the k shortest loop-free paths of every pair of switches, as source routing would send it.

Paths are counted by link weights, parallel links apart; which ones, ``fabric.routing.k_paths`` says. Where a pair has
fewer shortest paths than k, longer ones get as much as they do: of use where shortest paths are few, as in random
graphs (Singla et al., "Jellyfish", NSDI 2012, section 5), and a waste in folded Clos networks with k above their width.
"""

from __future__ import annotations

import numpy as np

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.k_paths import PathColumns, k_shortest_paths
from fabric.routing.router import ROUTERS, FlowPaths, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.columns import Floats, column
from topologies.registry import Injected


@ROUTERS.register(
    "k-shortest",
    example={},
    traits=RouterTraits(
        placement="fluid",
        ties="number",
        options=("k_paths",),
        not_programmable="chooses paths by source; a table that looks at destinations cannot carry it",
        way_out="router optimal splits over longer paths by destination",
    ),
)
def k_shortest(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Equal split over the k shortest loop-free paths of every pair; k is ``k_paths``."""
    paths = k_shortest_paths(graph, demand, options.k_paths)
    many = np.bincount(paths.entry, minlength=len(demand.src))
    each = demand.gbps[paths.entry] / many[paths.entry, None]
    size = np.diff(paths.start)
    loads = np.empty((len(graph.src), demand.gbps.shape[1]))
    for code in range(loads.shape[1]):
        loads[:, code] = np.bincount(paths.edge, np.repeat(each[:, code], size), len(graph.src))
    note = f"equal split over up to {options.k_paths} shortest loop-free paths of each pair of switches"
    return Routing("k-shortest", loads, many == 0, paths=_flow_paths(demand, paths, each), notes=(note,))


def _flow_paths(demand: PhaseDemand, paths: PathColumns, each: Floats) -> FlowPaths:
    """The paths, once for every class that sends over them; ``each`` is Gbps by path and class."""
    path, code = np.nonzero(each > 0)
    size = np.diff(paths.start)[path]
    start = np.concatenate([[0], np.cumsum(size)])
    step = np.repeat(paths.start[path] - start[:-1], size) + np.arange(start[-1])
    all_of_them = column(np.full(len(path), -1), np.int32)
    return FlowPaths(
        src=column(demand.src[paths.entry[path]], np.int32),
        dst=column(demand.dest_of_entry[paths.entry[path]], np.int32),
        src_endpoint=all_of_them,
        dst_endpoint=all_of_them,
        code=column(code, np.int32),
        gbps=column(each[path, code], np.float64),
        start=column(start, np.int32),
        edge=column(paths.edge[step], np.int32),
    )
