"""``netbox``: CSV for NetBox's bulk import of cables.

NetBox knows a cable between two interfaces, so a splitter is as many cables of one label, a leg each. Devices and
interfaces must be there, by the names of the schedule; cables are planned until they are plugged. Bundles, models and
runs are in the description.

References
----------
NetBox 4, ``dcim/forms/bulk_import.py`` (fields), ``dcim/choices.py`` (CableTypeChoices, LinkStatusChoices,
CableLengthUnitChoices) and ``netbox/choices.py`` (ColorChoices).
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.cables.colours import hex_of
from fabric.cables.profile import CableExport, Profile, csv_text, refuse_shared_names
from topologies.errors import FormatError

SUMMARY = "CSV for the bulk import of cables into NetBox: interfaces of both sides, type, length, label, colour"
ORDER = 30

HEADER = (
    "side_a_device", "side_a_type", "side_a_name", "side_b_device", "side_b_type", "side_b_name", "type", "status",
    "label", "color", "length", "length_unit", "description",
)  # fmt: skip
TYPES = {"dac": "dac-passive", "aec": "dac-active", "aoc": "aoc", "mmf": "mmf-om4", "smf": "smf-os2", "": ""}
INTERFACE = "dcim.interface"
LONGEST_LABEL, LONGEST_DESCRIPTION = 100, 200  # characters


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    refuse_shared_names(export, "NetBox")
    columns = export.schedule.columns
    longest = max(columns.label, key=len, default="")
    if len(longest) > LONGEST_LABEL:
        raise FormatError(
            f"label {longest[:40]!r}… has {len(longest)} characters, and NetBox takes {LONGEST_LABEL}",
            hint="a shorter --label-format",
            code="FP3305",
        )
    bought = columns.bought_m.tolist()
    for row, _, a, b in columns.each_link():
        legs = f"one of {len(columns.links[row])} legs" if row in columns.legs else ""
        where = f"bundle {columns.bundle[row]}" if columns.bundle[row] else ""
        about = ", ".join(text for text in (columns.model[row], legs, where, f"pull {columns.number[row]}") if text)
        yield (
            a.node, INTERFACE, a.port, b.node, INTERFACE, b.port, TYPES[columns.medium[row]], "planned",
            columns.label[row], hex_of(columns.colour[row]), f"{bought[row]:.2f}", "m", about[:LONGEST_DESCRIPTION],
        )  # fmt: skip


PROFILE = Profile((".csv",), lambda export: csv_text(HEADER, _rows(export), guarded=False), "NetBox 4, bulk import")
