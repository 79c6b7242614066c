"""Walking single flows: each node on the way takes one of its shortest next hops, as the hash says.

One measurement of distances per destination serves all replicas that are walked together. Next hops of a node are
listed when the first flow comes by. Switches that hash resiliently pick among the group that they have with
everything up, for as long as they are no farther from the destination than then, and pick again where a pick is down
or leads astray; farther away, they pick so among all their ports. What a failure does not touch therefore stays where
it is. Work is cut into slices of destinations that write to places of their own, so that
the number of threads changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand, RoutingGraph, build_graph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.functions import lasting_pick, most_picks, next_hop
from fabric.routing.hashing.headers import Draws, Hashes
from fabric.routing.hashing.slices import on_threads
from fabric.routing.kernels import NEAR, is_step, nearest_first, parallel_loads
from fabric.routing.twin_distances import twin_distances
from fabric.routing.twin_loads import folds
from fabric.routing.twins import TwinNet, no_twins
from topologies.columns import Bools, Floats, Ints, Longs, column


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
    lasting: bool  # whether groups are those of a network with more edges; ``out_edge`` is then -1 for edges down
    whole_start: Ints  # edges of that network by destination
    whole_tail: Ints
    whole_weight: Floats

    @staticmethod
    def of(graph: RoutingGraph) -> Net:
        """Of a routing graph."""
        into, out = graph.into, graph.out
        start, tail, weight = into.start, graph.src[into.edge], graph.weight[into.edge]
        return Net(
            start,
            tail,
            weight,
            graph.equal_weights,
            out.start,
            out.edge,
            graph.dst[out.edge],
            graph.weight[out.edge],
            False,
            start,
            tail,
            weight,
        )

    @staticmethod
    def lasting_in(whole: RoutingGraph, edge: Ints) -> Net:
        """Of ``whole`` with only those edges up that have a number in ``edge``, shape (E,); that is written of them."""
        net, into = Net.of(whole), whole.into
        up = edge[into.edge] >= 0
        start = np.concatenate([[0], np.cumsum(up)])[into.start].astype(np.int32)
        return net._replace(
            into_start=start,
            tail=net.tail[up],
            into_weight=net.into_weight[up],
            out_edge=edge[net.out_edge],
            lasting=True,
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
def _list_lasting(net: Net, node: int, now: Floats, before: Floats, hops: Ints, usable: Bools, filled: int) -> int:
    """Append the node's group when all was up, or all its ports where it is farther away now; and which lead on."""
    stands = now[node] == before[node] if net.equal else now[node] <= before[node] * (1 + NEAR)
    for slot in range(net.out_start[node], net.out_start[node + 1]):
        head, weight = net.head[slot], net.out_weight[slot]
        if not stands or is_step(before[head], before[node], weight, net.equal):
            hops[filled] = slot
            usable[filled] = net.out_edge[slot] >= 0 and is_step(now[head], now[node], weight, net.equal)
            filled += 1
    return filled


