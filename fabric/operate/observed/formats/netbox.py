"""``netbox``: cables as NetBox lists them in CSV, with device and interface of both sides; one file has all of them.

What a database says is what somebody wrote into it, not what is heard: it stands for the room as it is known there.

References
----------
NetBox 4, ``dcim/forms/bulk_import.py`` (CableImportForm).
"""

from __future__ import annotations

import csv
import io

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import UNREADABLE
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError

SUMMARY = "NetBox: CSV of cables with side_a_device, side_a_name, side_b_device and side_b_name"
ORDER = 70

_NEEDED = ("side_a_device", "side_a_name", "side_b_device", "side_b_name")
_HINT = f"columns are {', '.join(_NEEDED)}, as the bulk import of cables has them"


def read_netbox(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add every cable from both of its ends."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(f"no column {missing[0]}", file=file, line=1, column=1, code=UNREADABLE, hint=_HINT)
        into.whole = True
        for row in reader:
            cells = [(row.get(name) or "").strip() for name in _NEEDED]
            if not all(cells):
                lost = _NEEDED[cells.index("")]
                message = f"this row has nothing under {lost}"
                raise FormatError(message, file=file, line=reader.line_num, column=1, code=UNREADABLE, hint=_HINT)
            one, port, other, far = cells
            into.listen(one)
            into.listen(other)
            into.add(one, port, (other,), (far,), line=reader.line_num)
            into.add(other, far, (one,), (port,), line=reader.line_num)
    except csv.Error as error:
        raise FormatError(
            f"not CSV: {error}", file=file, line=reader.line_num, column=1, code=UNREADABLE, hint=_HINT
        ) from error


FORMAT = NeighbourFormat((".csv",), read_netbox, "export of cables as CSV")
