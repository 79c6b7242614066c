"""A machine room with everything in it: the values that cables, bills and pictures read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from topologies.columns import Floats, Ints


@dataclass(frozen=True)
class RackPlace:
    """A place for a rack on the floor."""

    name: str
    row: int
    place: int  # along the row
    x_m: float  # of its middle, along the rows
    y_m: float  # across the rows
    units: int  # rack units
    power_w: float  # what it can feed, inf: not limited
    point: int  # where its cables meet the trays, row of FloorPlan.point_m


@dataclass(frozen=True, eq=False)
class FloorPlan:
    """Racks, and the trays between them as a graph."""

    racks: tuple[RackPlace, ...]
    tray_m: float  # height of the trays above the floor
    point_m: Floats  # shape (P, 2), x and y of tray points, metres
    segments: Ints  # shape (S, 2), points that a piece of tray joins
    segment_names: tuple[str, ...]  # by segment
    area_mm2: Floats  # shape (S,), what a piece of tray may hold, inf: not limited


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
    """

    floor: FloorPlan
    placed: tuple[Placed, ...]
    total_m: float
    bound_m: float
    in_rows_m: float
    method: str
    notes: tuple[str, ...] = ()

    @cached_property
    def by_device(self) -> Mapping[str, Placed]:
        """Hosts by name, switches by ``fabric/name`` as ``device_key`` writes it."""
        return {device_key(one.device, one.fabric): one for one in self.placed}


def device_key(device: str, fabric: str | None) -> str:
    """Key of a device: switches of two fabrics may share a name, hosts are one.

    >>> device_key("spine0", "backend"), device_key("n001", None)
    ('backend/spine0', 'n001')
    """
    return device if fabric is None else f"{fabric}/{device}"
