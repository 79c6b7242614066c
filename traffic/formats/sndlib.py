"""``sndlib``: demands of an SNDlib network, XML or native text.

References
----------
Orlowski et al., "SNDlib 1.0", Networks 55(3), 2010; sndlib.zib.de, "Network format".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, number, read_text, shown
from topologies.reading.xml_input import xml_tree
from topologies.registry import Injected
from topologies.topology import Topology
from traffic.demand_rows import GBPS_OF, RowReader
from traffic.workload import DEMAND_FORMATS, DemandRows

FIELDS = DeclaredFields(
    "demand format",
    "sndlib",
    "sndlib.zib.de, Network format, XML and native",
    [
        Field("source", MODELLED, "the node that sends"),
        Field("target", MODELLED, "the node that receives"),
        Field("demandValue", MODELLED, "rate in multiples of the routing unit; demands of equal pairs add up"),
        Field("routingUnit", MODELLED, "factor on the value: capacity that one unit of the demand takes"),
        Field("unit", MODELLED, "unit of all rates, in files of dynamic traffic; another than kbit/s to Gbit/s is "
              "refused"),
        Field("maxPathLength", REPORTED, "most hops of a demand's paths; routers here keep to no such limit"),
        Field("admissiblePaths", REPORTED, "list of paths that a demand may take; routers here take their own"),
        Field("granularity", HARMLESS, "time that the rates are the mean of"),
        Field("time", HARMLESS, "when that was"),
        Field("origin", HARMLESS, "who measured"),
        Field("nodes", HARMLESS, "the network; its demands alone are read here"),
        Field("links", HARMLESS, "the network; its demands alone are read here"),
        Field("networkStructure", HARMLESS, "the network; its demands alone are read here"),
        Field("NODES", HARMLESS, "the network; its demands alone are read here"),
        Field("LINKS", HARMLESS, "the network; its demands alone are read here"),
        Field("META", HARMLESS, "where the file comes from"),
        Field("ADMISSIBLE_PATHS", REPORTED, "lists of paths that demands may take; routers here take their own"),
        Field("DEMANDS", MODELLED, "the demands"),
        Field("MODEL", REFUSED, "a model file, which has no demands; take the network file"),
    ],
)  # fmt: skip
_UNITS = {"KBITPERSEC": "kbps", "MBITPERSEC": "Mbps", "GBITPERSEC": "Gbps"}
# id ( source target ) routing_unit value max_path_length
_ROW = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)\s*$")
_SECTION = re.compile(r"^\s*([A-Z_]+)\s*\(\s*$")
_STRUCTURE = ("network", "demands", "demand", "meta")


@DEMAND_FORMATS.register("sndlib", example={"path": "abilene.xml"})
def read_sndlib(
    path: Path,
    topology: Injected[Topology],
    unit: str | None = None,
    demand_model: Literal["directed", "undirected"] | None = None,
) -> DemandRows:
    """Read the demands of an SNDlib file.

    Parameters
    ----------
    path : Path
    topology : Topology
        Whose nodes the names mean.
    unit : str, optional
        Unit of the values: kbps, Mbps (assumed: SNDlib itself gives none) or Gbps.
    demand_model : {'directed', 'undirected'}, optional
        Whether a demand goes one way, or both; SNDlib says so in a file of its own, the model. One way if absent.

    Raises
    ------
    FormatError
        With file and, in native text, line (FP6220 to FP6223); a refused field (FP6251).
    """
    findings = Findings(path)
    text = read_text(path)
    rows = _Demands(findings)
    if text.lstrip().startswith("<"):
        rows.read_xml(text)
    else:
        rows.read_native(text)
    if rows.unit and unit and _UNITS[rows.unit] != unit:
        findings.add(
            f"unit {unit} contradicts the file, whose unit is {rows.unit}", code="FP6220", line=1,
            hint="leave unit out",
        )  # fmt: skip
    findings.note(*FIELDS.check(rows.present, str(path)))
    reader = RowReader(findings, topology, GBPS_OF[unit or _UNITS.get(rows.unit, "Mbps")])
    for line, source, target, value in rows.rows:
        reader.add(line, reader.named(line, source), reader.named(line, target), None, value)
    if unit is None and not rows.unit:
        findings.note("rates in the file are Mbit/s (unit)")
    if demand_model == "undirected":
        reader.both_directions()
    elif demand_model is None and reader.one_way_pairs > 1:
        findings.note(
            "no pair has demands in both directions, and each is taken one way, from source to target; "
            "demand_model: undirected lets it go both ways"
        )
    return reader.finish()


class _Demands:
    """Line, source, target and value times routing unit of every demand, and the fields that the file has."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.rows: list[tuple[int, str, str, str]] = []
        self.present: dict[str, int | None] = {}
        self.unit = ""

    def _add(self, line: int, ends: tuple[str, str], value: str, routing_unit: str) -> None:
        factor, amount = number(routing_unit), number(value)
        if factor is None or factor <= 0:
            message = f"routing unit is {shown(routing_unit)}; it is a number above 0"
            self._findings.add(message, code="FP6223", line=line)
            return
        self.rows.append((line, *ends, value if factor == 1 or amount is None else repr(amount * factor)))

    def read_xml(self, text: str) -> None:
        root = xml_tree(text, self._findings.file, code="FP6220")
        for parent in (root, *(child for child in root.children if child.name in ("meta", "demands"))):
            for child in parent.children:
                if child.name not in _STRUCTURE:
                    self.present.setdefault(child.name, child.line)
                if child.name == "unit":
                    self._unit(child.text.strip())
        entries = list(root.every("demand"))
        if not entries:
            hint = "take a problem file, not a topology alone"
            self._findings.add("no demand in the file", code="FP6220", line=1, hint=hint)
            self._findings.finish()
        for element in entries:
            parts = {child.name: child.text.strip() for child in element.children}
            self.present |= dict.fromkeys(
                name for name, value in parts.items() if name != "maxPathLength" or value.upper() != "UNLIMITED"
            )
            if not {"source", "target", "demandValue"} <= set(parts):
                what = element.attributes.get("id", "a demand")
                message = f"{what} lacks source, target or demandValue"
                self._findings.add(message, code="FP6221", line=element.line)
                continue
            ends = (parts["source"], parts["target"])
            self._add(element.line, ends, parts["demandValue"], parts.get("routingUnit", "1"))

    def _unit(self, word: str) -> None:
        if word.upper() not in _UNITS:
            message, hint = f"unit {shown(word)} is not known", f"units are {', '.join(_UNITS)}; convert the file"
            self._findings.add(message, code="FP6220", line=1, hint=hint)
            return
        self.unit = word.upper()

    def read_native(self, text: str) -> None:
        section, seen = "", False
        header = re.match(r"\s*\?SNDlib native format;\s*type:\s*(\w+)", text)
        if header and header[1] != "network":
            self.present[header[1].upper()] = 1
            return
        for at, written in enumerate(text.splitlines(), start=1):
            line = written.partition("#")[0].rstrip()
            begins = _SECTION.match(line)
            if begins and not section:
                section = begins[1]
                seen |= section == "DEMANDS"
                self.present.setdefault(section, at)
            elif line.strip() == ")" and section:
                section = ""
            elif section == "DEMANDS" and line.strip():
                row = _ROW.match(line)
                if not row:
                    message = "a demand is: id ( source target ) routing_unit value max_path_length"
                    self._findings.add(message, code="FP6221", line=at, column=1)
                    continue
                if row[6].upper() != "UNLIMITED":
                    self.present.setdefault("maxPathLength", at)
                self._add(at, (row[2], row[3]), row[5], row[4])
        if not seen:
            hint = "the native format has a section DEMANDS ( ... )"
            self._findings.add("no demands in the file", code="FP6220", line=1, hint=hint)
