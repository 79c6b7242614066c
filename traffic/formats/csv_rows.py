"""``csv``: one demand a row, nodes by name.

src,dst,gbps
seattle,denver,12.5
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from topologies.reading.fields import MODELLED, DeclaredFields, Field
from topologies.reading.text_input import Findings
from topologies.registry import Injected
from topologies.topology import Topology
from traffic.csv_table import csv_rows
from traffic.demand_rows import RowReader
from traffic.workload import DEMAND_FORMATS, DemandRows

FIELDS = DeclaredFields(
    "demand format",
    "csv",
    "docs/traffic.md",
    [
        Field("src", MODELLED, "name of the node that sends"),
        Field("dst", MODELLED, "name of the node that receives"),
        Field("gbps", MODELLED, "rate, Gbps; rows of equal pairs add up"),
    ],
    unknown="refused",
)
_HEADER = FIELDS.names(MODELLED)


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
    reader = RowReader(findings, topology, 1.0)
    for line, row in csv_rows(findings, path, _HEADER):
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
