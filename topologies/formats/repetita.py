"""``repetita``: the ``.graph`` text files of the REPETITA traffic-engineering collection.

    NODES 2
    label x y
    Seattle -122.3 47.6
    Denver -105.0 39.7

    EDGES 2
    label src dest weight bw delay
    edge_0 0 1 2095 9953280 8200
    edge_1 1 0 2095 9953280 8200

``src`` and ``dest`` count nodes from 0, ``bw`` is kbit/s, ``delay`` µs one way. Edges are directed: the k-th edge u to
v and the k-th edge v to u become one cable, also when their figures differ. Every node is a router where demand may
start. The format knows no roles, tiers, ports, lengths, or links that are down; the coordinates are not kept.

References
----------
S. Gay, P. Schaus, S. Vissicchio, "REPETITA: Repeatable Experiments for Performance Evaluation of Traffic-Engineering
Algorithms", arXiv:1710.08665, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from topologies.columns import Floats
from topologies.format_registry import Imported, TopologyFormat, cannot_say, sound_lines
from topologies.graph_attributes import numbered, several
from topologies.reading.fields import HARMLESS, MODELLED, DeclaredFields, Field
from topologies.reading.text_input import Findings, number, read_text, shown, words_of
from topologies.tables import ROUTER, pair_directions, topology_of_tables
from topologies.topology import Topology

_KBPS_PER_GBPS = 1e6

FIELDS = DeclaredFields(
    "topology format",
    "repetita",
    "arXiv:1710.08665, section 3",
    (
        Field("node label", MODELLED, "name of the node; repeats get ~2, which is said"),
        Field("node x", HARMLESS, "drawing"),
        Field("node y", HARMLESS, "drawing"),
        Field("edge label", HARMLESS, "links go by their ends"),
        Field("edge src", MODELLED, "node it leaves, counted from 0"),
        Field("edge dest", MODELLED, "node it enters, counted from 0"),
        Field("edge weight", MODELLED, "routing metric"),
        Field("edge bw", MODELLED, "capacity of one direction, kbit/s"),
        Field("edge delay", MODELLED, "propagation delay, µs"),
    ),
    unknown="refused",
)
_NODE_HEADER = tuple(field.name.removeprefix("node ") for field in FIELDS if field.name.startswith("node "))
_EDGE_HEADER = tuple(field.name.removeprefix("edge ") for field in FIELDS if field.name.startswith("edge "))

Words = list[tuple[int, str]]
Row = tuple[int, Words]


def read(path: Path, skip: frozenset[int] = frozenset()) -> Imported:
    """Read a ``.graph`` file, without the edges on the lines ``skip``."""
    findings = Findings(path)
    lines = [(row, words_of(line)) for row, line in enumerate(read_text(path).split("\n"), start=1)]
    rows = iter([(line, words) for line, words in lines if words and line not in skip])
    nodes, after = _section(rows, next(rows, None), "NODES", _NODE_HEADER, findings)
    edges, extra = _section(rows, after, "EDGES", _EDGE_HEADER, findings, left_out=len(skip))
    if extra is not None:
        line, words = extra
        message = f"{shown(words[0][1])} after the edges; the file ends there"
        findings.add(message, code="FP6003", line=line, column=words[0][0])
    given = [_node(line, words, findings) for line, words in nodes]
    labels = numbered(given)
    values = [edge for line, words in edges if (edge := _edge(line, words, len(nodes), findings)) is not None]
    if not nodes and not findings:
        findings.add("the file has no nodes", code="FP6004", line=1)
    findings.finish()
    src, dst, weight, kbps, delay_us = (list(cells) for cells in zip(*values, strict=True)) if values else ([],) * 5
    reverse = pair_directions(np.asarray(src, np.int64), np.asarray(dst, np.int64))
    repeats = [(old, new) for old, new in zip(given, labels, strict=True) if old != new]
    if repeats:
        old, new = repeats[0]
        findings.note(f"names that repeat: {several(len(repeats), 'node')}; the second {old} is {new}")
    if (alone := int((reverse < 0).sum())) > 0:
        findings.note(f"links of one way: {several(alone, 'edge')} without the other direction")
    built = topology_of_tables(
        path.stem,
        "file",
        names=labels,
        roles=[ROUTER] * len(labels),
        nodes={},
        links={
            "src": np.asarray(src, np.int32),
            "dst": np.asarray(dst, np.int32),
            "capacity_gbps": np.asarray(kbps, np.float64) / _KBPS_PER_GBPS,
            "weight": weight,
            "delay_us": delay_us,
        },
        tiers=[None] * len(src),
        reverse=reverse,
    )
    return Imported(built, (), findings.notes)


def _section(
    rows: Iterator[Row],
    first: Row | None,
    title: str,
    header: tuple[str, ...],
    findings: Findings,
    *,
    left_out: int = 0,
) -> tuple[list[Row], Row | None]:
    """The rows of one section, and the row that ended it."""
    if first is None or first[1][0][1] != title:
        found = "the end of the file" if first is None else shown(first[1][0][1])
        line, column = (None, None) if first is None else (first[0], first[1][0][0])
        hint = f"the sections are 'NODES n' and 'EDGES m'; {title} is missing here"
        findings.add(f"expected '{title} n', found {found}", code="FP6003", line=line, column=column, hint=hint)
        raise findings.error()
    line, words = first
    count = _count(words[1][1]) if len(words) == 2 else None
    if count is None:
        column, text = (words[1][0], shown(words[1][1])) if len(words) > 1 else (None, "nothing")
        findings.add(f"{title} says {text}, not how many rows follow", code="FP6005", line=line, column=column)
    heading = next(rows, None)
    if heading is None or tuple(word for _, word in heading[1]) != header:
        found = "the end of the file" if heading is None else shown(" ".join(word for _, word in heading[1]))
        message = f"expected the header '{' '.join(header)}' after {title}, found {found}"
        findings.add(message, code="FP6003", line=line + 1 if heading is None else heading[0])
        raise findings.error()
    body: list[Row] = []
    after = None
    for row in rows:
        if row[1][0][1] in ("NODES", "EDGES") and len(row[1]) <= 2:
            after = row
            break
        body.append(row)
    if count is not None and count != len(body) + left_out:
        message = f"{title} says {count} rows, {len(body)} follow"
        findings.add(
            message, code="FP6004", line=line, column=words[1][0], hint="correct the count, or find the lost row"
        )
    return body, after


def _count(word: str) -> int | None:
    """The count a word stands for, None when it is none; ten digits are more nodes than anyone has."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 10 else None


