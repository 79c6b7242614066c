"""``labels``: one label for every end of every cable, as CSV for label printers or as a sheet to print.

Each says its own end first and the far end under it. Labels come in the order of pulling, both ends of a cable one
after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """Row, end, label and both ends for every label; the plug that legs of a cable share has one."""
    columns, back = export.schedule.columns, export.schedule.back_labels
    shared = [_shared(end.node, columns.number) for end in (columns.a, columns.b)]
    for row, (leg, legs) in enumerate(zip(columns.leg, columns.legs, strict=True)):
        a, b = columns.a.at(row), columns.b.at(row)
        for side, label, own, far in ((0, columns.label[row], a, b), (1, back[row], b, a)):
            whole = legs == 1 or columns.number[row] in shared[side]
            if not whole or leg == 1:
                yield row, "ab"[side] + ("" if whole else str(leg)), label, own, far


def _shared(node: Sequence[str], number: Sequence[int]) -> set[int]:
    """Cables all of whose legs are at one device on a side."""
    first: dict[int, str] = {}
    several: set[int] = set()
    for name, cable in zip(node, number, strict=True):
        if first.setdefault(cable, name) != name:
            several.add(cable)
    return set(first) - several


def _rows(export: CableExport) -> Iterator[tuple[object, ...]]:
    columns = export.schedule.columns
    bought = columns.bought_m.tolist()
    for row, end, label, own, far in _ends(export):
        yield (
            columns.number[row], end, label, _place(own), _place(far), own.rack, own.unit, own.node, own.port,
            bought[row], columns.medium[row], columns.colour[row], columns.bundle[row],
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
