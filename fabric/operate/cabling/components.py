"""What differs, as paths and cycles: the ports of wrong cables, joined in turn by what is plugged and what is planned.

Every port has at most one cable plugged and one planned, so the cables that are plugged and not planned and those that
are planned and not plugged form paths and cycles on which both take turns. Each stands for itself, and its shortest way
back is known. With m cables plugged and n planned on it, max(m, n) **actions** put it right, an action being to move
one end of a cable to another port, to plug a cable, or to unplug one:

- no fewer: every wrong cable has to be touched, every missing one has to come about, and no action touches two cables
  or completes two;
- no more: on a cycle (m = n) every cable keeps one end and moves the other to the next port, which is n actions; on a
  path with m = n likewise; with n = m + 1 one cable is new, with m = n + 1 one is taken out.

Two paths do not help each other: a cable that serves a place on another path moves both of its ends, which is as many
actions as to unplug it and plug another. (A swap of two cables is a cycle of two: two ends change places.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabric.operate.cabling.seen import Seen
from topologies.columns import Bools, Longs, column


@dataclass(frozen=True)
class Step:
    """One end of a cable moves to another port; the other stays."""

    stays: int
    source: int
    target: int


@dataclass(frozen=True)
class Component:
    """One path or cycle.

    Attributes
    ----------
    plugged, planned : tuple of pairs of int
        Cables that are there and should not be; that should be there and are not.
    ends : tuple of int
        Ports in the order of the walk.
    is_cycle : bool
        Whether the last port is the first one's partner.
    """

    ends: tuple[int, ...]
    plugged: tuple[tuple[int, int], ...]
    planned: tuple[tuple[int, int], ...]
    is_cycle: bool

    @property
    def actions(self) -> int:
        """Fewest ends to move, and cables to plug and unplug."""
        return max(len(self.plugged), len(self.planned))


@dataclass(frozen=True, eq=False)
class Difference:
    """How the plan and what is plugged differ.

    Attributes
    ----------
    right : ndarray, shape (K,)
        Whether a cable that is plugged is planned.
    unseen : ndarray, shape (C,)
        Cables of the plan of which nobody can say whether they are there.
    absent : ndarray, shape (C,)
        Cables of the plan that are not there.
    """

    seen: Seen
    right: Bools
    unseen: Bools
    absent: Bools
    components: tuple[Component, ...]


def differences(seen: Seen) -> Difference:
    """Compare what is plugged with the plan."""
    ends = seen.ends
    count = len(ends)
    low, high = np.minimum(seen.one, seen.other), np.maximum(seen.one, seen.other)
    right = (high < count) & (high == (low ^ 1)) & (low % 2 == 0)
    taken = np.zeros(count, dtype=np.bool_)
    for side in (seen.one, seen.other):
        taken[side[side < count]] = True
    there = np.zeros(count // 2, dtype=np.bool_)
    there[low[right] // 2] = True
    one_taken, other_taken = taken[0::2], taken[1::2]
    silent = ~one_taken & ~other_taken
    tells, speaks = seen.tells[ends.device], seen.speaks[ends.device]
    heard = (tells[0::2] & speaks[1::2]) | (tells[1::2] & speaks[0::2])
    if seen.whole:
        heard = tells[0::2] | tells[1::2]
    unclear = seen.unclear[0::2] | seen.unclear[1::2]
    unseen = ~there & silent & (~heard | unclear)
    absent = ~there & ~unseen
    return Difference(
        seen, column(right, np.bool_), column(unseen, np.bool_), column(absent, np.bool_),
        tuple(components_of(seen.one[~right], seen.other[~right], np.flatnonzero(absent))),
    )  # fmt: skip


def components_of(one: Longs, other: Longs, absent: Longs) -> Iterator[Component]:
    """Paths first from their ends, then cycles; each once, by its lowest port."""
    plugged: dict[int, int] = {}
    for low, high in zip(one.tolist(), other.tolist(), strict=True):
        plugged[low], plugged[high] = high, low
    planned = {end: end ^ 1 for cable in absent.tolist() for end in (2 * cable, 2 * cable + 1)}
    done: set[int] = set()
    every = sorted({*plugged, *planned})
    for start in every:
        if start not in done and (start not in plugged or start not in planned):
            yield _walk(start, plugged, planned, done)
    for start in every:
        if start not in done:
            yield _walk(start, plugged, planned, done)


def _walk(start: int, plugged: dict[int, int], planned: dict[int, int], done: set[int]) -> Component:
    """From a port along its cables in turn; a cycle starts with the plugged one."""
    walk = [start]
    done.add(start)
    by_plug = start in plugged
    at = start
    cables: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    while True:
        step = plugged if by_plug else planned
        following = step.get(at)
        if following is None:
            return Component(tuple(walk), tuple(cables[0]), tuple(cables[1]), False)
        cables[0 if by_plug else 1].append((at, following))
        if following == start:
            return Component(tuple(walk), tuple(cables[0]), tuple(cables[1]), True)
        walk.append(following)
        done.add(following)
        at, by_plug = following, not by_plug


@dataclass(frozen=True)
class Way:
    """One of the shortest ways to put a component right, in an order that leaves every port free when it is needed."""

    steps: tuple[Step, ...]
    plug: tuple[int, int] | None = None
    unplug: tuple[int, int] | None = None


def way_of(component: Component, *, turned: bool) -> Way:
    """Ends to move, the cable to plug, the cable to unplug.

    ``turned`` moves the other ends of the cables: a cycle, and a path with a cable to plug or unplug, have two ways.
    """
    plugged, planned = component.plugged, component.planned
    if component.is_cycle:
        return Way(_round(component, turned=turned))
    count = len(plugged) - len(planned)
    if count == 0:
        return Way(_along(plugged, planned, component.ends))
    if count < 0:  # one to plug, at either end of the path
        if turned:
            plugged, planned = _turned(plugged), _turned(planned)
        new, rest = planned[-1], planned[:-1]
        # The first planned cable's free port takes the near end of the first plugged one, and so on.
        return Way(tuple(Step(into[1], out[1], into[0]) for into, out in zip(rest, plugged, strict=True)), plug=new)
    if turned:
        plugged, planned = _turned(plugged), _turned(planned)
    gone, rest = plugged[0], plugged[1:]
    # With the first cable out, its far port is free for the next one's near end.
    return Way(tuple(Step(into[1], out[1], into[0]) for into, out in zip(planned, rest, strict=True)), unplug=gone)


def _turned(cables: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The same walked from the other side."""
    return tuple((high, low) for low, high in reversed(cables))


def _along(
    plugged: tuple[tuple[int, int], ...], planned: tuple[tuple[int, int], ...], ends: tuple[int, ...]
) -> tuple[Step, ...]:
    """Steps of a path with as many cables as planned: the free port is at the planned end."""
    if planned and planned[0][0] == ends[0]:
        pairs = zip(planned, plugged, strict=True)
    else:
        pairs = zip(_turned(planned), _turned(plugged), strict=True)
    return tuple(Step(into[1], out[1], into[0]) for into, out in pairs)


def _round(component: Component, *, turned: bool) -> tuple[Step, ...]:
    """Steps of a cycle: every cable keeps one end, and the other goes to where the kept one's partner is planned."""
    plugged = component.plugged
    planned = {end: other for pair in component.planned for end, other in (pair, pair[::-1])}
    if turned:
        return tuple(Step(low, high, planned[low]) for low, high in plugged)
    return tuple(Step(high, low, planned[high]) for low, high in plugged)
