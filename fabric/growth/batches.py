"""The order of the work: cables are touched in batches, each drained, moved and put back before the next.

Cables that are moved from one device to another, the k-th of every device at the fixed ends, make a **unit**: all
devices lose the same uplink at once, so that no pair loses two. A batch is as many units as leave every device the
floor of its uplinks; a port that a cable is moved to is free, or freed by the batch. New cables are plugged as soon as
both ports are free; they carry nothing that the old ones do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabric.growth.cable_ends import ordinals
from fabric.growth.union import UnionFabric
from topologies.columns import Bools, Ints, column

_ROUND = 1e-9


@dataclass(frozen=True, eq=False)
class Unit:
    """Cables that are touched together: rows of the union before and after; ``after`` is empty for removed ones."""

    before: Ints
    after: Ints


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the work, and the cables plugged at its end; ``drained`` carry nothing during it."""

    drained: Ints
    moved_to: Ints
    plugged: Ints  # new cables
    during: Bools  # cables up while it lasts, shape (C,)
    after: Bools  # cables up after it


def units(fabric: UnionFabric) -> list[Unit]:
    """All touched cables in units, in the order of the devices that they leave."""
    moves, ends = fabric.moves, fabric.ends
    here, there = moves[:, 0], moves[:, 1]
    stays_low = ends.lower[here] == ends.lower[there]
    fixed = np.where(stays_low, ends.lower[here], ends.upper[here])
    source = np.where(stays_low, ends.upper[here], ends.lower[here])
    target = np.where(stays_low, ends.upper[there], ends.lower[there])
    gone = fabric.removed
    source = np.concatenate([source, ends.upper[gone]])
    target = np.concatenate([target, np.full(len(gone), -1)])
    fixed = np.concatenate([fixed, ends.lower[gone]])
    rows = np.concatenate([here, gone])
    later = np.concatenate([there, np.full(len(gone), -1)])
    turn = ordinals(fixed, source, target)
    found = []
    if len(rows):
        keys, code = np.unique(np.stack([source, turn, target]), axis=1, return_inverse=True)
        code = code.ravel()
        for unit in range(keys.shape[1]):
            members = code == unit
            after = later[members]
            found.append(Unit(column(rows[members], np.int32), column(after[after >= 0], np.int32)))
    return found


def work(fabric: UnionFabric, part: float) -> Iterator[Step]:
    """Steps that drain at most ``part`` of the uplinks of any device at a time, or one unit where that is more.

    Parameters
    ----------
    part : float
        0: every batch is one unit.

    Yields
    ------
    Step
        First the new cables that have free ports, without draining any, where there are such.
    """
    plugged = np.array(fabric.at_first)
    waiting = np.flatnonzero(fabric.at_last & ~fabric.at_first)
    waiting = np.setdiff1d(waiting, fabric.moves[:, 1])
    free = _Ports(fabric, plugged)
    fresh = free.plug_fitting(waiting)
    waiting = np.setdiff1d(waiting, fresh)
    if len(fresh):
        during = column(plugged, np.bool_)
        plugged[fresh] = True
        yield _step((), (), fresh, during, plugged)
    left = units(fabric)
    uplinks = np.bincount(fabric.ends.lower[fabric.at_first], minlength=len(fabric.topology.nodes))
    while left:
        batch, left = _next_batch(fabric, left, free, uplinks, part)
        drained = np.concatenate([unit.before for unit in batch])
        moved_to = np.concatenate([unit.after for unit in batch])
        during = np.array(plugged)
        during[drained] = False
        plugged[drained] = False
        plugged[moved_to] = True
        free.unplug(drained)
        free.plug(moved_to)
        fresh = free.plug_fitting(waiting)
        waiting = np.setdiff1d(waiting, fresh)
        plugged[fresh] = True
        yield _step(drained, moved_to, fresh, during, plugged)
    if len(waiting):
        raise AssertionError("the new stage is valid, so that every new cable has its ports at the end")


def _step(drained: object, moved_to: object, fresh: object, during: np.ndarray, after: np.ndarray) -> Step:
    return Step(
        column(np.array(drained, np.int32), np.int32),
        column(np.array(moved_to, np.int32), np.int32),
        column(np.array(fresh, np.int32), np.int32),
        column(np.array(during), np.bool_),
        column(np.array(after), np.bool_),
    )


def _next_batch(
    fabric: UnionFabric, left: list[Unit], free: _Ports, uplinks: np.ndarray, part: float
) -> tuple[list[Unit], list[Unit]]:
    """Units to touch next, and those that remain; all of them where each waits for a port of another."""
    drained = np.zeros(len(uplinks))
    batch: list[Unit] = []
    later: list[Unit] = []
    trial = free.copy()
    for unit in left:
        lost = drained + np.bincount(fabric.ends.lower[unit.before], minlength=len(uplinks))
        small = not batch or bool((lost <= part * uplinks + _ROUND).all())
        if small and trial.swapped(unit):
            batch.append(unit)
            drained = lost
        else:
            later.append(unit)
    return (batch, later) if batch else (left, [])


class _Ports:
    """Ports that are free on every node; nodes of unknown size have enough."""

    def __init__(self, fabric: UnionFabric, plugged: np.ndarray) -> None:
        self._fabric = fabric
        radix = fabric.topology.nodes.radix
        host = ~fabric.topology.is_switch
        self._free = np.where((radix == 0) | host, np.inf, radix - fabric.ports_used(column(plugged, np.bool_)))

    def copy(self) -> _Ports:
        other = object.__new__(_Ports)
        other._fabric, other._free = self._fabric, self._free.copy()
        return other

    def _take(self, rows: np.ndarray, sign: float) -> None:
        for place, ends in enumerate((self._fabric.ends.lower, self._fabric.ends.upper)):
            np.add.at(self._free, ends[rows], sign * self._fabric.ports_of[rows, place])

    def plug(self, rows: np.ndarray) -> None:
        """Take the ports of cables."""
        self._take(rows, -1.0)

    def unplug(self, rows: np.ndarray) -> None:
        """Free the ports of cables."""
        self._take(rows, 1.0)

    def swapped(self, unit: Unit) -> bool:
        """Move a unit where that leaves no device short of ports; whether it was moved."""
        self._take(unit.before, 1.0)
        self._take(unit.after, -1.0)
        if self._free.min() >= -_ROUND:
            return True
        self._take(unit.after, 1.0)
        self._take(unit.before, -1.0)
        return False

    def plug_fitting(self, rows: np.ndarray) -> np.ndarray:
        """Plug the cables that find a free port at both ends, in their order; which they are."""
        ends = self._fabric.ends
        need = self._fabric.ports_of
        chosen = []
        for row in rows.tolist():
            low, high = ends.lower[row], ends.upper[row]
            if self._free[low] >= need[row, 0] - _ROUND and self._free[high] >= need[row, 1] - _ROUND:
                self._free[low] -= need[row, 0]
                self._free[high] -= need[row, 1]
                chosen.append(row)
        return np.array(chosen, dtype=np.int64)
