"""``sndlib``: networks of SNDlib, XML or native text; read only. Demands of the same file are a workload's.

Every node is a router. A link is a cable of both directions: its capacity is what is installed, or, where nothing is,
the largest module; values are taken as Mbit/s, since SNDlib gives no unit. A document type in the XML is refused.

References
----------
Orlowski et al., "SNDlib 1.0", Networks 55(3), 2010; sndlib.zib.de, "Network format".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import numpy as np

from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, both_ways
from topologies.tables import ROUTER, topology_of_tables
from topologies.text_input import Findings, number, read_bytes, shown
from topologies.topology import Topology

_GBPS = 1e-3
# id ( source target ) pre_cap pre_cost routing_cost setup_cost ( {module_cap module_cost}* )
_LINK = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\(\s*([^()]*)\)\s*(?:#.*)?$")
_NODE = re.compile(r"^\s*(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s*(?:#.*)?$")


@dataclass
class _Link:
    name: str
    ends: tuple[str, str]
    installed: str | None
    modules: tuple[str, ...]
    line: int


def _xml(path: Path, data: bytes) -> tuple[list[tuple[str, int]], list[_Link]]:
    """Nodes and links with their lines, in one pass that expands nothing."""
    nodes: list[tuple[str, int]] = []
    links: list[_Link] = []
    texts: dict[str, list[str]] = {}
    stack: list[str] = []
    text: list[str] = []
    open_link: list[tuple[str, int]] = []
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise FormatError(
            "a document type or entity declaration is refused",
            file=str(path),
            line=parser.CurrentLineNumber,
            hint="remove the DOCTYPE: SNDlib needs none, and entities can hide gigabytes or other files",
            code="FP6008",
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit(":", 1)[-1]
        stack.append(name)
        text.clear()
        if name == "node":
            nodes.append((attributes.get("id", ""), parser.CurrentLineNumber))
        elif name == "link":
            texts.clear()
            open_link[:] = [(attributes.get("id", ""), parser.CurrentLineNumber)]

    def end(_: str) -> None:
        name = stack.pop()
        if name == "link" and open_link:
            ends = (texts.get("source", [""])[0], texts.get("target", [""])[0])
            installed = texts.get("preInstalledModule", [None])[0] if "preInstalledModule" in texts else None
            links.append(_Link(open_link[0][0], ends, installed, tuple(texts.get("module", [])), open_link[0][1]))
            open_link.clear()
        elif name in ("source", "target") and "link" in stack:
            texts.setdefault(name, []).append("".join(text).strip())
        elif name == "capacity" and stack:
            key = "preInstalledModule" if stack[-1] == "preInstalledModule" else "module"
            texts.setdefault(key, []).append("".join(text).strip())
        text.clear()

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        message = f"not XML: {expat.ErrorString(error.code)}"
        raise FormatError(message, file=str(path), line=error.lineno, column=error.offset + 1, code="FP6003") from error
    return nodes, links


def _native(text: str, findings: Findings) -> tuple[list[tuple[str, int]], list[_Link]]:
    nodes: list[tuple[str, int]] = []
    links: list[_Link] = []
    section = ""
    for row, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", "?")):
            continue
        if len(words) == 2 and words[1] == "(" and words[0].isupper():
            section = words[0]
        elif words == [")"]:
            section = ""
        elif section == "NODES":
            if found := _NODE.match(line):
                nodes.append((found[1], row))
            else:
                findings.add("a node is: id ( longitude latitude )", code="FP6004", line=row)
        elif section == "LINKS":
            if found := _LINK.match(line):
                links.append(_Link(found[1], (found[2], found[3]), found[4], tuple(found[8].split()[::2]), row))
            else:
                hint = "id ( source target ) pre_cap pre_cost routing_cost setup_cost ( module_cap module_cost ... )"
                findings.add("a link does not have the fields of one", code="FP6004", line=row, hint=hint)
    return nodes, links


def _capacity(link: _Link, findings: Findings) -> float | None:
    """Mbit/s: installed, else the largest module."""
    values = []
    for word in ([link.installed] if link.installed is not None else []) + list(link.modules):
        value = number(word)
        if value is None or value < 0:
            message = f"link {link.name} has the capacity {shown(word)}"
            findings.add(message, code="FP6005", line=link.line, hint="a number from 0 up")
            return None
        values.append(value)
    installed = values[0] if link.installed is not None and values else 0.0
    found = installed or max(values, default=0.0)
    if found <= 0:
        hint = "give it a pre-installed capacity or a module"
        findings.add(f"link {link.name} has no capacity", code="FP6004", line=link.line, hint=hint)
        return None
    return found


def _read(path: Path, findings: Findings) -> Topology:
    data = read_bytes(path)
    if data.lstrip().startswith(b"<"):
        listed, links = _xml(path, data)
    else:
        listed, links = _native(data.decode("utf-8", errors="replace"), findings)
    ids: dict[str, int] = {}
    for name, line in listed:
        if not name or name in ids:
            findings.add(f"two nodes are called {name!r}" if name else "a node without id", code="FP6007", line=line)
        ids.setdefault(name, len(ids))
    if not ids:
        hint = "the native format has NODES ( ... ), XML has networkStructure"
        raise FormatError("no nodes in the file", file=str(path), hint=hint, code="FP6004")
    return _topology(path.stem, ids, links, findings)


def _topology(name: str, ids: dict[str, int], links: Sequence[_Link], findings: Findings) -> Topology:
    ends, gbps = [], []
    for link in links:
        lost = next((end for end in link.ends if end not in ids), None)
        if lost is not None:
            findings.add(f"link {link.name} leads to {shown(lost)}, which is not a node", code="FP6006", line=link.line)
        elif link.ends[0] == link.ends[1]:
            findings.add(f"link {link.name} joins {link.ends[0]} to itself", code="FP6007", line=link.line)
        elif (capacity := _capacity(link, findings)) is not None:
            ends.append((ids[link.ends[0]], ids[link.ends[1]]))
            gbps.append(capacity * _GBPS)
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


read, read_sound = both_ways(_read)
SUMMARY = "Networks of SNDlib; read only"
FORMAT = TopologyFormat("sndlib", (".xml",), read, None, read_sound, tells_nodes=True)
