"""``json``: our own bulk format, one list per column. Keeps everything; not-a-number is null.

One column is one line, so that a problem can be found by its line.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from topologies.columns import column
from topologies.elements import Links, Nodes
from topologies.errors import FormatError, nearest_hint
from topologies.format_registry import TopologyFormat, cannot_say
from topologies.reading.fields import MODELLED, DeclaredFields, Field
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import Findings, read_text, shown
from topologies.topology import Topology

SCHEMA = "fabric-planner/topology/v1"

_INT32 = np.iinfo(np.int32)
_LARGEST = sys.float_info.max
_TOP = ("schema", "name", "kind", "roles", "tiers", "nodes", "links", "up")
_SECTIONS = ("nodes", "links")
_OPTIONAL = {"circuit": "whole", "src_port_names": "text"}  # columns over links that few topologies have
_NODES = {
    "name": "text",
    **dict.fromkeys(("role", "level", "pod", "unit", "rail", "plane", "radix", "nics"), "whole"),
    "forwards": "flag",
}
_LINKS = {
    **dict.fromkeys(("src", "dst"), "whole"),
    **dict.fromkeys(("capacity_gbps", "weight"), "number"),
    **dict.fromkeys(("tier", "reverse"), "whole"),
    "src_ports": "ports",
    **dict.fromkeys(("length_m", "delay_us"), "number"),
}
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a string", lambda value: type(value) is str),
    "whole": ("a whole number", lambda value: type(value) is int and _INT32.min <= value <= _INT32.max),
    "flag": ("true or false", lambda value: type(value) is bool),
    "ports": (
        "a finite number from 0 up",
        lambda value: type(value) in (int, float) and 0 <= value <= _LARGEST,
    ),
    "number": (
        "a finite number or null",
        lambda value: value is None or (type(value) in (int, float) and abs(value) <= _LARGEST),
    ),
}


FIELDS = DeclaredFields(
    "topology format",
    "json",
    "this page; every column is a list, with one value per node or per directed link",
    (
        Field("schema", MODELLED, f"{SCHEMA}; other versions are refused"),
        Field("name", MODELLED, "name of the network"),
        Field("kind", MODELLED, "kind of the network"),
        Field("roles", MODELLED, "words of the codes in nodes.role"),
        Field("tiers", MODELLED, "words of the codes in links.tier"),
        *(Field(f"nodes.{name}", MODELLED, "column of the nodes") for name in _NODES),
        *(Field(f"links.{name}", MODELLED, "column of the directed links") for name in _LINKS),
        Field("up", MODELLED, "which links are up"),
        *(Field(name, MODELLED, "optional column of the directed links") for name in _OPTIONAL),
    ),
    unknown="refused",
)


class _Document:
    """The parsed file, its text for finding lines, and what was wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = read_text(path)
        self.findings = Findings(path)

    def line(self, *keys: str) -> int | None:
        """Line of a key: the first after its section's key."""
        place = 0
        for key in keys:
            found = re.compile(rf'"{re.escape(key)}"\s*:').search(self.text, place)
            if found is None:
                return None
            place = found.start()
        return self.text.count("\n", 0, place) + 1

    def add(self, message: str, *keys: str, code: str = "FP6005", hint: str = "") -> None:
        self.findings.add(message, code=code, line=self.line(*keys), hint=hint)

    def parse(self) -> dict[str, Any]:
        """The JSON object of the file."""

        data = parse_json(self.text, str(self.path), code="FP6003", unique=True).value
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, dict) else None
            message = f"the schema is {shown(found)}, not {SCHEMA!r}" if found else "the file does not name a schema"
            hint = f'a topology file starts with {{"schema": "{SCHEMA}"}}; this version reads no other'
            if isinstance(data, dict) and "nodes" in data and ("links" in data or "edges" in data):
                hint = "it looks like node-link data: --from node-link, or format: node-link in a scenario"
            raise FormatError(message, file=str(self.path), line=self.line("schema") or 1, hint=hint, code="FP6009")
        return data

    def keys(self, data: dict[str, Any], known: tuple[str, ...], *section: str) -> None:
        """Report keys that are not declared or missing."""
        place = ".".join((*section, ""))
        for key in data:
            if f"{place}{key}" not in FIELDS and f"{place}{key}" not in _SECTIONS:
                hint = nearest_hint(key, known)
                self.add(f"unknown key {place}{key}", *section, key, code="FP6004", hint=hint)
        for key in known:
            if key not in data:
                self.add(f"the key {place}{key} is missing", *section, code="FP6004")

    def cells(self, values: Any, rule: str, count: int | None, *keys: str) -> list[Any]:
        """A list whose every value keeps the rule; an empty one after a problem."""
        place = ".".join(keys)
        wanted, fits = _RULES[rule]
        if not isinstance(values, list):
            self.add(f"{place} is {shown(values)}, not a list", *keys)
            return []
        if count is not None and len(values) != count:
            self.add(
                f"{place} has {len(values)} values, the first column of its section has {count}", *keys, code="FP6004"
            )
            return []
        wrong = [row for row, value in enumerate(values) if not fits(value)]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            message = f"{place}[{wrong[0]}] is {shown(values[wrong[0]])}, not {wanted}{more}"
            self.add(message, *keys, hint="counting from 0")
            return []
        return values

    def section(self, data: Any, rules: dict[str, str], name: str) -> dict[str, list[Any]]:
        """The columns of a section, all of one length."""
        if not isinstance(data, dict):
            self.add(f"{name} is {shown(data)}, not an object of columns", name)
            return {}
        self.keys(data, tuple(rules), name)
        first = data.get(next(iter(rules)))
        count = len(first) if isinstance(first, list) else None
        return {key: self.cells(data[key], rule, count, name, key) for key, rule in rules.items() if key in data}

    def inside(self, values: list[int], low: int, high: int, what: str, *keys: str) -> None:
        """Report the first value outside [low, high)."""
        for row, value in enumerate(values):
            if not low <= value < high:
                place = ".".join(keys)
                self.add(
                    f"{place}[{row}] is {value}, but there are {high} {what}",
                    *keys,
                    code="FP6006",
                    hint="ids count from 0",
                )
                return


