"""Walking single flows: each node on the way takes one of its shortest next hops, as the hash says.

One measurement of distances per destination serves all replicas that are walked together. Next hops of a node are
listed when the first flow comes by. Work is cut into slices of destinations that write to places of their own, so that
the number of threads changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand, RoutingGraph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.functions import next_hop
from fabric.routing.hashing.headers import Draws, Hashes
from fabric.routing.hashing.slices import on_threads
from fabric.routing.kernels import is_step, nearest_first, parallel_loads
from topologies.columns import Bools, Floats, Ints, Longs


class Net(NamedTuple):
    """The edges of a graph by destination and by source; ``out_edge[slot]`` is the edge that leaves at a slot."""

    into_start: Ints
    tail: Ints
    into_weight: Floats
    equal: bool  # weights
    out_start: Ints
    out_edge: Ints
    head: Ints
    out_weight: Floats

    @staticmethod
    def of(graph: RoutingGraph) -> Net:
        """Of a routing graph."""
        into, out = graph.into, graph.out
        return Net(
            into.start,
            graph.src[into.edge],
            graph.weight[into.edge],
            graph.equal_weights,
            out.start,
            out.edge,
            graph.dst[out.edge],
            graph.weight[out.edge],
        )


class Rows(NamedTuple):
    """What the walk needs of a ``FlowTable``."""

    dest: Ints
    start: Ints
    src: Ints
    code: Ints
    gbps: Floats


@compiled
def _list_hops(net: Net, node: int, distance: Floats, hops: Ints, filled: int) -> int:
    """Append the node's slots on shortest paths to ``hops``; returns how long the list is then."""
    for slot in range(net.out_start[node], net.out_start[node + 1]):
        if is_step(distance[net.head[slot]], distance[node], net.out_weight[slot], net.equal):
            hops[filled] = slot
            filled += 1
    return filled


@compiled
def walk_slice(
    first: int,
    last: int,
    net: Net,
    rows: Rows,
    bits: int,
    keys: Hashes,
    seeds: Hashes,
    place: Longs,
    paths: Ints,
    loads: Floats,
) -> None:
    """Walk the flows to the destinations ``first`` to ``last`` in all replicas of ``keys`` and ``seeds``.

    The edges of flow f in replica r are written from ``paths[r, place[f]]`` on unless ``paths`` has no columns; its
    Gbps are added to ``loads`` unless that has no rows: edge e in replica r is row ``r * edges + e``.
    """
    nodes, edges = len(net.into_start) - 1, len(net.out_edge)
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    listed = np.full(nodes, -1)
    hops_start, hops_count = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    hops = np.empty(len(net.out_edge), dtype=np.int32)
    keep, add = paths.shape[1] > 0, len(loads) > 0
    for row in range(first, last):
        dest, filled = rows.dest[row], 0
        nearest_first(dest, net.into_start, net.tail, net.into_weight, net.equal, distance, order)
        for replica in range(len(keys)):
            for flow in range(rows.start[row], rows.start[row + 1]):
                node, step = rows.src[flow], 0
                if distance[node] == np.inf:
                    continue
                while node != dest:
                    if listed[node] != row:
                        listed[node] = row
                        hops_start[node] = filled
                        filled = _list_hops(net, node, distance, hops, filled)
                        hops_count[node] = filled - hops_start[node]
                    pick = next_hop(keys[replica, flow], seeds[replica, node], bits, hops_count[node])
                    slot = hops[hops_start[node] + pick]
                    if keep:
                        paths[replica, place[flow] + step] = net.out_edge[slot]
                        step += 1
                    if add:
                        loads[replica * edges + net.out_edge[slot], rows.code[flow]] += rows.gbps[flow]
                    node = net.head[slot]


@compiled
def length_slice(first: int, last: int, net: Net, rows: DemandRows, length: Longs) -> None:
    """Most edges of a shortest path from the source of every entry to its destination, -1 without a path."""
    nodes = len(net.into_start) - 1
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    most = np.zeros(nodes, dtype=np.int64)
    for row in range(first, last):
        reached = nearest_first(rows.dest[row], net.into_start, net.tail, net.into_weight, net.equal, distance, order)
        most[:] = 0
        for position in range(reached if not net.equal else 0):
            here = order[position]
            for slot in range(net.into_start[here], net.into_start[here + 1]):
                node = net.tail[slot]
                if is_step(distance[here], distance[node], net.into_weight[slot], net.equal):
                    most[node] = max(most[node], most[here] + 1)
        for entry in range(rows.start[row], rows.start[row + 1]):
            node = rows.src[entry]
            if distance[node] == np.inf:
                length[entry] = -1
            else:
                length[entry] = np.int64(distance[node]) if net.equal else most[node]


@dataclass(frozen=True, eq=False)
class Walker:
    """Walks the flows of a table through a graph."""

    graph: RoutingGraph
    table: FlowTable

    @cached_property
    def _net(self) -> Net:
        return Net.of(self.graph)

    def _walk(self, first: int, last: int, draws: Draws, place: Longs, paths: Ints, loads: Floats) -> None:
        rows = Rows(self.table.dest, self.table.start, self.table.src, self.table.code, self.table.gbps)
        walk_slice(first, last, self._net, rows, draws.bits, draws.keys, draws.seeds, place, paths, loads)

    def loads_gbps(self, draws: Draws, classes: int) -> Floats:
        """Gbps of every edge and class in every replica of ``draws``, shape (R, E, classes)."""
        none = np.empty((len(draws.keys), 0), dtype=np.int32)

        def work(first: int, last: int, loads: Floats) -> None:
            self._walk(first, last, draws, np.empty(0, dtype=np.int64), none, loads)

        replicas, edges = len(draws.keys), len(self.graph.src)
        loads = parallel_loads(len(self.table.dest), (replicas * edges, classes), work)
        return loads.reshape(replicas, edges, classes)

    def write_paths(self, draws: Draws, place: Longs, paths: Ints) -> None:
        """Write the edges of every flow f in replica r to ``paths[r]`` from ``place[f]`` on."""
        none = np.empty((0, 1))
        on_threads(len(self.table.dest), lambda first, last: self._walk(first, last, draws, place, paths, none))

    def lengths(self, demand: PhaseDemand) -> tuple[Longs, Bools]:
        """Most edges of every flow's path, shape (F,), and which entries of the demand have no path, shape (nnz,)."""
        length = np.empty(len(demand.src), dtype=np.int64)

        def work(first: int, last: int) -> None:
            length_slice(first, last, self._net, demand.rows, length)

        on_threads(len(demand.dest), work)
        pair = demand.dest_of_entry.astype(np.int64) * self.graph.nodes + demand.src
        wanted = self.table.dest_of_flow.astype(np.int64) * self.graph.nodes + self.table.src
        entry = np.searchsorted(pair, wanted)
        local = self.table.dest_of_flow == self.table.src
        found = np.where(local, 0, np.append(length, 0)[entry])
        return np.maximum(found, 0), length < 0