def _fields(line: int, words: Words, header: tuple[str, ...], findings: Findings) -> bool:
    if len(words) == len(header):
        return True
    hint = "labels hold no spaces: write New_York" if len(words) > len(header) else "write 0 for what is not known"
    message = f"{len(words)} fields, a row has {len(header)}: {' '.join(header)}"
    findings.add(message, code="FP6004", line=line, column=words[0][0], hint=hint)
    return False


def _number(line: int, word: tuple[int, str], what: str, low: float, findings: Findings, rule: str, hint: str) -> float:
    """A number of a row that is at least ``low``; nan after a problem."""
    value = number(word[1])
    if value is None or value < low:
        message = f"{what} is {shown(word[1])}; it is {rule}"
        findings.add(message, code="FP6005", line=line, column=word[0], length=len(word[1]), hint=hint)
        return math.nan
    return value


def _node(line: int, words: Words, findings: Findings) -> str:
    if _fields(line, words, _NODE_HEADER, findings):
        for key, word in zip(("x", "y"), words[1:], strict=True):
            _number(line, word, key, -math.inf, findings, "a coordinate", "write 0 when it is not known")
    return words[0][1]


def _edge(line: int, words: Words, nodes: int, findings: Findings) -> tuple[int, int, float, float, float] | None:
    if not _fields(line, words, _EDGE_HEADER, findings):
        return None
    ends = []
    for key, (column, word) in zip(("src", "dest"), words[1:3], strict=True):
        end = _count(word)
        if end is None or end >= nodes:
            message = f"{key} is {shown(word)}; it is the number of a node, from 0 to {nodes - 1}"
            hint = "nodes are counted in the order of the NODES section, from 0"
            findings.add(message, code="FP6006", line=line, column=column, length=len(word), hint=hint)
        ends.append(-1 if end is None else end)
    if ends[0] == ends[1] != -1:
        message = f"edge {words[0][1]} joins node {ends[0]} to itself"
        findings.add(message, code="FP6007", line=line, column=words[1][0], hint="remove the edge")
    weight = _number(line, words[3], "weight", 0.0, findings, "a number above 0", "write 1 for equal weights")
    if weight == 0:
        message = "weight is 0; it is a number above 0"
        findings.add(message, code="FP6005", line=line, column=words[3][0], hint="write 1 for equal weights")
    kbps = _number(line, words[4], "bw", 0.0, findings, "a number in kbit/s", "10 Gb/s is 10000000")
    delay_us = _number(
        line, words[5], "delay", 0.0, findings, "a number of microseconds", "write 0 when it is not known"
    )
    return ends[0], ends[1], weight, kbps, delay_us


