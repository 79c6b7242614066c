"""What every switch does with traffic for every destination: its next hops and the part each gets, each decision once.

Nodes repeat themselves: an edge switch sends to all other pods alike. Every (node, destination) is hashed by its next
hops and their parts (to 2⁻²⁰), equal hashes of one node are one *decision*, and only decisions are written out. 64-bit
hashes of up to 10⁸ cells meet by chance less than once in a thousand networks.

Where a routing has explicit splits towards a destination, nodes on them follow them; all others go over shortest paths
by a rule until they meet one. Splits are closed (what enters them stays on them), so the two make no loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled
from fabric.routing.graph import RoutingGraph, build_graph
from fabric.routing.hashing.functions import mix
from fabric.routing.kernels import parallel_rows
from fabric.routing.router import Splits
from fabric.routing.shortest_splits import SweepNet, measure_parts, new_sweep, sweep_net
from fabric.routing.traits import Rule
from topologies.columns import Floats, Ints, Longs, column
from topologies.errors import RoutingError
from topologies.topology import Topology

Hashes = NDArray[np.uint64]

CUT_OFF, ARRIVED = -1, -2  # codes of nodes without a path, and of the destination itself
MOST_CELLS = 200_000_000  # nodes x destinations, 12 bytes each
_SMALLEST = 1e-6  # parts below this are rounding of a solver and are left out


@dataclass(frozen=True, eq=False)
class Decisions:
    """Decision k sends ``fraction`` over ``edge`` in ``start[k]:start[k + 1]``; edges ascend."""

    graph: RoutingGraph
    sink: Ints  # shape (D,), destinations: graph nodes where traffic leaves
    row_of: Ints  # shape (N,), destination of every endpoint by topology node, -1 where it cannot be reached
    code: Ints  # shape (V, D), decision of a node for a destination, CUT_OFF or ARRIVED
    start: Longs  # shape (K + 1,)
    edge: Ints  # graph edges
    fraction: Floats  # those of one decision sum to 1

    def __len__(self) -> int:
        return len(self.start) - 1


@compiled
def _cell(edge: int, fraction: float) -> np.uint64:
    return mix(np.uint64(edge) << np.uint64(21) | np.uint64(np.round(fraction * 1048576.0)))


@compiled
def _hash_slice(first: int, last: int, net: SweepNet, dest: Ints, keys: Hashes, count: Ints) -> None:
    """Hash and number of the next hops of every node for destinations ``first`` to ``last``; 0 where cut off."""
    edge_of = np.empty(len(net.slot_of), dtype=np.int64)
    for edge in range(len(net.slot_of)):
        edge_of[net.slot_of[edge]] = edge
    sweep = new_sweep(net)
    for row in range(first, last):
        reached = measure_parts(net, dest[row], sweep)
        for position in range(reached):
            head = sweep.order[position]
            for slot in range(net.into_start[head], net.into_start[head + 1]):
                if sweep.part[slot] > 0.0:
                    node = net.tail[slot]
                    keys[row, node] += _cell(edge_of[slot], sweep.part[slot] / sweep.total[node])
                    count[row, node] += 1


@compiled
def _write_slice(
    first: int,
    last: int,
    net: SweepNet,
    dest: Ints,
    wanted_start: Longs,
    wanted_node: Ints,
    place: Longs,
    edge: Ints,
    fraction: Floats,
) -> None:
    """Write the decisions that nodes take for destinations ``first`` to ``last`` to their places."""
    sweep = new_sweep(net)
    for row in range(first, last):
        if wanted_start[row] == wanted_start[row + 1]:
            continue
        measure_parts(net, dest[row], sweep)
        for number in range(wanted_start[row], wanted_start[row + 1]):
            node, at = wanted_node[number], place[number]
            for out in range(net.out_start[node], net.out_start[node + 1]):
                one = net.out_edge[out]
                slot = net.slot_of[one]
                if sweep.distance[net.head_of[one]] < np.inf and sweep.part[slot] > 0.0:
                    edge[at] = one
                    fraction[at] = sweep.part[slot] / sweep.total[node]
                    at += 1


@compiled
def _lay_over(row: Longs, start: Longs, src: Ints, edge: Ints, fraction: Floats, keys: Hashes, count: Ints) -> None:
    """Replace hashes of nodes that have explicit splits; ``row`` of the destination, ``src`` of every edge."""
    for index in range(len(row)):
        for at in range(start[index], start[index + 1]):
            keys[row[index], src[at]] = np.uint64(0)
            count[row[index], src[at]] = 0
        for at in range(start[index], start[index + 1]):
            keys[row[index], src[at]] += _cell(edge[at], fraction[at])
            count[row[index], src[at]] += 1


def all_sinks(graph: RoutingGraph) -> Ints:
    """Graph nodes where the traffic of any endpoint leaves, ascending."""
    ends = graph.topology.endpoint_nodes
    sinks = np.unique(graph.sink[ends])
    return column(sinks[sinks >= 0], np.int32)


def decide(
    graph: RoutingGraph, rule: Rule, *, splits: Splits | None = None, split_sinks: Ints | None = None
) -> Decisions:
    """Decisions of all nodes for all destinations.

    Parameters
    ----------
    rule : str
        How nodes without explicit splits divide traffic over their shortest next hops.
    splits : Splits, optional
        Explicit routing towards the destinations ``split_sinks``, shape (rows of splits,).

    Raises
    ------
    RoutingError
        When nodes x destinations do not fit into memory.
    """
    sink = all_sinks(graph)
    if graph.nodes * len(sink) > MOST_CELLS:
        raise RoutingError(
            f"{graph.nodes:,} switches x {len(sink):,} destinations are {graph.nodes * len(sink):,} table cells; "
            f"{MOST_CELLS:,} are the most",
            hint="export one fabric, plane or pod at a time",
            code="FP5030",
        )
    net = sweep_net(graph, rule)
    keys = np.zeros((len(sink), graph.nodes), dtype=np.uint64)
    count = np.zeros((len(sink), graph.nodes), dtype=np.int32)
    parallel_rows(len(sink), lambda first, last: _hash_slice(first, last, net, sink, keys, count))
    laid = _clean(graph, sink, splits, split_sinks) if splits is not None and split_sinks is not None else None
    if laid is not None:
        _lay_over(laid.row, laid.start, laid.src, laid.edge, laid.fraction, keys, count)
    code, row, node = _number(keys, sink)
    start = np.concatenate([[0], np.cumsum(count[row, node])]).astype(np.int64)
    edge, fraction = np.empty(int(start[-1]), dtype=np.int32), np.empty(int(start[-1]))
    explicit = laid.write(row, node, start, edge, fraction) if laid is not None else np.zeros(len(row), dtype=np.bool_)
    swept = np.flatnonzero(~explicit)
    swept = swept[np.argsort(row[swept], kind="stable")]
    bounds = np.searchsorted(row[swept], np.arange(len(sink) + 1)).astype(np.int64)
    nodes, places = node[swept].astype(np.int32), start[swept]
    parallel_rows(
        len(sink), lambda first, last: _write_slice(first, last, net, sink, bounds, nodes, places, edge, fraction)
    )
    return Decisions(
        graph,
        sink,
        _rows_of_endpoints(graph, sink),
        code,
        column(start, np.int64),
        column(edge, np.int32),
        column(fraction, np.float64),
    )


def _rows_of_endpoints(graph: RoutingGraph, sink: Ints) -> Ints:
    """Place of every endpoint's sink among the sinks, by topology node."""
    row = np.full(len(graph.topology.nodes), -1, dtype=np.int32)
    ends = graph.topology.endpoint_nodes
    ends = ends[graph.sink[ends] >= 0]
    row[ends] = np.searchsorted(sink, graph.sink[ends])
    return column(row, np.int32)


