"""Ports that a device has and the plan leaves free: a cable in one is in the wrong port, not in one nobody knows.

Of a switch whose model is known they are the model's, named as the cable schedule names them. Of others, a name that is
a planned one but for its numbers (``swp20`` beside ``swp1`` to ``swp8``) is another port of the same device.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fabric.operate.cabling.planned import PlannedEnds
from topologies.catalogue import SwitchModel

_DIGITS = re.compile(r"\d+")
_WAYS = (1, 2, 4, 8)  # that ports are broken out into
Key = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class FreePort:
    """A port without a planned cable; ``place`` counts like ``PlannedEnds.ordinal``, None where that is not known."""

    device: int
    name: str
    place: int | None = None


@dataclass(frozen=True)
class _Sheet:
    """Ports of devices of one kind: those planned in their order, those free by lower-case name."""

    planned: tuple[str, ...]
    keys: frozenset[Key]
    shapes: frozenset[str]
    free: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    at: dict[int, str] = field(default_factory=dict)  # place -> name
    step: tuple[str, int, int] | None = None  # shape of the names, first number, from port to port


class FreePorts:
    """Looks up free ports of the devices of a plan."""

    def __init__(self, ends: PlannedEnds) -> None:
        self._ends = ends
        self._sheets: dict[tuple[int, tuple[str, ...]], _Sheet] = {}
        self._of: dict[int, _Sheet] = {}
        self._order = np.lexsort((ends.ordinal, ends.device))
        self._start = np.searchsorted(ends.device[self._order], np.arange(len(ends.devices) + 1))

    def find(self, device: int, name: str, *, numbered: bool = False) -> FreePort | None:
        """A free port by its name, or by its number on the device from 1; None where it is not known to be one."""
        rows = self._order[self._start[device] : self._start[device + 1]]
        is_switch = bool(len(rows)) and bool(self._ends.is_switch[rows[0]])
        if not is_switch and (numbered or len(rows) < 2):  # a host's one port can mean no other
            return None
        sheet = self._of.get(device)
        if sheet is None:
            sheet = self._of[device] = self._sheet(device, rows)
        return _numbered(sheet, device, name) if numbered else _named(sheet, device, name)

    def _sheet(self, device: int, rows: np.ndarray) -> _Sheet:
        model = self._ends.models[device]
        planned = tuple(self._ends.port[end] for end in rows.tolist())
        key = (id(model), planned)
        if key not in self._sheets:
            self._sheets[key] = _sheet_of(model, planned)
        return self._sheets[key]


def _key(name: str) -> Key:
    """Shape and numbers of a name.

    >>> _key("Swp01s2")
    ('swp#s#', (1, 2))
    """
    return _DIGITS.sub("#", name.lower()), tuple(int(digits) for digits in _DIGITS.findall(name))


def _named(sheet: _Sheet, device: int, name: str) -> FreePort | None:
    known = sheet.free.get(name.lower())
    if known is not None:
        return FreePort(device, *known)
    key = _key(name)
    shape, numbers = key
    if shape not in sheet.shapes or not numbers or key in sheet.keys:
        return None
    place = None
    if sheet.step is not None and sheet.step[0] == shape and (numbers[0] - sheet.step[1]) % sheet.step[2] == 0:
        place = (numbers[0] - sheet.step[1]) // sheet.step[2]
    return FreePort(device, name, place)


def _numbered(sheet: _Sheet, device: int, name: str) -> FreePort | None:
    if not name.isdecimal() or int(name) <= len(sheet.planned):
        return None
    place = int(name) - 1
    text = sheet.at.get(place)
    if text is None and sheet.step is not None:
        _, first, step = sheet.step
        text = _DIGITS.sub(str(first + place * step), sheet.planned[0])
    return FreePort(device, text or name, place)


def _sheet_of(model: SwitchModel | None, planned: tuple[str, ...]) -> _Sheet:
    keys = [_key(name) for name in planned]
    sheet = _Sheet(planned, frozenset(keys), frozenset(shape for shape, _ in keys), step=_step(keys))
    if model is None:
        return sheet
    labels, others = _labels(model, {name.lower() for name in planned})
    lower = [label.lower() for label in labels]
    first = lower.index(planned[0].lower()) if planned[0].lower() in lower else -1
    in_turn = first >= 0 and lower[first : first + len(planned)] == [name.lower() for name in planned]
    taken = {name.lower() for name in planned}
    for at, label in enumerate(labels):
        if label.lower() not in taken:
            sheet.free[label.lower()] = label, at - first if in_turn else None
            if in_turn:
                sheet.at[at - first] = label
    for label in others:
        if label.lower() not in taken:
            sheet.free.setdefault(label.lower(), (label, None))
    return sheet


def _step(keys: Sequence[Key]) -> tuple[str, int, int] | None:
    """Shape, first number, and difference of names with one number each, where they are in even steps."""
    shapes, numbers = {shape for shape, _ in keys}, [own for _, own in keys]
    if len(shapes) != 1 or any(len(own) != 1 for own in numbers):
        return None
    steps = {high[0] - low[0] for low, high in zip(numbers, numbers[1:], strict=False)} or {1}
    step = steps.pop()
    return (keys[0][0], numbers[0][0], step) if not steps and step > 0 else None


def _labels(model: SwitchModel, taken: set[str]) -> tuple[list[str], list[str]]:
    """Names of all ports, broken out as the plan has them, those that it leaves free as the one before; other names."""
    labels: list[str] = []
    others: list[str] = []
    ways = 1
    for port in range(1, model.ports + 1):
        lanes = {count: [model.port_label(port, way + 1, count) for way in range(count)] for count in _WAYS}
        hits = {count: sum(label.lower() in taken for label in names) for count, names in lanes.items()}
        used = max(_WAYS, key=lambda count: (hits[count], -count))
        ways = used if hits[used] else ways
        labels += lanes[ways]
        if not hits[used]:
            others += [label for count, names in lanes.items() if count != ways for label in names]
    return labels, others
