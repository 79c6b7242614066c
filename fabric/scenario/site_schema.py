"""The machine room in the scenario file: how racks stand, what they hold, and where cables run.

A room is planned (:attr:`SiteSpec.planned`) where ``rows`` and ``racks_per_row`` are given; with ``racks_per_row``
alone, racks are only drawn.
"""

from __future__ import annotations

import re
import string
from typing import Literal

from pydantic import Field, field_validator, model_validator

from topologies.registry import Spec
from topologies.units import Count, CountOrZero, LengthM, PowerW, Ratio

MOST_PLACES = 10_000  # for racks; more is a mistake in the number of rows


def _check_rack_name(template: str) -> str:
    """Refuse what is not ``{row}`` or ``{rack}`` with at most a width."""
    try:
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"bad name template {template!r}: {error}") from None
    for name, spec in fields:
        if name not in ("row", "rack") or not re.fullmatch(r"(0?\d)?d?", spec or ""):
            wanted = "{" + (f"{name}:{spec}" if spec else name) + "}"
            raise ValueError(f"name template {template!r} uses {wanted}; use {{row}}, {{rack}} or {{rack:02d}}")
    return template


class TraySpec(Spec):
    """Overhead trays: along rows, and across them."""

    rows: tuple[CountOrZero, ...] | None = Field(
        default=None, description="Rows, from 0, that have a tray along them; default: all", examples=[[0, 1]]
    )
    cross: tuple[CountOrZero, ...] | None = Field(
        default=None,
        description="Places along the rows, from 0, where a tray crosses all rows; default: both ends",
        examples=[[0, 15]],
    )
    width: LengthM | None = Field(
        default=None, gt=0, description="Width of a tray; without it no fill is checked", examples=["300 mm"]
    )
    height: LengthM = Field(default=0.1, gt=0, description="Usable height of a tray", examples=["100 mm"])
    max_fill: Ratio = Field(
        default=0.4, gt=0, le=1, description="Part of its cross-section that cables may take", examples=["40%"]
    )

    @property
    def area_mm2(self) -> float:
        """What cables may take of a tray's cross-section, mm²; inf where the width is not known."""
        return float("inf") if self.width is None else self.width * self.height * 1e6 * self.max_fill


class FixedPlace(Spec):
    """Where a device has to stand."""

    rack: str = Field(min_length=1, description="Name of the rack", examples=["r00c07"])
    unit: Count | None = Field(
        default=None, description="Lowest rack unit it takes, from 1; default: as others of its rack", examples=[40]
    )


class SiteSpec(Spec):
    """The room: racks, what they hold and feed, and the trays that cables follow."""

    rows: Count | None = Field(
        default=None, description="Rows of racks; with racks_per_row, hosts and switches are placed", examples=[8]
    )
    racks_per_row: Count | None = Field(default=None, description="Places for racks in a row", examples=[16])
    rack_units: Count = Field(default=42, description="Height of a rack in rack units")
    unit_height: LengthM = Field(default=0.04445, gt=0, description="Height of a rack unit", examples=["44.45 mm"])
    rack_power: PowerW | None = Field(
        default=None, description="Power that a rack can feed; default: not limited", examples=["40 kW"]
    )
    rack_depth: LengthM | None = Field(
        default=None, description="Depth of the deepest device that a rack takes; default: any", examples=["1.1 m"]
    )
    rack_pitch: LengthM = Field(default=0.6, gt=0, description="Distance between neighbouring racks")
    row_pitch: LengthM = Field(default=2.4, gt=0, description="Distance between neighbouring rows")
    overhead_tray: LengthM = Field(default=3.0, gt=0, description="Height of the trays above the floor")
    trays: TraySpec = Field(default=TraySpec(), description="Where trays run, and what they hold")
    slack: Ratio = Field(
        default=0.05, description="Length added to the way of a cable, as a part of it", examples=["5%"]
    )
    service_loop: LengthM = Field(
        default=0.3, description="Length added at each end of a cable, to pull it out and dress it", examples=["0.3 m"]
    )
    name_format: str | None = Field(
        default=None, description="Template of rack names", examples=["r{row:02d}c{rack:02d}"]
    )
    no_rack: tuple[str, ...] = Field(
        default=(),
        description="Places without a rack, such as columns: names as name_format gives them; * and ? match any",
        examples=[["r00c07", "r*c15"]],
    )
    network_racks: tuple[str, ...] = Field(
        default=(),
        description="Racks, or rows of them, that are kept for switches; * and ? match any",
        examples=[["r*c07", "r03c*"]],
    )
    switches: Literal["any", "network-racks"] = Field(
        default="any",
        description="Where switches stand: `any` rack with room, those of hosts among them, or `network-racks` only",
    )
    fixed: dict[str, FixedPlace] = Field(
        default={},
        description="Where hosts and switches have to stand, by name; fabric/name where two fabrics share a name",
        examples=[{"spine0": {"rack": "r00c07", "unit": 40}}],
    )

    @field_validator("name_format")
    @classmethod
    def _template(cls, template: str | None) -> str | None:
        return template if template is None else _check_rack_name(template)

    @model_validator(mode="after")
    def _is_drawn(self) -> SiteSpec:
        places = (self.rows or 1) * (self.racks_per_row or 1)
        if places > MOST_PLACES:
            raise ValueError(f"{places:,} places for racks are more than {MOST_PLACES:,}; give the rows that are used")
        return self

    @property
    def rack_name(self) -> str:
        """Template of rack names: as written, else by row and place."""
        return self.name_format or "r{row:02d}c{rack:02d}"

    @property
    def planned(self) -> bool:
        """Whether the scenario has the geometry of a room."""
        return self.rows is not None and self.racks_per_row is not None
