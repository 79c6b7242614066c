"""``nfdump``: sFlow and NetFlow records as ``nfdump -o csv`` prints them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from topologies.registry import Injected
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology
from traffic.addresses import AddressBook, rows_of
from traffic.workload import DEMAND_FORMATS, DemandRows

_NAMES = {"ts": ("ts", "firstSeen"), "te": ("te", "lastSeen"), "sa": ("sa", "srcAddr"), "da": ("da", "dstAddr"),
          "ibyt": ("ibyt", "bytes", "inBytes")}  # fmt: skip


@DEMAND_FORMATS.register("nfdump", example={"path": "flows.csv"})
def read_nfdump(
    path: Path, topology: Injected[Topology], unit: str | None = None, addresses: Path | None = None
) -> DemandRows:
    """Bytes of all flows between two nodes, over the time from the first to the last record.

    Parameters
    ----------
    path : Path
        Output of ``nfdump -r FILE -o csv``; the summary at its end is passed over. With sampling, nfdump must be given
        to multiply.
    topology : Topology
        Whose endpoints the addresses mean.
    unit : str, optional
        Not used: records count bytes.
    addresses : Path, optional
        Table ``address,node``; without one addresses must be node names.

    Raises
    ------
    FormatError
        With file and line (FP6220, FP6221, FP6223).
    """
    findings = Findings(path)
    lines = csv.reader(io.StringIO(read_text(path), newline=""))
    header = [cell.strip() for cell in next(lines, [])]
    place = {key: next((header.index(name) for name in names if name in header), -1) for key, names in _NAMES.items()}
    missing = [key for key, at in place.items() if at < 0]
    if missing:
        message = f"columns {', '.join(missing)} are missing, found {shown(','.join(header))}"
        findings.add(message, code="FP6220", line=1, column=1, hint="write it by: nfdump -r FILE -o csv")
        findings.finish()
    book = AddressBook(topology, addresses)
    volume: dict[tuple[int, int], float] = defaultdict(float)
    first, last = float("inf"), float("-inf")
    for cells in lines:
        if not cells or cells[0].strip() == "Summary":
            break
        if len(cells) <= max(place.values()):
            findings.add(f"{len(cells)} fields, the header has {len(header)}", code="FP6221", line=lines.line_num)
            continue
        try:
            begin, end = (datetime.fromisoformat(cells[place[key]].strip()).timestamp() for key in ("ts", "te"))
            size = int(cells[place["ibyt"]])
        except ValueError as error:
            findings.add(f"a record is not understood: {error}", code="FP6223", line=lines.line_num)
            continue
        first, last = min(first, begin), max(last, end)
        src, dst = book.node(cells[place["sa"]].strip(), size), book.node(cells[place["da"]].strip(), size)
        if src is not None and dst is not None and src != dst:
            volume[src, dst] += size
    findings.finish()
    return rows_of(volume, last - first, book)
