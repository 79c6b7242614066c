"""``node-link``: JSON of NetworkX's ``node_link_data`` and of those who write like it, such as topohub and D3.

What attributes mean is in ``topologies.graph_attributes``. Edges are under ``edges``, or ``links`` as NetworkX wrote
before 3.4 and D3 does; both name nodes by id or, where ids do not fit, by their place in the list, as NetworkX 1 did.
Edges are directed only where the file says so, as in NetworkX.

References
----------
NetworkX reference, ``networkx.readwrite.json_graph.node_link_data``; topohub.readthedocs.io, "Topology repository".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Sequence
from pathlib import Path

from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, told_ways
from topologies.graph_attributes import ForeignGraph, GraphEdge, GraphNode, graph_fields, topology_of_graph
from topologies.networkx_adapter import to_networkx
from topologies.reading.asked import Asked, Untold
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, parse_json
from topologies.reading.text_input import Findings, read_text, shown
from topologies.topology import Topology

_LISTS = ("edges", "links")
_BETWEEN = re.compile(r"[\s,]*")
_HINT = "node_link_data of NetworkX writes nodes and edges (or links)"

FIELDS = DeclaredFields(
    "topology format",
    "node-link",
    "NetworkX reference, node_link_data; topohub.readthedocs.io",
    graph_fields(
        Field("directed", MODELLED, "whether an edge is one direction of a cable; absent: not, as in NetworkX"),
        Field("multigraph", MODELLED, "false: a second edge between the same nodes is wrong"),
        Field("nodes", MODELLED, "the nodes"),
        Field("edges", MODELLED, "the edges"),
        Field("links", MODELLED, "the edges, as NetworkX before 3.4 and D3 call them"),
        Field("graph", HARMLESS, "its attributes are fields of their own"),
        Field("adjacency", REFUSED, "adjacency data, another form of NetworkX: write node_link_data"),
        Field("hyperedges", REFUSED, "a hyperedge joins more than two nodes; use a node for a shared segment"),
    ),
)


def _read(path: Path, findings: Findings, asked: Asked) -> tuple[Topology, Untold]:
    text = read_text(path)
    data = parse_json(text, str(path), code="FP6003", hint=_HINT)
    if not isinstance(data.value, dict):
        raise FormatError("no lists of nodes and edges", file=str(path), line=1, hint=_HINT, code="FP6004")
    findings.note(*FIELDS.check(data.keys, str(path)))
    lists = [key for key in _LISTS if not data.get(key).absent]
    if not lists or data.get("nodes").absent:
        raise FormatError("no lists of nodes and edges", file=str(path), line=1, hint=_HINT, code="FP6004")
    if len(lists) > 1:
        raise FormatError("both edges and links are given", file=str(path), hint="leave one out", code="FP6004")
    lines = _Lines(text)
    positions, nodes = _nodes(list(data.get("nodes").each()), lines, findings)
    raw = list(data.get(lists[0]).each())
    directed = data.get("directed").flag()
    ids = {node.id for node in nodes}
    by_place = _by_place(raw, ids, positions)
    if by_place:
        findings.note("edges name nodes by their place in the list, as NetworkX 1 and D3 write them")
    edges = []
    for index, row in enumerate(raw):
        edge = _edge(row, index, lists[0], directed, lines, findings)
        if edge is not None:
            if by_place:
                edge.source, edge.target = (positions.get(end, end) for end in (edge.source, edge.target))
            edges.append(edge)
    graph = data.get("graph")
    pairs = graph.value if isinstance(graph.value, list) else None  # NetworkX 1 wrote pairs
    if pairs is not None and all(isinstance(row, list) and len(row) == 2 for row in pairs):
        attributes = {str(key): value for key, value in pairs}
    else:
        attributes = {key: value.value for key, value in graph.items()}
    parallel = data.get("multigraph").flag(True)
    return topology_of_graph(
        ForeignGraph(nodes, edges, attributes, parallel=parallel), FIELDS, asked, findings, stem=path.stem
    )


def _nodes(
    rows: Sequence[JsonValue], lines: _Lines, findings: Findings
) -> tuple[dict[Hashable, Hashable], list[GraphNode]]:
    """Ids by place, and the nodes that have one of their own."""
    positions: dict[Hashable, Hashable] = {}
    nodes: list[GraphNode] = []
    known: set[Hashable] = set()
    named = any(isinstance(row.value, dict) and not row.get("id").absent for row in rows)
    for index, row in enumerate(rows):
        node = _id(row.get("id").value if named else index) if isinstance(row.value, dict) else None
        if node is None or node in known:
            what = f"two nodes have the id {shown(row.get('id').value)}" if node is not None else "a node without id"
            findings.add(f"nodes[{index}]: {what}", code="FP6007", line=lines.of("nodes", index))
            continue
        known.add(node)
        positions[index] = node
        nodes.append(GraphNode(node, {key: value for key, value in row.value.items() if key != "id"}))
    return positions, nodes


def _id(value: object) -> Hashable | None:
    """A name: text, number, or a list of them as graphs of grids have."""
    if isinstance(value, list):
        parts = tuple(_id(part) for part in value)
        return None if None in parts or not parts else parts
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _by_place(rows: Sequence[JsonValue], ids: set[Hashable], positions: dict[Hashable, Hashable]) -> bool:
    """Whether the ends of all edges are places in the list of nodes, and not all are ids."""
    ends = [row.value.get(end) for row in rows if isinstance(row.value, dict) for end in ("source", "target")]
    if not ends or not all(type(end) is int and end in positions for end in ends):
        return False
    return not all(end in ids for end in ends)


def _edge(row: JsonValue, index: int, key: str, directed: bool, lines: _Lines, findings: Findings) -> GraphEdge | None:
    place = f"{key}[{index}]"
    if not isinstance(row.value, dict) or "source" not in row.value or "target" not in row.value:
        findings.add(f"{place}: an edge has source and target", code="FP6004", line=lines.of(key, index))
        return None
    line = lines.of(key, index)
    ends: dict[str, Hashable] = {}
    for end in ("source", "target"):
        node = _id(row.value[end])
        if node is None:
            message = f"{place}.{end}: the id of a node is expected, not {shown(row.value[end])}"
            findings.add(message, code="FP6005", line=line)
            return None
        ends[end] = node
    attributes = {name: value for name, value in row.value.items() if name not in ends}
    return GraphEdge(
        ends["source"], ends["target"], attributes, directed, line, place=f"{place}: ", key=attributes.get("key")
    )


class _Lines:
    """Lines where the elements of the lists of a file begin, found when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts: dict[str, list[int]] = {}

    def of(self, key: str, index: int) -> int | None:
        """Line of element ``index`` of the list under a key."""
        if key not in self.starts:
            self.starts[key] = self._scan(key)
        starts = self.starts[key]
        return starts[index] if index < len(starts) else None

    def _scan(self, key: str) -> list[int]:
        found = re.search(rf'"{key}"\s*:\s*\[', self.text)
        if found is None:
            return []
        decoder = json.JSONDecoder()
        place, line, counted = found.end(), 1, 0
        starts: list[int] = []
        try:
            while True:
                blank = _BETWEEN.match(self.text, place)
                place = blank.end() if blank is not None else place
                if self.text[place] == "]":
                    return starts
                line += self.text.count("\n", counted, place)
                counted = place
                starts.append(line)
                _, place = decoder.raw_decode(self.text, place)
        except (ValueError, IndexError):
            return starts


def write(topology: Topology, path: Path) -> None:
    """Write node-link data with every column; what is not known is left out."""
    import networkx as nx

    graph = to_networkx(topology)
    data = nx.node_link_data(graph, edges="edges")
    for rows in (data["nodes"], data["edges"]):
        for row in rows:
            for key in [key for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)]:
                del row[key]
    lines = {key: json.dumps(value, ensure_ascii=False) for key, value in data.items() if key not in ("nodes", "edges")}
    for key in ("nodes", "edges"):
        lines[key] = "[\n" + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in data[key]) + "\n ]"
    path.write_text("{\n" + ",\n".join(f' "{key}": {text}' for key, text in lines.items()) + "\n}\n", encoding="utf-8")


read, read_sound = told_ways(_read)
SUMMARY = "JSON of NetworkX's node_link_data, topohub and D3"
FORMAT = TopologyFormat("node-link", (), read, write, read_sound, asks=("capacity", "directions"))
