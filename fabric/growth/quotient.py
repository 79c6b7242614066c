"""Best routing of all-to-all traffic over up-down paths, by one representative of every class of equal switches.

Switches that look alike from a destination, by how many cables of which speed they have to switches that look alike,
form classes (colour refinement with the destination set apart). Averaged over a class a best routing is still one, so
that flows per class suffice, and the programme has some dozens of variables whatever the size of the fabric.

For destination d of each class, with n_d of its kind and b_d hosts of traffic, and states s = (class, rising or
falling): minimise θ subject to

    Σ out(s) − Σ in(s) = what the class sends to d       for rising states
    Σ in(s) = Σ out(s), all ends at d                    for falling states
    Σ_d n_d · flow_d(cables of a class) ≤ θ · their Gbps

References
----------
Grohe, Kersting, Mladenov, Selman, "Dimension reduction via colour refinement", ESA 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack

from topologies.columns import Bools, Floats, Ints, Longs, column
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class SwitchGraph:
    """Cables between switches that are up, bundled: one row per pair of switches and direction."""

    level: Ints  # of every switch
    weight: Floats  # endpoints in service on every switch
    src: Ints  # shape (B,), switches
    dst: Ints
    gbps: Floats
    rising: Bools


def switch_graph(topology: Topology, members: Ints) -> SwitchGraph | None:
    """The switches, with the endpoints of each in ``members``.

    Returns
    -------
    SwitchGraph or None
        None where an endpoint has several switches, or a cable joins switches of one level: up-down says nothing of it.
    """
    links, nodes = topology.links, topology.nodes
    inside = np.zeros(len(nodes), dtype=np.bool_)
    inside[members] = True
    switches = np.flatnonzero(topology.is_switch)
    row = np.full(len(nodes), -1)
    row[switches] = np.arange(len(switches))
    access = topology.up & inside[links.src] & (row[links.dst] >= 0)
    homes = np.unique(np.stack([links.src[access], links.dst[access]]), axis=1)
    between = topology.up & (row[links.src] >= 0) & (row[links.dst] >= 0)
    level = nodes.level[switches]
    ends = np.stack([row[links.src[between]], row[links.dst[between]]])
    if homes.shape[1] != len(members) or (level[ends[0]] == level[ends[1]]).any():
        return None
    bundles, code = np.unique(ends, axis=1, return_inverse=True)
    return SwitchGraph(
        level,
        np.bincount(row[homes[1]], minlength=len(switches)).astype(np.float64),
        bundles[0],
        bundles[1],
        column(np.bincount(code.ravel(), topology.capacity_gbps[between]), np.float64),
        level[bundles[1]] > level[bundles[0]],
    )


def classes_of(graph: SwitchGraph, apart: int | None = None) -> Ints:
    """Class of every switch under colour refinement, one switch set ``apart``; shape (S,)."""
    label = np.unique(np.stack([graph.gbps, graph.rising]), axis=1, return_inverse=True)[1].ravel().astype(np.uint64)
    first = [graph.level, graph.weight, np.arange(len(graph.level)) == apart]
    colour = np.unique(np.stack(first), axis=1, return_inverse=True)[1].ravel()
    while True:
        seen = _mixed(colour[graph.dst].astype(np.uint64) * np.uint64(1_000_003) + label)
        around = np.zeros(len(colour), dtype=np.uint64)
        np.add.at(around, graph.src, seen)
        finer = np.unique(np.stack([colour.astype(np.uint64), around]), axis=1, return_inverse=True)[1].ravel()
        if finer.max() == colour.max():
            return column(colour, np.int32)
        colour = finer


def _mixed(values: np.ndarray) -> np.ndarray:
    """Whole numbers spread over 64 bits (splitmix64), so that sums tell multisets apart."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def least_utilisation(graph: SwitchGraph) -> float | None:
    """Utilisation of the fullest cable between switches, the best there is for one unit between any two endpoints.

    Returns
    -------
    float or None
        Units per Gbps; None where some pair has no up-down path.
    """
    from scipy.optimize import linprog

    whole = classes_of(graph)
    kinds, members = np.unique(whole, return_index=True)
    targets = [int(row) for row in members if graph.weight[row] > 0]
    sizes = np.bincount(whole, minlength=len(kinds))
    edges, edge_of = _edge_classes(graph, whole)
    flows = _Flows(len(edges))
    for target in targets:
        flows.add(graph, target, float(sizes[whole[target]]), edge_of)
    capacity = np.bincount(edge_of, graph.gbps, len(edges))
    equal, supply, load = flows.matrices()
    if not flows.count:
        return 0.0
    theta = csr_array(capacity[:, None])
    cost = np.zeros(flows.count + 1)
    cost[-1] = 1.0
    solved = linprog(
        cost,
        A_ub=hstack([load, -theta]).tocsr(),
        b_ub=np.zeros(len(edges)),
        A_eq=hstack([equal, csr_array((equal.shape[0], 1))]).tocsr(),
        b_eq=supply,
        method="highs",
    )
    return float(solved.x[-1]) if solved.status == 0 else None


