"""Cables counted between boxes of nodes: what one line of a drawing stands for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topologies.columns import Bools, Floats
from topologies.topology import Topology

MOST_LINES = 500  # of a drawing that can be read
Ids = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Bundle:
    """All cables between box ``a`` and box ``b``, ``a <= b``; equal when they stay inside one box.

    ``speeds`` are (Gbps from a to b, Gbps back, cables), most cables first, then the faster; a one-way link has 0
    back. Capacity and speeds are those of the cables when up: a failure changes the label of a drawing, not its shape.
    """

    a: int
    b: int
    cables: int
    down: int
    speeds: tuple[tuple[float, float, int], ...]
    capacity_gbps: float  # of the direction with more
    utilisation: float  # the worst link, either direction


def bundles(topology: Topology, box_of_node: Ids, utilisation: Floats) -> list[Bundle]:
    """Bundles between boxes, in order of ``(a, b)``.

    Parameters
    ----------
    box_of_node : ndarray, shape (N,)
        Box of every node, from 0; cables of a node in box -1 are left out.
    utilisation : ndarray, shape (L,)
        Offered over capacity of every directed link.
    """
    links = topology.links
    cables = np.flatnonzero(topology.is_cable)
    src, dst = box_of_node[links.src[cables]], box_of_node[links.dst[cables]]
    drawn = (src >= 0) & (dst >= 0)
    cables, src, dst = cables[drawn], src[drawn], dst[drawn]
    if not len(cables):
        return []
    back = links.reverse[cables]
    forth_gbps = links.capacity_gbps[cables]
    back_gbps = np.where(back >= 0, links.capacity_gbps[back], 0.0)
    turn = (src > dst) | ((src == dst) & (forth_gbps < back_gbps))
    forth_gbps, back_gbps = np.where(turn, back_gbps, forth_gbps), np.where(turn, forth_gbps, back_gbps)
    low, high = np.minimum(src, dst), np.maximum(src, dst)

    pairs, bundle = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
    bundle = bundle.reshape(-1)
    count = np.bincount(bundle)
    down = np.bincount(bundle, _is_down(topology, cables, back))
    capacity = np.maximum(np.bincount(bundle, forth_gbps), np.bincount(bundle, back_gbps))
    worst = np.zeros(len(pairs))
    both = np.maximum(utilisation[cables], np.where(back >= 0, utilisation[back], 0.0))
    np.maximum.at(worst, bundle, both)
    speeds = _speeds(bundle, forth_gbps, back_gbps)
    return [
        Bundle(
            a=int(a),
            b=int(b),
            cables=int(count[index]),
            down=int(down[index]),
            speeds=speeds[index],
            capacity_gbps=float(capacity[index]),
            utilisation=float(worst[index]),
        )
        for index, (a, b) in enumerate(pairs.tolist())
    ]


def _is_down(topology: Topology, cables: Ids, back: Ids) -> Bools:
    """Whether either direction of a cable is down."""
    return np.asarray(~topology.up[cables] | ((back >= 0) & ~topology.up[back]))


def _speeds(bundle: Ids, forth_gbps: Floats, back_gbps: Floats) -> dict[int, tuple[tuple[float, float, int], ...]]:
    rows, counts = np.unique(np.stack([bundle, forth_gbps, back_gbps], axis=1), axis=0, return_counts=True)
    found: defaultdict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for (index, forth, back), count in zip(rows.tolist(), counts.tolist(), strict=True):
        found[int(index)].append((forth, back, count))
    return {
        index: tuple(sorted(entries, key=lambda entry: (-entry[2], -entry[0], entry[1])))
        for index, entries in found.items()
    }
