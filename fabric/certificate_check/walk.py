"""Walking demand through a routing: explicit splits, paths, or equal splits found here by shortest paths.

One destination at a time, in the plainest way: an edge is walked when everything that can flow into its source has
arrived there. What cannot be walked goes in a cycle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from fabric.certificate_check.columns import AllowedColumns, Bools, Floats, Ints, PathColumns, SplitColumns
from fabric.certificate_check.demand import Amounts, PointDemand
from fabric.certificate_check.network import Network

NEAR = 1e-12  # relative; two path lengths closer than this are equal
_WHOLE = 1e-6  # how far fractions of a switch may be from 1 in sum; they are walked scaled to 1, so nothing is gained
_ARRIVED = 1e-7  # relative; how much demand may be lost to rounding
_BATCH = 64  # destinations whose distances are held at a time


@dataclass
class Walked:
    """Loads of the edges, and what is wrong with the routing."""

    edge_gbps: Floats  # shape (E,)
    wrong: list[str] = field(default_factory=list)


def distances_to(network: Network, length: Floats, dest: Ints) -> Iterator[tuple[int, Floats]]:
    """(row, distance of every point to ``dest[row]`` over usable edges), shortest paths by ``length`` per edge."""
    usable = np.flatnonzero(network.usable)
    reverse = rows_by(network.head[usable], network.tail[usable], length[usable], network.points)
    for first in range(0, len(dest), _BATCH):
        batch = dijkstra(reverse, indices=dest[first : first + _BATCH])
        for row, distance in enumerate(batch):
            yield first + row, distance


def rows_by(row: Ints, column: Ints, value: Floats, size: int) -> Any:
    """A sparse matrix that keeps zeros and parallel edges as they are."""
    order = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=size))])
    return csr_array((value[order], column[order], start), shape=(size, size))


def on_shortest(network: Network, distance: Floats) -> Bools:
    """Usable edges on paths of least weight to where ``distance`` is 0, shape (E,)."""
    near, far = distance[network.head], distance[network.tail]
    with np.errstate(invalid="ignore"):
        return network.usable & np.isfinite(far) & (near < far) & (near + network.weight - far <= NEAR * far)


def cheapest_on(network: Network, edges: Ints, price: Floats, dest: int) -> Floats:
    """Least price from every point to ``dest`` over some edges only, shape (V,)."""
    reverse = rows_by(network.head[edges], network.tail[edges], price[edges], network.points)
    return np.asarray(dijkstra(reverse, indices=np.array([dest]))[0])


def _walk(network: Network, edge: Ints, part: Floats, amount: Floats) -> tuple[Floats, Ints]:
    """Loads of the edges given, and those that cannot be walked; ``amount`` by point becomes what passes there."""
    load, pending = np.zeros(len(edge)), np.arange(len(edge))
    tail, head = network.tail[edge], network.head[edge]
    while len(pending):
        waits = np.zeros(network.points, dtype=np.bool_)
        waits[head[pending]] = True
        ready = ~waits[tail[pending]]
        if not ready.any():
            break
        now = pending[ready]
        load[now] = amount[tail[now]] * part[now]
        amount += np.bincount(head[now], load[now], network.points)
        pending = pending[~ready]
    return load, edge[pending]


def _circle(network: Network, edges: Ints) -> str:
    """Name a cycle of edges that wait for each other."""
    into = {int(network.head[edge]): int(edge) for edge in edges}
    point = int(network.tail[edges[0]])
    seen: list[int] = []
    while point not in seen:
        seen.append(point)
        point = int(network.tail[into[point]])
    cycle = [point, *reversed(seen[seen.index(point) :])]
    return " -> ".join(network.point_name(one) for one in cycle)


def walk_splits(network: Network, demand: PointDemand, splits: SplitColumns) -> Walked:
    """Loads that follow from splits."""
    found = Walked(np.zeros(len(network.tail)))
    row_of = {int(point): row for row, point in enumerate(splits.point)}
    for number, dest in enumerate(demand.dest.tolist()):
        row, entries = row_of.get(dest), demand.entries(number)
        if row is None and not demand.gbps[entries].any():
            continue
        if row is None:
            found.wrong.append(f"no splits towards {network.point_name(dest)}")
            continue
        mine = slice(int(splits.start[row]), int(splits.start[row + 1]))
        _walk_row(network, demand, number, splits.edge[mine], splits.part[mine], found)
    return found


def _walk_row(network: Network, demand: PointDemand, number: int, edge: Ints, part: Floats, found: Walked) -> None:
    """Walk the demand of one destination."""
    dest = int(demand.dest[number])
    where = f"towards {network.point_name(dest)}"
    entries = demand.entries(number)
    wanted = np.bincount(demand.src[entries], demand.gbps[entries], network.points).astype(np.float64)
    tails = network.tail[edge]
    sums = np.bincount(tails, part, network.points)
    leaves = np.bincount(tails, minlength=network.points) > 0
    uneven = leaves & (np.abs(sums - 1) > _WHOLE)
    amount = wanted.copy()
    load, stuck = _walk(network, edge, part / np.where(leaves & ~uneven, sums, 1.0)[tails], amount)
    np.add.at(found.edge_gbps, edge, load)
    if len(stuck):
        found.wrong.append(f"splits {where} form a loop: {_circle(network, stuck)}")
        return
    if leaves[dest]:
        found.wrong.append(f"splits {where} send traffic on from there")
    if uneven.any():
        point = int(np.argmax(uneven))
        found.wrong.append(f"fractions {where} sum to {sums[point]:.9g}, not 1, at {network.point_name(point)}")
    lost = ~leaves & (amount > _ARRIVED * wanted.sum())
    lost[dest] = False
    if lost.any():
        point = int(np.argmax(lost))
        found.wrong.append(f"{amount[point]:.6g} Gbps {where} end at {network.point_name(point)}")
    elif not uneven.any() and abs(amount[dest] - wanted.sum()) > _ARRIVED * wanted.sum():
        found.wrong.append(f"{amount[dest]:.6g} of {wanted.sum():.6g} Gbps arrive {where}")


def walk_equal_splits(network: Network, amounts: Amounts) -> Walked:
    """Loads of ECMP: every switch splits equally over the edges on its shortest paths."""
    found = Walked(np.zeros(len(network.tail)))
    for number, distance in distances_to(network, network.weight, amounts.dest):
        edge = np.flatnonzero(on_shortest(network, distance))
        tails = network.tail[edge]
        hops = np.bincount(tails, minlength=network.points)
        entries = slice(int(amounts.start[number]), int(amounts.start[number + 1]))
        src, gbps = amounts.src[entries], amounts.gbps[entries]
        cut = ~np.isfinite(distance[src]) & (gbps > 0)
        if cut.any():
            dest = int(amounts.dest[number])
            found.wrong.append(
                f"no path from {network.point_name(int(src[np.argmax(cut)]))} to {network.point_name(dest)}"
            )
            continue
        amount = np.bincount(src, gbps, network.points).astype(np.float64)
        load, _ = _walk(network, edge, 1.0 / hops[tails], amount)
        found.edge_gbps[edge] += load
    return found


def walk_paths(network: Network, demand: PointDemand, paths: PathColumns) -> Walked:
    """Loads of paths; each must lead from its source to its destination without visiting a point twice."""
    path = np.repeat(np.arange(len(paths.src)), np.diff(paths.start))
    load = np.bincount(paths.edge, paths.gbps[path], len(network.tail)).astype(np.float64)
    return Walked(load, [*broken_paths(network, paths), *_uncarried(network, demand, paths)])


def broken_paths(network: Network, paths: PathColumns | AllowedColumns) -> list[str]:
    """Paths that do not lead from their source to their destination, or visit a point twice; one of each kind."""
    steps = np.diff(paths.start)
    path = np.repeat(np.arange(len(steps)), steps)
    wrong = []
    tail, head = network.tail[paths.edge], network.head[paths.edge]
    is_first, is_last = np.zeros(len(path), dtype=np.bool_), np.zeros(len(path), dtype=np.bool_)
    some = steps > 0
    is_first[paths.start[:-1][some]] = True
    is_last[paths.start[1:][some] - 1] = True
    comes_from = np.where(is_first, paths.src[path], np.roll(head, 1))
    broken = (tail != comes_from) | (is_last & (head != paths.dst[path]))
    if broken.any():
        at = int(path[np.argmax(broken)])
        wrong.append(f"path {at} breaks between {_ends(network, paths, at)}")
    empty = ~some & (paths.src != paths.dst)
    if empty.any():
        wrong.append(f"path {int(np.argmax(empty))} has no links between {_ends(network, paths, empty.argmax())}")
    visit, times = np.unique(path * max(network.points, 1) + head, return_counts=True)
    again = np.concatenate([visit[times > 1] // max(network.points, 1), path[(head == paths.src[path])]])
    if len(again):
        wrong.append(f"path {int(again[0])} visits a point twice")
    return wrong


def _ends(network: Network, paths: PathColumns | AllowedColumns, path: int | np.integer) -> str:
    return f"{network.point_name(int(paths.src[path]))} and {network.point_name(int(paths.dst[path]))}"


def _uncarried(network: Network, demand: PointDemand, paths: PathColumns) -> list[str]:
    """Pairs of points whose paths carry another amount than is demanded."""
    points = max(network.points, 1)
    apart = paths.src != paths.dst
    key = np.concatenate([demand.dest_of_entry * points + demand.src, (paths.dst * points + paths.src)[apart]])
    gbps = np.concatenate([-demand.gbps, paths.gbps[apart]])
    pair, inverse = np.unique(key, return_inverse=True)
    missing = np.bincount(inverse, gbps, len(pair))
    size = np.bincount(inverse, np.abs(gbps), len(pair))
    off = np.abs(missing) > _ARRIVED * size
    if not off.any():
        return []
    which = int(np.argmax(off))
    src, dst = network.point_name(int(pair[which] % points)), network.point_name(int(pair[which] // points))
    amount = f"{abs(missing[which]):.6g} Gbps too {'much' if missing[which] > 0 else 'little'}"
    return [f"paths from {src} to {dst} carry {amount}"]
