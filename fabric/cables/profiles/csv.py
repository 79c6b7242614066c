"""``csv``: one row a link, so that every leg of a splitter has a row; ``cable`` numbers cables in pull order."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.cables.profile import CableExport, Profile, csv_text

SUMMARY = "CSV with a row for every link: each leg of a splitter or twin-port cable, from one end or from both"
ORDER = 20

HEADER = (
    "cable", "leg", "label", "fabric", "tier", "a_node", "a_port", "a_rack", "a_unit", "b_node", "b_port", "b_rack",
    "b_unit", "length_m", "bought_m", "media", "model", "a_optic", "b_optic", "route", "colour", "bundle",
)  # fmt: skip


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    schedule = export.schedule
    columns = schedule.columns
    length, bought = columns.length_m.tolist(), columns.bought_m.tolist()
    back = schedule.back_labels if export.both_ways else columns.label
    leg, before = 0, -1
    for row, _, a, b in columns.each_link():
        leg = leg + 1 if row == before else 1
        before = row
        optics = columns.optics[row] or ("", "")
        for turned in (False, True) if export.both_ways else (False,):
            one, other = (b, a) if turned else (a, b)
            yield (
                columns.number[row], leg, (back if turned else columns.label)[row], columns.fabric[row], columns.tier[row],
                one.node, one.port, one.rack, one.unit, other.node, other.port, other.rack, other.unit,
                length[row], bought[row], columns.medium[row], columns.model[row],
                *(optics[::-1] if turned else optics), " ".join(columns.route[row][:: -1 if turned else 1]),
                columns.colour[row], columns.bundle[row],
            )  # fmt: skip


PROFILE = Profile((".csv",), lambda export: csv_text(HEADER, _rows(export)), "spreadsheets", True)
