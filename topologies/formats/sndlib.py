"""``sndlib``: networks of SNDlib, XML or native text; read only. Demands of the same file are a workload's.

Every node is a router where demand may start. A link is a cable of both directions,
whatever the demand model of the problem. Its capacity is what is installed or, where nothing is, the largest module
that may be. SNDlib gives no unit of capacities unless the file has one in its head (``unit``), so it has to be said:
``capacity: {attribute: capacity, unit: Mbps}``.

References
----------
Orlowski et al., "SNDlib 1.0", Networks 55(3), 2010; sndlib.zib.de, "Network format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, told_ways
from topologies.graph_attributes import several
from topologies.reading.asked import Asked, Untold
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, number, read_bytes, shown
from topologies.reading.xml_input import Place, parse_xml
from topologies.tables import ROUTER, topology_of_tables
from topologies.topology import Topology
from topologies.units import unit_gbps

# id ( source target ) pre_cap pre_cost routing_cost setup_cost ( {module_cap module_cost}* )
_LINK = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\(\s*([^()]*)\)\s*(?:#.*)?$")
_NODE = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s*(?:#.*)?$")
_META = re.compile(r"^\s*(\w+)\s*=\s*(.*?)\s*$")

FIELDS = DeclaredFields(
    "topology format",
    "sndlib",
    'sndlib.zib.de, "Network format"; network.xsd',
    (
        Field("node", MODELLED, "a router"),
        Field("link", MODELLED, "a cable of both directions"),
        Field("source", MODELLED, "one end of a link"),
        Field("target", MODELLED, "the other end of a link"),
        Field("preInstalledModule", MODELLED, "capacity of a link (pre_cap in native text)"),
        Field("additionalModules", MODELLED, "where no capacity is installed, the largest of them; said"),
        Field("capacity", REFUSED, "a capacity in no unit that the file states", accept="capacity, or --capacity"),
        Field("unit", MODELLED, "unit of the capacities, such as MBITPERSEC"),
        Field("routingCost", REPORTED, "costs of a design problem are not taken for the routing metric"),
        Field("setupCost", HARMLESS, "costs of a design problem"),
        Field("cost", HARMLESS, "costs of a design problem"),
        Field("x", HARMLESS, "drawing"),
        Field("y", HARMLESS, "drawing"),
        Field("coordinates", HARMLESS, "drawing"),
        Field("demand", HARMLESS, "demands of the same file are a workload's"),
        Field("admissiblePath", REPORTED, "paths are those of the router, not of the file"),
        Field("granularity", HARMLESS, "of demands"),
        Field("time", HARMLESS, "of demands"),
        Field("origin", HARMLESS, "where the file is from"),
    ),
)
_STRUCTURE = {
    *("network", "networkStructure", "nodes", "links", "demands", "meta", "addModule"),
    *("demandValue", "routingUnit", "maxPathLength", "admissiblePaths", "linkId"),
}  # elements that only hold others, and those of demands


@dataclass
class _Link:
    name: str
    ends: tuple[str, str]
    installed: str | None
    modules: tuple[str, ...]
    line: int


@dataclass
class _Network:
    """What a file says, and the names of its fields with the line of the first."""

    nodes: list[tuple[str, int]] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)
    unit: str = ""
    present: dict[str, int | None] = field(default_factory=dict)


class _Handler:
    """Nodes and links of the XML as they pass."""

    def __init__(self) -> None:
        self.network = _Network()
        self._stack: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self._link: tuple[str, int] | None = None

    def start(self, name: str, attributes: Mapping[str, str], place: Place) -> None:
        """Open an element."""
        self._stack.append(name)
        if name not in _STRUCTURE and name != "capacity":
            self.network.present.setdefault(name, place[0])
        if name == "node":
            self.network.nodes.append((attributes.get("id", ""), place[0]))
        elif name == "link":
            self._texts.clear()
            self._link = (attributes.get("id", ""), place[0])

    def end(self, name: str, text: str, place: Place) -> None:
        """Close an element."""
        del place
        self._stack.pop()
        above = self._stack[-1] if self._stack else ""
        if name == "link" and self._link is not None:
            ends = (self._texts.get("source", [""])[0], self._texts.get("target", [""])[0])
            installed = self._texts.get("installed", [None])[0] if "installed" in self._texts else None
            self.network.links.append(
                _Link(self._link[0], ends, installed, tuple(self._texts.get("module", [])), self._link[1])
            )
            self._link = None
        elif name in ("source", "target") and self._link is not None:
            self._texts.setdefault(name, []).append(text.strip())
        elif name == "capacity":
            kind = "installed" if above == "preInstalledModule" else "module"
            self._texts.setdefault(kind, []).append(text.strip())
        elif name == "routingCost" and number(text.strip()) == 0:
            self.network.present.pop("routingCost", None)  # not given
        elif name == "unit" and above == "meta":
            self.network.unit = text.strip()


def _native(text: str, findings: Findings) -> _Network:
    network = _Network()
    section = ""
    for row, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", "?")):
            continue
        if len(words) == 2 and words[1] == "(" and words[0].isupper():
            section = words[0]
            if section == "ADMISSIBLE_PATHS":
                network.present["admissiblePath"] = row
        elif words == [")"]:
            section = ""
        elif section == "META":
            found = _META.match(line)
            if found and found[1] == "unit":
                network.unit = found[2]
            if found:
                network.present.setdefault(found[1], row)
        elif section == "NODES":
            if found := _NODE.match(line):
                network.nodes.append((found[1], row))
            else:
                findings.add("a node is: id ( longitude latitude )", code="FP6004", line=row)
        elif section == "LINKS":
            if found := _LINK.match(line):
                network.links.append(_Link(found[1], (found[2], found[3]), found[4], tuple(found[8].split()[::2]), row))
                if number(found[6]) != 0:
                    network.present.setdefault("routingCost", row)
            else:
                hint = "id ( source target ) pre_cap pre_cost routing_cost setup_cost ( module_cap module_cost ... )"
                findings.add("a link does not have the fields of one", code="FP6004", line=row, hint=hint)
    return network


def _capacity(link: _Link, findings: Findings) -> tuple[float, bool] | None:
    """Installed, else the largest module, in the file's unit; and whether it is a module that may be installed."""
    values = []
    for word in ([link.installed] if link.installed is not None else []) + list(link.modules):
        value = number(word)
        if value is None or value < 0:
            message = f"link {link.name} has the capacity {shown(word)}"
            findings.add(message, code="FP6005", line=link.line, hint="a number from 0 up")
            return None
        values.append(value)
    installed = values[0] if link.installed is not None and values else 0.0
    largest = installed or max(values, default=0.0)
    if largest <= 0:
        return float("nan"), False
    return largest, not installed


