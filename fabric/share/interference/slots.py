"""Steps of several jobs on one cycle of slots: periods as whole numbers of slots, the cycle their common multiple.

A job is held to its period by waiting at the end of its step, so periods are rounded up, never down. The cycle is the
circle of CASSINI (Rajasekaran et al., "CASSINI: network-aware job scheduling in machine learning clusters", NSDI 2024,
section 3), whose length is the least common multiple of the periods. Among slots that give a cycle of at most
``MOST_SLOTS`` those are tried that make jobs wait least, and those with the shortest cycle (jobs of 5.33 and 5.39 s are
held to one period); the better of both, simulated, is taken. Where every choice costs a job more than ``MOST_WAIT``,
periods have no common multiple in reason, and only ``MOST_SLOTS`` slots from the common start are looked at.

Of slots that cost alike the longest are taken such that every phase begins and ends with one, else the shortest. In the
first case no shifts whatever are better than those by whole slots: the overlap is linear in the shifts while no edge of
one phase passes one of another, so that it is least where edges meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, lcm

import numpy as np

from fabric.share.interference.lanes import Lane
from topologies.columns import Floats

MOST_SLOTS = 1440  # of a cycle
MOST_WAIT = 0.05  # of a period, that holding it may cost
_SLOTS = (8, 120)  # of the shortest period, fewest (but where phases begin and end with them) and most
_BASES = 8  # periods that are tried as whole numbers of slots
_EXACT = 1e-9
_ON_EDGE = 1e-6  # of a slot


@dataclass(frozen=True)
class Slots:
    """Slots of a group of jobs; ``periods`` are those of its lanes with steps, in slots."""

    slot_s: float
    periods: tuple[int, ...]
    cycle: int  # slots that are looked at
    whole: bool  # whether that is a common multiple of the periods
    on_edges: bool = False  # whether every phase begins and ends with a slot, so that no other shifts are better

    @property
    def cycle_s(self) -> float:
        """How long that is."""
        return self.cycle * self.slot_s


def slots_of(lanes: Sequence[Lane]) -> tuple[Slots, ...]:
    """Slots for lanes with steps: those that make jobs wait least, and those that give the shortest cycle, if others.

    >>> from fabric.share.interference.lanes import Piece
    >>> (found,) = slots_of([Lane("a", 1.0, (Piece(2.0),)), Lane("b", 1.0, (Piece(3.0),))])
    >>> found.periods, found.cycle, round(found.slot_s, 6)
    ((2, 3), 6, 1.0)
    """
    periods = [lane.period_s or 0.0 for lane in lanes]
    edges = sorted({edge for lane in lanes for edge in _edges(lane)})
    least: tuple[tuple[float, ...], Slots] | None = None
    shortest: tuple[tuple[float, ...], Slots] | None = None
    for base in _some(sorted(set(periods))):
        for count in range(1, _SLOTS[1] + 1):
            slots, wait = _rounded(periods, base / count)
            if slots.cycle > MOST_SLOTS or wait > MOST_WAIT:
                continue
            apart = wait > _ON_EDGE or any(
                abs(edge / slots.slot_s - round(edge / slots.slot_s)) > _ON_EDGE for edge in edges
            )
            if apart and count < _SLOTS[0]:
                continue
            slots = replace(slots, on_edges=not apart)
            size = (apart, -float(slots.cycle) / slots.cycle_s if apart else slots.cycle / slots.cycle_s)
            by_wait = (round(wait, 6), *size)
            by_cycle = (round(slots.cycle_s / max(periods) / (1 + MOST_WAIT)), round(wait, 6), *size)
            least = min(least or (by_wait, slots), (by_wait, slots), key=lambda each: each[0])
            shortest = min(shortest or (by_cycle, slots), (by_cycle, slots), key=lambda each: each[0])
    if least is None or shortest is None:
        slots, _ = _rounded(periods, min(periods) / 60)
        return (replace(slots, cycle=min(slots.cycle, MOST_SLOTS), whole=slots.cycle <= MOST_SLOTS),)
    return tuple(dict.fromkeys((least[1], shortest[1])))


def _some(periods: Sequence[float]) -> Sequence[float]:
    """At most so many of them, evenly chosen, the first and the last among them."""
    if len(periods) <= _BASES:
        return periods
    return [periods[round(at * (len(periods) - 1) / (_BASES - 1))] for at in range(_BASES)]


def _rounded(periods: Sequence[float], slot_s: float) -> tuple[Slots, float]:
    """Periods rounded up to slots, and the most that makes a job wait, as a part of its period."""
    rounded = tuple(ceil(period / slot_s - _EXACT) for period in periods)
    wait = max(slots * slot_s / period - 1 for slots, period in zip(rounded, periods, strict=True))
    return Slots(slot_s, rounded, lcm(*rounded), whole=True), wait


def _edges(lane: Lane) -> list[float]:
    clock_s, found = 0.0, []
    for piece in lane.pieces:
        if piece.column >= 0:
            found += [clock_s, clock_s + piece.alone_s]
        clock_s += piece.alone_s
    return found


def slot_parts(lane: Lane, slots: int, slot_s: float, *, touched: bool) -> dict[int, Floats]:
    """Part of every slot of a lane's period that each of its columns is on the wire, shape (slots,) each.

    With ``touched``, a slot that is used in part counts in full.
    """
    found: dict[int, Floats] = {}
    clock_s, ends = 0.0, np.arange(slots + 1) * slot_s
    for piece in lane.pieces:
        if piece.column >= 0:
            inside = np.clip(ends, clock_s, clock_s + piece.alone_s)
            part = np.diff(inside) / slot_s
            if touched:
                part = (part > _ON_EDGE).astype(np.float64)
            found[piece.column] = found.get(piece.column, np.zeros(slots)) + part
        clock_s += piece.alone_s
    return found
