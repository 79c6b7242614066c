"""Loads of equal splits worked out on sets of twins, for fabrics that have many of them.

On a folded Clos the sets are the leaves of a pod and the cores of a plane, and the network of the sets has one link for
hundreds of the fabric's. Only hop counts decide here; a link's capacity has no say in an equal split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.routing.adjacency import Adjacency
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import SLICES, parallel_parts
from fabric.routing.twin_columns import Ends, HostLinks, OwnPlaces, TwinLoads
from fabric.routing.twin_kernel import twin_slice
from fabric.routing.twins import TwinNet
from topologies.columns import Bools, Floats, Longs, column

LEAST_FOLDING = 4  # links of the fabric per link between sets from which the sets save more than they cost
LEAST_STEPS = 2_000_000  # destinations times links, below which one sweep per destination takes milliseconds


@dataclass(frozen=True, eq=False)
class _Folded:
    """The network of the sets with the demand's sources and ends."""

    net: TwinNet
    ends: Ends
    host: HostLinks
    places: OwnPlaces
    counts: tuple[int, ...]  # of the fields of ``TwinLoads``


def twin_loads(graph: RoutingGraph, demand: PhaseDemand) -> tuple[Floats, Bools] | None:
    """Offered Gbps per edge and class, shape (E, C), and which entries have no path; None where sets do not help."""
    if not folds(graph, len(demand.dest)):
        return None
    folded = _folded(graph, demand)
    unreachable = np.zeros(len(demand.src), dtype=np.bool_)
    most_ends = int(np.diff(folded.ends.start).max(initial=1))

    def work(first: int, last: int, *loads: Floats) -> None:
        twin_slice(
            first, last, folded.net, folded.ends, folded.host, folded.places, demand.rows, demand.gbps, most_ends,
            TwinLoads(*loads), unreachable,
        )  # fmt: skip

    groups, classes = len(folded.ends.group_start) - 1, demand.gbps.shape[1]
    shapes = [(count, classes) for count in folded.counts]
    slices = min(SLICES, groups) if len(demand.src) > 10_000 else 1
    return _by_edge(graph, folded, TwinLoads(*parallel_parts(groups, shapes, work, slices=slices))), unreachable


def folds(graph: RoutingGraph, destinations: int) -> bool:
    """Whether sets of twins save more than they cost with so many destinations."""
    if destinations * len(graph.src) < LEAST_STEPS or not graph.equal_weights:
        return False
    return len(graph.between_switches) >= LEAST_FOLDING * len(graph.twin_net.head)


def _folded(graph: RoutingGraph, demand: PhaseDemand) -> _Folded:
    net, host = graph.twin_net, _host_links(graph)
    terminal = graph.is_terminal
    starts, stops = np.zeros(graph.nodes, dtype=np.bool_), np.zeros(graph.nodes, dtype=np.bool_)
    starts[demand.src], stops[demand.dest] = True, True
    starts[graph.dst[starts[graph.src] & terminal[graph.src]]] = True
    stops[graph.src[stops[graph.dst] & terminal[graph.dst]]] = True
    starts &= ~terminal
    stops &= ~terminal
    sends, ends = np.zeros(len(net.size), dtype=np.bool_), np.zeros(len(net.size), dtype=np.bool_)
    sends[net.set_of[starts]], ends[net.set_of[stops]] = True, True
    # What starts next to where it ends is distinguished by both.
    pairs = np.where(
        sends[net.tail] & ends[net.head] & (net.size[net.tail] > 1), net.size[net.tail] * net.size[net.head], 0
    )
    direct = np.where(pairs > 0, np.cumsum(pairs) - pairs, -1)
    several = net.size[net.set_of] > 1
    sent, sent_count = _places(starts & several, np.diff(net.start)[net.set_of])
    received, received_count = _places(stops & several, np.diff(net.into_start)[net.set_of])
    host_links = len(graph.src) - len(graph.between_switches)
    counts = (len(net.head), sent_count, received_count, int(pairs.sum()), host_links)
    places = OwnPlaces(sent, received, column(direct, np.int64), _ranks(net))
    return _Folded(net, _ends(graph, demand, net, host), host, places, counts)


def _ranks(net: TwinNet) -> Longs:
    """Place of every node among the members of its set."""
    order = np.argsort(net.set_of, kind="stable")
    ordered = net.set_of[order]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return rank