@compiled
def walk_slice(
    first: int,
    last: int,
    net: Net,
    sets: TwinNet,
    whole_sets: TwinNet,
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
    Gbps are added to ``loads`` unless that has no rows: edge e in replica r is row ``r * edges + e``. Distances are
    measured over the twins of ``sets``, and of ``whole_sets`` in the network with more edges, unless those are empty.
    """
    nodes = len(net.into_start) - 1
    edges = len(loads) // max(len(keys), 1)
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    listed = np.full(nodes, -1)
    hops_start, hops_count = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    hops = np.empty(len(net.out_edge), dtype=np.int32)
    before = np.empty(nodes if net.lasting else 0)
    usable = np.empty(len(net.out_edge) if net.lasting else 0, dtype=np.bool_)
    keep, add = paths.shape[1] > 0, len(loads) > 0
    most = max(len(sets.size), len(whole_sets.size)) + 1
    away, turn = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    for row in range(first, last):
        dest, filled = rows.dest[row], 0
        if len(sets.size) > 0:
            twin_distances(sets, dest, distance, away, turn)
        else:
            nearest_first(dest, net.into_start, net.tail, net.into_weight, net.equal, distance, order)
        if net.lasting and len(whole_sets.size) > 0:
            twin_distances(whole_sets, dest, before, away, turn)
        elif net.lasting:
            nearest_first(dest, net.whole_start, net.whole_tail, net.whole_weight, net.equal, before, order)
        for replica in range(len(keys)):
            for flow in range(rows.start[row], rows.start[row + 1]):
                node, step = rows.src[flow], 0
                if distance[node] == np.inf:
                    continue
                while node != dest:
                    if listed[node] != row:
                        listed[node] = row
                        hops_start[node] = filled
                        if net.lasting:
                            filled = _list_lasting(net, node, distance, before, hops, usable, filled)
                        else:
                            filled = _list_hops(net, node, distance, hops, filled)
                        hops_count[node] = filled - hops_start[node]
                    key, seed, start = keys[replica, flow], seeds[replica, node], hops_start[node]
                    if net.lasting:
                        pick = np.int64(0)
                        for number in range(most_picks(hops_count[node])):
                            pick = lasting_pick(key, seed, bits, hops_count[node], number)
                            if usable[start + pick]:
                                break
                    else:
                        pick = next_hop(key, seed, bits, hops_count[node])
                    slot = hops[start + pick]
                    if keep:
                        paths[replica, place[flow] + step] = net.out_edge[slot]
                        step += 1
                    if add:
                        loads[replica * edges + net.out_edge[slot], rows.code[flow]] += rows.gbps[flow]
                    node = net.head[slot]


@compiled
def length_slice(first: int, last: int, net: Net, sets: TwinNet, rows: DemandRows, length: Longs) -> None:
    """Most edges of a shortest path from the source of every entry to its destination, -1 without a path."""
    nodes = len(net.into_start) - 1
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    most = np.zeros(nodes, dtype=np.int64)
    away, turn = np.empty(len(sets.size) + 1, dtype=np.int64), np.empty(len(sets.size) + 1, dtype=np.int64)
    for row in range(first, last):
        dest, reached = rows.dest[row], 0
        if len(sets.size) > 0:
            twin_distances(sets, dest, distance, away, turn)
        else:
            reached = nearest_first(dest, net.into_start, net.tail, net.into_weight, net.equal, distance, order)
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
    destinations: int  # that are walked to in all
    whole: RoutingGraph | None = None  # with everything up, where switches keep the groups that they have in it

    @staticmethod
    def of(graph: RoutingGraph, table: FlowTable, *, resilient: bool, destinations: int = 0) -> Walker:
        """Walks through a graph; with ``resilient`` flows stay where what is down lets them.

        ``destinations`` is how many there are where further tables than this one are walked.
        """
        topology, destinations = graph.topology, destinations or len(table.dest)
        if not resilient or topology.up.all():
            return Walker(graph, table, destinations)
        terminals = column(graph.node_of[graph.is_terminal], np.int32)
        whole = build_graph(topology.whole, [], per_endpoint=True, access_in_graph=np.unique(terminals))
        return Walker(graph, table, destinations, whole)

    @cached_property
    def _net(self) -> Net:
        return Net.of(self.graph)

    @cached_property
    def _walked(self) -> tuple[Net, Ints]:
        """What flows are walked through, and the node there of every node of the graph."""
        graph, whole = self.graph, self.whole
        nodes = np.arange(graph.nodes, dtype=np.int32)
        if whole is None:
            return self._net, nodes
        number = np.full(len(graph.topology.links), -1, dtype=np.int32)
        number[graph.first_link] = np.arange(len(graph.src))
        receives = graph.sink[graph.node_of] == nodes
        terminal = np.where(receives, whole.sink[graph.node_of], whole.source[graph.node_of])
        return Net.lasting_in(whole, number[whole.first_link]), np.where(graph.is_terminal, terminal, nodes)

    @cached_property
    def _sets(self) -> tuple[TwinNet, TwinNet]:
        """Twins of the graph, and of the one with everything up; empty where they do not help."""
        graphs = [self.graph, self.whole or self.graph]
        help_all = all(not graph.is_terminal.any() and folds(graph, self.destinations) for graph in graphs)
        return (graphs[0].twin_net, graphs[1].twin_net) if help_all else (no_twins(), no_twins())

    def _columns(self, table: FlowTable, draws: Draws) -> tuple[Rows, Hashes]:
        """Flows by the nodes that are walked through, and the seeds of those nodes in every replica."""
        net, node = self._walked
        rows = Rows(node[table.dest], table.start, node[table.src], table.code, table.gbps)
        seeds = np.zeros((len(draws.seeds), len(net.out_start) - 1), dtype=np.uint64)
        seeds[:, node] = draws.seeds
        return rows, seeds

    def _walk(self, draws: Draws, place: Longs, paths: Ints) -> Callable[[int, int, Floats], None]:
        """What walks a slice of destinations; the flows are brought into columns once for all slices."""
        net, sets, (rows, seeds) = self._walked[0], self._sets, self._columns(self.table, draws)

        def walk(first: int, last: int, loads: Floats) -> None:
            walk_slice(first, last, net, *sets, rows, draws.bits, draws.keys, seeds, place, paths, loads)

        return walk

    def loads_gbps(self, draws: Draws, classes: int) -> Floats:
        """Gbps of every edge and class in every replica of ``draws``, shape (R, E, classes)."""
        none = np.empty((len(draws.keys), 0), dtype=np.int32)
        return self._added(draws, classes, np.empty(0, dtype=np.int64), none)

    def loads_and_paths(self, draws: Draws, classes: int, place: Longs, paths: Ints) -> Floats:
        """Both at once: what `loads_gbps` gives, and what `write_paths` writes."""
        return self._added(draws, classes, place, paths)

    def _added(self, draws: Draws, classes: int, place: Longs, paths: Ints) -> Floats:
        replicas, edges = len(draws.keys), len(self.graph.src)
        walk = self._walk(draws, place, paths)
        return parallel_loads(len(self.table.dest), (replicas * edges, classes), walk).reshape(replicas, edges, classes)

    def adder(self, draws: Draws, dest: Ints) -> Callable[[int, Floats], None]:
        """What adds the flows to ``dest[row]`` in the one replica of ``draws`` to loads (E, classes), Gbps."""
        none, place = np.empty((1, 0), dtype=np.int32), np.empty(0, dtype=np.int64)
        at = np.searchsorted(self.table.dest, dest).tolist()
        net, (rows, seeds) = self._walked[0], self._columns(self.table, draws)

        def add(row: int, loads: Floats) -> None:
            walk_slice(at[row], at[row] + 1, net, *self._sets, rows, draws.bits, draws.keys, seeds, place, none, loads)

        return add

    def add_flows(self, table: FlowTable, draws: Draws, loads: Floats) -> None:
        """Add the flows of another table, hashed as ``draws`` says, to loads of shape (R x E, classes), Gbps."""
        none, place = np.empty((len(draws.keys), 0), dtype=np.int32), np.empty(0, dtype=np.int64)
        net, (rows, seeds) = self._walked[0], self._columns(table, draws)
        rows_in_all = len(table.dest)
        walk_slice(0, rows_in_all, net, *self._sets, rows, draws.bits, draws.keys, seeds, place, none, loads)

    def write_paths(self, draws: Draws, place: Longs, paths: Ints) -> None:
        """Write the edges of every flow f in replica r to ``paths[r]`` from ``place[f]`` on."""
        none, walk = np.empty((0, 1)), self._walk(draws, place, paths)
        on_threads(len(self.table.dest), lambda first, last: walk(first, last, none))

    def entry_lengths(self, demand: PhaseDemand) -> Longs:
        """Most edges of a path of every entry of the demand, shape (nnz,); -1 without one."""
        length = np.empty(len(demand.src), dtype=np.int64)

        def work(first: int, last: int) -> None:
            length_slice(first, last, self._net, self._sets[0], demand.rows, length)

        on_threads(len(demand.dest), work)
        return length

    def lengths(self, demand: PhaseDemand) -> tuple[Longs, Bools]:
        """Most edges of every flow's path, shape (F,), and which entries of the demand have no path, shape (nnz,)."""
        length = self.entry_lengths(demand)
        pair = demand.dest_of_entry.astype(np.int64) * self.graph.nodes + demand.src
        wanted = self.table.dest_of_flow.astype(np.int64) * self.graph.nodes + self.table.src
        entry = np.searchsorted(pair, wanted)
        local = self.table.dest_of_flow == self.table.src
        found = np.where(local, 0, np.append(length, 0)[entry])
        return np.maximum(found, 0), length < 0
