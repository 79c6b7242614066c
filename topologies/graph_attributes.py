"""Graphs that other programs wrote: what the attributes of their nodes and edges say of a network.

GraphML and node-link data know only nodes, edges and attributes; what an attribute means is the habit of the program
that wrote it. The habits of the Internet Topology Zoo, yEd, Gephi, NetworkX and topohub are declared here once, for
both formats. A capacity is taken only with a unit: from the attribute's name (``bandwidth_mbps``), an attribute beside
it (``LinkSpeedUnits``), the value itself (``"10G"``), the documentation of its collection (``LinkSpeedRaw``), or the
user (``capacity: {attribute: bw, unit: Mbps}``). One that is not told is not-a-number.

References
----------
Knight et al., "The Internet Topology Zoo", IEEE JSAC 29(9), 2011; topology-zoo.org, "Dataset".
Jurkiewicz, "TopoHub: A repository of reference Gabriel graph and real-world topologies", SoftwareX 24, 2023.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from topologies.errors import FormatError, TopologyError, nearest_hint
from topologies.networkx_adapter import from_networkx
from topologies.reading.asked import Asked, Untold
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, shown
from topologies.tables import ENDPOINT_ROLES, ROUTER, pair_directions
from topologies.topology import Topology
from topologies.units import parse_speed_gbps, precise_gbps, unit_gbps

CAPACITY_KEY = "capacity: {attribute: NAME, unit: Mbps}, or --capacity NAME:Mbps"
_NO_UNIT = "a capacity whose unit the file does not state"
_CAPACITY_WORDS = ("capacity", "bandwidth", "bw", "speed", "rate", "throughput", "datarate", "LinkSpeed")
_CAPACITY = re.compile(
    r"^(?P<base>(?:link[ _-]?)?(?:capacity|bandwidth|bw|speed|rate|throughput)|data[ _-]?rate|bit[ _-]?rate)"
    r"[ _.([-]*(?P<rest>.*?)[)\]]*$",
    re.IGNORECASE,
)
_LABELS = ("label", "Label", "NodeLabel", "Node Label", "name", "Name")
_EDGE_LABELS = ("LinkLabel", "EdgeLabel", "Edge Label", "label", "Label", "name")
_KINDS = ("type", "kind", "device_type", "node_type")
_ROLE_OF = {
    **dict.fromkeys(("host", "server", "compute", "client", "endpoint", "workstation", "vm", "gpu", "hca"), "host"),
    **dict.fromkeys(("leaf", "tor", "spine", "core", "edge", "aggregation", "agg", "superspine", "nic"), ""),
    **dict.fromkeys(("router", "switch"), ""),
}  # "" keeps the word itself
_OURS = {"kind", "roles", "tiers"}  # graph attributes that we write
_NODE_WHOLE = ("level", "nics", "radix", "pod", "unit", "rail", "plane")
_EDGE_REAL = ("weight", "src_ports", "length_m", "delay_us")
_SPREAD = 1e-6  # relative difference of two statements of one capacity that rounding makes


def graph_fields(*own: Field) -> tuple[Field, ...]:
    """Attributes that both formats of graphs share, after those of one format."""
    modelled = {
        "node role": "role; host and nic end traffic and never forward",
        **{f"node {name}": "a role, where it is a known one such as host, server, leaf or router" for name in _KINDS},
        **dict.fromkeys((f"node {name}" for name in _LABELS), "name of the node in place of its id; repeats get ~2"),
        **{f"node {name}": "column of ours" for name in (*_NODE_WHOLE, "forwards")},
        "node hyperedge": "1: a shared segment (Topology Zoo): it forwards, and no demand starts there",
        "edge capacity_gbps": "capacity of one direction, Gbps",
        "edge LinkSpeedRaw": "capacity of one direction, bit/s (Topology Zoo)",
        "edge LinkSpeedUnits": "unit of LinkSpeed: K, M, G or T (Topology Zoo)",
        **{f"edge {word}_*": "capacity in the unit that the name states" for word in _CAPACITY_WORDS[:-1]},
        **{
            f"edge {name}": "a capacity, where it reads as one with its unit, such as 10G, and nothing else tells it"
            for name in _EDGE_LABELS
        },
        "edge weight": "routing metric, lower is preferred; said unless the file is ours",
        **{f"edge {name}": "column of ours" for name in ("src_ports", "length_m", "delay_us", "tier", "up")},
        "edge reverse": "key of the other direction of a cable (ours)",
        "graph name": "name of the network",
        "graph kind": "kind of the network (ours)",
        "graph roles": "words of roles, in the order of their codes (ours)",
        "graph tiers": "words of tiers, in the order of their codes (ours)",
    }
    reported = {
        "node Internal": "0 is a node of another network (Topology Zoo); it is taken as one of this network's",
        "edge LinkType": "a technology such as OC-192 is not taken for a speed",
        "edge LinkNote": "free text, which may say a number of links (x4); an edge counts as one link",
        "edge LinkStatus": "links that are planned or leased are taken as they are",
        "edge type": "kinds of edges are left out",
        "edge status": "states of edges are left out: every edge is up",
        "edge dist*": "lengths without a unit are left out",
        "edge length*": "lengths other than length_m are left out",
        "edge delay*": "delays other than delay_us are left out",
        "edge latency*": "delays other than delay_us are left out",
        "edge Weight": "not taken for the routing metric, which is weight",
        "edge Edge Weight": "not taken for the routing metric, which is weight",
        "edge cost": "not taken for the routing metric, which is weight",
        "edge metric": "not taken for the routing metric, which is weight",
        "graph demands": "demands are not part of a topology; a workload reads them",
    }
    harmless = {
        "node Latitude Longitude Country pos x y z r g b size color viz_color fill alpha geocode_* lat lon": "drawing",
        "node Region Population": "where a node is",
        "edge id Edge_Id key color fill r g b alpha": "names and drawing",
        "edge ecmp_fwd ecmp_bwd": "utilisation that topohub computed",
        "graph stats": "statistics of topohub",
        "graph node_default edge_default": "of NetworkX",
        "graph Network Note Source Version Type Creator DateObtained DateMonth DateYear DateType DateModifier "
        "GeoLocation GeoExtent Provenance Backbone Commercial Customer Access Transit Testbed IX Layer Classification "
        "Developed LastAccess LastProcessed NetworkDate SvnVersion ToolsetVersion SourceGitVersion label Description": (
            "about the collection (Topology Zoo, yEd)"
        ),
    }
    return (
        *own,
        *(Field(name, MODELLED, effect) for name, effect in modelled.items()),
        *(Field(f"edge {word}", REFUSED, _NO_UNIT, accept=CAPACITY_KEY) for word in _CAPACITY_WORDS),
        *(Field(name, REPORTED, effect) for name, effect in reported.items()),
        *(
            Field(f"{owner} {name.replace('Edge_Id', 'Edge Id')}", HARMLESS, effect)
            for names, effect in harmless.items()
            for owner, *rest in (names.split(),)
            for name in rest
        ),
    )


@dataclass
class GraphNode:
    """A node of a file."""

    id: Hashable
    attributes: dict[str, Any]
    line: int | None = None


@dataclass
class GraphEdge:
    """An edge of a file."""

    source: Hashable
    target: Hashable
    attributes: dict[str, Any]
    directed: bool
    line: int | None = None
    column: int | None = None
    place: str = ""  # before messages, such as edges[3]
    key: Hashable = None


@dataclass
class ForeignGraph:
    """What a file says."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    attributes: dict[str, Any] = field(default_factory=dict)
    drawn: str = ""  # the drawing program that wrote it, where that draws all edges directed
    parallel: bool = True  # whether two edges may join the same nodes

    @property
    def ours(self) -> bool:
        """Whether we wrote it."""
        return set(self.attributes) >= _OURS