def decide_paths(graph: RoutingGraph, out_link: Ints, endpoints: Ints) -> Decisions:
    """Decisions of routing by one path per destination endpoint.

    Parameters
    ----------
    out_link : ndarray, shape (switches, n)
        Topology link by which each node that forwards, in order, sends to each endpoint; -1 where it has no path.
    endpoints : ndarray, shape (n,)
        Topology nodes, each a destination of its own.
    """
    edge_of = edge_of_links(graph)
    code = np.full((graph.nodes, len(endpoints)), CUT_OFF, dtype=np.int32)
    edge = np.where(out_link >= 0, edge_of[out_link], -1)
    # A link that is not an edge leads to an endpoint behind its switch.
    code[: len(out_link)] = np.where((out_link >= 0) & (edge < 0), ARRIVED, edge)
    row_of = np.full(len(graph.topology.nodes), -1, dtype=np.int32)
    row_of[endpoints] = np.arange(len(endpoints))
    every = np.arange(len(graph.src) + 1, dtype=np.int64)
    return Decisions(
        graph,
        column(graph.sink[endpoints], np.int32),
        column(row_of, np.int32),
        column(code, np.int32),
        every,
        column(every[:-1], np.int32),
        column(np.ones(len(graph.src)), np.float64),
    )


def edge_of_links(graph: RoutingGraph) -> Ints:
    """Graph edge of every topology link, shape (L,), -1 for the access links of single-homed endpoints."""
    edge_of = np.full(len(graph.topology.links), -1, dtype=np.int32)
    core = np.flatnonzero(graph.link_of >= 0)
    edge_of[graph.link_of[core]] = core
    edge_of[graph.member_link] = graph.member_edge
    return edge_of


