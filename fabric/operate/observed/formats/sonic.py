"""``sonic``: ``show lldp table`` as text, or the table of APPL_DB as ``sonic-db-dump`` prints it; a file per device.

What ``docker exec lldp lldpctl -f json`` prints is read as ``lldp``.

References
----------
sonic-utilities, scripts/lldpshow (columns of the table); sonic-dbsyncd, lldp_syncd (fields of LLDP_ENTRY_TABLE).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import UNREADABLE, JsonText, each_device, text_of
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError

SUMMARY = "SONiC: show lldp table, or LLDP_ENTRY_TABLE of sonic-db-dump -n APPL_DB, a file per device"
ORDER = 20

_HINT = 'write it with show lldp table, or sonic-db-dump -n APPL_DB -k "LLDP_ENTRY_TABLE*" -y'
_TABLE = "LLDP_ENTRY_TABLE:"
_COLUMNS = ("LocalPort", "RemoteDevice", "RemotePortID")
_DESCRIPTION = "RemotePortDescr"


def is_answer(value: Any) -> bool:
    """Whether a value is a dump of the table."""
    return isinstance(value, Mapping) and any(str(key).startswith(_TABLE) for key in value)


def read_sonic(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what devices hear."""
    if not text.lstrip().startswith(("{", "[")):
        _read_table(text, device, file, into)
        return
    json = JsonText(text, file, _HINT)
    for name, answer in each_device(json, device, is_answer):
        into.listen(name)
        for key, told in answer.items():
            if not key.startswith(_TABLE):
                continue
            port = key[len(_TABLE) :]
            entry = json.mapping(told, key, key)
            entry = json.mapping(entry.get("value", entry), key, key)
            far = (text_of(entry.get("lldp_rem_sys_name")), text_of(entry.get("lldp_rem_chassis_id")))
            ids = (text_of(entry.get("lldp_rem_port_id")), text_of(entry.get("lldp_rem_port_desc")))
            if not any(far) or not any(ids):
                raise json.wrong(f"{key} does not name a neighbour with its port", key)
            into.add(name, port, far, ids, line=json.line(key))


def _read_table(text: str, device: str, file: str, into: Neighbours) -> None:
    """The text form: columns begin where their dashes do, as cells may hold blanks."""
    lines = text.splitlines()
    header = next((at for at, line in enumerate(lines) if line.split()[:1] == [_COLUMNS[0]]), None)
    if header is None or header + 1 >= len(lines) or not re.fullmatch(r"[-\s]+", lines[header + 1]):
        raise FormatError(
            f"no table with the columns {', '.join(_COLUMNS)}", file=file, line=1, column=1, code=UNREADABLE, hint=_HINT
        )
    spans = [found.span() for found in re.finditer(r"-+", lines[header + 1])]
    names = [lines[header][first:last].strip() for first, last in spans]
    into.listen(device)
    for number, line in enumerate(lines[header + 2 :], header + 3):
        if not line.strip() or re.match(r"-{3}|Total entries", line):
            continue
        starts = [first for first, _ in spans]
        cells = [line[first:last].strip() for first, last in zip(starts, [*starts[1:], None], strict=True)]
        row = dict(zip(names, cells, strict=True))
        if not all(row.get(name) for name in _COLUMNS):
            lost = next(name for name in _COLUMNS if not row.get(name))
            column = starts[names.index(lost)] + 1 if lost in names else 1
            message = f"this row has nothing under {lost}"
            raise FormatError(message, file=file, line=number, column=column, code=UNREADABLE, hint=_HINT)
        ids = (row["RemotePortID"], row.get(_DESCRIPTION, ""))
        into.add(device, row["LocalPort"], (row["RemoteDevice"],), ids, line=number)


FORMAT = NeighbourFormat((".json", ".txt"), read_sonic, "show lldp table")
