"""Automorphisms of a fabric with its demand, found by refinement and each **checked edge by edge**.

Symmetries that are not found leave cases apart that could be joined: more work, never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.failures.symmetry.coloured_graph import ColouredGraph, coloured_graph
from fabric.failures.symmetry.components import joined
from fabric.failures.symmetry.refinement import copied, partition_of, refine_all, way_down
from topologies.columns import Ints, Longs, column
from topologies.topology import Topology
from traffic.demands import Flows

_ENOUGH = 4  # automorphisms in a row that join nothing new
_MOST = 40
_FRUITLESS = 6  # ways in a row that led to no automorphism


def link_maps(topology: Topology, demands: Sequence[Flows], host_of: Ints | None = None) -> tuple[Ints, ...]:
    """Symmetries that leave demands as they are: for each the link that every link is carried onto, shape (L,)."""
    graph = coloured_graph(topology, demands, host_of)
    start, other, code = graph.incidence
    stable = partition_of(graph.colour)
    refine_all(stable, start, other, code)
    coarsest = _link_classes(graph, stable.cell)
    base = copied(stable)
    way_down(base, start, other, code, 0)
    keys = graph.edge_keys(np.arange(graph.nodes))
    rng = np.random.default_rng(7)
    order = _by_cable(topology, keys[: graph.links], np.arange(graph.links))
    maps: list[Ints] = []
    idle = lost = 0
    orbits = graph.links
    for seed in range(1, _MOST + 1):
        if orbits <= coarsest or idle >= _ENOUGH or lost >= _FRUITLESS:
            break
        other_way = copied(stable)
        way_down(other_way, start, other, code, seed)
        image = np.empty(graph.nodes, dtype=np.int64)
        image[base.order] = other_way.order
        moved = graph.edge_keys(image)
        if not np.array_equal(np.sort(moved), np.sort(keys)) or (graph.colour[image] != graph.colour).any():
            lost += 1
            continue
        lost = 0
        carried = np.empty(graph.links, dtype=np.int32)
        carried[_by_cable(topology, moved[: graph.links], rng.permutation(graph.links))] = order
        maps.append(column(carried, np.int32))
        now = int(joined(graph.links, maps).max(initial=-1)) + 1
        idle = idle + 1 if now == orbits else 0
        orbits = now
    return tuple(maps)


def _by_cable(topology: Topology, keys: Longs, rank: Longs) -> Longs:
    """Links by what they are, and those that run in parallel by the rank of their cable, both ways of one alike."""
    reverse = topology.links.reverse
    ids = np.arange(len(reverse))
    cable = np.where(reverse >= 0, np.minimum(ids, reverse), ids)
    return np.lexsort((rank[cable], keys))


def _link_classes(graph: ColouredGraph, cell: Longs) -> int:
    """Classes of links that refinement alone tells apart: no symmetry leaves fewer orbits."""
    links = slice(graph.links)
    rows = np.column_stack([cell[graph.src[links]], cell[graph.dst[links]], graph.edge_colour[links]])
    return len(np.unique(rows, axis=0))
