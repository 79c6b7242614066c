"""Which device of a fabric is which of the larger one: hosts by name, switches so that the most cables stay.

From the hosts up, level by level: a switch of the old fabric may be any of the new one's at its level with as many
ports. How many cables a pairing would leave in place is known once the level below is paired, so that every level is an
assignment, solved exactly; among equals devices keep their names.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from fabric.growth.cable_ends import CableEnds
from topologies.columns import Ints, column
from topologies.topology import Topology

_MOST_PAIRS = 40_000_000  # pairs of switches of a level that are weighed; above, names decide


def match_devices(old: Topology, new: Topology) -> Ints:
    """Node of ``new`` that every node of ``old`` becomes, shape (N old,); -1 for those that are taken out.

    Returns
    -------
    ndarray
        No two nodes of ``old`` become one.
    """
    device = np.full(len(old.nodes), -1, dtype=np.int64)
    for node in np.flatnonzero(~old.is_switch).tolist():
        if new.has_node(old.nodes.name[node]):
            device[node] = new.node(old.nodes.name[node])
    cables = CableEnds.of(old), CableEnds.of(new)
    for level in np.unique(old.nodes.level[old.is_switch]).tolist():
        for radix in np.unique(old.nodes.radix[(old.nodes.level == level) & old.is_switch]).tolist():
            ours, theirs = (_members(topology, level, radix) for topology in (old, new))
            if len(ours) and len(theirs):
                _assign(old, new, cables, device, ours, theirs)
    return column(device, np.int32)


def _members(topology: Topology, level: int, radix: int) -> Ints:
    """Switches of one level and size."""
    nodes = topology.nodes
    return column(np.flatnonzero(topology.is_switch & (nodes.level == level) & (nodes.radix == radix)), np.int32)


def _assign(
    old: Topology, new: Topology, cables: tuple[CableEnds, CableEnds], device: np.ndarray, ours: Ints, theirs: Ints
) -> None:
    """Pair the switches of a level; ``device`` is filled in."""
    from scipy.optimize import linear_sum_assignment

    named = {new.nodes.name[node]: column for column, node in enumerate(theirs.tolist())}
    same = np.array([named.get(old.nodes.name[node], -1) for node in ours.tolist()])
    if len(ours) * len(theirs) > _MOST_PAIRS:
        device[ours] = np.where(same >= 0, theirs[same], -1)
        return
    weight = 2.0 * kept_cables(cables, device, ours, theirs, len(new.nodes))
    rows = np.flatnonzero(same >= 0)
    weight[rows, same[rows]] += 1.0
    # Of several best pairings the one nearest to the order of the switches, always the same one.
    order = np.abs(np.arange(len(ours))[:, None] / len(ours) - np.arange(len(theirs))[None, :] / len(theirs))
    row, partner = linear_sum_assignment(weight - 0.4 * order / len(ours), maximize=True)
    device[ours[row]] = theirs[partner]


def kept_cables(
    cables: tuple[CableEnds, CableEnds], device: np.ndarray, ours: Ints, theirs: Ints, nodes: int
) -> np.ndarray:
    """Cables to devices that are paired already which stay, for every pair of switches, shape (ours, theirs).

    Σ over devices below of the lesser of the cables to either switch, as Σ over k of "both have k or more".
    """
    total = np.zeros((len(ours), len(theirs)))
    old, new = cables
    place_old = np.full(len(device), -1)
    place_old[ours] = np.arange(len(ours))
    place_new = np.full(nodes, -1)
    place_new[theirs] = np.arange(len(theirs))
    below_old = _counts(device[old.lower], place_old[old.upper], old.gbps)
    below_new = _counts(new.lower, place_new[new.upper], new.gbps)
    for gbps in sorted(set(below_old) & set(below_new)):
        one, other = below_old[gbps], below_new[gbps]
        for least in range(1, int(min(one[2].max(), other[2].max())) + 1):
            ends = [
                csr_array((np.ones((count >= least).sum()), (high[count >= least], low[count >= least])), shape)
                for (low, high, count), shape in ((one, (len(ours), nodes)), (other, (len(theirs), nodes)))
            ]
            total += (ends[0] @ ends[1].T).toarray()
    return total


def _counts(low: np.ndarray, high: np.ndarray, gbps: np.ndarray) -> dict[float, tuple[np.ndarray, ...]]:
    """By speed: lower ends, upper ends, and how many cables run between them; without those that have no place."""
    here = (low >= 0) & (high >= 0)
    low, high, gbps = low[here], high[here], gbps[here]
    found = {}
    for speed in np.unique(gbps).tolist():
        pairs, count = np.unique(np.stack([low[gbps == speed], high[gbps == speed]]), axis=1, return_counts=True)
        found[float(speed)] = (pairs[0], pairs[1], count)
    return found
