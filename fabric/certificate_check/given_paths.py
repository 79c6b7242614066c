"""Whether listed paths are the k shortest loop-free ones of every pair, and whether a routing uses no others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fabric.certificate_check.columns import AllowedColumns, Floats, Ints, PathColumns
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.walk import broken_paths, distances_to

MOST_STEPS = 5_000_000  # links tried in the search for shorter paths
_SHORTER = 1e-9  # relative; by how much a path has to be shorter than the longest listed one to be missed


def wrong_lists(network: Network, demand: PointDemand, allowed: AllowedColumns) -> tuple[list[str], int]:
    """What is wrong with the lists, and how many pairs were not looked at as the search for them is too long.

    A pair has k paths, or all there are where that is fewer; none that is not listed is shorter than the longest of k.
    """
    wrong = broken_paths(network, allowed)
    dead = ~network.usable[allowed.edge]
    if dead.any():
        wrong.append(f"a listed path takes {network.edge_name(int(allowed.edge[np.argmax(dead)]))}, which is down")
    if wrong:
        return wrong, 0
    listed: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for path in range(len(allowed.src)):
        edges = tuple(allowed.edge[int(allowed.start[path]) : int(allowed.start[path + 1])].tolist())
        listed.setdefault((int(allowed.src[path]), int(allowed.dst[path])), []).append(edges)
    search = _Search(network)
    for row, distance in distances_to(network, network.weight, demand.dest):
        dest = int(demand.dest[row])
        for src in demand.src[demand.entries(row)].tolist():
            paths = listed.get((src, dest), [])
            name = f"{network.point_name(src)} to {network.point_name(dest)}"
            if len(set(paths)) < len(paths) or len(paths) > allowed.most:
                return [f"{len(paths)} paths are listed from {name}, {len(set(paths))} different ones"], 0
            if search.finds_another(src, dest, paths, distance, allowed.most):
                return [f"a path from {name} is shorter than those listed, and is not"], 0
    return [], search.given_up


class _Search:
    """Depth first through paths that can still be short enough."""

    def __init__(self, network: Network) -> None:
        self._network = network
        usable = np.flatnonzero(network.usable)
        order = usable[np.argsort(network.tail[usable], kind="stable")]
        start = np.concatenate([[0], np.cumsum(np.bincount(network.tail[order], minlength=network.points))])
        self._out = [order[a:b].tolist() for a, b in pairwise(start.tolist())]
        self._head, self._weight = network.head.tolist(), network.weight.tolist()
        self._left = MOST_STEPS
        self.given_up = 0

    def finds_another(self, src: int, dest: int, paths: list[tuple[int, ...]], distance: Floats, most: int) -> bool:
        """Whether a loop-free path is missing: a shorter one where ``most`` are listed, else any."""
        far = distance.tolist()
        if far[src] == np.inf:
            return False
        limit = max(sum(self._weight[edge] for edge in path) for path in paths) if len(paths) == most else np.inf
        limit *= 1 - _SHORTER
        if self._left <= 0:
            self.given_up += 1
            return False
        known = set(paths)
        stack: list[tuple[int, float, tuple[int, ...], frozenset[int]]] = [(src, 0.0, (), frozenset([src]))]
        while stack:
            point, length, edges, seen = stack.pop()
            if point == dest:
                if edges not in known:
                    return True
                continue
            for edge in self._out[point]:
                head = self._head[edge]
                self._left -= 1
                if head not in seen and length + self._weight[edge] + far[head] < limit:
                    stack.append((head, length + self._weight[edge], (*edges, edge), seen | {head}))
            if self._left <= 0:
                self.given_up += 1
                return False
        return False


def off_list(network: Network, paths: PathColumns, allowed: AllowedColumns) -> list[str]:
    """A path that carries something and is not listed."""
    known = {_key(allowed, path) for path in range(len(allowed.src))}
    for path in np.flatnonzero(paths.gbps > 0).tolist():
        if _key(paths, path) not in known:
            src, dst = network.point_name(int(paths.src[path])), network.point_name(int(paths.dst[path]))
            return [f"path {path} from {src} to {dst} is not one of those allowed"]
    return []


def _key(paths: PathColumns | AllowedColumns, path: int) -> tuple[int, int, bytes]:
    edges: Ints = paths.edge[int(paths.start[path]) : int(paths.start[path + 1])]
    return int(paths.src[path]), int(paths.dst[path]), edges.tobytes()
