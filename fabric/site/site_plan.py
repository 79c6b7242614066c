"""A machine room with everything in it: the values that cables, bills and pictures read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.site.trays import Trays
from topologies.columns import Floats, Ints, column


@dataclass(frozen=True)
class RackPlace:
    """A rack on the floor."""

    name: str
    row: int
    place: int  # along the row
    x_m: float  # of its middle, along the rows
    y_m: float  # across the rows
    units: int  # rack units
    power_w: float  # what it can feed, inf: not limited
    point: int  # where its cables meet the trays, row of FloorPlan.point_m
    for_network: bool = False  # kept for switches


@dataclass(frozen=True, eq=False)
class FloorPlan:
    """Racks, and the trays between them as a graph.

    Attributes
    ----------
    unit_m : float
        Height of a rack unit, metres.
    slack : float
        Part of its way that every cable is longer.
    loop_m : float
        Length added at each end of a cable, metres.
    """

    racks: tuple[RackPlace, ...]
    tray_m: float  # height of the trays above the floor
    point_m: Floats  # shape (P, 2), x and y of tray points, metres
    segments: Ints  # shape (S, 2), points that a piece of tray joins
    segment_names: tuple[str, ...]  # by segment
    area_mm2: Floats  # shape (S,), what cables may take of a piece of tray, inf: not limited
    trays: Trays
    unit_m: float
    slack: float
    loop_m: float

    @cached_property
    def by_name(self) -> Mapping[str, int]:
        """Rack by its name."""
        return {rack.name: number for number, rack in enumerate(self.racks)}

    @cached_property
    def row(self) -> Ints:
        """Row of every rack, shape (R,)."""
        return column([rack.row for rack in self.racks], np.int32)

    @cached_property
    def place(self) -> Ints:
        """Place of every rack along its row, shape (R,)."""
        return column([rack.place for rack in self.racks], np.int32)

    def height_m(self, unit: int | Ints, units: int | Ints) -> Floats:
        """Height of the middle of a device above the lowest rack unit, metres."""
        return np.asarray((np.asarray(unit) - 1 + np.asarray(units) / 2) * self.unit_m, dtype=np.float64)

    def way_m(self, rack_a: Ints, height_a: Floats, rack_b: Ints, height_b: Floats) -> Floats:
        """Way between two places in racks, metres: up to the tray, along it and down; straight within a rack."""
        over = self.trays.distance_m(self.row[rack_a], self.place[rack_a], self.row[rack_b], self.place[rack_b])
        outside = over + 2 * self.tray_m - height_a - height_b
        return np.where(np.asarray(rack_a) == rack_b, np.abs(height_a - height_b), outside)

    def run_m(self, way_m: Floats, cables: float | Floats = 1.0) -> Floats:
        """Length of cables over a way, with slack and both service loops, metres."""
        return np.asarray(way_m * (1 + self.slack) + 2 * self.loop_m * np.asarray(cables), dtype=np.float64)


@dataclass(frozen=True)
class Placed:
    """A device in a rack."""

    device: str
    is_switch: bool
    fabric: str | None  # of a switch
    model: str | None
    rack: int  # row of FloorPlan.racks
    unit: int  # lowest rack unit it takes, from 1
    units: int
    power_w: float | None


@dataclass(frozen=True, eq=False)
class SitePlan:
    """Where every host and switch stands, and how good that is.

    Attributes
    ----------
    total_m : float
        Length of all cables as they are routed, before lengths sold are rounded up to.
    bound_m : float
        No placement of what was free to place has less.
    in_rows_m : float
        What switches in rows of their own, or as the scenario writes them one after another, would take.
    method : str
        How it was found, for people.
    cables : int
        Cables that the lengths are of.
    """

    floor: FloorPlan
    placed: tuple[Placed, ...]
    total_m: float
    bound_m: float
    in_rows_m: float
    method: str
    notes: tuple[str, ...] = ()
    cables: int = 0

    @cached_property
    def by_device(self) -> Mapping[str, Placed]:
        """Hosts by name, switches by ``fabric/name`` as ``device_key`` writes it."""
        return {device_key(one.device, one.fabric): one for one in self.placed}

    @cached_property
    def by_rack(self) -> Mapping[int, tuple[Placed, ...]]:
        """Devices of every rack that has any, from the lowest up."""
        racks: dict[int, list[Placed]] = {}
        for one in self.placed:
            racks.setdefault(one.rack, []).append(one)
        return {rack: tuple(sorted(racks[rack], key=lambda one: one.unit)) for rack in sorted(racks)}

    def rack_name(self, device: str) -> str:
        """Name of the rack of a device, by its key."""
        return self.floor.racks[self.by_device[device].rack].name

    def length_m(self, a: str, b: str) -> float:
        """Length of a cable between two devices, by their keys, metres: its way with slack and service loops."""
        one, two = self.by_device[a], self.by_device[b]
        heights = [self.floor.height_m(each.unit, each.units) for each in (one, two)]
        way = self.floor.way_m(column([one.rack], np.int32), heights[0], column([two.rack], np.int32), heights[1])
        return float(self.floor.run_m(way)[0])

    def route(self, a: str, b: str) -> tuple[str, ...]:
        """Trays of the cable between two devices, in order, with the part of each: ``row1/3-7``, ``cross7/1-2``.

        Empty within a rack.
        """
        return self.floor.trays.names(*self._places(a, b))

    def pieces(self, a: str, b: str) -> tuple[int, ...]:
        """Segments of the floor's trays that the cable between two devices takes, in order."""
        return self.floor.trays.pieces(*self._places(a, b))

    def _places(self, a: str, b: str) -> tuple[tuple[int, int], tuple[int, int]]:
        racks = [self.floor.racks[self.by_device[key].rack] for key in (a, b)]
        return (racks[0].row, racks[0].place), (racks[1].row, racks[1].place)


def device_key(device: str, fabric: str | None) -> str:
    """Key of a device: switches of two fabrics may share a name, hosts are one.

    >>> device_key("spine0", "backend"), device_key("n001", None)
    ('backend/spine0', 'n001')
    """
    return device if fabric is None else f"{fabric}/{device}"