def topology_of_graph(
    graph: ForeignGraph, declared: DeclaredFields, asked: Asked, findings: Findings, *, stem: str
) -> tuple[Topology, Untold]:
    """The network of a graph; edges that something is wrong with go to ``findings``, as does what is to be said.

    Returns
    -------
    Topology
        Capacities that the file does not tell are not-a-number.
    Untold
        Where the first of them is, and what the file has in its place.

    Raises
    ------
    FormatError
        For attributes of nodes of the wrong type, and keys that the file does not bear out.
    """
    import networkx as nx

    names = _names(graph, findings)
    edges = [edge for edge in graph.edges if _ends_sound(edge, names, graph, findings)]
    edges = _without_repeats(edges, graph, findings)
    capacities, edges, untold = _capacities(edges, graph, declared, asked, findings)
    edges = _with_numbers(edges, asked, findings)
    _say(graph, edges, declared, asked, findings)
    built = nx.MultiDiGraph(**{key: graph.attributes.get(key, []) for key in ("roles", "tiers")})
    for node, attributes in zip(graph.nodes, _node_attributes(graph, edges, findings), strict=True):
        built.add_node(names[node.id], **attributes)
    arcs = _arcs(edges, graph, asked, findings)
    for edge, turned, key, mate in arcs:
        tail, head = (edge.target, edge.source) if turned else (edge.source, edge.target)
        kept = {name: edge.attributes[name] for name in (*_EDGE_REAL, "tier", "up") if name in edge.attributes}
        kept |= {"capacity_gbps": capacities[id(edge)], "reverse": mate}
        built.add_edge(names[tail], names[head], key, **kept)
    name, kind = graph.attributes.get("name") or stem, graph.attributes.get("kind") or "file"
    try:
        return from_networkx(built, name=str(name), kind=str(kind)), untold
    except TopologyError as error:
        raise FormatError(replace(problem, file=findings.file) for problem in error.problems) from error


