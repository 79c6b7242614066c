"""The cable schedule as values: columns over all cables, a row of them for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

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
    is_switch: bool = False


@dataclass(frozen=True)
class CableRow:
    """One run of cable: a cable, or a leg of one that carries several links."""

    label: str
    fabric: str
    tier: str
    link: int  # directed link that it carries, one direction, of the fabric's topology
    a: CableEnd
    b: CableEnd
    length_m: float  # of its run, with slack and service loops
    bought_m: float  # the length sold that is as long as the longest leg of the cable
    medium: str  # empty where the catalogue has nothing for such a link
    model: str  # of the cable
    optics: tuple[str, ...]  # at end a, then at end b; empty where the cable has its ends on
    route: tuple[str, ...]  # trays, in order
    colour: str
    bundle: str
    number: int  # of the cable, in pull order, from 1
    leg: int  # of the cable, from 1
    legs: int  # that the cable has


@dataclass(frozen=True, eq=False)
class EndColumns:
    """Ends of cables, shape (C,) each; of a cable with several links those of its first."""

    node: tuple[str, ...]
    port: tuple[str, ...]
    rack: tuple[str, ...]
    unit: tuple[int | None, ...]
    is_switch: tuple[bool, ...]

    def at(self, row: int) -> CableEnd:
        """One of them."""
        return CableEnd(self.node[row], self.port[row], self.rack[row], self.unit[row], self.is_switch[row])

    def ordered(self, order: list[int]) -> EndColumns:
        """In another order, or some of them."""
        parts = ((getattr(self, field.name)) for field in fields(self))
        return EndColumns(*(tuple(part[row] for row in order) for part in parts))


@dataclass(frozen=True, eq=False)
class CableColumns:
    """All runs of cable, shape (C,) each, in the order they are pulled in; legs of a cable one after the other."""

    label: tuple[str, ...]
    fabric: tuple[str, ...]
    tier: tuple[str, ...]
    link: tuple[int, ...]
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
    number: tuple[int, ...]  # of the cable, in pull order, from 1
    leg: tuple[int, ...]
    legs: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.label)

    def row(self, at: int) -> CableRow:
        """One run."""
        own = {name: values[at] for name, values in self._columns().items()}
        return CableRow(
            **own,
            a=self.a.at(at),
            b=self.b.at(at),
            length_m=float(self.length_m[at]),
            bought_m=float(self.bought_m[at]),
        )

    @property
    def first_legs(self) -> list[int]:
        """Rows of the first leg of every cable."""
        return [row for row, leg in enumerate(self.leg) if leg == 1]

    def only(self, rows: Sequence[int]) -> CableColumns:
        """Some of the runs, or in another order."""
        order = list(rows)
        return replace(
            self,
            **{name: tuple(values[row] for row in order) for name, values in self._columns().items()},
            a=self.a.ordered(order),
            b=self.b.ordered(order),
            length_m=column(self.length_m[order], np.float64),
            bought_m=column(self.bought_m[order], np.float64),
        )

    def _columns(self) -> dict[str, tuple[Any, ...]]:
        """Columns but for ends and lengths."""
        names = (field.name for field in fields(self))
        return {name: values for name in names if isinstance(values := getattr(self, name), tuple)}


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
    columns : CableColumns
        A row for every run: a cable, or a leg of one.
    total_m : float
        Sum of the lengths of all runs, metres.
    bought_total_m : float
        Sum of the lengths to buy, every cable once.
    bound : callable or None
        What `bound_m` is worked out by; None where nothing was placed.
    """

    columns: CableColumns
    total_m: float
    bought_total_m: float
    bound: Callable[[], float] | None = field(repr=False)
    trays: tuple[TrayFill, ...] = ()
    notes: tuple[str, ...] = ()
    form: LabelFormat = field(default_factory=lambda: LabelFormat.parse(BY_NAME))

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def bound_m(self) -> float | None:
        """No placement of what is free to place has shorter runs in all; worked out when asked for."""
        return None if self.bound is None else min(self.bound(), self.total_m)

    @property
    def cable_count(self) -> int:
        """Cables; a splitter or twin-port cable is one."""
        return self.columns.leg.count(1)

    @cached_property
    def cables(self) -> tuple[CableRow, ...]:
        """Run by run."""
        return tuple(map(self.columns.row, range(len(self.columns))))

    @cached_property
    def back_labels(self) -> tuple[str, ...]:
        """Labels as they read from the other end."""
        forth = label_fields(self.columns)
        turned = {f"{'ba'['ab'.index(key[0])]}{key[1:]}" if key[1:2] == "." else key: forth[key] for key in forth}
        return tuple(self.form.labels(turned, len(self)))

    def of_fabric(self, fabric: str) -> CableSchedule:
        """The cables of one fabric, by the numbers that they have among all; trays and bound are of all."""
        columns = self.columns.only([row for row, name in enumerate(self.columns.fabric) if name == fabric])
        total, bought = totals(columns)
        return replace(self, columns=columns, bound=None, total_m=total, bought_total_m=bought)

    @property
    def overfull(self) -> tuple[TrayFill, ...]:
        """Pieces of tray that do not hold their cables."""
        return tuple(tray for tray in self.trays if tray.is_overfull)


def totals(columns: CableColumns) -> tuple[float, float]:
    """Sums of the lengths of runs, and of the cables bought."""
    return float(columns.length_m.sum()), float(columns.bought_m[columns.first_legs].sum())


def label_fields(columns: CableColumns) -> dict[str, Sequence[object]]:
    """Fields of labels, cable by cable."""
    values: dict[str, Sequence[object]] = {
        "fabric": columns.fabric,
        "tier": columns.tier,
        "medium": columns.medium,
        "model": columns.model,
        "length": columns.bought_m.tolist(),
        "colour": columns.colour,
        "bundle": columns.bundle,
        "number": columns.number,
        "leg": columns.leg,
    }
    for name, end in (("a", columns.a), ("b", columns.b)):
        own = {"node": end.node, "port": end.port, "rack": end.rack, "ru": end.unit, "unit": end.unit}
        values |= {f"{name}.{key}": values for key, values in own.items()}
    return values
