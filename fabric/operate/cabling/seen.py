"""What is plugged, from what is heard: every cable once, how many sides saw it, and where reports contradict.

Of two cables on one port, the one that both sides hear holds; where none or both do, nobody knows what is on that port,
and it counts as not seen. A cable of the plan of which nothing is heard is **missing** only where somebody would have
heard it: a device that tells its neighbours, about one that is known to speak. Else it is **not seen**.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabric.operate.cabling.free_ports import FreePort
from fabric.operate.cabling.names import AMBIGUOUS, UNKNOWN, Found, PlanNames
from fabric.operate.cabling.planned import PlannedEnds, Port
from fabric.operate.observed.neighbours import Neighbours
from topologies.columns import Bools, Floats, Longs, column
from topologies.errors import FormatError
from topologies.units import percent

LEAST_KNOWN = 0.5  # of the devices that are told of
_MOST_NAMED = 3


@dataclass(frozen=True)
class Conflict:
    """A port of which two cables are told."""

    port: Port
    told: tuple[str, ...]  # what and where


@dataclass(frozen=True, eq=False)
class Seen:
    """Cables as they are plugged.

    Ports that the plan does not have have numbers from ``len(ends)`` on.

    Attributes
    ----------
    one, other : ndarray, shape (K,)
        Ends of every cable.
    sides : ndarray, shape (K,)
        How many of them heard it: 1 or 2.
    gbps : ndarray, shape (K,)
        Its speed; the lower where both tell; nan where none does.
    foreign : tuple of Port
        Ports that the plan does not have, by number less ``len(ends)``.
    unclear : ndarray, shape (E,)
        Ends of the plan of which two things are told.
    tells, speaks : ndarray, shape (D,)
        Devices that tell what they hear; those and all that are heard.
    known_part : float
        Part of the devices told of that are the plan's.
    free : mapping
        By number, ports that the plan leaves free on devices that it has.
    outside : int
        Records between ports that the plan does not have, such as those of management.
    """

    ends: PlannedEnds
    one: Longs
    other: Longs
    sides: Longs
    gbps: Floats
    foreign: tuple[Port, ...]
    unclear: Bools
    conflicts: tuple[Conflict, ...]
    tells: Bools
    speaks: Bools
    known_part: float
    outside: int
    notes: tuple[str, ...]
    whole: bool = False
    free: Mapping[int, FreePort] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.one)

    def port(self, end: int) -> Port:
        """An end as people know it."""
        return self.ends.at(end) if end < len(self.ends) else self.foreign[end - len(self.ends)]


class _Foreign:
    """Numbers for ports that the plan does not have."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.ports: list[Port] = []
        self._known: dict[tuple[str, str], int] = {}
        self._across: dict[tuple[int, str], int] = {}
        self.free: dict[int, FreePort] = {}

    def of(self, device: str, found: Found, ports: tuple[str, ...], across: int) -> int:
        """Number of a port that is found, or of one that is not known by what it goes by."""
        if found.end >= 0:
            return found.end
        if found.free is None:
            return self.number(device, ports, across)
        number = self.number(device, (found.free.name,), UNKNOWN)
        self.free[number] = found.free
        return number

    def number(self, device: str, ports: tuple[str, ...], across: int) -> int:
        """Number of a port by what it goes by; what one end of the plan hears of one device is one port."""
        found = next((self._known[device, port] for port in ports if (device, port) in self._known), None)
        if found is None and across >= 0:
            found = self._across.get((across, device))
        if found is None:
            found = self.first + len(self.ports)
            self.ports.append(Port(device, ports[0]))
        for port in ports:
            self._known.setdefault((device, port), found)
        if across >= 0:
            self._across.setdefault((across, device), found)
        return found