def plain_name(text: str) -> str:
    """A name on one line, of printable characters.

    >>> plain_name("New\\nYork ")
    'New York'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def numbered(names: Sequence[str]) -> list[str]:
    """Names with ``~2``, ``~3`` after the second and third that are alike.

    >>> numbered(["a", "b", "a", "a~2"])
    ['a', 'b', 'a~3', 'a~2']
    """
    taken, last, result = set(names), dict[str, int](), []
    for label in names:
        name, ordinal = label, last.get(label, 0) + 1
        while ordinal > 1 and (name := f"{label}~{ordinal}") in taken:
            ordinal += 1
        last[label] = ordinal
        taken.add(name)
        result.append(name)
    return result


def several(count: int, what: str) -> str:
    """A count with its noun.

    >>> several(1, "edge"), several(2000, "edge")
    ('1 edge', '2,000 edges')
    """
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _names(graph: ForeignGraph, findings: Findings) -> dict[Hashable, str]:
    """Name of every node: its label, else its id."""
    ids = [_id_text(node.id) for node in graph.nodes]
    labels = [_label(node.attributes) for node in graph.nodes]
    wanted = [label or text for label, text in zip(labels, ids, strict=True)]
    if not graph.ours:
        plain = [plain_name(text) or "node" for text in wanted]
        if changed := next((pair for pair in zip(wanted, plain, strict=True) if pair[0] != pair[1]), None):
            findings.note(f"names are put on one line, without control characters: {changed[0]!r} is {changed[1]!r}")
        wanted = plain
    result = numbered(wanted)
    if any(label and label != text for label, text in zip(labels, ids, strict=True)):
        first = next(row for row, label in enumerate(labels) if label and label != ids[row])
        findings.note(f"nodes are called by their labels, not their ids: {ids[first]} is {result[first]}")
    repeats = [(old, new) for old, new in zip(wanted, result, strict=True) if old != new]
    if repeats:
        old, new = repeats[0]
        findings.note(f"names that repeat: {several(len(repeats), 'node')}; the second {old} is {new}")
    return {node.id: name for node, name in zip(graph.nodes, result, strict=True)}


def _label(attributes: Mapping[str, Any]) -> str:
    for key in _LABELS:
        value = attributes.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return ""


def _id_text(value: Hashable) -> str:
    """An id as a name; tuples are those of grids."""
    return ",".join(map(_id_text, value)) if isinstance(value, tuple) else str(value)


def _problem(edge: GraphEdge, message: str, findings: Findings, *, code: str, hint: str = "") -> None:
    findings.add(f"{edge.place}{message}", code=code, line=edge.line, column=edge.column, hint=hint)


def _ends_sound(edge: GraphEdge, names: Mapping[Hashable, str], graph: ForeignGraph, findings: Findings) -> bool:
    for end, node in (("source", edge.source), ("target", edge.target)):
        if node not in names:
            message = f"the {end} of an edge is {shown(_id_text(node))}, which is not a node"
            _problem(edge, message, findings, code="FP6006", hint="declare the node, or remove the edge")
            return False
    if edge.source == edge.target:
        message = f"{names[edge.source]} is cabled to itself"
        _problem(edge, message, findings, code="FP6007", hint="remove the edge")
        return False
    return True


def _without_repeats(edges: list[GraphEdge], graph: ForeignGraph, findings: Findings) -> list[GraphEdge]:
    """Edges; of several that join the same nodes the first, where the file says that there are no such."""
    if graph.parallel:
        pairs = Counter((edge.source, edge.target) if edge.directed else _pair(edge) for edge in edges)
        shared = sum(count > 1 for count in pairs.values())
        if shared and not graph.ours:
            findings.note(f"more than one edge joins {several(shared, 'pair')} of nodes: each is a cable of its own")
        return edges
    seen: set[object] = set()
    kept = []
    for edge in edges:
        pair = (edge.source, edge.target) if edge.directed else _pair(edge)
        if pair in seen:
            message = f"a second edge joins {_id_text(edge.source)} and {_id_text(edge.target)}"
            _problem(edge, message, findings, code="FP6007", hint="the file says multigraph: false; make it true")
            continue
        seen.add(pair)
        kept.append(edge)
    return kept


def _pair(edge: GraphEdge) -> frozenset[Hashable]:
    return frozenset((edge.source, edge.target))


# ---- capacities ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """One statement of the capacity of an edge."""

    name: str
    gbps: float


class _CapacityReader:
    """Statements of capacity among the attributes of edges."""

    def __init__(self, edges: Sequence[GraphEdge], asked: Asked) -> None:
        self.asked = asked.capacity
        self.without_unit: Counter[str] = Counter()
        self.by_label = 0
        self.contradicted = 0
        keys = dict.fromkeys(key for edge in edges for key in edge.attributes)
        self.kinds = {key: kind for key in keys if (kind := _capacity_kind(key, keys)) is not None}
        if self.asked is not None and self.asked.attribute not in keys:
            hint = nearest_hint(self.asked.attribute, keys, "attributes of edges", otherwise="edges have no attributes")
            raise FormatError(
                f"no edge has the attribute {self.asked.attribute!r}", where="capacity", hint=hint, code="FP6004"
            )

    def of(self, edge: GraphEdge) -> list[_Told]:
        """All statements of one edge.

        Raises
        ------
        ValueError
            For a value that is none.
        """
        attributes = edge.attributes
        if self.asked is not None:
            value = attributes.get(self.asked.attribute)
            if not _empty(value):
                gbps = _rate(value, self.asked.gbps, self.asked.attribute)
                return [_Told(self.asked.attribute, gbps)] if gbps is not None else []
        told = []
        for key, (factor, unit_key) in self.kinds.items():
            value = attributes.get(key)
            if _empty(value) or (self.asked is not None and key == self.asked.attribute):
                continue
            if factor is None and unit_key is not None and not _empty(attributes.get(unit_key)):
                factor = unit_gbps(str(attributes[unit_key]))
                if factor is None:
                    raise ValueError(f"{unit_key} is {shown(attributes[unit_key])}, not a unit of capacity")
            gbps = _rate(value, factor, key)
            if gbps is None:
                self.without_unit[key] += 1
            else:
                told.append(_Told(key, gbps))
        labels = {}
        for key in _EDGE_LABELS:
            speed = _speed_of_label(attributes.get(key))
            if speed is not None:
                labels[key] = speed
        if not told and len(set(labels.values())) == 1:
            self.by_label += 1
            told = [_Told(*next(iter(labels.items())))]
        elif told and any(not math.isclose(speed, told[0].gbps, rel_tol=_SPREAD) for speed in labels.values()):
            self.contradicted += 1
        return told


def _capacity_kind(key: str, keys: Mapping[str, None]) -> tuple[float | None, str | None] | None:
    """Gbps of one of an attribute, and the attribute that has its unit; None for what is no capacity."""
    if key == "LinkSpeedRaw":
        return 1e-9, None
    found = _CAPACITY.match(key)
    if found is None:
        return None
    rest = found["rest"]
    if rest:
        unit = unit_gbps(rest.upper() if key.isupper() else rest)
        if unit is None and unit_gbps(rest.lower()) is not None:
            return None, None  # bits or bytes
        return None if unit is None else (unit, None)
    beside = [name for name in keys if re.fullmatch(re.escape(key) + r"[ _-]?units?", name, re.IGNORECASE)]
    return None, (beside[0] if beside else None)


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _rate(value: object, factor: float | None, name: str = "it") -> float | None:
    """Gbps of a value; None for a bare number of unknown unit."""
    number = _number(value)
    if number is None:
        try:
            number, factor = parse_speed_gbps(value), 1.0
        except ValueError:
            raise ValueError(f"{name} is {shown(value)}, not a capacity") from None
    if number < 0:
        raise ValueError(f"{name} is {shown(value)}, not a number from 0 up")
    return None if factor is None else number * factor


def _number(value: object) -> float | None:
    """The finite number of a value, also in quotes."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _speed_of_label(value: object) -> float | None:
    """The speed that a label is, such as ``10 Gbps``; None for others, such as ``fibre`` and ``10-20Gbps``."""
    if not isinstance(value, str) or not re.search(r"\d\s*[A-Za-z]", value):
        return None
    try:
        return parse_speed_gbps(value)
    except ValueError:
        return None


