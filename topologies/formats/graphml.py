"""``graphml``: XML graphs of the Internet Topology Zoo, yEd, Gephi and NetworkX.

What attributes mean is in ``topologies.graph_attributes``. Each edge tells its direction, or the graph does
(``edgedefault``); yEd writes every edge directed, whatever was drawn. Groups of yEd are drawings: the nodes in them are
nodes. A file with a document type or an entity declaration is refused. What we write keeps every column.

References
----------
Brandes et al., "GraphML Primer", graphml.graphdrawing.org; yWorks, "GraphML extensions".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, cannot_say, told_ways
from topologies.graph_attributes import ForeignGraph, GraphEdge, GraphNode, graph_fields, topology_of_graph
from topologies.networkx_adapter import to_networkx
from topologies.reading.asked import Asked, Untold
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import Findings, shown
from topologies.reading.xml_input import Place, read_xml
from topologies.topology import Topology

_TABLES = ("roles", "tiers")
_WHOLE = ("int", "integer", "long")
_REAL = ("float", "double")
_TYPES = (*_WHOLE, *_REAL, "boolean", "string", "yfile")
_LABELS = ("NodeLabel", "EdgeLabel", "Label.Text")  # elements of yEd and yFiles with the text of what they are in

FIELDS = DeclaredFields(
    "topology format",
    "graphml",
    'GraphML Primer; yWorks GraphML; Topology Zoo, "Dataset"; Gephi and NetworkX exports',
    graph_fields(
        Field("graph@edgedefault", MODELLED, "direction of the edges that do not tell it"),
        Field("edge@directed", MODELLED, "direction of an edge"),
        Field("<hyperedge>", REFUSED, "a hyperedge joins more than two nodes; use a node for a shared segment"),
        Field("<graph> in <node>", REPORTED, "a group is a drawing: its nodes are nodes, and itself is left out"),
        Field("edge@sourceport", REPORTED, "ports are numbered anew"),
        Field("edge@targetport", REPORTED, "ports are numbered anew"),
        Field("<port>", REPORTED, "ports are numbered anew"),
        Field("node url", HARMLESS, "of yEd"),
        Field("node description", HARMLESS, "free text"),
        Field("edge url", HARMLESS, "of yEd"),
        Field("edge description", HARMLESS, "free text"),
    ),
)


@dataclass
class _Key:
    """A declared attribute."""

    name: str
    type: str
    owner: str  # node, edge, graph, port or all
    default: Any = None


@dataclass
class _Open:
    """An element that is open and takes data."""

    kind: str  # node, edge, graph, or what else may have data
    attributes: dict[str, Any] = field(default_factory=dict)
    node: GraphNode | None = None
    edge: GraphEdge | None = None
    directed: bool = False  # a graph's default
    wrong: bool = False  # an edge that is left out


class _Handler:
    """Nodes, edges and their data as they pass."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.fatal = False  # whether something else than an edge is wrong
        self.graphs = 0
        self.nodes: dict[str, GraphNode] = {}
        self.groups: set[str] = set()
        self.edges: list[GraphEdge] = []
        self.attributes: dict[str, Any] = {}
        self.present: dict[str, int | None] = {}  # parts of the XML that are declared
        self.drawn = ""
        self.keys: dict[str, _Key] = {}
        self._ids: set[tuple[object, ...]] = set()
        self._open: list[_Open] = []
        self._data: _Key | None = None
        self._place: Place = (1, 1)  # of the data
        self._depth = 0  # of elements inside the data
        self._declared: _Key | None = None

    def add(self, message: str, code: str, place: Place, hint: str = "") -> None:
        element = self._open[-1] if self._open else None
        if element is not None and element.edge is not None:
            element.wrong = True
        else:
            self.fatal = True
        self.findings.add(message, code=code, line=place[0], column=place[1], hint=hint)

    def start(self, name: str, attributes: Mapping[str, str], place: Place) -> None:
        """Open an element."""
        if self._data is not None or (self._declared is not None and name != "default"):
            self._depth += 1
            if name == "Label" and attributes.get("Text"):
                self._label(attributes["Text"])
            return
        if name == "graphml":
            if any("yworks" in value for key, value in attributes.items() if key.startswith("xmlns")):
                self.drawn = "yEd"
        elif name == "graph":
            self._graph(attributes, place)
        elif name == "key":
            self._key(attributes, place)
        elif name == "node":
            self._node(attributes, place)
        elif name == "edge":
            self._edge(attributes, place)
        elif name == "hyperedge":
            self.present["<hyperedge>"] = place[0]
            self._open.append(_Open(name))
        elif name == "port":
            self.present["<port>"] = place[0]
            self._open.append(_Open(name))
        elif name == "data":
            self._begin(attributes, place)
        elif name == "default" and self._declared is not None:
            self._data, self._place = self._declared, place

    def end(self, name: str, text: str, place: Place) -> None:
        """Close an element."""
        if self._depth:
            self._depth -= 1
            if name in _LABELS:
                self._label(text)
            return
        if name in ("data", "default") and self._data is not None:
            self._value(self._data, text, default=name == "default")
            self._data = None
        elif name == "key":
            self._declared = None
        elif name in ("graph", "node", "edge", "hyperedge", "port") and self._open:
            self._close(self._open.pop())

    def _label(self, text: str) -> None:
        """The first text that is drawn on a node or an edge."""
        name = {"node": "NodeLabel", "edge": "EdgeLabel"}.get(self._open[-1].kind if self._open else "")
        if name and text.strip():
            self._open[-1].attributes.setdefault(name, text.strip())

    def _graph(self, attributes: Mapping[str, str], place: Place) -> None:
        inside = next((element for element in reversed(self._open) if element.node is not None), None)
        if inside is not None and inside.node is not None:
            self.present["<graph> in <node>"] = place[0]
            self.groups.add(str(inside.node.id))
        else:
            self.graphs += 1
            if self.graphs > 1:
                self.add("a second graph", "FP6003", place, "one file holds one graph")
        default = attributes.get("edgedefault", "undirected")
        if default not in ("directed", "undirected"):
            self.add(f"edgedefault is {shown(default)}, not directed or undirected", "FP6005", place)
        # What a group's graph says of itself is not the network's.
        kept = self.attributes if inside is None else {}
        self._open.append(_Open("graph", attributes=kept, directed=default == "directed"))

    def _key(self, attributes: Mapping[str, str], place: Place) -> None:
        kind = attributes.get("attr.type", "yfile" if "yfiles.type" in attributes else "string")
        if kind not in _TYPES:
            self.add(f"attr.type is {shown(kind)}", "FP6005", place, f"known types: {', '.join(_TYPES[:-1])}")
        if "yfiles.type" in attributes:
            self.drawn = "yEd"
        key = _Key(attributes.get("attr.name", attributes.get("id", "")), kind, attributes.get("for", "all"))
        self.keys[attributes.get("id", "")] = self._declared = key

    def _node(self, attributes: Mapping[str, str], place: Place) -> None:
        name = attributes.get("id", "")
        if name in self.nodes or not name:
            self.add(f"two nodes have the id {shown(name)}" if name else "a node has no id", "FP6007", place)
        node = GraphNode(name, {}, place[0])
        self.nodes.setdefault(name, node)
        self._open.append(_Open("node", attributes=node.attributes, node=node))

    def _edge(self, attributes: Mapping[str, str], place: Place) -> None:
        ends = (attributes.get("source", ""), attributes.get("target", ""))
        graph = next((element for element in reversed(self._open) if element.kind == "graph"), None)
        word = attributes.get("directed")
        directed = graph is not None and graph.directed if word is None else word in ("true", "1")
        edge = GraphEdge(*ends, {}, directed, *place, key=attributes.get("id"))
        self._open.append(_Open("edge", attributes=edge.attributes, edge=edge))
        for port in ("sourceport", "targetport"):
            if attributes.get(port):
                self.present[f"edge@{port}"] = place[0]
        if word not in (None, "true", "false", "0", "1"):
            self.add(f"directed is {shown(word)}, not true or false", "FP6005", place)
        if edge.key is not None:
            # NetworkX numbers parallel edges per pair of nodes, so ids may come again between others.
            mark = (edge.key, *(ends if directed else sorted(ends)))
            if mark in self._ids:
                hint = "make the ids different, or leave them out"
                self.add(f"two parallel edges have the id {shown(edge.key)}", "FP6007", place, hint)
            self._ids.add(mark)

    def _begin(self, attributes: Mapping[str, str], place: Place) -> None:
        name = attributes.get("key", "")
        key = self.keys.get(name)
        self._place = place
        if key is None:
            self.add(f"data of the key {shown(name)}, which is not declared", "FP6006", place, "declare it with a key")
        self._data = key or _Key("", "yfile", "all")

    def _value(self, key: _Key, text: str, *, default: bool) -> None:
        value = _typed(key.type, text)
        if value is None and text.strip() and key.type != "yfile":
            wanted = "a whole number" if key.type in _WHOLE else "a number" if key.type in _REAL else "true or false"
            self.add(f"{key.name} is {shown(text.strip())}, not {wanted}", "FP6005", self._place)
            return
        if default:
            key.default = value
        elif self._open and value is not None and key.type != "yfile":
            self._open[-1].attributes[key.name] = value

    def _close(self, element: _Open) -> None:
        for key in self.keys.values():
            if key.default is not None and key.owner in (element.kind, "all") and element.kind != "graph":
                element.attributes.setdefault(key.name, key.default)
        if element.edge is not None and not element.wrong:
            self.edges.append(element.edge)