def read(path: Path) -> Topology:
    """Read a topology in columns."""
    document = _Document(path)
    data = document.parse()
    document.keys({key: value for key, value in data.items() if key not in _OPTIONAL}, _TOP)
    for key in ("name", "kind"):
        if key in data and type(data[key]) is not str:
            document.add(f"{key} is {shown(data[key])}, not a string", key)
    roles = document.cells(data.get("roles", []), "text", None, "roles")
    tiers = document.cells(data.get("tiers", []), "text", None, "tiers")
    nodes = document.section(data.get("nodes", {}), _NODES, "nodes")
    links = document.section(data.get("links", {}), _LINKS, "links")
    count = len(nodes.get("name", ()))
    total = len(links.get("src", ()))
    up = document.cells(data.get("up", []), "flag", total if "up" in data else None, "up")
    optional = {
        key: document.cells(data[key], rule, total, key) for key, rule in _OPTIONAL.items() if data.get(key) is not None
    }
    document.findings.finish()

    names = nodes["name"]
    if len(set(names)) != count:
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        document.add(f"two nodes are called {twice!r}", "nodes", "name", code="FP6007", hint="names must be unique")
    document.inside(nodes["role"], 0, len(roles), "roles", "nodes", "role")
    document.inside(links["tier"], 0, len(tiers), "tiers", "links", "tier")
    for key in ("src", "dst"):
        document.inside(links[key], 0, count, "nodes", "links", key)
    document.inside(links["reverse"], -1, total, "links", "links", "reverse")
    document.inside(optional.get("circuit", []), -1, count, "nodes", "circuit")
    document.findings.finish()
    _check_reverse(document, links)
    document.findings.finish()
    return Topology(
        name=data["name"],
        kind=data["kind"],
        roles=tuple(roles),
        tiers=tuple(tiers),
        nodes=Nodes(
            **{key: tuple(names) if key == "name" else _array(nodes[key], rule) for key, rule in _NODES.items()}  # type: ignore[arg-type]
        ),
        links=Links(**{key: _array(links[key], rule) for key, rule in _LINKS.items()}),
        up=_array(up, "flag"),
        src_port_names=tuple(optional["src_port_names"]) if "src_port_names" in optional else None,
        circuit=_array(optional["circuit"], "whole") if "circuit" in optional else None,
    )


def _check_reverse(document: _Document, links: dict[str, list[Any]]) -> None:
    src, dst, reverse = links["src"], links["dst"], links["reverse"]
    for row, mate in enumerate(reverse):
        if mate >= 0 and (reverse[mate] != row or src[mate] != dst[row] or dst[mate] != src[row]):
            message = f"links.reverse[{row}] is {mate}, but link {mate} is not the other direction of link {row}"
            document.add(message, "links", "reverse", code="FP6007", hint="write -1 for a one-way link")
            return


def _array(values: list[Any], rule: str) -> Any:
    if rule in ("number", "ports"):
        return column([math.nan if value is None else value for value in values], np.float64)
    return column(values, np.bool_ if rule == "flag" else np.int32)


def _plain(values: Any, what: str) -> list[Any]:
    cells: list[Any] = list(values) if isinstance(values, tuple) else values.tolist()
    if cells and isinstance(cells[0], float):
        if np.isinf(values).any():
            raise cannot_say("json", f"an infinite {what}", hint="JSON has no infinity; give the link a finite number")
        return [None if math.isnan(value) else value for value in cells]
    return cells


def write(topology: Topology, path: Path) -> None:
    """Write a topology in columns, one per line."""

    def section(rows: Any, rules: dict[str, str]) -> str:
        lines = [f'    "{key}": {json.dumps(_plain(getattr(rows, key), key), ensure_ascii=False)}' for key in rules]
        return "{\n" + ",\n".join(lines) + "\n  }"

    parts = {
        "schema": json.dumps(SCHEMA),
        "name": json.dumps(topology.name, ensure_ascii=False),
        "kind": json.dumps(topology.kind, ensure_ascii=False),
        "roles": json.dumps(topology.roles, ensure_ascii=False),
        "tiers": json.dumps(topology.tiers, ensure_ascii=False),
        "nodes": section(topology.nodes, _NODES),
        "links": section(topology.links, _LINKS),
        "up": json.dumps(topology.up.tolist()),
    }
    if topology.circuit is not None:
        parts["circuit"] = json.dumps(topology.circuit.tolist())
    if topology.src_port_names is not None:
        parts["src_port_names"] = json.dumps(topology.src_port_names, ensure_ascii=False)
    body = ",\n".join(f'  "{key}": {value}' for key, value in parts.items())
    path.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


SUMMARY = "Every column, exactly; our own bulk format"
FORMAT = TopologyFormat("json", (".json",), read, write, tells_nodes=True)