def _capacities(
    edges: list[GraphEdge], graph: ForeignGraph, declared: DeclaredFields, asked: Asked, findings: Findings
) -> tuple[dict[int, float], list[GraphEdge], Untold]:
    """Capacity of every sound edge, and why those that are not-a-number are not known."""
    reader = _CapacityReader(edges, asked)
    capacities: dict[int, float] = {}
    kept = []
    used: Counter[str] = Counter()
    for edge in edges:
        try:
            told = reader.of(edge)
        except ValueError as error:
            hint = "a number from 0 up" if reader.asked is None else "leave the attribute out of edges that have none"
            _problem(edge, str(error), findings, code="FP6005", hint=hint)
            continue
        odd = next((row for row in told if not math.isclose(row.gbps, told[0].gbps, rel_tol=_SPREAD)), None)
        if odd is not None:
            message = f"{told[0].name} says {precise_gbps(told[0].gbps)}, {odd.name} says {precise_gbps(odd.gbps)}"
            _problem(edge, message, findings, code="FP6007", hint=f"choose one: {CAPACITY_KEY}")
            continue
        capacities[id(edge)] = told[0].gbps if told else math.nan
        if told:
            used[told[0].name] += 1
        kept.append(edge)
    others = {key: count for key, count in used.items() if key != "capacity_gbps"}
    if others and not graph.ours:
        said = ", ".join(f"{key} of {several(count, 'edge')}" for key, count in others.items())
        findings.note(f"capacities are from {said}")
    if reader.contradicted:
        findings.note(
            f"labels of {several(reader.contradicted, 'edge')} say another speed than the capacity, which is taken"
        )
    line = next((edge.line for edge in kept if math.isnan(capacities[id(edge)])), None)
    untold = Untold(line)
    if reader.without_unit:
        key, count = reader.without_unit.most_common(1)[0]
        treated = declared.of(f"edge {key}") or declared.of(f"edge {key.lower()}")
        effect = treated.effect if treated is not None and treated.treatment == REFUSED else _NO_UNIT
        untold = Untold(line, f"edge {key}: {effect}")
        findings.note(f"edge {key}: {effect}; left out of {several(count, 'edge')}")
    return capacities, kept, untold


