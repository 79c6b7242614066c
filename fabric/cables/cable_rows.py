"""The cable schedule as values: columns over all cables, a row of them for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from topologies.columns import Floats


@dataclass(frozen=True)
class CableEnd:
    """One end of a cable."""

    node: str  # the device
    port: str  # in the vendor's name
    rack: str  # empty where the scenario does not say
    unit: int | None


@dataclass(frozen=True)
class CableRow:
    """One physical cable; a splitter or twin-port cable carries several links."""

    label: str
    fabric: str
    tier: str
    links: tuple[int, ...]  # directed links it carries, one direction each, of the fabric's topology
    a: CableEnd
    b: CableEnd
    length_m: float  # of its run, with slack and service loops
    bought_m: float  # the length sold that is as long
    medium: str  # empty where the catalogue has nothing for such a link
    model: str  # of the cable
    optics: tuple[str, ...]  # at end a, then at end b; empty where the cable has its ends on, or passes straight on
    route: tuple[str, ...]  # trays, in order
    colour: str
    bundle: str
    pull_order: int  # from 1
    legs: tuple[tuple[CableEnd, CableEnd], ...] = ()  # ends of every link, where a cable carries several


@dataclass(frozen=True, eq=False)
class EndColumns:
    """Ends of cables, shape (C,) each; of a cable with several links those of its first."""

    node: tuple[str, ...]
    port: tuple[str, ...]
    rack: tuple[str, ...]
    unit: tuple[int | None, ...]

    def at(self, row: int) -> CableEnd:
        """One of them."""
        return CableEnd(self.node[row], self.port[row], self.rack[row], self.unit[row])

    def ordered(self, order: list[int]) -> EndColumns:
        """In another order, or some of them."""
        return EndColumns(*(tuple(part[row] for row in order) for part in self._parts()))

    def joined(self, other: EndColumns) -> EndColumns:
        """These and others."""
        return EndColumns(*(one + two for one, two in zip(self._parts(), other._parts(), strict=True)))  # type: ignore[operator]

    def _parts(self) -> tuple[tuple[object, ...], ...]:
        return self.node, self.port, self.rack, self.unit


@dataclass(frozen=True, eq=False)
class CableColumns:
    """All cables, shape (C,) each, in the order they are pulled in."""

    label: tuple[str, ...]
    fabric: tuple[str, ...]
    tier: tuple[str, ...]
    links: tuple[tuple[int, ...], ...]
    a: EndColumns
    b: EndColumns
    length_m: Floats
    bought_m: Floats
    medium: tuple[str, ...]
    model: tuple[str, ...]
    optics: tuple[tuple[str, ...], ...]
    route: tuple[tuple[str, ...], ...]
    colour: tuple[str, ...]
    bundle: tuple[str, ...]
    legs: dict[int, tuple[tuple[CableEnd, CableEnd], ...]]  # of cables that carry several links

    def __len__(self) -> int:
        return len(self.label)

    def row(self, number: int) -> CableRow:
        """One cable."""
        return CableRow(
            self.label[number],
            self.fabric[number],
            self.tier[number],
            self.links[number],
            self.a.at(number),
            self.b.at(number),
            float(self.length_m[number]),
            float(self.bought_m[number]),
            self.medium[number],
            self.model[number],
            self.optics[number],
            self.route[number],
            self.colour[number],
            self.bundle[number],
            number + 1,
            self.legs.get(number, ()),
        )

    def each_link(self) -> Iterator[tuple[int, int, CableEnd, CableEnd]]:
        """Row, link and both ends of every link that cables carry."""
        for row, links in enumerate(self.links):
            ends = self.legs.get(row) or ((self.a.at(row), self.b.at(row)),)
            for link, (low, high) in zip(links, ends, strict=True):
                yield row, link, low, high


@dataclass(frozen=True)
class TrayFill:
    """A piece of tray and what lies in it."""

    name: str
    cables: int
    fill_mm2: float  # cross-section of the cables
    area_mm2: float  # what cables may take, inf: not limited

    @property
    def is_overfull(self) -> bool:
        """Whether the cables do not fit."""
        return self.fill_mm2 > self.area_mm2


@dataclass(frozen=True, eq=False)
class CableSchedule:
    """All cables of a scenario, in the order they are pulled in.

    Attributes
    ----------
    total_m : float
        Sum of the lengths of all runs, metres.
    bought_total_m : float
        Sum of the lengths to buy.
    bound_m : float or None
        No placement of what is free to place has shorter runs in all; None where nothing was placed.
    """

    columns: CableColumns
    total_m: float
    bought_total_m: float
    bound_m: float | None
    trays: tuple[TrayFill, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def cables(self) -> tuple[CableRow, ...]:
        """Row by row."""
        return tuple(map(self.columns.row, range(len(self.columns))))

    @property
    def overfull(self) -> tuple[TrayFill, ...]:
        """Pieces of tray that do not hold their cables."""
        return tuple(tray for tray in self.trays if tray.is_overfull)
