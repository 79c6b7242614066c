"""``labels``: one label for every end of every cable, as CSV for label printers or as a sheet to print.

Each says its own end first and the far end under it. Labels come in the order of pulling, both ends of a cable one
after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fabric.cables.cable_rows import CableEnd
from fabric.cables.colours import hex_of
from fabric.cables.profile import CableExport, Profile, csv_text
from topologies.printable import printable

SUMMARY = "a label for each cable end: CSV for label printers, or a sheet to print (.html)"
ORDER = 60

HEADER = (
    "cable", "end", "label", "here", "there", "rack", "unit", "device", "port", "length_m", "media", "colour", "bundle",
)  # fmt: skip
_STYLE = """\
@page { size: A4; margin: 10mm }
body { font: 8pt/1.25 'DejaVu Sans Mono', monospace; margin: 0; display: grid; color: #111; background: #fff;
  grid-template-columns: repeat(3, 62mm); gap: 2mm }
div { border: 0.2mm solid #999; border-left: 3mm solid; padding: 1mm 2mm; height: 20mm; overflow: hidden;
  break-inside: avoid; overflow-wrap: anywhere }
b { display: block } i { font-style: normal; color: #555 }
"""


def _place(end: CableEnd) -> str:
    """An end as a label has it: where it is, as far as that is known."""
    where = f"{end.rack} U{end.unit}" if end.rack and end.unit is not None else end.rack
    return " ".join(text for text in (where, end.node, end.port) if text)


def _ends(export: CableExport) -> Iterator[tuple[int, str, str, CableEnd, CableEnd]]:
    """Cable, end, label and both ends of every label; a cable with several links has one at each of its plugs."""
    columns, back = export.schedule.columns, export.schedule.back_labels
    for row in range(len(columns)):
        pairs = columns.legs.get(row) or ((columns.a.at(row), columns.b.at(row)),)
        for side in (0, 1):
            seen: set[tuple[str, str]] = set()
            one_plug = len({pair[side].node for pair in pairs}) == 1
            for number, pair in enumerate(pairs, 1):
                own, far = pair[side], pair[1 - side]
                plug = (own.node, "") if one_plug else (own.node, own.port)
                if plug in seen:
                    continue
                seen.add(plug)
                end = "ab"[side] + (str(number) if len(pairs) > 1 and not one_plug else "")
                yield row, end, (back if side else columns.label)[row], own, far


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    columns = export.schedule.columns
    bought = columns.bought_m.tolist()
    for row, end, label, own, far in _ends(export):
        yield (
            columns.number[row], end, label, _place(own), _place(far), own.rack, own.unit, own.node, own.port, bought[row],
            columns.medium[row], columns.colour[row], columns.bundle[row],
        )  # fmt: skip


def _sheet(export: CableExport) -> Iterator[str]:
    """A page with a box for every label."""
    columns = export.schedule.columns
    bought = columns.bought_m.tolist()
    title = escape(printable(export.name))
    yield f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Cable labels: {title}</title>\n'
    yield f"<style>\n{_STYLE}</style></head><body>\n"
    for row, end, label, own, far in _ends(export):
        about = f"{columns.number[row]}{end} {columns.medium[row]} {bought[row]:g} m {columns.bundle[row]}".strip()
        lines = [escape(printable(text)) for text in (label, _place(own), _place(far), about)]
        yield (
            f'<div style="border-left-color:#{hex_of(columns.colour[row])}"><b>{lines[0]}</b>{lines[1]}<br>'
            f"<i>to {lines[2]}</i><br><i>{lines[3]}</i></div>\n"
        )
    yield "</body></html>\n"


def _write(export: CableExport) -> Iterator[str]:
    return _sheet(export) if export.suffix in (".html", ".htm") else csv_text(HEADER, _rows(export))


PROFILE = Profile((".csv", ".html", ".htm"), _write, "label printers, browsers")
