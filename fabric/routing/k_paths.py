"""The k shortest loop-free paths of every entry of a demand, by weight.

A path is a sequence of edges, so parallel links give paths of their own. Where a source has at least k paths of least
weight, k of them are distributed over the next hops, and over the next hops of those: as evenly as the numbers of paths
allow, and from a place that depends on the pair, so that all pairs together use all links. Where it has fewer, the
rest are found by deviating from the paths so far (``fabric.routing.path_search``). Terminals have links out only or in
only, so no path crosses a host.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabric.routing import kernels
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, PhaseDemand, RoutingGraph
from fabric.routing.kernels import is_step, nearest_first
from fabric.routing.path_search import PathNet, Search, grown, paths_by_deviation
from topologies.columns import Floats, Ints, Longs, column, concatenate
from topologies.errors import RoutingError

MOST_STEPS = 100_000_000  # links of all paths together, 400 MB


@dataclass(frozen=True, eq=False)
class PathColumns:
    """Path p belongs to entry ``entry[p]`` of the demand and crosses ``edge[start[p]:start[p + 1]]``, in order.

    Paths are sorted by entry; an entry has at most k, and none when its destination cannot be reached.
    """

    entry: Ints  # shape (P,)
    start: Ints  # shape (P + 1,)
    edge: Ints  # shape (steps,)


@compiled
def _count_shortest(net: PathNet, reached: int, distance: Floats, order: Longs, most: int, count: Longs) -> None:
    """Number of paths of least weight from every node, ``most`` standing for that many or more."""
    count[:] = 0
    count[order[0]] = 1
    for position in range(reached):
        node = order[position]
        for slot in range(net.into_start[node], net.into_start[node + 1]):
            tail = net.tail[slot]
            if is_step(distance[node], distance[tail], net.into_weight[slot], net.equal):
                count[tail] = min(most, count[tail] + count[node])


@compiled
def _deal(net: PathNet, node: int, turn: int, wanted: int, distance: Floats, count: Longs, dealt: Longs) -> int:
    """How many of ``wanted`` paths take each next hop of ``node``: one each in turns from hop ``turn`` on.

    ``dealt`` is by slot of the node; returns the number of next hops.
    """
    first, last = net.out_start[node], net.out_start[node + 1]
    hops = 0
    for slot in range(first, last):
        dealt[slot - first] = -1
        if is_step(distance[net.head[slot]], distance[node], net.out_weight[slot], net.equal):
            dealt[slot - first] = 0
            hops += 1
    skip = turn % hops
    left = wanted
    while left > 0:
        for slot in range(first, last):
            if dealt[slot - first] < 0:
                continue
            if skip > 0:
                skip -= 1
            elif dealt[slot - first] < count[net.head[slot]]:
                dealt[slot - first] += 1
                left -= 1
                if left == 0:
                    break
    return hops


@compiled
def _spread_shortest(
    net: PathNet,
    src: int,
    dest: int,
    wanted: int,
    distance: Floats,
    count: Longs,
    dealt: Longs,
    length: Longs,
    pool: Longs,
) -> Longs:
    """``wanted`` different paths of least weight, one after the other in ``pool``; needs that many to exist."""
    steps = 1
    rows = np.empty((wanted, 8), dtype=np.int64)
    work = [(0, wanted, src, 0, src + dest)]  # paths from, to; node they are at; links so far; turn
    while len(work) > 0:
        low, high, node, depth, turn = work.pop()
        if node == dest:
            length[low] = depth
            steps += depth
            continue
        if depth == rows.shape[1]:
            wider = np.empty((wanted, 2 * depth), dtype=np.int64)
            wider[:, :depth] = rows
            rows = wider
        hops = _deal(net, node, turn, high - low, distance, count, dealt)
        for slot in range(net.out_start[node], net.out_start[node + 1]):
            share = dealt[slot - net.out_start[node]]
            if share > 0:
                rows[low : low + share, depth] = slot
                # Earlier links are written for all paths of the group; what follows differs.
                work.append((low, low + share, net.head[slot], depth + 1, turn // hops))
                low += share
    pool = grown(pool, steps)
    at = 0
    for row in range(wanted):
        pool[at : at + length[row]] = rows[row, : length[row]]
        at += length[row]
    return pool


@compiled
def _paths_slice(first: int, last: int, net: PathNet, most: int, demand: DemandRows) -> tuple[Longs, Longs, Ints]:
    """Paths to destinations ``first`` to ``last``: entry and links of each path, and slots of ``out`` on end."""
    nodes, edges = len(net.into_start) - 1, len(net.head)
    distance, order, count = np.empty(nodes), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    search = Search(
        np.zeros(1, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64),
        np.empty(nodes), np.empty(nodes, np.int64), np.zeros(edges, np.int64),
    )  # fmt: skip
    length, dealt, slots = np.empty(most, np.int64), np.empty(edges, np.int64), np.empty(64, np.int64)
    entries, lengths, pool = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int32)
    paths = steps = 0
    for row in range(first, last):
        reached = nearest_first(demand.dest[row], net.into_start, net.tail, net.into_weight, net.equal, distance, order)
        _count_shortest(net, reached, distance, order, most, count)
        for entry in range(demand.start[row], demand.start[row + 1]):
            src = demand.src[entry]
            if distance[src] == np.inf:
                continue
            if count[src] == most:
                found = most
                slots = _spread_shortest(net, src, demand.dest[row], most, distance, count, dealt, length, slots)
            else:
                found, slots = paths_by_deviation(net, src, demand.dest[row], most, distance, search, length, slots)
            more = length[:found].sum()
            entries, lengths = grown(entries, paths + found), grown(lengths, paths + found)
            pool = grown(pool, steps + more)
            entries[paths : paths + found] = entry
            lengths[paths : paths + found] = length[:found]
            pool[steps : steps + more] = slots[:more]
            paths += found
            steps += more
    return entries[:paths], lengths[:paths], pool[:steps]


def _net(graph: RoutingGraph) -> PathNet:
    """The graph's columns in the order of the sweeps; hops in place of weights that are all equal."""
    into, out = graph.into, graph.out
    equal = graph.equal_weights
    weight = np.ones(len(graph.weight)) if equal else graph.weight
    return PathNet(
        into.start, graph.src[into.edge], weight[into.edge], equal,
        out.start, graph.dst[out.edge], weight[out.edge], graph.src[out.edge],
    )  # fmt: skip