# ---- the rest -----------------------------------------------------------------------------------------------------


def _with_numbers(edges: list[GraphEdge], asked: Asked, findings: Findings) -> list[GraphEdge]:
    """Edges whose columns are numbers; numbers in quotes are taken, and what is a capacity is no column."""
    kept = []
    for edge in edges:
        wrong = ""
        if asked.capacity is not None:
            edge.attributes.pop(asked.capacity.attribute, None)
        for key in _EDGE_REAL:
            value = edge.attributes.get(key)
            if _empty(value):
                edge.attributes.pop(key, None)
            elif isinstance(value, float) and math.isnan(value) and key in ("length_m", "delay_us"):
                continue  # not known
            elif (number := _number(value)) is None:
                wrong = wrong or f"{key} is {shown(value)}, not a number"
            else:
                edge.attributes[key] = number
        up = edge.attributes.get("up")
        if isinstance(up, str) and up.lower() in ("true", "false"):
            edge.attributes["up"] = up.lower() == "true"
        elif up is not None and not isinstance(up, bool):
            wrong = wrong or f"up is {shown(up)}, not true or false"
        if not wrong and edge.attributes.get("weight", 1.0) <= 0:
            wrong = f"weight is {shown(edge.attributes['weight'])}, not a number above 0"
        if wrong:
            _problem(edge, wrong, findings, code="FP6005")
        else:
            kept.append(edge)
    return kept


