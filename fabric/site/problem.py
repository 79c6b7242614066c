"""The placing of switches as a problem: what stands already, where there is room, and what a placement takes.

Hosts and fixed devices stand. The other switches stand at the top of their racks, one under the other. Every rack is a
vertical line that meets the trays at its top, so that lengths of ways are a metric (``floor.way_m``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.site.devices import Device, Equipment
from fabric.site.site_plan import FloorPlan
from topologies.columns import Bools, Floats, Ints, column

Run = tuple[int, int]  # lowest and highest of neighbouring free units


@dataclass(frozen=True, eq=False)
class Measure:
    """For every free switch, a weight over points in racks: where the other ends of its cables are.

    Attributes
    ----------
    weight : ndarray, shape (S, R)
        Cables, or parts of them, to each rack; may be negative in a bound.
    moment : ndarray, shape (S, R)
        Sums of weight times height, metres.
    flat : ndarray, shape (S, R), optional
        Weights that count the way over the trays alone, from rack to rack.
    upright : ndarray, shape (S,), optional
        Cables that count the way from the switch up to the trays alone.
    """

    weight: Floats
    moment: Floats
    flat: Floats | None = None
    upright: Floats | None = None


@dataclass(frozen=True, eq=False)
class Slots:
    """Places where one switch of a size can stand."""

    rack: Ints  # shape (K,)
    depth_m: Floats  # of its middle below the top of the rack
    lowest_m: Floats  # depth of the lowest place of its rack


@dataclass(frozen=True, eq=False)
class Problem:
    """Where free switches may stand.

    Attributes
    ----------
    free : ndarray, shape (S,)
        Devices to place.
    rack, unit : ndarray, shape (D,)
        Of devices that stand; -1 of free ones.
    runs : tuple
        Free units of every rack, from the top down.
    watts_left : ndarray, shape (R,)
    allowed : ndarray of bool, shape (R,)
        Racks that switches may stand in.
    """

    floor: FloorPlan
    equipment: Equipment
    free: Ints
    rack: Ints
    unit: Ints
    runs: tuple[tuple[Run, ...], ...]
    watts_left: Floats
    allowed: Bools

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices."""
        return self.equipment.devices

    @cached_property
    def units(self) -> Ints:
        """Height of every device, shape (D,), rack units."""
        return column([device.units for device in self.devices], np.int32)

    @cached_property
    def watts(self) -> Floats:
        """Power of every device, shape (D,), W; 0 where it is not known."""
        return column([device.power_w or 0.0 for device in self.devices], np.float64)

    @cached_property
    def top_m(self) -> float:
        """Height of a rack's top above its lowest unit."""
        return self.floor.racks[0].units * self.floor.unit_m

    @cached_property
    def over_m(self) -> Floats:
        """Way from the top of a rack to the top of another, shape (R, R); 0 to itself."""
        over = self.tray_m + 2 * self.leg_m
        np.fill_diagonal(over, 0.0)
        return column(over, np.float64)

    @cached_property
    def tray_m(self) -> Floats:
        """Way over the trays between racks, shape (R, R)."""
        row, place = self.floor.row, self.floor.place
        return self.floor.trays.distance_m(row[:, None], place[:, None], row[None, :], place[None, :])

    @cached_property
    def most_slots(self) -> Slots:
        """Slots of the lowest and least hungry of the free switches: no more of them fit into a rack."""
        return self.slots(int(self.units[self.free].min()), float(self.watts[self.free].min()))

    @property
    def leg_m(self) -> float:
        """From the top of a rack to the trays."""
        return self.floor.tray_m - self.top_m

    @cached_property
    def row_of(self) -> Ints:
        """Row of a device among the free ones, shape (D,); -1 of those that stand."""
        rows = np.full(len(self.devices), -1, dtype=np.int32)
        rows[self.free] = np.arange(len(self.free))
        return column(rows, np.int32)

    @cached_property
    def neighbours(self) -> tuple[Ints, Ints, Floats]:
        """Row of a free switch, device at the other end, and cables between them, for all of its neighbours."""
        one, other, cables = self.equipment.ends[:, 0], self.equipment.ends[:, 1], self.equipment.cables
        rows = np.concatenate([self.row_of[one], self.row_of[other]])
        ends = np.concatenate([other, one])
        counts = np.concatenate([cables, cables])
        kept = rows >= 0
        return column(rows[kept], np.int32), column(ends[kept], np.int32), column(counts[kept], np.float64)

    def measure(self, rack: Ints, unit: Ints) -> Measure:
        """Where the other ends of the free switches' cables are, of those ends that stand."""
        rows, ends, cables = self.neighbours
        stands = rack[ends] >= 0
        rows, ends, cables = rows[stands], ends[stands], cables[stands]
        shape = (len(self.free), len(self.floor.racks))
        cells = rows.astype(np.int64) * shape[1] + rack[ends]
        heights = self.floor.height_m(unit[ends], self.units[ends])
        size = shape[0] * shape[1]
        weight = np.bincount(cells, cables, minlength=size).reshape(shape)
        return Measure(weight, np.bincount(cells, cables * heights, minlength=size).reshape(shape))

    def costs(self, measure: Measure, rows: Ints | slice, slots: Slots, *, least: bool = False) -> Floats:
        """Way of all cables of some free switches at every slot, shape (rows, K), metres.

        Ends in the slot's own rack are taken to be below it, as hosts are. ``least``: at the slot's depth or at the
        lowest of its rack, whichever takes less; what stands between can only be between.
        """
        weight, moment = measure.weight[rows], measure.moment[rows]
        below_top = weight * self.top_m - moment
        outside = weight @ self.over_m + below_top.sum(axis=1, keepdims=True) - below_top
        slope = weight.sum(axis=1, keepdims=True) - 2 * weight[:, slots.rack]
        if measure.flat is not None and measure.upright is not None:
            outside = outside + measure.flat[rows] @ self.tray_m + measure.upright[rows, None] * self.leg_m
            slope = slope + measure.upright[rows, None]
        at_top = (outside + below_top)[:, slots.rack]
        cost = at_top + slope * slots.depth_m
        return np.minimum(cost, at_top + slope * slots.lowest_m) if least else cost

    def total_way_m(self, rack: Ints, unit: Ints) -> float:
        """Way of all cables whose both ends stand, metres."""
        one, other = self.equipment.ends[:, 0], self.equipment.ends[:, 1]
        stand = (rack[one] >= 0) & (rack[other] >= 0)
        one, other = one[stand], other[stand]
        heights = [self.floor.height_m(unit[end], self.units[end]) for end in (one, other)]
        racks = rack[one], rack[other]
        outside = self.over_m[racks] + 2 * self.top_m - heights[0] - heights[1]
        ways = np.where(racks[0] == racks[1], np.abs(heights[0] - heights[1]), outside)
        return float((ways * self.equipment.cables[stand]).sum())

    # ---- room in racks ---------------------------------------------------------------------------------------------

    def stacked(self, rack: int, sizes: Sequence[int]) -> list[int] | None:
        """Lowest unit of devices of these heights, from the top of a rack down; None where they do not fit."""
        lows: list[int] = []
        runs = iter(self.runs[rack])
        run = next(runs, None)
        top = run[1] if run else 0
        for size in sizes:
            while run is not None and top - size + 1 < run[0]:
                run = next(runs, None)
                top = run[1] if run else 0
            if run is None:
                return None
            top -= size
            lows.append(top + 1)
        return lows

    def slots(self, size: int, watts: float, standing: Sequence[Sequence[int]] | None = None) -> Slots:
        """Slots of switches of a height and a power; ``standing``: free devices that are in each rack by now."""
        racks: list[int] = []
        depths: list[float] = []
        lowest: list[float] = []
        unit_m = self.floor.unit_m
        height = self.floor.racks[0].units
        for rack in np.flatnonzero(self.allowed).tolist():
            others = [] if standing is None else list(standing[rack])
            left = self.watts_left[rack] - float(self.watts[others].sum()) if others else self.watts_left[rack]
            most = int(left / watts * (1 + 1e-12)) if watts and np.isfinite(left) else height
            lows = self._lows(rack, size, self.units[others].tolist() if others else [])[:most]
            depth = [(height - low + 1 - size / 2) * unit_m for low in lows]
            racks += [rack] * len(lows)
            depths += depth
            if lows:
                bottom = min(run[0] for run in self.runs[rack] if run[1] - run[0] + 1 >= size)
                lowest += [(height - bottom + 1 - size / 2) * unit_m] * len(lows)
        return Slots(column(racks, np.int32), column(depths, np.float64), column(lowest, np.float64))

    def _lows(self, rack: int, size: int, others: Sequence[int]) -> list[int]:
        """Lowest units of as many devices of a height as fit under others."""
        runs = self.runs[rack]
        if len(runs) == 1:
            low, high = runs[0]
            high -= sum(others)
            return list(range(high - size + 1, low - 1, -size))
        for count in range(sum((high - low + 1) // size for low, high in runs), 0, -1):
            lows = self.stacked(rack, [*others, *([size] * count)])
            if lows is not None:
                return lows[len(others) :]
        return []

    def with_heights(self, rack: Ints) -> Ints | None:
        """Units of all devices: in every rack, switches with most cables to other racks for their height at the top.

        That order takes least (Smith's rule), but for cables between two switches of a rack. None where one does not
        fit.
        """
        unit = self.unit.copy()
        rows, ends, cables = self.neighbours
        inside = rack[ends] == rack[self.free[rows]]
        pull = np.bincount(rows, np.where(inside, -cables, cables), minlength=len(self.free))
        urgency = pull / self.units[self.free]
        order = np.lexsort((self.free, -urgency, rack[self.free]))
        placed = self.free[order]
        placed = placed[rack[placed] >= 0]
        starts = np.flatnonzero(np.diff(rack[placed], prepend=-1))
        for members in np.split(placed, starts[1:]) if len(placed) else []:
            lows = self.stacked(int(rack[members[0]]), self.units[members].tolist())
            if lows is None:
                return None
            unit[members] = lows
        return unit