def _typed(kind: str, text: str) -> Any:
    """The value of a text; None where it is none of its type."""
    try:
        if kind in _WHOLE:
            return int(text)
        if kind in _REAL:
            return float(text)
    except ValueError:
        return None
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    return text


def _read(path: Path, findings: Findings, asked: Asked) -> tuple[Topology, Untold]:
    handler = _Handler(findings)
    read_xml(path, handler)
    if not handler.graphs:
        hint = "the root element is graphml, with a graph inside"
        handler.add("the file has no graph element", "FP6003", (1, 1), hint)
    if handler.fatal:
        raise findings.error()
    findings.note(*FIELDS.check(handler.present, str(path), code="FP6003"))
    ended = {end for edge in handler.edges for end in (edge.source, edge.target)}
    for group in sorted(handler.groups & ended):
        findings.add(
            f"an edge ends at the group {shown(group)}, which is a drawing",
            code="FP6006",
            line=handler.nodes[group].line,
            hint="draw the edge to a node in the group",
        )
    attributes = {**handler.attributes, **{key: _table(handler.attributes.get(key)) for key in _TABLES}}
    graph = ForeignGraph(
        [node for name, node in handler.nodes.items() if name not in handler.groups],
        [edge for edge in handler.edges if not {edge.source, edge.target} & handler.groups],
        attributes if any(key in handler.attributes for key in _TABLES) else handler.attributes,
        handler.drawn,
    )
    return topology_of_graph(graph, FIELDS, asked, findings, stem=path.stem)


def _table(text: object) -> list[str]:
    """The words of a code table we wrote; nothing for anything else."""
    try:
        words = [word.value for word in parse_json(text, "").each()] if isinstance(text, str) else []
    except FormatError:
        return []
    return [word for word in words if isinstance(word, str)]


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


read, read_sound = told_ways(_read)
SUMMARY = "XML graphs of the Topology Zoo, NetworkX, yEd and Gephi"
FORMAT = TopologyFormat("graphml", (".graphml",), read, write, read_sound, asks=("capacity", "directions"))
