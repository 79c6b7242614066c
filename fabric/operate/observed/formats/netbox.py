"""``netbox``: cables as NetBox lists them in CSV, with device and interface of both sides; one file has all of them.

What a database says is what somebody wrote into it, not what is heard: it stands for the room as it is known there.

References
----------
NetBox 4, ``dcim/forms/bulk_import.py`` (CableImportForm).
"""

from __future__ import annotations

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import UNREADABLE
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError
from topologies.reading.csv_input import csv_lines
from topologies.reading.text_input import Findings

SUMMARY = "NetBox: CSV of cables with side_a_device, side_a_name, side_b_device and side_b_name"
ORDER = 70

_NEEDED = ("side_a_device", "side_a_name", "side_b_device", "side_b_name")
_HINT = f"columns are {', '.join(_NEEDED)}, as the bulk import of cables has them"


def read_netbox(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add every cable from both of its ends."""
    lines = csv_lines(Findings(file), text)
    first, header = next(lines, (1, []))
    names = [cell.strip() for cell in header]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise FormatError(f"no column {missing[0]}", file=file, line=first, column=1, code=UNREADABLE, hint=_HINT)
    into.whole = True
    places = [names.index(name) for name in _NEEDED]
    for line, row in lines:
        cells = [row[at].strip() if at < len(row) else "" for at in places]
        if not all(cells):
            message = f"this row has nothing under {_NEEDED[cells.index('')]}"
            raise FormatError(message, file=file, line=line, column=1, code=UNREADABLE, hint=_HINT)
        one, port, other, far = cells
        into.listen(one)
        into.listen(other)
        into.add(one, port, (other,), (far,), line=line)
        into.add(other, far, (one,), (port,), line=line)


FORMAT = NeighbourFormat((".csv",), read_netbox, "export of cables as CSV")
