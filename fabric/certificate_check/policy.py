"""Path policies: the least price over the paths that one allows, and whether a routing keeps to them."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from fabric.certificate_check.columns import AllowedColumns, Floats, Ints, PathColumns, PhaseColumns, SplitColumns
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.walk import cheapest_on, distances_to, on_shortest, rows_by

ANY, SHORTEST, GIVEN, VALLEY_FREE = "any", "shortest", "k-shortest", "valley-free"
_UP, _ACROSS, _DOWN = 0, 1, 2
_BATCH = 64  # destinations whose distances are held at a time


def knows_policy(phase: PhaseColumns) -> bool:
    """Whether the file says which paths the policy allows; where not, prices are summed over all paths."""
    return phase.path_policy in (ANY, SHORTEST) or (
        phase.allowed is not None if phase.path_policy == GIVEN else phase.fabric.node_level is not None
    )


def least_prices(network: Network, phase: PhaseColumns, demand: PointDemand, price: Floats) -> Floats:
    """Least price of an allowed path of every entry, shape (nnz,); infinite without one."""
    if phase.allowed is not None:
        return _least_given(network, demand, phase.allowed, price)
    if phase.path_policy == VALLEY_FREE and phase.fabric.node_level is not None:
        return _least_valley_free(network, demand, edge_kinds(network, phase.fabric.node_level), price)
    least = np.empty(len(demand.src))
    shortest = phase.path_policy == SHORTEST
    for row, distance in distances_to(network, network.weight if shortest else price, demand.dest):
        if shortest:
            edges = np.flatnonzero(on_shortest(network, distance))
            distance = cheapest_on(network, edges, price, int(demand.dest[row]))
        least[demand.entries(row)] = distance[demand.src[demand.entries(row)]]
    return least


def _least_given(network: Network, demand: PointDemand, allowed: AllowedColumns, price: Floats) -> Floats:
    """Over listed paths."""
    points = max(network.points, 1)
    steps = np.diff(allowed.start)
    usable = np.where(network.usable, price, np.inf)[allowed.edge]
    cost = np.bincount(np.repeat(np.arange(len(steps)), steps), usable, len(steps)).astype(np.float64)
    key = allowed.dst * points + allowed.src
    pair, inverse = np.unique(key, return_inverse=True)
    best = np.full(len(pair) + 1, np.inf)
    np.minimum.at(best, inverse, cost)
    wanted = demand.dest_of_entry * points + demand.src
    at = np.searchsorted(pair, wanted)
    return np.where(np.append(pair, -1)[at] == wanted, best[at], np.inf)


def edge_kinds(network: Network, level: Ints) -> Ints:
    """Whether an edge goes up, across or down, shape (E,); endpoints are below all switches."""
    height = np.where(network.members > 0, -1, level[network.name_of_point])
    rise = height[network.head] - height[network.tail]
    return np.where(rise > 0, _UP, np.where(rise < 0, _DOWN, _ACROSS))


def _least_valley_free(network: Network, demand: PointDemand, kind: Ints, price: Floats) -> Floats:
    """Over paths that go up, then across, then down: shortest paths among three copies of every point.

    Point v is ``s * V + v`` once the last step was of kind s or none, and a step of kind k leads on from copies
    up to k.
    """
    points, tails, heads, lengths = network.points, [], [], []
    for after in (_UP, _ACROSS, _DOWN):
        edges = np.flatnonzero(network.usable & (kind == after))
        for before in range(after + 1):
            tails.append(before * points + network.tail[edges])
            heads.append(after * points + network.head[edges])
            lengths.append(price[edges])
    for before in (_UP, _ACROSS, _DOWN):  # an end at every point, whatever the last step was
        tails.append(before * points + np.arange(points))
        heads.append(3 * points + np.arange(points))
        lengths.append(np.zeros(points))
    reverse = rows_by(np.concatenate(heads), np.concatenate(tails), np.concatenate(lengths), 4 * points)
    least = np.empty(len(demand.src))
    for first in range(0, len(demand.dest), _BATCH):
        batch = dijkstra(reverse, indices=3 * points + demand.dest[first : first + _BATCH])
        for row, distance in enumerate(batch):
            entries = demand.entries(first + row)
            least[entries] = distance[demand.src[entries]]
    return least


def off_policy(network: Network, phase: PhaseColumns, demand: PointDemand, used: SplitColumns) -> list[str]:
    """Edges by destination that leave the paths of the policy."""
    if phase.path_policy == SHORTEST:
        return _off_shortest(network, demand, used)
    if phase.path_policy == VALLEY_FREE and phase.fabric.node_level is not None:
        return _valleys(network, edge_kinds(network, phase.fabric.node_level), used)
    return []


def edges_by_destination(paths: PathColumns) -> SplitColumns:
    """Edges of all paths to each destination, as splits of no meaning."""
    to: Ints = np.repeat(paths.dst, np.diff(paths.start))
    order = np.argsort(to, kind="stable")
    point, first = np.unique(to[order], return_index=True)
    return SplitColumns(point, np.append(first, len(to)), paths.edge[order], np.ones(len(to)))


def _off_shortest(network: Network, demand: PointDemand, used: SplitColumns) -> list[str]:
    row_of = {int(point): row for row, point in enumerate(used.point)}
    for number, distance in distances_to(network, network.weight, demand.dest):
        row = row_of.get(int(demand.dest[number]))
        if row is None:
            continue
        rows = slice(int(used.start[row]), int(used.start[row + 1]))
        edge = used.edge[rows][used.part[rows] > 0]
        astray = ~on_shortest(network, distance)[edge]
        if astray.any():
            name = network.point_name(int(demand.dest[number]))
            return [f"{network.edge_name(int(edge[np.argmax(astray)]))} is on no shortest path to {name}"]
    return []


def _valleys(network: Network, kind: Ints, used: SplitColumns) -> list[str]:
    """A switch does not see where traffic came from: none may rise, or cross, after any that comes in later."""
    for row, dest in enumerate(used.point.tolist()):
        rows = slice(int(used.start[row]), int(used.start[row + 1]))
        edge = used.edge[rows][used.part[rows] > 0]
        latest = np.full(network.points, _UP)
        np.maximum.at(latest, network.head[edge], kind[edge])
        valley = kind[edge] < latest[network.tail[edge]]
        if valley.any():
            name = network.edge_name(int(edge[np.argmax(valley)]))
            return [f"{name} rises again on the way to {network.point_name(dest)}"]
    return []
