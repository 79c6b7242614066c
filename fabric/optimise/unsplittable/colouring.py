"""Balanced placement in layered fabrics, by edge colouring.

Flows between leaves are edges of a bipartite multigraph (sending leaf, receiving leaf); a colour is an uplink. With u
uplinks and n flows of a leaf, a balanced colouring puts ⌈n/u⌉ flows at most on every uplink and every downlink, which
is why a Clos network with as many uplinks as hosts carries every permutation (Beneš 1965). What lies above the leaves
falls apart into planes; inside a plane the flows run between the switches the uplinks lead to, and are coloured again,
until both ends are the same.

Nodes at one level should have equal links up. Where they do not (a link failed), flows that draw a missing link stay
without a path and are placed by cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fabric.optimise.unsplittable.candidates import Net
from fabric.optimise.unsplittable.edge_colouring import balanced_colours
from fabric.optimise.unsplittable.paths import least_lengths
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import RoutingGraph
from topologies.columns import Bools, Floats, Ints, Longs, column

_NO = -1


@dataclass(eq=False)
class _Walk:
    """Flows on their way up from the source and, mirrored, up from the destination."""

    near: Ints  # shape (F,), switch the flow has reached
    far: Ints  # switch it comes from on the other side
    up: list[Ints]  # per level, link of every flow or -1
    down: list[Ints]
    lost: Bools


def coloured_paths(
    graph: RoutingGraph, net: Net, flows: FlowTable, reached: Bools, longest: int
) -> tuple[Ints, Ints] | None:
    """Balanced paths of all flows that get one.

    Returns
    -------
    edge : ndarray, shape (F, longest)
        Links in order.
    steps : ndarray, shape (F,)
        How many; 0 where a flow has no path yet. None when the fabric has no levels to colour.
    """
    level = graph.topology.nodes.level[graph.node_of]
    walk = _Walk(flows.src.copy(), flows.dst.copy(), [], [], ~reached)
    for height in np.unique(level).tolist():
        open_ = ~walk.lost & (walk.near != walk.far)
        here = open_ & (level[walk.near] == height) & (level[walk.far] == height)
        walk.lost |= open_ & (level[walk.near] <= height) & ~here
        if here.any():
            _climb(graph, level, height, walk, np.flatnonzero(here), flows.gbps)
    if not walk.up:
        return None
    walk.lost |= walk.near != walk.far
    return _joined(net, walk, flows, longest)


def _climb(graph: RoutingGraph, level: Ints, height: int, walk: _Walk, who: Longs, gbps: Floats) -> None:
    """One level up on both sides, by a colouring per set of planes that share switches."""
    plane = _planes(graph, level > height)
    rise = np.flatnonzero((level[graph.src] == height) & (level[graph.dst] > height))
    fall = np.flatnonzero((level[graph.dst] == height) & (level[graph.src] > height))
    planes = int(plane.max()) + 1
    links_up = _Ports(graph.src[rise], plane[graph.dst[rise]], graph.dst[rise], rise, planes)
    links_down = _Ports(graph.dst[fall], plane[graph.src[fall]], graph.src[fall], fall, planes)
    both = [np.column_stack([ports.plane, ports.number]) for ports in (links_up, links_down)]
    colours = np.unique(np.concatenate(both), axis=0)
    up, down = np.full(len(walk.near), _NO, dtype=np.int32), np.full(len(walk.near), _NO, dtype=np.int32)
    for mine, palette in _islands(links_up, links_down, colours, walk.near[who], walk.far[who]):
        flows = who[mine]
        order = np.argsort(-gbps[flows], kind="stable")
        flows = flows[order]
        drawn = palette[balanced_colours(walk.near[flows], walk.far[flows], len(palette))]
        up[flows] = links_up.link(walk.near[flows], drawn[:, 0], drawn[:, 1])
        down[flows] = links_down.link(walk.far[flows], drawn[:, 0], drawn[:, 1])
    walk.lost[who] |= (up[who] == _NO) | (down[who] == _NO)
    went = who[~walk.lost[who]]
    up[walk.lost], down[walk.lost] = _NO, _NO
    walk.near[went], walk.far[went] = graph.dst[up[went]], graph.src[down[went]]
    walk.up.append(up)
    walk.down.append(down)


def _planes(graph: RoutingGraph, above: Bools) -> Ints:
    """Number of the connected part that every node above a level is in."""
    inside = above[graph.src] & above[graph.dst]
    ends = (graph.src[inside], graph.dst[inside])
    shape = (graph.nodes, graph.nodes)
    _, label = connected_components(coo_array((np.ones(int(inside.sum())), ends), shape=shape), directed=False)
    return np.asarray(label, dtype=np.int32)


class _Ports:
    """Links between the nodes of a level and the planes above, grouped by (node, plane)."""

    def __init__(self, node: Ints, plane: Ints, far: Ints, edge: Longs, planes: int) -> None:
        order = np.lexsort((edge, far, plane, node))
        self.node, self.plane = node[order], plane[order]
        self._edge = edge[order]
        self._planes = planes
        self._key, self._first, self._count = np.unique(
            self._packed(self.node, self.plane), return_index=True, return_counts=True
        )
        self.number = np.arange(len(order)) - np.repeat(self._first, self._count)  # among the node's to the plane

    def _packed(self, node: Ints, plane: Ints) -> Longs:
        return np.asarray(node.astype(np.int64) * self._planes + plane)

    def link(self, node: Ints, plane: Ints, number: Ints) -> Ints:
        """Link of every (node, plane, number), -1 where the node has none to that plane; numbers wrap round."""
        key = self._packed(node, plane)
        group = np.searchsorted(self._key, key)
        has = group < len(self._key)
        has[has] = self._key[group[has]] == key[has]
        found = np.full(len(node), _NO, dtype=np.int32)
        group = group[has]
        found[has] = self._edge[self._first[group] + number[has] % self._count[group]]
        return found


def _islands(up: _Ports, down: _Ports, colours: Ints, near: Ints, far: Ints) -> list[tuple[Ints, Ints]]:
    """Flows and colours in sets that have no switch and no plane in common."""
    nodes = int(max(up.node.max(initial=0), down.node.max(initial=0), near.max(), far.max())) + 1
    count = nodes + int(colours[:, 0].max(initial=0)) + 1
    ends = (np.concatenate([up.node, down.node]), np.concatenate([up.plane, down.plane]) + nodes)
    links = coo_array((np.ones(len(ends[0])), ends), shape=(count, count))
    _, label = connected_components(links, directed=False)
    found = []
    for part in np.unique(label[near]).tolist():
        mine = np.flatnonzero((label[near] == part) & (label[far] == part))
        palette = colours[label[colours[:, 0] + nodes] == part]
        if len(mine) and len(palette):
            found.append((column(mine, np.int64), column(palette, np.int32)))
    return found


def _joined(net: Net, walk: _Walk, flows: FlowTable, longest: int) -> tuple[Ints, Ints]:
    """The links up and down of every flow as one path; only paths of least weight count."""
    count = len(flows)
    edge = np.full((count, longest), _NO, dtype=np.int32)
    steps = np.zeros(count, dtype=np.int32)
    length = np.zeros(count)
    for links in [*walk.up, *walk.down[::-1]]:
        who = np.flatnonzero(~walk.lost & (links != _NO))
        who = who[steps[who] < longest]
        edge[who, steps[who]] = links[who]
        steps[who] += 1
        length[who] += net.length[links[who]]
    row, dst = flows.row, flows.dst
    complete = steps > 0
    last = edge[np.arange(count), np.maximum(steps - 1, 0)]
    complete &= net.head[last] == dst
    least = least_lengths(net, flows.src, row)
    complete &= length <= least * (1 + 1e-9)
    edge[~complete] = _NO
    steps[~complete] = 0
    return edge, steps
