"""``p2p``: a point-to-point list as NVIDIA's UFM Cable Validation Tool reads it.

A row a link: rack, unit, node, type and port of both sides, by the headers of the tool's Ethernet example. Hosts of
InfiniBand fabrics are known there by the number of their adapter; ours are by name, which the tool's list of adapters
maps.

References
----------
NVIDIA UFM Cable Validation Tool 1.5, "P2P File".
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.cables.profile import CableExport, Profile, csv_text

SUMMARY = "point-to-point list by the headers of NVIDIA's UFM Cable Validation Tool"
ORDER = 40

HEADER = (
    "A-Rack", "A-U", "A-Node Name", "A-Type", "A-Port", "Z-Rack", "Z-RU", "Z-Node Name", "Z-Type", "Z-Port",
)  # fmt: skip


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    columns = export.schedule.columns
    for row in range(len(columns)):
        ends: list[object] = []
        for end in (columns.a.at(row), columns.b.at(row)):
            ends += [end.rack, end.unit, end.node, "Switch" if end.is_switch else "Host", end.port]
        yield tuple(ends)


PROFILE = Profile((".csv",), lambda export: csv_text(HEADER, _rows(export)), "NVIDIA UFM Cable Validation Tool")
