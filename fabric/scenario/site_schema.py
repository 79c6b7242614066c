"""The machine room in the scenario file: how racks stand, what they hold, and where cables run."""

from __future__ import annotations

from pydantic import Field

from fabric.scenario.field_types import LATER
from topologies.registry import Spec
from topologies.units import Count, LengthM


class SiteSpec(Spec):
    """The room: racks and the lengths that cables follow."""

    rows: Count | None = Field(default=None, description="Rows of racks", json_schema_extra=LATER)
    racks_per_row: Count | None = Field(default=None, description="Racks in a row of the picture of racks")
    rack_units: Count | None = Field(
        default=None, description="Height of a rack in rack units", json_schema_extra=LATER
    )
    rack_pitch: LengthM | None = Field(
        default=None, description="Distance between neighbouring racks", json_schema_extra=LATER
    )
    row_pitch: LengthM | None = Field(
        default=None, description="Distance between neighbouring rows", json_schema_extra=LATER
    )
    overhead_tray: LengthM | None = Field(default=None, description="Height of the cable tray", json_schema_extra=LATER)
    name_format: str | None = Field(
        default=None, description="Template of rack names", examples=["r{row:02d}c{rack:02d}"]
    )