def _node_attributes(graph: ForeignGraph, edges: Sequence[GraphEdge], findings: Findings) -> list[dict[str, Any]]:
    """Attributes of every node as the adapter takes them: roles from what the file calls nodes."""
    roles = [_role(node.attributes, _kind_key(graph)) for node in graph.nodes]
    segments = [_flagged(node.attributes.get("hyperedge")) for node in graph.nodes]
    if any(segments):
        findings.note(
            f"node hyperedge: {several(sum(segments), 'shared segment')}, which forward and start no demand; "
            "each edge is a cable of its own"
        )
    hosts = any(role in ENDPOINT_ROLES for role in roles)
    cables: Counter[Hashable] = Counter()
    for edge in edges:
        cables.update((edge.source, edge.target) if not edge.directed else (edge.source,))
    rows = []
    for node, role, segment in zip(graph.nodes, roles, segments, strict=True):
        kept: dict[str, Any] = {}
        for key in (*_NODE_WHOLE, "forwards"):
            value = node.attributes.get(key)
            if _empty(value):
                continue
            number = _number(value)
            kept[key] = (
                value if number is None or isinstance(value, bool) else int(number) if number % 1 == 0 else value
            )
            if key == "forwards" and isinstance(value, str):
                kept[key] = {"true": True, "false": False}.get(value.lower(), value)
        if role:
            kept["role"] = role
        if segment:
            kept = {"role": "segment", "nics": 0, "forwards": True, **kept}
        if hosts and not graph.ours and not segment:
            usual = cables[node.id] if role in ENDPOINT_ROLES else int((role or ROUTER) == ROUTER)
            kept.setdefault("nics", usual)
        rows.append(kept)
    return rows


def _kind_key(graph: ForeignGraph) -> str | None:
    """The attribute that tells what nodes are, where all its values are known words."""
    for key in _KINDS:
        values = {str(node.attributes[key]).strip().lower() for node in graph.nodes if key in node.attributes}
        if values and values <= set(_ROLE_OF):
            return key
    return None


def _role(attributes: Mapping[str, Any], kind_key: str | None) -> str:
    if not _empty(attributes.get("role")):
        return str(attributes["role"])
    word = str(attributes.get(kind_key, "")).strip().lower() if kind_key is not None else ""
    return _ROLE_OF.get(word) or word


def _flagged(value: object) -> bool:
    return value in (1, True, "1", "true", "True")


