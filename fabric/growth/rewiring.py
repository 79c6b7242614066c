"""From one built fabric to the next: which cables stay, which are moved, added, removed, and how few could be touched.

A cable **stays** where both fabrics have one of its speed between the same two devices. Of the others as many as can be
are **moved**: one end stays plugged, first the lower, then the upper. What is left is **removed** and **added**. Moved
and removed cables are **touched**: traffic has to be off them.

References
----------
Zhao et al., "Minimal Rewiring: Efficient Live Expansion for Clos Data Center Networks", NSDI 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.growth.cable_ends import CableEnds, matched_rows
from fabric.growth.devices import match_devices
from topologies.columns import Ints, Longs, column
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class Rewiring:
    """What happens to every cable between two stages; rows are those of the two ``CableEnds``.

    Attributes
    ----------
    device : ndarray, shape (N old,)
        Node of ``new`` that every node of ``old`` becomes, -1 for those taken out.
    kept, moved : ndarray, shape (K, 2)
        Old and new cable.
    removed, added : ndarray
        Old cables, new cables.
    """

    old: Topology
    new: Topology
    device: Ints
    before: CableEnds
    after: CableEnds
    kept: Longs
    moved: Longs
    removed: Longs
    added: Longs

    @property
    def touched(self) -> int:
        """Cables in use that are unplugged."""
        return len(self.moved) + len(self.removed)

    @property
    def touched_part(self) -> float:
        """Touched cables over those between switches of the new stage; 0 where it has none."""
        return self.touched / self.switch_cables if self.switch_cables else 0.0

    @cached_property
    def switch_cables(self) -> int:
        """Cables between switches of the new stage."""
        return int((self.new.is_switch[self.after.lower] & self.new.is_switch[self.after.upper]).sum())

    @cached_property
    def least_touched(self) -> int:
        """What no assignment of devices and ports can be below, by counting degrees (``least_touched``)."""
        return least_touched(self.old, self.new, self.before, self.after)

    @property
    def renamed(self) -> dict[str, str]:
        """Devices that stay under another name: old name, new name."""
        names = self.old.nodes.name, self.new.nodes.name
        pairs = ((names[0][node], names[1][to]) for node, to in enumerate(self.device.tolist()) if to >= 0)
        return {ours: theirs for ours, theirs in pairs if ours != theirs}

    @property
    def taken_out(self) -> tuple[str, ...]:
        """Devices that the new stage does not have."""
        return tuple(self.old.nodes.name[node] for node in np.flatnonzero(self.device < 0).tolist())


def rewire(old: Topology, new: Topology, device: Ints | None = None) -> Rewiring:
    """Cables from ``old`` to ``new``; devices are paired so that the most cables stay unless ``device`` says how."""
    to = match_devices(old, new) if device is None else device
    before, after = CableEnds.of(old), CableEnds.of(new)
    low, high = _ends_in(new, to[before.lower], to[before.upper])
    kept = np.stack(matched_rows((low, high, before.gbps), (after.lower, after.upper, after.gbps)), axis=1)
    gone = kept[:, 0][(low[kept[:, 0]] < 0) | (high[kept[:, 0]] < 0)]
    if len(gone):
        raise AssertionError("a cable of a device that is taken out cannot stay")
    moved: list[np.ndarray] = [np.empty((0, 2), np.int64)]
    left_old = np.setdiff1d(np.arange(len(before)), kept[:, 0])
    left_new = np.setdiff1d(np.arange(len(after)), kept[:, 1])
    levels = new.nodes.level
    for end in ("lower", "upper"):
        ours = to[getattr(before, end)[left_old]]
        ours = np.where(ours >= 0, ours, -1 - np.arange(len(left_old)))  # taken out: equal to nothing
        other = "upper" if end == "lower" else "lower"
        heights = old.nodes.level[getattr(before, other)[left_old]], levels[getattr(after, other)[left_new]]
        one, two = matched_rows(
            (ours, before.gbps[left_old], heights[0]),
            (getattr(after, end)[left_new], after.gbps[left_new], heights[1]),
        )
        moved.append(np.stack([left_old[one], left_new[two]], axis=1))
        left_old, left_new = np.delete(left_old, one), np.delete(left_new, two)
    return Rewiring(old, new, to, before, after, kept, np.concatenate(moved), left_old, left_new)


def _ends_in(new: Topology, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Ends as nodes of the new fabric, the lower first there too."""
    level = new.nodes.level
    flipped = (level[low] > level[high]) | ((level[low] == level[high]) & (low > high))
    flipped &= (low >= 0) & (high >= 0)
    return column(np.where(flipped, high, low), np.int32), column(np.where(flipped, low, high), np.int32)


def least_touched(old: Topology, new: Topology, before: CableEnds, after: CableEnds) -> int:
    """Cables that any assignment of devices and ports touches at least, by counting degrees.

    Between the switches of two levels, a device keeps with a neighbour at most as many cables as any two devices of the
    new fabric share, and in all at most as many as any device of its level has. Summed over the lower or the upper ends
    that bounds what stays.
    """
    total = 0
    kinds = [_kinds(old, before), _kinds(new, after)]
    for kind in np.unique(kinds[0], axis=0):
        ours, theirs = (cables_of(ends, (rows == kind).all(axis=1)) for ends, rows in zip((before, after), kinds))
        total += len(ours.lower) - min(_most_kept(ours, theirs, end) for end in ("lower", "upper"))
    return total


def _kinds(topology: Topology, cables: CableEnds) -> np.ndarray:
    """Level of both ends and speed of every cable, shape (C, 3)."""
    level = topology.nodes.level
    return np.stack([level[cables.lower], level[cables.upper], cables.gbps], axis=1)


def cables_of(cables: CableEnds, rows: np.ndarray) -> CableEnds:
    """Some of the cables."""
    return CableEnds(cables.link[rows], cables.lower[rows], cables.upper[rows], cables.gbps[rows])


def _most_kept(ours: CableEnds, theirs: CableEnds, end: str) -> int:
    """Most cables that can stay, summed over the ends of one side."""
    if not len(theirs):
        return 0
    _, between = np.unique(np.stack([theirs.lower, theirs.upper]), axis=1, return_counts=True)
    pairs, count = np.unique(np.stack([ours.lower, ours.upper]), axis=1, return_counts=True)
    device = pairs[0 if end == "lower" else 1]
    kept = np.bincount(device, np.minimum(count, between.max()))
    return int(np.minimum(kept, np.bincount(getattr(theirs, end)).max()).sum())
