"""A room that differs everywhere in one way: ports or switches that go by other names than the plan's, all alike.

Where a system counts ports from 0 and the plan from 1, every cable looks wrong. Which cable runs between two devices
says what a port is: of devices of one kind (equal port names) the same port name stands for the same port of the plan.
Names of devices are looked for where some that are heard are none of the plan's, and the plan has as many of that
pattern that nobody hears: all are shifted by the same numbers. Nothing is taken in silence: a renaming is a finding,
since cables that are all plugged the same way off tell the same, and it is taken only where it makes most cables right.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

import numpy as np

from fabric.operate.cabling.aliases import Alias
from fabric.operate.cabling.components import Difference, differences
from fabric.operate.cabling.names import PlanNames, address
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import see
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError

SUSPECT = 0.5  # of the cables that are seen: where fewer are right, names may be others
LEAST_PART = 0.8  # of what is told of a name, and of the cables that must be right then
LEAST_TOLD = 8  # times that ports of a kind are told of
OTHER_FABRIC = "FP6605"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Renaming:
    """Names that stand for others, the same for all.

    Attributes
    ----------
    rows : tuple of (str, str, str)
        As ``--names`` takes them: device or pattern, port (empty: the device itself), and what it goes by.
    words : tuple of str
        Each group of names in words.
    right_before, right, cables : int
        Cables that are right by the plan's names, and by these; cables that are seen.
    """

    rows: tuple[tuple[str, str, str], ...]
    words: tuple[str, ...]
    right_before: int
    right: int
    cables: int


def compared(
    ends: PlannedEnds, heard: Neighbours, aliases: Sequence[Alias] = (), file: Path | None = None
) -> tuple[Difference, Renaming | None]:
    """What differs; by other names, where those make most cables right and the plan's do not.

    Raises
    ------
    FormatError
        As ``see`` and ``PlanNames``.
    """
    first, refused = _tried(ends, heard, aliases, file, ())
    if first is not None and (heard.numbered or _part(first) >= SUSPECT):
        return first, None
    best = first
    taken: tuple[_Group, ...] = ()
    of_devices = _devices(ends, heard)
    for start in dict.fromkeys(((), of_devices)):
        try:
            of_ports = _ports(ends, _names(ends, aliases, file, start), heard)
        except FormatError:  # they contradict what the file says
            continue
        for groups in dict.fromkeys((start, (*start, *of_ports))):
            other = _tried(ends, heard, aliases, file, groups)[0] if groups else None
            if other is not None and (best is None or other.right.sum() > best.right.sum()):
                best, taken = other, groups
    if best is None or not taken or _part(best) < LEAST_PART:
        if first is None:
            raise refused or AssertionError("what is not compared was refused")
        return first, None
    rows = tuple(row for group in taken for row in group.rows)
    words = tuple(group.words for group in taken)
    before = 0 if first is None else int(first.right.sum())
    return best, Renaming(rows, words, before, int(best.right.sum()), len(best.seen))


def _tried(
    ends: PlannedEnds, heard: Neighbours, aliases: Sequence[Alias], file: Path | None, groups: Sequence[_Group]
) -> tuple[Difference | None, FormatError | None]:
    """What differs by these names; why not, where they contradict what a file says, or it is of another fabric."""
    try:
        return differences(see(_names(ends, aliases, file, groups), heard)), None
    except FormatError as error:
        if not groups and OTHER_FABRIC not in {problem.code for problem in error.problems}:
            raise
        return None, error


@dataclass(frozen=True)
class _Group:
    """Names of one kind of thing."""

    rows: tuple[tuple[str, str, str], ...]
    words: str


def _part(difference: Difference) -> float:
    """Part of the cables that are seen and are right; all where none is seen."""
    return float(difference.right.sum()) / len(difference.seen) if len(difference.seen) else 1.0


def _names(ends: PlannedEnds, aliases: Sequence[Alias], file: Path | None, groups: Sequence[_Group]) -> PlanNames:
    more = [Alias(*row, 0) for group in groups for row in group.rows]
    return PlanNames(ends, [*aliases, *more], file)


# ---- devices ---------------------------------------------------------------------------------------------------------


def _devices(ends: PlannedEnds, heard: Neighbours) -> tuple[_Group, ...]:
    """Patterns of which names are heard that the plan does not have, and not heard that it has, as many."""
    told = set(heard.heard_by) | {far[0] for far in heard.far_device if far}
    groups = []
    planned = _by_pattern(ends.devices)
    for pattern, heard_numbers in _by_pattern(told).items():
        own = planned.get(pattern, {})
        if not own or not set(heard_numbers) - set(own) or len(heard_numbers) > len(own) or not _width(heard_numbers):
            continue
        low = np.min(list(own), axis=0) - np.min(list(heard_numbers), axis=0)
        pairs = {name: own.get(tuple((np.array(at) + low).tolist())) for at, name in heard_numbers.items()}
        if all(pairs.values()) and low.any():
            rows = tuple((str(device), "", name) for name, device in sorted(pairs.items()))
            name, device = min(pairs.items())
            groups.append(
                _Group(rows, f"{len(rows):,} devices {pattern} are numbered otherwise: {name} is {device} of the plan")
            )
    return tuple(groups)


def _width(numbers: Mapping[tuple[int, ...], str]) -> int:
    return len(next(iter(numbers), ()))


def _by_pattern(names: Sequence[str] | set[str]) -> dict[str, dict[tuple[int, ...], str]]:
    """Names by what is left when numbers are taken out.

    >>> _by_pattern(["leaf1", "leaf2"])
    {'leaf*': {(1,): 'leaf1', (2,): 'leaf2'}}
    """
    found: dict[str, dict[tuple[int, ...], str]] = {}
    for name in names:
        numbers = tuple(int(number) for number in _NUMBER.findall(name))
        found.setdefault(_NUMBER.sub("*", name), {})[numbers] = name
    return found


# ---- ports -----------------------------------------------------------------------------------------------------------


def _ports(ends: PlannedEnds, names: PlanNames, heard: Neighbours) -> tuple[_Group, ...]:
    """Kinds of devices whose ports are told by names of other ports, the same on all."""
    votes: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for device, told, planned in _met(ends, names, heard):
        for name, port in zip(told, planned, strict=True):
            votes[names.kinds[device]][name][port] += 1
    groups = []
    for kind, names_of_kind in votes.items():
        mapping = _mapping(names_of_kind)
        of_kind = [row for row, code in enumerate(names.kinds) if code == kind]
        if mapping is not None:
            mapping |= _by_the_same_shift(mapping, [ends.port[end] for end in _ends_of(ends, of_kind[0])])
            groups.append(_group(ends, of_kind, mapping))
    return tuple(groups)


def _met(ends: PlannedEnds, names: PlanNames, heard: Neighbours) -> Iterator[tuple[int, list[str], list[str]]]:
    """By a device and another: port names that are told of it, and of the plan, in the order of their numbers."""
    told: dict[tuple[int, int], set[str]] = defaultdict(set)
    for device, port, far, far_port in heard.rows():
        one, other = names.find((device,), ()).device, names.find(far, ()).device
        if one >= 0 and other >= 0:
            told[one, other].add(port)
            told[other, one].update(name for name in far_port[:1] if not address(name))
    planned: dict[tuple[int, int], list[str]] = defaultdict(list)
    for end in range(len(ends)):
        planned[int(ends.device[end]), int(ends.device[end ^ 1])].append(ends.port[end])
    for pair, ports in told.items():
        own = planned.get(pair, [])
        if len(own) == len(ports):
            yield pair[0], sorted(ports, key=_natural), sorted(own, key=_natural)


def _natural(name: str) -> tuple[str, tuple[int, ...], str]:
    return _NUMBER.sub("*", name), tuple(int(number) for number in _NUMBER.findall(name)), name


def _mapping(told: Mapping[str, Counter[str]]) -> dict[str, str] | None:
    """What each name stands for: one port each, nearly always the same, and mostly not the port of that name."""
    best = {name: counter.most_common(1)[0] for name, counter in told.items()}
    every = sum(counter.total() for counter in told.values())
    agreed = sum(count for _, count in best.values())
    other = sum(count for name, (port, count) in best.items() if name != port)
    mapping = {name: port for name, (port, _) in best.items()}
    clear = every >= LEAST_TOLD and agreed >= LEAST_PART * every and len(set(mapping.values())) == len(mapping)
    return mapping if clear and other >= LEAST_PART * agreed else None


def _by_the_same_shift(mapping: Mapping[str, str], ports: Sequence[str]) -> dict[str, str]:
    """Names for ports of which nothing is told, where all others are shifted alike; else none."""
    shift = _shift(mapping)
    if not shift:
        return {}
    known = set(mapping.values())
    more = {_moved(port, -shift): port for port in ports if port not in known}
    return {name: port for name, port in more.items() if name and name not in mapping}


def _shift(mapping: Mapping[str, str]) -> int | None:
    """By how much the last number of every name is less than that of its port; None where they differ."""
    shifts = set()
    for name, port in mapping.items():
        before, after = _NUMBER.findall(name), _NUMBER.findall(port)
        if not before or not after or _moved(name, int(after[-1]) - int(before[-1])) != port:
            return None
        shifts.add(int(after[-1]) - int(before[-1]))
    return shifts.pop() if len(shifts) == 1 else None


def _moved(name: str, by: int) -> str:
    """A name with another last number; empty where that is below 0.

    >>> _moved("swp0", 1), _moved("Ethernet1/2", 1), _moved("swp0", -1)
    ('swp1', 'Ethernet1/3', '')
    """
    last = list(_NUMBER.finditer(name))
    if not last or int(last[-1][0]) + by < 0:
        return ""
    return f"{name[: last[-1].start()]}{int(last[-1][0]) + by}{name[last[-1].end() :]}"


def _ends_of(ends: PlannedEnds, device: int) -> list[int]:
    return np.flatnonzero(ends.device == device).tolist()


def _group(ends: PlannedEnds, devices: Sequence[int], mapping: Mapping[str, str]) -> _Group:
    """Rows for ``--names``: a pattern where it is of these devices alone."""
    wanted = {ends.devices[device] for device in devices}
    patterns: list[str] = []
    for pattern, own in _by_pattern(sorted(wanted)).items():
        matches = re.compile(translate(pattern)).match
        alone = all(name in wanted for name in ends.devices if matches(name))
        patterns += [pattern] if alone and "*" in pattern else sorted(own.values())
    rows = tuple(
        (pattern, port, name)
        for pattern in patterns
        for name, port in sorted(mapping.items(), key=lambda row: _natural(row[0]))
    )
    name, port = min(mapping.items(), key=lambda row: _natural(row[0]))
    shift = _shift(mapping)
    how = f"are counted {abs(shift)} {'lower' if shift > 0 else 'higher'}" if shift else "go by other names"
    which = ", ".join(patterns[:3]) + (", ..." if len(patterns) > 3 else "")
    if shift == 0:
        return _Group(rows, f"ports of {len(wanted):,} devices {which} are written {name} where the plan has {port}")
    return _Group(rows, f"ports of {len(wanted):,} devices {which} {how}: {name} is {port} of the plan")