def _edge_classes(graph: SwitchGraph, colour: Ints) -> tuple[np.ndarray, Longs]:
    """Classes of bundles: by the classes of their ends and their Gbps; and the class of every bundle."""
    keys = np.stack([colour[graph.src], colour[graph.dst], graph.gbps])
    edges, code = np.unique(keys, axis=1, return_inverse=True)
    return edges.T, code.ravel()


class _Flows:
    """Variables and constraints of all destinations."""

    def __init__(self, edges: int) -> None:
        self._edges = edges
        self._equal: list[tuple[int, int, float]] = []
        self._load: list[tuple[int, int, float]] = []
        self._supply: list[float] = []
        self.count = 0

    def add(self, graph: SwitchGraph, target: int, alike: float, edge_of: Longs) -> None:
        """Flows to one switch, for it and those like it."""
        colour = classes_of(graph, target)
        kinds = int(colour.max()) + 1
        size = np.bincount(colour, minlength=kinds)
        weight = np.zeros(kinds)
        weight[colour] = graph.weight
        supply = size * weight * graph.weight[target]
        supply[colour[target]] = 0.0
        first = len(self._supply)  # rows: rising states, then falling ones
        self._supply += [*supply.tolist(), *([0.0] * kinds)]
        edges, code = _edge_classes(graph, colour)
        sample = np.zeros(len(edges), dtype=np.int64)
        sample[code] = np.arange(len(code))
        parts = _parts(code, edge_of, len(edges))
        for edge, bundle in enumerate(sample.tolist()):
            low, high = int(colour[graph.src[bundle]]), int(colour[graph.dst[bundle]])
            if low == colour[target]:
                continue
            starts = ("rising",) if graph.rising[bundle] else ("rising", "falling")
            for start in starts:
                here = first + low + (kinds if start == "falling" else 0)
                there = first + high + (0 if graph.rising[bundle] else kinds)
                self._equal.append((here, self.count, 1.0))
                if high != colour[target]:
                    self._equal.append((there, self.count, -1.0))
                self._load += [(whole, self.count, alike * part) for whole, part in parts[edge]]
                self.count += 1

    def matrices(self) -> tuple[csr_array, np.ndarray, csr_array]:
        """Conservation, what is sent, and load by edge class."""
        supply = np.array(self._supply)
        return (
            _matrix(self._equal, (len(supply), self.count)),
            supply,
            _matrix(self._load, (self._edges, self.count)),
        )


def _parts(code: Longs, edge_of: Longs, edges: int) -> list[list[tuple[int, float]]]:
    """Of every class of bundles as a destination sees it: classes of the whole that it lies in, and with what part."""
    pairs, count = np.unique(np.stack([code, edge_of]), axis=1, return_counts=True)
    total = np.bincount(code, minlength=edges)
    found: list[list[tuple[int, float]]] = [[] for _ in range(edges)]
    for edge, whole, number in zip(*pairs.tolist(), count.tolist(), strict=True):
        found[edge].append((whole, number / total[edge]))
    return found


def _matrix(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> csr_array:
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_array((np.array(values, dtype=np.float64), (np.array(rows, int), np.array(columns, int))), shape=shape)
