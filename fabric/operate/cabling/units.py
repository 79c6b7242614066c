"""Cables that are wrong for one reason: a unit plugged with all its ports shifted, or two devices exchanged.

Both are recognised by where ends are and where they belong, over whole paths and cycles:

- **shifted**: on one device, at least three ends sit the same number of ports from where they belong, on neighbouring
  ports, and all others of the same paths and cycles are the way back round (the last ports of the unit to its first);
- **exchanged**: at least two cables of each of two devices are swapped, port for port of the same number, and these are
  all cables of both that are seen, or at least four on neighbouring ports: a line card.

A unit is one finding. Cables that happen to be swapped elsewhere are not drawn into it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.operate.cabling.components import Component, Difference, Step, Way, way_of
from fabric.operate.cabling.seen import Seen

LEAST_SHIFTED, LEAST_OF_CARD = 3, 4


@dataclass(frozen=True)
class Unit:
    """What happened to a unit.

    ``devices`` is the one that is shifted, or the two that are exchanged; ``by`` how many ports the ends are further
    than they belong.
    """

    kind: Literal["shifted", "exchanged"]
    devices: tuple[int, ...]
    ends: int
    by: int = 0


@dataclass(frozen=True)
class Group:
    """Components that are one finding, and the way to put each right."""

    components: tuple[Component, ...]
    ways: tuple[Way, ...]
    unit: Unit | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """All ends to move."""
        return tuple(step for way in self.ways for step in way.steps)


def grouped(difference: Difference) -> list[Group]:
    """Every component in one group: units first, the largest first, then each that stands alone."""
    components = difference.components
    seen = difference.seen
    ways = [_ways(component) for component in components]
    free = set(range(len(components)))
    groups: list[Group] = []
    candidates = [*_exchanged(difference, ways), *_shifted(seen, components, ways)]
    for unit, members in sorted(candidates, key=lambda pair: (-pair[0].ends, pair[0].kind, pair[0].devices)):
        if all(at in free for at, _ in members) and _holds(seen, unit, members, ways):
            free -= {at for at, _ in members}
            chosen = tuple(ways[at][which] for at, which in members)
            groups.append(Group(tuple(components[at] for at, _ in members), chosen, unit))
    for at in sorted(free):
        groups.append(Group((components[at],), (min(ways[at], key=lambda way: _effort(difference, way)),)))
    return groups


Members = tuple[tuple[int, int], ...]  # component, and which of its ways


def _ways(component: Component) -> tuple[Way, ...]:
    """Both ways of a component, one where they are the same."""
    first, second = way_of(component, turned=False), way_of(component, turned=True)
    return (first,) if first == second else (first, second)


def _effort(difference: Difference, way: Way) -> tuple[int, int, tuple[int, ...]]:
    """What a way costs where others are as short: ends that change racks, ends that change devices, then by name."""
    seen = difference.seen
    ports = [(seen.port(step.source), seen.port(step.target)) for step in way.steps]
    racks = sum(one.rack != other.rack for one, other in ports)
    devices = sum(one.device != other.device for one, other in ports)
    return racks, devices, tuple(step.target for step in way.steps)


# ---- two devices exchanged -------------------------------------------------------------------------------------------


def _exchanged(difference: Difference, ways: Sequence[Sequence[Way]]) -> Iterable[tuple[Unit, Members]]:
    """Pairs of devices between which cables of equal port numbers are swapped."""
    ends = difference.seen.ends
    count = len(ends)
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for at, (component, choices) in enumerate(zip(difference.components, ways, strict=True)):
        if not component.is_cycle or len(component.plugged) != 2:
            continue
        for which, way in enumerate(choices):
            one = way.steps[0]
            if max(one.source, one.target) >= count:
                continue
            devices = int(ends.device[one.source]), int(ends.device[one.target])
            equal = ends.ordinal[one.source] == ends.ordinal[one.target] and devices[0] != devices[1]
            if equal and ends.fabric[one.source] == ends.fabric[one.target]:
                found[min(devices), max(devices)].append((at, which))
    seen_on = _seen_on(difference)
    for devices, members in found.items():
        if len(members) < 2:
            continue
        whole = all(seen_on[device] == len(members) for device in devices)
        numbers = sorted(int(ends.ordinal[ways[at][which].steps[0].source]) for at, which in members)
        card = len(numbers) >= LEAST_OF_CARD and numbers[-1] - numbers[0] + 1 == len(numbers)
        if whole or card:
            yield Unit("exchanged", devices, 2 * len(members)), tuple(members)


def _seen_on(difference: Difference) -> np.ndarray:
    """Cables seen on every device at planned ports, shape (D,)."""
    seen = difference.seen
    rows = np.concatenate([seen.one, seen.other])
    rows = rows[rows < len(seen.ends)]
    return np.bincount(seen.ends.device[rows], minlength=len(seen.ends.devices))


# ---- one device shifted ----------------------------------------------------------------------------------------------


def _shift(seen: Seen, step: Step) -> tuple[int, int] | None:
    """Device and how many ports an end is too far, where it moves on one device of the plan; 0: that is not known."""
    ends = seen.ends
    count = len(ends)
    if step.target >= count:
        return None
    device = int(ends.device[step.target])
    free = seen.free.get(step.source)
    if free is not None:
        by = 0 if free.place is None else free.place - int(ends.ordinal[step.target])
        return (device, by) if free.device == device else None
    if step.source >= count:
        return (device, 0)
    if int(ends.device[step.source]) != device:
        return None
    return device, int(ends.ordinal[step.source]) - int(ends.ordinal[step.target])


def _shifted(
    seen: Seen, components: Sequence[Component], ways: Sequence[Sequence[Way]]
) -> Iterable[tuple[Unit, Members]]:
    """Devices on which whole components are shifted alike, by device and shift."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for at, choices in enumerate(ways):
        for which, way in enumerate(choices):
            shifts = [_shift(seen, step) for step in way.steps]
            devices = {shift[0] for shift in shifts if shift is not None}
            if not shifts or None in shifts or len(devices) != 1:
                continue
            known = [shift[1] for shift in shifts if shift is not None and shift[1] != 0]
            for by in set(known):
                back = [shift for shift in known if shift != by]
                if all((shift < 0) != (by < 0) for shift in back) and len(set(back)) <= 1:
                    found[devices.copy().pop(), by].append((at, which))
    for (device, by), members in found.items():
        once = dict(reversed(members))  # of two ways of one component the first
        moved = sum(_count(seen, ways[at][which], by) for at, which in once.items())
        if moved >= LEAST_SHIFTED:
            yield Unit("shifted", (device,), moved, by), tuple(sorted(once.items()))


def _count(seen: Seen, way: Way, by: int) -> int:
    return sum(shift is not None and shift[1] == by for step in way.steps if (shift := _shift(seen, step)))


def _holds(seen: Seen, unit: Unit, members: Members, ways: Sequence[Sequence[Way]]) -> bool:
    """Whether the ends of a shifted unit stand on neighbouring ports, and all go the way of the unit or back round."""
    if unit.kind == "exchanged":
        return True
    numbers: list[int] = []
    for at, which in members:
        for step in ways[at][which].steps:
            shift = _shift(seen, step)
            if shift is not None and shift[1] == unit.by:
                numbers.append(int(seen.ends.ordinal[step.target]))
    return max(numbers) - min(numbers) + 1 == len(numbers)
