"""The cable schedule as values: columns over all cables, a row of them for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fabric.cables.labels import BY_NAME, LabelFormat
from topologies.columns import Floats, column


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
    number: tuple[int, ...]  # in pull order, from 1

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
            self.number[number],
            self.legs.get(number, ()),
        )

    def only(self, rows: Sequence[int]) -> CableColumns:
        """Some of them."""
        place = {row: number for number, row in enumerate(rows)}
        parts = {
            name: tuple(getattr(self, name)[row] for row in rows)
            for name in (
                "label", "fabric", "tier", "links", "medium", "model", "optics", "route", "colour", "bundle", "number",
            )
        }  # fmt: skip
        return replace(
            self,
            **parts,
            a=self.a.ordered(list(rows)),
            b=self.b.ordered(list(rows)),
            length_m=column(self.length_m[list(rows)], np.float64),
            bought_m=column(self.bought_m[list(rows)], np.float64),
            legs={place[row]: ends for row, ends in self.legs.items() if row in place},
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
    form: LabelFormat = field(default_factory=lambda: LabelFormat.parse(BY_NAME))

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def cables(self) -> tuple[CableRow, ...]:
        """Row by row."""
        return tuple(map(self.columns.row, range(len(self.columns))))

    @cached_property
    def back_labels(self) -> tuple[str, ...]:
        """Labels as they read from the other end."""
        fields = label_fields(self.columns)
        turned = {f"{'ba'['ab'.index(key[0])]}{key[1:]}" if key[1:2] == "." else key: fields[key] for key in fields}
        return tuple(self.form.labels(turned, len(self)))

    def of_fabric(self, fabric: str) -> CableSchedule:
        """The cables of one fabric, by the numbers that they have among all; trays and bound are of all."""
        columns = self.columns.only([row for row, name in enumerate(self.columns.fabric) if name == fabric])
        total, bought = float(columns.length_m.sum()), float(columns.bought_m.sum())
        return replace(self, columns=columns, total_m=total, bought_total_m=bought, bound_m=None)

    @property
    def overfull(self) -> tuple[TrayFill, ...]:
        """Pieces of tray that do not hold their cables."""
        return tuple(tray for tray in self.trays if tray.is_overfull)


def label_fields(columns: CableColumns) -> dict[str, Sequence[object]]:
    """Fields of labels, cable by cable."""
    fields: dict[str, Sequence[object]] = {
        "fabric": columns.fabric,
        "tier": columns.tier,
        "medium": columns.medium,
        "model": columns.model,
        "length": columns.bought_m.tolist(),
        "colour": columns.colour,
        "bundle": columns.bundle,
        "number": columns.number,
    }
    for name, end in (("a", columns.a), ("b", columns.b)):
        own = {"node": end.node, "port": end.port, "rack": end.rack, "ru": end.unit, "unit": end.unit}
        fields |= {f"{name}.{key}": values for key, values in own.items()}
    return fields