def write(topology: Topology, path: Path) -> None:
    """Write a ``.graph`` file: the links that are up, bandwidths in kbit/s, unknown delays as 0.

    Nodes lose their roles: all become routers. A host on several switches would then carry traffic of others, so a
    topology with one is refused. Spaces in names become ``_``.
    """
    nodes, links = topology.nodes, topology.links
    live = np.flatnonzero(topology.up)
    pairs = np.unique(np.stack((links.src[live], links.dst[live])), axis=1)
    homes = np.bincount(pairs[0], minlength=len(nodes)) if len(live) else np.zeros(len(nodes), np.int64)
    bent = np.flatnonzero(~nodes.forwards & (homes > 1))
    if len(bent):
        name = nodes.name[int(bent[0])]
        raise cannot_say("repetita", f"that {name}, which is attached to several switches, forwards for nobody")
    labels = numbered(["_".join(name.split()) or "node" for name in nodes.name])
    rows = zip(
        links.src[live].tolist(),
        links.dst[live].tolist(),
        map(_digits, links.weight[live].tolist()),
        map(_digits, _kbps(links.capacity_gbps[live])),
        map(_digits, np.nan_to_num(links.delay_us[live], nan=0.0).tolist()),
        strict=True,
    )
    text = [f"NODES {len(labels)}", " ".join(_NODE_HEADER), *(f"{label} 0 0" for label in labels)]
    text += ["", f"EDGES {len(live)}", " ".join(_EDGE_HEADER)]
    text += [f"edge_{row} {' '.join(map(str, cells))}" for row, cells in enumerate(rows)]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def _kbps(capacity_gbps: Floats) -> list[float]:
    """Gbps in kbit/s, whole where only the rounding of the factor keeps it from being so."""
    kbps = capacity_gbps * _KBPS_PER_GBPS
    whole = np.rint(kbps)
    exact: list[float] = np.where(np.abs(kbps - whole) <= 1e-15 * whole, whole, kbps).tolist()
    return exact


def _digits(value: float) -> str:
    """The shortest exact text of a number; whole numbers without a point, as the collection's own reader wants."""
    return str(int(value)) if value.is_integer() else repr(value)


def _first_edge(path: Path) -> int:
    """The line after the header of the edges; nodes go by number, so that none can be left out."""
    lines = read_text(path).split("\n")
    return next((number for number, line in enumerate(lines, 1) if line.split()[:1] == ["EDGES"]), len(lines)) + 2


def read_sound(path: Path) -> Imported:
    """Read what is sound of the edges."""
    return sound_lines(read, path, _first_edge)


SUMMARY = "Wide-area networks of the REPETITA collection"
FORMAT = TopologyFormat("repetita", (".graph",), read, write, read_sound, tells_nodes=True)