def _places(own: Bools, links: Longs) -> tuple[Longs, int]:
    """Where the links of every node of its own begin, -1 for others, and how many there are."""
    count = np.where(own, links, 0)
    return column(np.where(own, np.cumsum(count) - count, -1), np.int64), int(count.sum())


def _host_links(graph: RoutingGraph) -> HostLinks:
    number = np.full(len(graph.src), -1, dtype=np.int64)
    host = np.flatnonzero(graph.is_terminal[graph.src] | graph.is_terminal[graph.dst])
    number[host] = np.arange(len(host))
    sides = []
    for own, other in ((graph.src, graph.dst), (graph.dst, graph.src)):
        mine = host[graph.is_terminal[own[host]]]
        order = Adjacency.by(own[mine], graph.nodes)
        edge = mine[order.edge]
        sides += [column(order.start, np.int64), column(other[edge], np.int32), column(number[edge], np.int32)]
    return HostLinks(*sides)


def _ends(graph: RoutingGraph, demand: PhaseDemand, net: TwinNet, host: HostLinks) -> Ends:
    """Ends of every destination, and destinations in groups whose ends are in the same sets."""
    dest, rows = demand.dest.astype(np.int64), np.arange(len(demand.dest))
    is_switch = ~graph.is_terminal[dest]
    degree = np.where(is_switch, 0, host.into_start[dest + 1] - host.into_start[dest])
    row = np.repeat(rows, degree)
    at = np.arange(len(row)) - np.repeat(np.cumsum(degree) - degree, degree) + np.repeat(host.into_start[dest], degree)
    row = np.concatenate([rows[is_switch], row])
    end = np.concatenate([dest[is_switch], host.into_tail[at]])
    row, end = np.divmod(np.unique(row * graph.nodes + end), graph.nodes)
    order = np.lexsort((end, net.set_of[end], row))
    row, end = row[order], end[order]
    start = np.searchsorted(row, np.arange(len(dest) + 1))
    group = np.zeros(len(dest), dtype=np.int64)
    for count in np.unique(np.diff(start)).tolist():
        mine = np.flatnonzero(np.diff(start) == count)
        table = net.set_of[end[start[mine][:, None] + np.arange(count)]]
        keys = np.column_stack([is_switch[mine], table])
        _, first = np.unique(keys, axis=0, return_inverse=True)
        group[mine] = first.ravel() + group.max(initial=-1) + 1
    ordered = np.argsort(group, kind="stable")
    group_start = np.searchsorted(group[ordered], np.arange(int(group.max(initial=-1)) + 2))
    group_start = np.unique(group_start)  # none is empty
    return Ends(
        column(group_start, np.int64), column(ordered, np.int64), column(start, np.int64), column(end, np.int32),
        column(is_switch, np.bool_),
    )  # fmt: skip


def _by_edge(graph: RoutingGraph, folded: _Folded, loads: TwinLoads) -> Floats:
    """Loads of every edge, shape (E, C), from those of the sets."""
    net, core = folded.net, graph.between_switches
    src, dst = graph.src[core], graph.dst[core]
    slot = graph.slot_of_edge
    parallel = net.parallel[:, None]
    tails, heads = net.size[net.tail][:, None], net.size[net.head][:, None]
    found = (loads.passing / (parallel * tails * heads))[slot]
    for places, node, own, divisor, rank in (
        (folded.places.sent, src, loads.sent, parallel * heads, np.arange(len(net.tail)) - net.start[net.tail]),
        (folded.places.received, dst, loads.received, parallel * tails, net.rank),
    ):
        mine = np.flatnonzero(places[node] >= 0)
        found[mine] += own[places[node[mine]] + rank[slot[mine]]] / divisor[slot[mine]]
    if len(loads.direct):
        mine = np.flatnonzero(folded.places.direct[slot] >= 0)
        at, sender, receiver = slot[mine], folded.places.rank[src[mine]], folded.places.rank[dst[mine]]
        place = folded.places.direct[at] + sender * net.size[net.head[at]] + receiver
        found[mine] += loads.direct[place] / parallel[at]
    result = np.zeros((len(graph.src), found.shape[1]))
    result[core] = found
    if len(core) < len(graph.src):
        between = np.zeros(len(graph.src), dtype=np.bool_)
        between[core] = True
        result[~between] = loads.host
    return result