def k_shortest_paths(graph: RoutingGraph, demand: PhaseDemand, k: int) -> PathColumns:
    """The ``k`` shortest loop-free paths of every entry of a demand.

    Parameters
    ----------
    graph : RoutingGraph
        Weights are those of its edges; parallel edges make different paths.
    demand : PhaseDemand
        Which pairs; its rates are not looked at.
    k : int
        Paths per entry, at least 1.

    Returns
    -------
    PathColumns
        ``min(k, number there are)`` paths per entry. Where several have the weight of the k-th, the choice among them
        depends on the numbers of the nodes, never on chance.

    Raises
    ------
    RoutingError
        When the answer would not fit into memory (FP5005).

    References
    ----------
    Yen, "Finding the k shortest loopless paths in a network", Management Science 17(11), 1971; Lawler, 18(7), 1972.
    """
    if k < 1:
        raise RoutingError(f"{k} paths per pair", where="k_paths", hint="at least 1", code="FP5005")
    if 2 * k * len(demand.src) > MOST_STEPS:
        raise RoutingError(
            f"{k} paths for each of {len(demand.src):,} pairs of switches are too many to list",
            where="k_paths",
            hint=f"at most {MOST_STEPS // (2 * len(demand.src))} paths here; router ecmp needs no list",
            code="FP5005",
        )
    net, rows = _net(graph), len(demand.dest)
    slices = max(1, min(kernels.SLICES, rows))
    bounds = [rows * part // slices for part in range(slices + 1)]
    with ThreadPoolExecutor(max_workers=min(slices, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(_paths_slice, first, last, net, k, demand.rows) for first, last in pairwise(bounds)]
        parts = [job.result() for job in jobs]
    lengths = concatenate([part[1] for part in parts], np.int64)
    return PathColumns(
        entry=concatenate([part[0] for part in parts], np.int32),
        start=column(np.concatenate([[0], np.cumsum(lengths)]), np.int32),
        edge=column(graph.out.edge[concatenate([part[2] for part in parts], np.int32)], np.int32),
    )