def see(names: PlanNames, heard: Neighbours) -> Seen:
    """Cables from records.

    Raises
    ------
    FormatError
        FP6605 where most devices are not those of the plan.
    """
    ends = names.ends
    foreign = _Foreign(len(ends))
    known_part = _known_part(names, heard)
    found, notes = _found(names, heard)
    told = _records(names, heard, found, foreign)
    inside = (told.one < len(ends)) | (told.other < len(ends))
    kept = (inside | told.of_plan) & (told.one != told.other)
    if told.by_device:
        notes.append(
            f"{told.by_device:,} records name a device of the plan and a port that it does not know: they count as the "
            "planned port where the device is right; --names FILE says what its ports go by"
        )
    tells, speaks = _tells(names, heard)
    pairs = _cables(told.one, told.other, np.array(heard.gbps), kept)
    cables, conflicts, unclear = _without_conflicts(ends, heard, foreign.ports, pairs)
    return Seen(
        ends, *cables, tuple(foreign.ports), unclear, conflicts, tells, speaks, known_part,
        int((~kept).sum()), tuple(notes), heard.whole, foreign.free,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Records:
    """Ends of every record, and whether both of its devices are the plan's; shape (R,)."""

    one: np.ndarray
    other: np.ndarray
    of_plan: np.ndarray
    by_device: int  # whose port at one side is taken by its device alone


def _found(names: PlanNames, heard: Neighbours) -> tuple[list[tuple[Found, Found]], list[str]]:
    """Both sides of every record, once interfaces that the plan does not name are learned."""
    numbered = heard.numbered
    found = [
        (names.find((device,), (port,), numbered=numbered), names.find(far, far_port, numbered=numbered))
        for device, port, far, far_port in heard.rows()
    ]
    open_rows = [row for row, pair in enumerate(found) if any(one.end < 0 <= one.device for one in pair)]
    notes = list(heard.notes)
    if open_rows and not numbered:
        notes += names.learn(heard, found)
        for row in open_rows:
            here = names.find((heard.device[row],), (heard.port[row],))
            found[row] = here, names.find(heard.far_device[row], heard.far_port[row])
    return found, notes


def _records(names: PlanNames, heard: Neighbours, found: Sequence[tuple[Found, Found]], foreign: _Foreign) -> _Records:
    """What every record says."""
    count, by_device = len(heard), 0
    one, other = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    of_plan = np.empty(count, dtype=np.bool_)
    devices = names.ends.devices
    sure = _sure(found)
    for row, (device, port, far, far_port) in enumerate(heard.rows()):
        here, there = found[row]
        if (here.end < 0) != (there.end < 0):
            known, dim = (there, here) if here.end < 0 else (here, there)
            if dim.free is None:
                dim, unsure = sure.get((known.end, dim.device)), False
                if dim is None:
                    dim, unsure = _by_device(names.ends, known.end, here if here.end < 0 else there)
                by_device += unsure
            here, there = (dim, there) if here.end < 0 else (here, dim)
        own = devices[here.device] if here.device >= 0 else device
        its = devices[there.device] if there.device >= 0 else far[0]
        one[row] = foreign.of(own, here, (port,), there.end)
        other[row] = foreign.of(its, there, far_port, here.end)
        of_plan[row] = here.device >= 0 and there.device >= 0
    return _Records(one, other, of_plan, by_device)


def _sure(found: Sequence[tuple[Found, Found]]) -> dict[tuple[int, int], Found]:
    """By an end of the plan and the device across: the port there, where a record names one.

    What one end meets on one device is one port, so that a record which does not name it says no other.
    """
    if all((here.end >= 0) == (there.end >= 0) for here, there in found):
        return {}
    known: dict[tuple[int, int], Found] = {}
    for pair in found:
        for one, other in (pair, pair[::-1]):
            if one.end >= 0 and (other.end >= 0 or other.free is not None):
                known[one.end, other.device] = other
    return known


def _by_device(ends: PlannedEnds, known: int, found: Found) -> tuple[Found, bool]:
    """The end across from a known one where only the device there is known, and whether its port is not sure.

    A device with one port can mean no other. Of several, the port that the plan has there is taken, since what is told
    does not contradict it.
    """
    if found.device < 0:
        return found, False
    mate = known ^ 1
    if int(ends.device[mate]) == found.device:
        return Found(found.device, mate), int(ends.degree[found.device]) > 1
    if int(ends.degree[found.device]) == 1:
        return Found(found.device, int(ends.first[found.device])), False
    return found, False


def _known_part(names: PlanNames, heard: Neighbours) -> float:
    """Part of the devices that are told of which the plan has."""
    told = {(device,) for device in heard.heard_by} | set(heard.far_device)
    known = sum(names.device(one) >= 0 for one in told)
    part = known / len(told)
    if part < LEAST_KNOWN:
        strange = [one[0] for one in sorted(told) if names.device(one) < 0]
        some = ", ".join(strange[:_MOST_NAMED]) + (", …" if len(strange) > _MOST_NAMED else "")
        raise FormatError(
            f"this is of another fabric: {known:,} of {len(told):,} devices told of ({percent(part, 0)}) are in the "
            f"plan; {some} are not",
            file=str(heard.files[0].parent if len(heard.files) > 1 else heard.files[0]),
            hint=f"the plan has {', '.join(names.ends.devices[:_MOST_NAMED])}, …; --names FILE says what they go by",
            code="FP6605",
        )
    return part


def _tells(names: PlanNames, heard: Neighbours) -> tuple[Bools, Bools]:
    """Devices of the plan that tell, and those that are known to speak."""
    tells = np.zeros(len(names.ends.devices), dtype=np.bool_)
    holders = [names.find((device,), ()).device for device in heard.heard_by]
    tells[[device for device in holders if device >= 0]] = True
    speaks = tells.copy()
    far = [names.find(one, ()).device for one in set(heard.far_device)]
    speaks[[device for device in far if device >= 0]] = True
    return column(tells, np.bool_), column(speaks, np.bool_)


@dataclass(frozen=True)
class _Cables:
    """Distinct pairs of ends, sorted; shape (K,)."""

    one: np.ndarray
    other: np.ndarray
    sides: np.ndarray
    gbps: np.ndarray
    record: np.ndarray  # the first record of each


def _cables(one: np.ndarray, other: np.ndarray, gbps: np.ndarray, kept: np.ndarray) -> _Cables:
    """Every pair of ends once."""
    rows = np.flatnonzero(kept)
    low, high = np.minimum(one[rows], other[rows]), np.maximum(one[rows], other[rows])
    size = int(max(high.max(initial=0), low.max(initial=0))) + 1
    key, first, of = np.unique(low * size + high, return_index=True, return_inverse=True)
    lower = np.full(len(key), np.inf)
    told = gbps[rows]
    np.fmin.at(lower, of, np.where(np.isnan(told), np.inf, told))
    forth = np.zeros(len(key), dtype=np.int64)
    back = forth.copy()
    forward = one[rows] == low
    np.maximum.at(forth, of[forward], 1)
    np.maximum.at(back, of[~forward], 1)
    return _Cables(key // size, key % size, forth + back, np.where(np.isinf(lower), np.nan, lower), rows[first])


def _without_conflicts(
    ends: PlannedEnds, heard: Neighbours, foreign: list[Port], cables: _Cables
) -> tuple[tuple[Longs, Longs, Longs, Floats], tuple[Conflict, ...], Bools]:
    """Cables of which no port has two; ports that do."""
    count = len(ends) + len(foreign)
    times = np.bincount(cables.one, minlength=count) + np.bincount(cables.other, minlength=count)
    keep = np.ones(len(cables.one), dtype=np.bool_)
    unclear = np.zeros(count, dtype=np.bool_)
    conflicts: list[Conflict] = []
    doubtful = np.flatnonzero((times[cables.one] > 1) | (times[cables.other] > 1))
    at: dict[int, list[int]] = {}
    for row in doubtful.tolist():
        for end in (int(cables.one[row]), int(cables.other[row])):
            at.setdefault(end, []).append(row)
    for end, rows in at.items():
        if len(rows) < 2:
            continue
        sure = [row for row in rows if cables.sides[row] == 2]
        for row in rows:
            keep[row] &= sure == [row]
        unclear[end] |= len(sure) != 1
        if len(sure) != 1 or end < len(ends):
            port = ends.at(end) if end < len(ends) else foreign[end - len(ends)]
            told = tuple(_told(ends, foreign, cables, row, end, heard) for row in rows)
            conflicts.append(Conflict(port, told))
    chosen = np.flatnonzero(keep)
    columns = (
        column(cables.one[chosen], np.int64), column(cables.other[chosen], np.int64),
        column(cables.sides[chosen], np.int64), column(cables.gbps[chosen], np.float64),
    )  # fmt: skip
    # The other end of a report that was dropped is not known either, unless another report is sure of it.
    taken = np.zeros(count, dtype=np.bool_)
    taken[columns[0]] = taken[columns[1]] = True
    for row in np.flatnonzero(~keep).tolist():
        for end in (int(cables.one[row]), int(cables.other[row])):
            unclear[end] |= not taken[end]
    return columns, tuple(conflicts), column(unclear[: len(ends)], np.bool_)


def _told(ends: PlannedEnds, foreign: list[Port], cables: _Cables, row: int, end: int, heard: Neighbours) -> str:
    """The other end of a cable at an end, and where that is told."""
    far = int(cables.other[row]) if int(cables.one[row]) == end else int(cables.one[row])
    port = ends.at(far) if far < len(ends) else foreign[far - len(ends)]
    return f"{port} ({heard.place(int(cables.record[row]))})"