@dataclass(frozen=True, eq=False)
class _Laid:
    """Explicit splits by destination, sorted by source and edge, without what rounds to nothing."""

    row: Longs  # shape (rows,), place among the sinks
    start: Longs  # shape (rows + 1,)
    src: Ints
    edge: Ints
    fraction: Floats

    def write(self, row: Longs, node: Longs, start: Longs, edge: Ints, fraction: Floats) -> NDArray[np.bool_]:
        """Write those decisions that were first met here; returns which."""
        explicit = np.zeros(len(row), dtype=np.bool_)
        place = {int(sink): index for index, sink in enumerate(self.row)}
        for number in range(len(row)):
            index = place.get(int(row[number]))
            if index is None:
                continue
            low, high = self.start[index], self.start[index + 1]
            mine = slice(
                low + np.searchsorted(self.src[low:high], node[number], "left"),
                low + np.searchsorted(self.src[low:high], node[number], "right"),
            )
            if mine.start < mine.stop:
                explicit[number] = True
                edge[start[number] : start[number + 1]] = self.edge[mine]
                fraction[start[number] : start[number + 1]] = self.fraction[mine]
        return explicit


def _clean(graph: RoutingGraph, sink: Ints, splits: Splits, split_sinks: Ints) -> _Laid:
    row = np.repeat(np.searchsorted(sink, split_sinks), np.diff(splits.start))
    src = graph.src[splits.edge]
    keep = splits.fraction > _SMALLEST
    order = np.lexsort((splits.edge[keep], src[keep], row[keep]))
    row, src, edge = row[keep][order], src[keep][order], splits.edge[keep][order]
    fraction = splits.fraction[keep][order]
    cell = row * graph.nodes + src
    _, inverse = np.unique(cell, return_inverse=True)
    fraction = fraction / np.bincount(inverse, fraction)[inverse]
    rows, first = np.unique(row, return_index=True)
    return _Laid(rows, np.append(first, len(row)).astype(np.int64), src, edge, fraction)


def _number(keys: Hashes, sink: Ints) -> tuple[Ints, Longs, Longs]:
    """Codes by node and destination, and the destination row and node that each decision was first met at."""
    rows, nodes = keys.shape
    by_node = np.ascontiguousarray(keys.T)
    code = np.empty((nodes, rows), dtype=np.int32)
    first_row: list[NDArray[np.int64]] = []
    first_node: list[NDArray[np.int64]] = []
    known = 0
    for node in range(nodes):
        unique, index, inverse = np.unique(by_node[node], return_index=True, return_inverse=True)
        cut = int(len(unique) > 0 and unique[0] == 0)  # a hash of nothing: no next hops
        code[node] = np.where(inverse < cut, CUT_OFF, inverse - cut + known)
        found = index[cut:].astype(np.int64)
        first_row.append(found)
        first_node.append(np.full(len(found), node, dtype=np.int64))
        known += len(found)
    code[sink, np.arange(rows)] = ARRIVED
    return column(code, np.int32), np.concatenate(first_row), np.concatenate(first_node)


@compiled
def _lowest_slice(first: int, last: int, net: SweepNet, switches: int, out: Ints) -> None:
    sweep = new_sweep(net)
    for dest in range(first, last):
        reached = measure_parts(net, dest, sweep)
        for position in range(1, reached):
            node = sweep.order[position]
            if node < switches:
                for place in range(net.out_start[node], net.out_start[node + 1]):
                    edge = net.out_edge[place]
                    slot = net.slot_of[edge]
                    if sweep.distance[net.head_of[edge]] < np.inf and sweep.part[slot] > 0.0:
                        out[node, dest] = edge
                        break


def decide_switches(topology: Topology) -> Ints:
    """Link by which every switch sends to every other: the first on a shortest path.

    Returns
    -------
    ndarray, shape (switches, switches)
        By place among the nodes that forward; -1 towards itself and without a path.
    """
    graph = build_graph(topology, [])
    net = sweep_net(graph, "equal")
    switches = int((~graph.is_terminal).sum())
    edge = np.full((switches, switches), -1, dtype=np.int32)
    parallel_rows(switches, lambda first, last: _lowest_slice(first, last, net, switches, edge))
    return column(np.where(edge >= 0, graph.link_of[edge], -1), np.int32)