def _arcs(
    edges: list[GraphEdge], graph: ForeignGraph, asked: Asked, findings: Findings
) -> list[tuple[GraphEdge, bool, int, int]]:
    """Directed links as (edge, turned, key, key of the other direction or -1)."""
    ours = _own_keys(edges)
    if ours is not None and asked.directions is None:
        return [(edge, False, key, int(edge.attributes["reverse"])) for edge, key in zip(edges, ours, strict=True)]
    rows = {node.id: row for row, node in enumerate(graph.nodes)}
    directed = [edge for edge in edges if edge.directed]
    mates = pair_directions([rows[edge.source] for edge in directed], [rows[edge.target] for edge in directed])
    mate_of = {id(edge): int(mate) for edge, mate in zip(directed, mates.tolist(), strict=True)}
    both = _both_ways(directed, mates, graph, asked, findings, mixed=len(directed) < len(edges))
    key_of: dict[int, int] = {}
    arcs: list[tuple[GraphEdge, bool, int, int]] = []
    for edge in edges:
        key = len(arcs)
        key_of[id(edge)] = key
        mate = mate_of.get(id(edge), -1)
        if edge.directed and (mate >= 0 or not both):
            arcs.append((edge, False, key, -1))
        else:
            arcs += [(edge, False, key, key + 1), (edge, True, key + 1, key)]
    paired = {id(edge): key_of[id(directed[mate])] for edge in directed if (mate := mate_of[id(edge)]) >= 0}
    return [
        (edge, turned, key, paired.get(id(edge), mate) if edge.directed else mate) for edge, turned, key, mate in arcs
    ]


def _own_keys(edges: Sequence[GraphEdge]) -> list[int] | None:
    """Keys of edges that name their other direction by it, as we write them."""
    keys = [_whole(edge.key) for edge in edges]
    known = [key for key in keys if key is not None]
    told = all(edge.directed and _whole(edge.attributes.get("reverse")) is not None for edge in edges)
    return known if edges and told and len(set(known)) == len(edges) else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return int(value) if isinstance(value, int) or re.fullmatch(r"-?\d{1,18}", value) else None


def _both_ways(
    directed: Sequence[GraphEdge], mates: Any, graph: ForeignGraph, asked: Asked, findings: Findings, *, mixed: bool
) -> bool:
    """Whether edges of one direction are cables of both."""
    alone = int((np.asarray(mates) < 0).sum())
    if not alone:
        return False
    if asked.directions is not None:
        return asked.directions == "both"
    key = "directions: as-written, or --directions as-written"
    if graph.drawn:
        findings.note(
            f"{graph.drawn} draws every edge with a direction; both are taken of {several(alone, 'edge')} ({key})"
        )
        return True
    if alone == len(directed) and not mixed:
        first = directed[0]
        raise FormatError(
            f"no edge of the directed graph has its other direction, such as {_id_text(first.target)} -> "
            f"{_id_text(first.source)}",
            file=findings.file,
            line=first.line,
            hint="directions: both beside path (--directions both) makes cables of them, as-written links of one way",
            code="FP6007",
        )
    findings.note(
        f"links of one way: {several(alone, 'edge')} without the other direction (directions: both makes cables)"
    )
    return False


def _say(
    graph: ForeignGraph, edges: Sequence[GraphEdge], declared: DeclaredFields, asked: Asked, findings: Findings
) -> None:
    """Notes on attributes that are left out or taken for something."""
    kind_key = _kind_key(graph)
    present: dict[str, None] = {}
    for key, value in graph.attributes.items():
        if not _empty(value) and value not in ([], {}):
            present[f"graph {key}"] = None
    for node in graph.nodes:
        for key, value in node.attributes.items():
            if not _empty(value) and not (key == "Internal" and _number(value) != 0):
                present[f"node {key}"] = None
    chosen = asked.capacity.attribute if asked.capacity is not None else None
    for edge in edges:
        for key, value in edge.attributes.items():
            if not _empty(value) and key != chosen and (key == "LinkSpeedRaw" or not _CAPACITY.match(key)):
                present[f"edge {key}"] = None
    odd = [key for key in _KINDS if f"node {key}" in present and key != kind_key]
    findings.note(*declared.notes(present))
    if odd:
        values = sorted({str(node.attributes[odd[0]]) for node in graph.nodes if odd[0] in node.attributes})
        findings.note(f"node {odd[0]}: not roles that are known, such as {shown(values[0])}; left out")
    if graph.ours or chosen == "weight":
        return
    if len({edge.attributes.get("weight", 1.0) for edge in edges}) > 1:
        findings.note("edge weight: taken as the routing metric, lower is preferred")
