"""``sndlib``: demands of an SNDlib network, XML or native text.

References
----------
Orlowski et al., "SNDlib 1.0", Networks 55(3), 2010; sndlib.zib.de, "Network format".
"""

from __future__ import annotations

import re
from pathlib import Path

from topologies.reading.xml_input import xml_tree
from topologies.registry import Injected
from topologies.text_input import Findings, read_text
from topologies.topology import Topology
from traffic.demand_rows import GBPS_OF, RowReader
from traffic.workload import DEMAND_FORMATS, DemandRows

# id ( source target ) routing_unit value max_path_length
_ROW = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)\s*$")


@DEMAND_FORMATS.register("sndlib", example={"path": "abilene.xml"})
def read_sndlib(path: Path, topology: Injected[Topology], unit: str | None = None) -> DemandRows:
    """Read the demands of an SNDlib file.

    Parameters
    ----------
    path : Path
    topology : Topology
        Whose nodes the names mean.
    unit : str, optional
        Unit of the values: kbps, Mbps (assumed: SNDlib itself gives none) or Gbps.

    Raises
    ------
    FormatError
        With file and, in native text, line (FP6220 to FP6223).
    """
    findings = Findings(path)
    reader = RowReader(findings, topology, GBPS_OF[unit or "Mbps"])
    text = read_text(path)
    if text.lstrip().startswith("<"):
        _xml(text, findings, reader)
    else:
        _native(text, findings, reader)
    return reader.finish()


def _xml(text: str, findings: Findings, reader: RowReader) -> None:
    root = xml_tree(text, findings.file, code="FP6220")
    demands = list(root.every("demand"))
    if not demands:
        findings.add("no demand in the file", code="FP6220", line=1, hint="take a problem file, not a topology alone")
        findings.finish()
    for element in demands:
        parts = {child.name: child.text.strip() for child in element.children}
        if not {"source", "target", "demandValue"} <= set(parts):
            what = element.attributes.get("id", "a demand")
            findings.add(f"{what} lacks source, target or demandValue", code="FP6221", line=element.line)
            continue
        src, dst = reader.named(element.line, parts["source"]), reader.named(element.line, parts["target"])
        reader.add(element.line, src, dst, None, parts["demandValue"])


def _native(text: str, findings: Findings, reader: RowReader) -> None:
    inside = False
    seen = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip().startswith("DEMANDS ("):
            inside = seen = True
        elif inside and line.strip() == ")":
            inside = False
        elif inside and line.strip() and not line.strip().startswith("#"):
            row = _ROW.match(line)
            if not row:
                message = "a demand is: id ( source target ) routing_unit value max_path_length"
                findings.add(message, code="FP6221", line=number, column=1)
                continue
            reader.add(number, reader.named(number, row[2]), reader.named(number, row[3]), None, row[5])
    if not seen:
        hint = "the native format has a section DEMANDS ( ... )"
        findings.add("no demands in the file", code="FP6220", line=1, hint=hint)
