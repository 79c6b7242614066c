"""Fields of GraphML and node-link: the attributes both share, and what is each format's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from feeding import Feed, Outcome, ReaderFeeds

from topologies.format_registry import FORMATS, import_topology
from topologies.reading.asked import NOTHING_ASKED, Asked, CapacityAttribute
from topologies.reading.fields import DECLARED


@dataclass(frozen=True)
class Document:
    """A graph a - b - c in neither format yet; what is set is laid over it."""

    node: Mapping[str, Any] = field(default_factory=dict)  # attributes of a
    edge: Mapping[str, Any] = field(default_factory=lambda: {"capacity_gbps": 10.0})  # of a - b
    graph: Mapping[str, Any] = field(default_factory=dict)
    directed: bool = False
    more: str = ""  # GraphML: inside the graph
    top: Mapping[str, Any] = field(default_factory=dict)  # node-link
    ends: tuple[str, str] = ("a", "b")
    edge_xml: str = ""
    asked: Asked = NOTHING_ASKED
    second: bool = False  # another edge a - b
    key: str = "edges"


def graphml(document: Document) -> str:
    """The document as GraphML."""
    keys: dict[tuple[str, str], str] = {}

    def data(owner: str, attributes: Mapping[str, Any]) -> str:
        parts = []
        for name, value in attributes.items():
            key = keys.setdefault((owner, name), f"k{len(keys)}")
            parts.append(f'<data key="{key}">{escape(value if isinstance(value, str) else json.dumps(value))}</data>')
        return "".join(parts)

    xml, a, b = document.edge_xml, *document.ends
    body = [
        data("graph", document.graph),
        f'<node id="a">{data("node", document.node)}</node><node id="b"/><node id="c"/>',
        f'<edge id="0" source="{a}" target="{b}"{xml}>{data("edge", document.edge)}</edge>',
        f'<edge id="1" source="b" target="c">{data("edge", {"capacity_gbps": 10.0})}</edge>',
        f'<edge id="2" source="c" target="b">{data("edge", {"capacity_gbps": 10.0})}</edge>' * document.directed,
        document.more,
    ]
    kind = "directed" if document.directed else "undirected"
    declared = "".join(
        f'<key id="{key}" for="{owner}" attr.name="{escape(name)}" attr.type="string"/>'
        for (owner, name), key in keys.items()
    )
    return f'<graphml>{declared}<graph edgedefault="{kind}">{"".join(body)}</graph></graphml>'


def node_link(document: Document) -> str:
    """The document as node-link data."""
    a, b = document.ends
    edge = {"source": a, "target": b, **document.edge}
    rest = [{"source": "b", "target": "c", "capacity_gbps": 10.0}]
    if document.directed:
        rest.append({"source": "c", "target": "b", "capacity_gbps": 10.0})
    data = {
        "directed": document.directed,
        "multigraph": True,
        "graph": {
            key: json.loads(value) if key in ("roles", "tiers") else value for key, value in document.graph.items()
        },
        "nodes": [{"id": "a", **document.node}, {"id": "b"}, {"id": "c"}],
        document.key: [edge, *[edge] * document.second, *rest],
        **document.top,
    }
    return json.dumps(data)


def outcome(name: str, text: str, asked: Asked, folder: Path) -> Outcome:
    """What a reader makes of a text."""
    path = folder / "net.txt"
    path.write_text(text)
    found = import_topology(path, name, strict=True, asked=asked)
    net = found.topology
    columns = [(net.name, net.kind, net.roles, net.tiers, net.nodes.name, net.up.tolist())]
    columns += [tuple(map(repr, getattr(part, key).tolist())) for part, keys in (
        (net.nodes, ("role", "level", "nics", "radix", "pod", "unit", "rail", "plane", "forwards")),
        (net.links, ("src", "dst", "capacity_gbps", "weight", "tier", "src_ports", "length_m", "delay_us", "reverse")),
    ) for key in keys]  # fmt: skip
    return Outcome(columns, found.notes)


PLAIN = Document()
VALUES: dict[str, Any] = {
    "node role": "host", "node type": "server", "node kind": "host", "node device_type": "host",
    "node node_type": "host", "node hyperedge": 1, "node forwards": False, "node nics": 4,
    "edge up": False, "edge tier": "mine", "edge weight": 3, "node Internal": 0, "edge reverse": 1,
}  # fmt: skip
MODELLED_EDGES = {
    "edge LinkSpeedRaw": {"LinkSpeedRaw": 25e9}, "edge LinkSpeedUnits": {"LinkSpeed": "25", "LinkSpeedUnits": "G"},
    "edge capacity_gbps": {"capacity_gbps": 25},
    **{f"edge {word}_*": {f"{word}_mbps": 25000}
       for word in ("capacity", "bandwidth", "bw", "speed", "rate", "throughput", "datarate")},
    **{f"edge {word}": {word: "25G"} for word in
       ("label", "Label", "LinkLabel", "EdgeLabel", "Edge Label", "name")},
}  # fmt: skip


def feed(name: str, treatment: str) -> Feed:
    """A feed of a shared attribute."""
    owner, _, key = name.partition(" ")
    if name in MODELLED_EDGES:
        return Feed(PLAIN, Document(edge=MODELLED_EDGES[name]))
    if treatment == "refused":
        asked = Asked(CapacityAttribute(attribute=key, unit="Mbps"))
        return Feed(PLAIN, Document(edge={key: 5}), Document(edge={key: 5}, asked=asked))
    value = VALUES.get(name, 2 if treatment == "modelled" and owner == "edge" else 3 if owner == "node" else "word")
    if name in ("edge src_ports", "edge length_m", "edge delay_us"):
        value = 0.5
    key = key.replace("*", "_of_it")
    if (
        name.startswith("node ")
        and treatment == "modelled"
        and key.lower().replace(" ", "") in ("label", "name", "nodelabel")
    ):
        value = "Oslo"
    if owner == "graph" and key in ("roles", "tiers", "demands", "stats"):
        value = '["x"]' if key in ("roles", "tiers") else "{1}"
    if owner == "edge":
        return Feed(PLAIN, replace(PLAIN, edge={**PLAIN.edge, key: value}))
    return Feed(PLAIN, replace(PLAIN, **{owner: {key: value}}))


def turned(name: str, *, told: bool) -> str:
    """Two edges a -> b and two b -> a; the first of one is the other direction of the second of the other."""
    mates = (3, 2, 1, 0)
    rows = [("a", "b"), ("a", "b"), ("b", "a"), ("b", "a")]
    if name == "node-link":
        edges = [
            {"source": a, "target": b, "key": key, "capacity_gbps": 1} | ({"reverse": mates[key]} if told else {})
            for key, (a, b) in enumerate(rows)
        ]
        return json.dumps({"directed": True, "nodes": [{"id": "a"}, {"id": "b"}], "edges": edges})
    body = "".join(
        f'<edge id="{key}" source="{a}" target="{b}"><data key="c">1</data>'
        + (f'<data key="r">{mates[key]}</data>' if told else "") + "</edge>"
        for key, (a, b) in enumerate(rows)
    )  # fmt: skip
    return (
        '<graphml><key id="c" for="edge" attr.name="capacity_gbps" attr.type="double"/>'
        '<key id="r" for="edge" attr.name="reverse" attr.type="int"/>'
        f'<graph edgedefault="directed"><node id="a"/><node id="b"/>{body}</graph></graphml>'
    )


def graph_feeds(name: str) -> dict[str, Feed]:
    """Feeds of what both formats share."""
    shared = [entry for entry in DECLARED["topology format", name] if entry.name.partition(" ")[0] in OWNERS]
    feeds = {entry.name: feed(entry.name, entry.treatment) for entry in shared if " " in entry.name}
    feeds["edge reverse"] = Feed(turned(name, told=False), turned(name, told=True))
    return feeds


def reader(name: str, text_of: Callable[[Document], str]) -> Callable[[Any, Path], Outcome]:
    """How documents become answers."""

    def read(document: Any, folder: Path) -> Outcome:
        if isinstance(document, str):
            return outcome(name, document, NOTHING_ASKED, folder)
        return outcome(name, text_of(document), document.asked, folder)

    return read


OWNERS = ("node", "edge", "graph")
FORMATS["graphml"], FORMATS["node-link"]  # declares the fields
GRAPHML = {
    "graph@edgedefault": Feed(PLAIN, replace(PLAIN, directed=True)),
    "edge@directed": Feed(PLAIN, replace(PLAIN, edge_xml=' directed="true"')),
    "<hyperedge>": Feed(PLAIN, replace(PLAIN, more='<hyperedge><endpoint node="a"/></hyperedge>')),
    "<graph> in <node>": Feed(
        PLAIN, replace(PLAIN, more='<node id="g"><graph edgedefault="undirected"></graph></node>')
    ),
    "edge@sourceport": Feed(PLAIN, replace(PLAIN, edge_xml=' sourceport="1"')),
    "edge@targetport": Feed(PLAIN, replace(PLAIN, edge_xml=' targetport="1"')),
    "<port>": Feed(replace(PLAIN, more='<node id="d"/>'), replace(PLAIN, more='<node id="d"><port name="1"/></node>')),
}
LINKS = {
    "directed": Feed(PLAIN, replace(PLAIN, directed=True)),
    "multigraph": Feed(
        replace(PLAIN, second=True), replace(PLAIN, second=True, top={"multigraph": False}), raises=True
    ),
    "nodes": Feed(PLAIN, replace(PLAIN, top={"nodes": [{"id": name} for name in "abcd"]})),
    "edges": Feed(PLAIN, replace(PLAIN, top={"edges": []})),
    "links": Feed(replace(PLAIN, key="links"), replace(PLAIN, key="links", top={"links": []})),
    "graph": Feed(PLAIN, PLAIN),
    "adjacency": Feed(PLAIN, replace(PLAIN, top={"adjacency": []})),
    "hyperedges": Feed(PLAIN, replace(PLAIN, top={"hyperedges": []})),
}
UNKNOWN = Feed(PLAIN, replace(PLAIN, edge={**PLAIN.edge, "zz_unheard_of": 1}))
READERS = [
    ReaderFeeds(
        "topology format", "graphml", reader("graphml", graphml), {**graph_feeds("graphml"), **GRAPHML}, UNKNOWN
    ),
    ReaderFeeds(
        "topology format", "node-link", reader("node-link", node_link), {**graph_feeds("node-link"), **LINKS}, UNKNOWN
    ),
]
