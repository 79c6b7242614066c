"""``csv``: one demand a row, nodes by name.

src,dst,gbps
seattle,denver,12.5
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from topologies.errors import nearest
from topologies.registry import Injected
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology
from traffic.demand_rows import RowReader
from traffic.workload import DEMAND_FORMATS, DemandRows

_HEADER = ("src", "dst", "gbps")


@DEMAND_FORMATS.register("csv", example={"path": "demands.csv"})
def read_csv(path: Path, topology: Injected[Topology], unit: str | None = None) -> DemandRows:
    """Read a demand table with the columns ``src``, ``dst``, ``gbps`` in any order; others are refused.

    Parameters
    ----------
    path : Path
    topology : Topology
        Whose nodes the names mean.
    unit : str, optional
        Only Gbps: the header says so already.

    Raises
    ------
    FormatError
        With file and line; up to 20 problems at once (FP6220 to FP6223).
    """
    findings = Findings(path)
    if unit not in (None, "Gbps"):
        findings.add(f"unit {unit} contradicts the column gbps", code="FP6220", line=1, hint="leave unit out")
        findings.finish()
    lines = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    header = [cell.strip() for cell in next(lines, [])]
    if sorted(header) != sorted(_HEADER):
        odd = next((cell for cell in header if cell not in _HEADER), None)
        close = nearest(odd, _HEADER) if odd else None
        hint = f"{odd!r} is no column; did you mean {close!r}?" if close else f"columns are {', '.join(_HEADER)}"
        message = f"expected the header {','.join(_HEADER)}, found {shown(','.join(header))}"
        findings.add(message, code="FP6220", line=1, column=1, hint=hint)
        findings.finish()
    reader = RowReader(findings, topology, 1.0)
    for cells in lines:
        line = lines.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            findings.add(f"{len(cells)} fields, the header has {len(header)}", code="FP6221", line=line, column=1)
            continue
        row = {key: cell.strip() for key, cell in zip(header, cells, strict=True)}
        src, dst = (reader.named(line, row[key]) for key in ("src", "dst"))
        reader.add(line, src, dst, None, row["gbps"])
    return reader.finish()


def write_csv(demands: DemandRows, topology: Topology, path: Path) -> None:
    """Write a demand table, Gbps, nodes by name."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_HEADER)
    for src, dst, gbps in zip(demands.src.tolist(), demands.dst.tolist(), demands.rate_gbps.tolist(), strict=True):
        table.writerow((topology.nodes.name[src], topology.nodes.name[dst], f"{gbps:.17g}"))
    path.write_text(text.getvalue(), encoding="utf-8")
