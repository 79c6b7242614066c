"""``graphml``: XML graphs of NetworkX, yEd and Gephi, through NetworkX.

Attributes are those of ``topologies.networkx_adapter``; only ``capacity_gbps`` of edges is required. What we write
keeps every column. A file with a document type or an entity declaration is refused before anything of it is expanded.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any
from xml.parsers import expat

from topologies.errors import FormatError, TopologyError
from topologies.format_registry import Imported, TopologyFormat, cannot_say
from topologies.networkx_adapter import from_networkx, to_networkx
from topologies.text_input import EVERY_PROBLEM, MAX_PROBLEMS, Findings, read_bytes, shown
from topologies.topology import Topology

_TABLES = ("roles", "tiers")
_REQUIRED = "capacity_gbps"
_WHOLE = ("int", "integer", "long")
_REAL = ("float", "double")
_TYPES = (*_WHOLE, *_REAL, "boolean", "string", "yfile")


@dataclass
class _Key:
    """A declared attribute."""

    name: str
    type: str
    owner: str
    has_default: bool = False


@dataclass
class _Element:
    """A node or edge while it is open."""

    tag: str
    line: int
    label: str
    found: set[str] = field(default_factory=set)


class _Scan:
    """One pass over the XML without building anything: refuses declarations, finds what is wrong and where."""

    def __init__(self, path: Path, data: bytes, *, limit: int = MAX_PROBLEMS) -> None:
        self.findings = Findings(path, limit=limit)
        self.bad_edges: set[int] = set()  # by number, from 0
        self.whole = False  # whether something else than an edge is wrong
        self.keys: dict[str, _Key] = {}
        self.nodes: set[str] = set()
        self.edges: list[tuple[int, int, str, str]] = []
        self.ids: set[tuple[str, ...]] = set()
        self._open: list[_Element] = []
        self._data: tuple[str, int, int] | None = None
        self._text: list[str] = []
        self._nested = False
        self._graphs = 0
        self._directed = ""
        self._declared = ""
        self._parser = parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            message = f"not XML: {expat.ErrorString(error.code)}"
            self.findings.add(message, code="FP6003", line=error.lineno, column=error.offset + 1)
            raise self.findings.error() from error
        for number, (line, column, end, node) in enumerate(self.edges):
            if node not in self.nodes:
                self.bad_edges.add(number // 2)
                message = f"the {end} of an edge is {shown(node)}, which is not a node"
                self.findings.add(message, code="FP6006", line=line, column=column, hint="declare the node")
        if not self._graphs:
            hint = "the root element is graphml, with a graph inside"
            self.whole = True
            self.findings.add("the file has no graph element", code="FP6003", line=1, hint=hint)

    def _add(self, message: str, code: str, hint: str = "", place: tuple[int, int] | None = None) -> None:
        if self._open and self._open[-1].tag == "edge":
            self.bad_edges.add(len(self.edges) // 2 - 1)
        else:
            self.whole = True
        line, column = place or (self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
        self.findings.add(message, code=code, line=line, column=column, hint=hint)

    def _refuse(self, *_: object) -> None:
        hint = "remove the DOCTYPE: GraphML needs none, and entities can hide gigabytes or other files"
        self._add("a document type or entity declaration is refused", "FP6008", hint)
        raise self.findings.error()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit(":", 1)[-1]
        place = (self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
        if self._data is not None:
            self._nested = True
            return
        if name == "graph":
            self._graphs += 1
            if self._graphs > 1:
                self._add("a second graph, or one inside another", "FP6003", "one file holds one flat graph")
            self._directed = "true" if attributes.get("edgedefault") == "directed" else "false"
        elif name == "hyperedge":
            self._add("a hyperedge joins more than two nodes", "FP6003", "use a node for a shared segment")
        elif name == "key":
            self._declare(attributes)
        elif name == "node":
            node = attributes.get("id", "")
            if node in self.nodes or not node:
                self._add(f"two nodes have the id {shown(node)}" if node else "a node has no id", "FP6007")
            self.nodes.add(node)
            self._open.append(_Element("node", place[0], f"node {node}"))
        elif name == "edge":
            ends = [attributes.get(end, "") for end in ("source", "target")]
            self.edges += [(*place, end, node) for end, node in zip(("source", "target"), ends, strict=True)]
            self._open.append(_Element("edge", place[0], f"edge {ends[0]} -> {ends[1]}"))
            if ends[0] == ends[1]:
                self._add(f"node {ends[0]} has an edge to itself", "FP6007", "remove the edge")
            if attributes.get("directed", self._directed) != self._directed:
                message = f"the edge is directed={shown(attributes['directed'])} in a graph of the other kind"
                self._add(message, "FP6003", "write all edges directed, or all undirected")
            if (key := attributes.get("id")) is not None:
                # NetworkX numbers parallel edges per pair of nodes, so ids may come again between others.
                mark = (key, *(ends if self._directed == "true" else sorted(ends)))
                if mark in self.ids:
                    hint = "make the ids different, or leave them out"
                    self._add(f"two parallel edges have the id {shown(key)}", "FP6007", hint)
                self.ids.add(mark)
        elif name in ("data", "default"):
            self._data = (attributes.get("key", "") if name == "data" else self._declared, *place)
            self._text.clear()
            self._nested = False

    def _declare(self, attributes: dict[str, str]) -> None:
        self._declared = attributes.get("id", "")
        kind = attributes.get("attr.type", "yfile" if "yfiles.type" in attributes else "string")
        if kind not in _TYPES:
            self._add(f"attr.type is {shown(kind)}", "FP6005", f"known types: {', '.join(_TYPES[:-1])}")
        self.keys[self._declared] = _Key(attributes.get("attr.name", ""), kind, attributes.get("for", "all"))

    def _end(self, tag: str) -> None:
        name = tag.rsplit(":", 1)[-1]
        if name in ("data", "default") and self._data is not None:
            key, line, column = self._data
            self._data = None
            self._value(key, "".join(self._text), (line, column), default=name == "default")
        elif name in ("node", "edge") and self._data is None and self._open:
            element = self._open[-1]
            given = element.found | {
                key.name for key in self.keys.values() if key.has_default and key.owner in ("edge", "all")
            }
            if element.tag == "edge" and _REQUIRED not in given:
                hint = "add the edge attribute capacity_gbps, in Gbps for one direction"
                self._add(f"{element.label} has no capacity_gbps", "FP6004", hint, (element.line, 1))
            self._open.pop()

    def _value(self, key: str, text: str, place: tuple[int, int], *, default: bool) -> None:
        declared = self.keys.get(key)
        if declared is None:
            message = f"data of the key {shown(key)}, which is not declared"
            self._add(message, "FP6006", "declare it with a key element", place)
            if self._open:
                self._open[-1].found.add(_REQUIRED)  # it may have been this: the mistake is reported once
            return
        if default:
            declared.has_default = True
        elif self._open:
            self._open[-1].found.add(declared.name)
        wanted = None if self._nested else _wrong(declared.type, text)
        if wanted:
            self._add(f"{declared.name} is {shown(text.strip())}, not {wanted}", "FP6005", place=place)


def _wrong(kind: str, text: str) -> str | None:
    """What the text should have been; None when it is."""
    try:
        if kind in _WHOLE:
            int(text)
        elif kind in _REAL:
            float(text)
    except ValueError:
        return "a whole number" if kind in _WHOLE else "a number"
    return "true or false" if kind == "boolean" and text.lower() not in ("true", "false", "0", "1") else None


def read(path: Path) -> Topology:
    """Read a GraphML file."""
    data = read_bytes(path)
    scan = _Scan(path, data)
    scan.findings.finish()
    return _topology(path, data, len(scan.edges) // 2)


def read_sound(path: Path) -> Imported:
    """Read a GraphML file without the edges that something is wrong with."""
    import xml.etree.ElementTree as ET

    data = read_bytes(path)
    scan = _Scan(path, data, limit=EVERY_PROBLEM)
    if scan.whole or not scan.bad_edges:
        raise scan.findings.error()
    root = ET.fromstring(data)
    graph = next(element for element in root.iter() if element.tag.rpartition("}")[2] == "graph")
    edges = [element for element in graph if element.tag.rpartition("}")[2] == "edge"]
    keys = {
        element.get("id")
        for element in root.iter()
        if element.tag.rpartition("}")[2] == "key" and element.get("attr.name") == "reverse"
    }
    for number, edge in enumerate(edges):
        if number in scan.bad_edges:
            graph.remove(edge)
            continue
        # What names the other direction of a cable may be gone.
        for value in [value for value in edge if value.get("key") in keys]:
            edge.remove(value)
    return Imported(_topology(path, ET.tostring(root), len(edges) - len(scan.bad_edges)), scan.findings.found)


def _topology(path: Path, data: bytes, edges: int) -> Topology:
    import networkx as nx

    try:
        graph = nx.read_graphml(io.BytesIO(data), force_multigraph=True)
    except (nx.NetworkXError, KeyError, ValueError) as error:
        raise FormatError(f"not GraphML that can be read: {error}", file=str(path), code="FP6003") from error
    if graph.number_of_edges() != edges:
        message = f"{edges} edges in the file, but {graph.number_of_edges()} in its graph"
        raise FormatError(message, file=str(path), hint="parallel edges need different ids", code="FP6007")
    for _, _, attributes in graph.edges(data=True):
        _fill(attributes, graph.graph["edge_default"])
    for _, attributes in graph.nodes(data=True):
        _fill(attributes, graph.graph["node_default"])
    for key in _TABLES:
        graph.graph[key] = _table(graph.graph.get(key))
    name, kind = graph.graph.get("name"), graph.graph.get("kind")
    try:
        return from_networkx(graph, name=str(name or path.stem), kind=str(kind or "file"))
    except TopologyError as error:
        raise FormatError(replaced(problem, file=str(path)) for problem in error.problems) from error


def _fill(attributes: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        attributes.setdefault(key, value)


def _table(text: object) -> list[str]:
    """The words of a code table we wrote; nothing for anything else."""
    try:
        words = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return []
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def write(topology: Topology, path: Path) -> None:
    """Write a GraphML file with every column.

    Raises
    ------
    FormatError
        When a name has characters that XML does not allow.
    """
    import networkx as nx

    for word in (topology.name, topology.kind, *topology.nodes.name, *topology.roles, *topology.tiers):
        if not all(_legal(character) for character in word):
            raise cannot_say("graphml", f"the name {word!r}: XML has no such character")
    graph = to_networkx(topology)
    for key in _TABLES:
        graph.graph[key] = json.dumps(graph.graph[key])
    nx.write_graphml_xml(graph, path, encoding="utf-8", prettyprint=True)


def _legal(character: str) -> bool:
    """Whether XML 1.0 allows a character and keeps it as it is (it folds line ends)."""
    point = ord(character)
    return point in (0x9, 0xA) or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point >= 0x10000


SUMMARY = "XML graphs of NetworkX, yEd and Gephi"
FORMAT = TopologyFormat("graphml", (".graphml",), read, write, read_sound)
