"""``csv``: all of the schedule as columns, one set for every reader; ``cable`` numbers cables in pull order."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.cables.profile import CableExport, Profile, csv_text

SUMMARY = "CSV with a row for every cable, or leg of one, from one end or from both"
ORDER = 20

HEADER = (
    "cable", "leg", "label", "fabric", "tier", "a_node", "a_port", "a_rack", "a_unit", "b_node", "b_port", "b_rack",
    "b_unit", "length_m", "bought_m", "media", "model", "a_optic", "b_optic", "route", "colour", "bundle",
)  # fmt: skip


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    columns = export.schedule.columns
    length, bought = columns.length_m.tolist(), columns.bought_m.tolist()
    back = export.schedule.back_labels if export.both_ways else columns.label
    for row in range(len(columns)):
        optics = columns.optics[row] or ("", "")
        for turned in (False, True) if export.both_ways else (False,):
            one, other = (columns.b, columns.a) if turned else (columns.a, columns.b)
            a, b = one.at(row), other.at(row)
            yield (
                columns.number[row], columns.leg[row], (back if turned else columns.label)[row], columns.fabric[row],
                columns.tier[row], a.node, a.port, a.rack, a.unit, b.node, b.port, b.rack, b.unit, length[row],
                bought[row], columns.medium[row], columns.model[row], *(optics[::-1] if turned else optics),
                " ".join(columns.route[row][:: -1 if turned else 1]), columns.colour[row], columns.bundle[row],
            )  # fmt: skip


PROFILE = Profile((".csv",), lambda export: csv_text(HEADER, _rows(export)), "spreadsheets", True)