def _read(path: Path, findings: Findings, asked: Asked) -> tuple[Topology, Untold]:
    data = read_bytes(path)
    if data.lstrip().removeprefix(b"\xef\xbb\xbf").startswith(b"<"):
        handler = _Handler()
        parse_xml(data, str(path), handler)
        network = handler.network
    else:
        network = _native(data.decode("utf-8", errors="replace"), findings)
    ids: dict[str, int] = {}
    for name, line in network.nodes:
        if not name or name in ids:
            findings.add(f"two nodes are called {name!r}" if name else "a node without id", code="FP6007", line=line)
        ids.setdefault(name, len(ids))
    if not ids:
        hint = "the native format has NODES ( ... ), XML has networkStructure"
        raise FormatError("no nodes in the file", file=str(path), hint=hint, code="FP6004")
    findings.note(*FIELDS.check(network.present, str(path)))
    unit_in_gbps, untold = _unit(network, asked, str(path))
    return _topology(path.stem, ids, network.links, unit_in_gbps, findings), untold


def _given(link: _Link) -> bool:
    """Whether a link has a capacity at all."""
    return any(number(word) != 0 for word in (link.installed or "0", *link.modules))


def _unit(network: _Network, asked: Asked, file: str) -> tuple[float, Untold]:
    """Gbps of one unit of capacity, not-a-number where nobody says it."""
    bare = next((link.line for link in network.links if not _given(link)), None)
    if asked.capacity is not None:
        if asked.capacity.attribute != "capacity":
            raise FormatError(
                f"links have no {asked.capacity.attribute!r}",
                where="capacity",
                hint="attribute: capacity",
                code="FP6004",
            )
        return asked.capacity.gbps, Untold(bare)
    if network.unit:
        stated = unit_gbps(network.unit)
        if stated is None:
            line = network.present.get("unit")
            hint = "such as MBITPERSEC; or say it: capacity: {attribute: capacity, unit: Mbps}"
            raise FormatError(f"unit is {shown(network.unit)}, not one of capacity", file=file, line=line, hint=hint)
        return stated, Untold(bare)
    line = next((link.line for link in network.links if _given(link)), None)
    if line is None:
        return float("nan"), Untold(bare)
    return float("nan"), Untold(line, f"capacity: {FIELDS.effect('capacity')}")


def _topology(name: str, ids: dict[str, int], links: Sequence[_Link], unit: float, findings: Findings) -> Topology:
    ends, gbps = [], []
    modules = 0
    for link in links:
        lost = next((end for end in link.ends if end not in ids), None)
        if lost is not None:
            findings.add(f"link {link.name} leads to {shown(lost)}, which is not a node", code="FP6006", line=link.line)
        elif link.ends[0] == link.ends[1]:
            findings.add(f"link {link.name} joins {link.ends[0]} to itself", code="FP6007", line=link.line)
        elif (capacity := _capacity(link, findings)) is not None:
            ends.append((ids[link.ends[0]], ids[link.ends[1]]))
            gbps.append(capacity[0] * unit)
            modules += capacity[1]
    if modules:
        findings.note(
            f"additionalModules: nothing is installed on {several(modules, 'link')}; the largest module is taken"
        )
    pairs = np.asarray(ends, np.int32).reshape(-1, 2)
    return topology_of_tables(
        name,
        "file",
        names=list(ids),
        roles=[ROUTER] * len(ids),
        nodes={},
        links={"src": pairs.ravel(), "dst": pairs[:, ::-1].ravel(), "capacity_gbps": np.repeat(gbps, 2)},
        tiers=[None] * pairs.size,
        reverse=np.arange(pairs.size) ^ 1,
    )


read, read_sound = told_ways(_read)
SUMMARY = "Networks of SNDlib; read only"
FORMAT = TopologyFormat("sndlib", (".xml",), read, None, read_sound, tells_nodes=True, asks=("capacity",))
