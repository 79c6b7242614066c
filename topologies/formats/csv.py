"""``csv``: one cable a row, as cabling sheets have them.

    a,b,gbps,tier,a_role,b_role
    host0,leaf0,400,host-leaf,host,leaf
    leaf0,spine0,800,leaf-spine,leaf,spine

``a``, ``b`` (node names) and ``gbps`` (a to b, one direction) are required; ``COLUMNS`` lists the others. A role need
stand in one row of a node only. Hosts and NICs are endpoints that do not forward, routers are endpoints that do, all
other roles are switches; when no row has a role, the scenario or a guess tells hosts from switches, else every node
is a router (`topologies.host_roles`). An endpoint has as many NIC ports as cables, a router one. The lower end of a
cable comes first in the topology, whichever end the row names first.

The format knows no pods, rails, planes, levels (they go by role) or port counts.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from topologies.columns import Bools, Floats
from topologies.errors import nearest_hint
from topologies.format_registry import Imported, TopologyFormat, cannot_say, sound_lines
from topologies.host_roles import NodeFacts
from topologies.reading.csv_input import csv_lines, csv_text
from topologies.reading.fields import MODELLED, DeclaredFields, Field
from topologies.reading.text_input import Findings, number, read_text, shown
from topologies.tables import ENDPOINT_ROLES, ROUTER, role_level, topology_of_tables
from topologies.topology import Topology

REQUIRED = ("a", "b", "gbps")
COLUMNS = {
    "a": "name of one end",
    "b": "name of the other end",
    "gbps": "capacity from a to b, Gbps",
    "back_gbps": "capacity from b to a, Gbps; the same unless given",
    "weight": "routing metric from a to b; 1 unless given",
    "back_weight": "routing metric from b to a; the same unless given",
    "tier": "tier of the cable; lower-upper by role unless given",
    "length_m": "cable length, metres",
    "delay_us": "propagation delay one way, microseconds",
    "a_role": "role of a",
    "b_role": "role of b",
    "direction": "both, or one-way for a link from a to b only",
    "up": "true, or false for a cable that is down",
}
FIELDS = DeclaredFields(
    "topology format",
    "csv",
    "docs/catalogue-and-files.md",
    [Field(name, MODELLED, effect) for name, effect in COLUMNS.items()],
    unknown="refused",
)
_WORDS = {"direction": {"": True, "both": True, "one-way": False}, "up": {"": True, "true": True, "false": False}}


class _Sheet:
    """The cells of a file by column, and where they stand."""

    def __init__(self, path: Path, skip: frozenset[int] = frozenset()) -> None:
        self.findings = Findings(path)
        self.skip = skip
        self.text = csv_text(path)
        self.cells: dict[str, list[str]] = {}
        self.lines: list[int] = []  # first line of each row
        rows = self._rows()
        header = [cell.strip() for cell in rows[0]] if rows else []
        self._check_header(header)
        body = rows[1:]
        if any(len(row) != len(header) for row in body):
            self._check_lengths(header, body)
        columns = zip(*body, strict=True) if body else iter([()] * len(header))
        self.cells = {name: [cell.strip() for cell in column] for name, column in zip(header, columns, strict=True)}
        self.header = header

    def __len__(self) -> int:
        return len(self.lines)

    def _rows(self) -> list[list[str]]:
        kept = [(line, cells) for line, cells in csv_lines(self.findings, self.text) if line not in self.skip]
        rows, lines = [cells for _, cells in kept], [line for line, _ in kept]
        self.header_line = lines[0] if lines else 1
        self.lines = lines[1:]
        return rows

    def _check_header(self, header: list[str]) -> None:
        for index, name in enumerate(header):
            if name not in FIELDS:
                hint = nearest_hint(name, COLUMNS, "known columns")
                if len(header) == 1 and any(mark in name for mark in ";\t"):
                    hint = "separate the columns with commas"
                self.findings.add(f"unknown column {shown(name)}", code="FP6004", line=self.header_line, hint=hint)
            elif name in header[:index]:
                self.findings.add(f"the column {name!r} appears twice", code="FP6004", line=self.header_line)
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            hint = "the first line names the columns, such as a,b,gbps"
            names = ", ".join(map(repr, missing))
            self.findings.add(f"no column {names}", code="FP6004", line=self.header_line, hint=hint)
        self.findings.finish()

    def _check_lengths(self, header: list[str], body: list[list[str]]) -> None:
        for row, line in zip(body, self.lines, strict=True):
            if len(row) != len(header):
                hint = "leave a cell empty rather than out; quote a name that has a comma"
                self.findings.add(
                    f"{len(row)} cells, the header has {len(header)}", code="FP6004", line=line, hint=hint
                )
        self.findings.finish()

    def add(self, row: int, name: str, message: str, *, code: str, hint: str = "") -> None:
        """A problem of one cell; the column in the line is known unless the line has quotes."""
        line = self.lines[row]
        text = self.text.split("\n")[line - 1]
        index = self.header.index(name)
        column = None if '"' in text else len(",".join(text.split(",")[:index])) + 1 + (index > 0)
        self.findings.add(message, code=code, line=line, column=column, hint=hint)

    def check_ends(self) -> None:
        """Every cable has two different ends, both named."""
        for row, (tail, head) in enumerate(zip(self.cells["a"], self.cells["b"], strict=True)):
            if tail == head and tail:
                self.add(row, "a", f"{tail} is cabled to itself", code="FP6007", hint="a cable has two different ends")
            elif not tail or not head:
                end = "b" if tail else "a"
                self.add(row, end, f"the cell of column {end} is empty", code="FP6005", hint="name the node")

    def numbers(self, name: str, default: float | Floats, *, above_zero: bool = False, finite: bool = True) -> Floats:
        """A column of numbers; empty cells take the default."""
        usual = np.broadcast_to(np.asarray(default, np.float64), (len(self),))
        if name not in self.cells:
            return usual
        cells = self.cells[name]
        try:
            values = np.asarray([float(cell) if cell else math.nan for cell in cells], np.float64)
            wrong = ~np.isfinite(values) | (values < 0) | (above_zero & (values == 0))
        except ValueError:
            values = np.asarray([math.nan if (value := number(cell)) is None else value for cell in cells], np.float64)
            wrong = ~np.isfinite(values) | (values < 0) | (above_zero & (values == 0))
        empty = np.fromiter((not cell for cell in cells), np.bool_, len(cells))
        if name in REQUIRED:
            empty[:] = False
        rule = f"a number above 0 in the column {name}" if above_zero else f"a number from 0 up in the column {name}"
        for row in np.flatnonzero(wrong & ~empty).tolist():
            cell = cells[row]
            bare = cell.rstrip("GgTtbps/ ")
            hint = (
                f"write {bare}: the column's name has the unit"
                if cell and number(bare) is not None and bare != cell
                else ""
            )
            self.add(row, name, f"{name} is {shown(cell)}, not {rule}", code="FP6005", hint=hint)
        return np.where(empty, usual, values)

    def flags(self, name: str) -> Bools:
        """A column of words that mean yes or no."""
        words = _WORDS[name]
        cells = self.cells.get(name, [""] * len(self))
        for row in [row for row, cell in enumerate(cells) if cell not in words]:
            known = " or ".join(word for word in words if word)
            self.add(
                row,
                name,
                f"{name} is {shown(cells[row])}, not {known}",
                code="FP6005",
                hint="leave it empty for " + known.split()[0],
            )
        return np.fromiter((words.get(cell, True) for cell in cells), np.bool_, len(cells))

    def roles(self, names: Iterable[str]) -> list[str]:
        """Role of every node."""
        role: dict[str, str] = {}
        for end in ("a", "b"):
            for row, (node, word) in enumerate(zip(self.cells[end], self.cells.get(f"{end}_role", ()), strict=False)):
                if word and role.setdefault(node, word) != word:
                    message = f"{node} has the role {shown(word)} here and {shown(role[node])} in another row"
                    self.add(row, f"{end}_role", message, code="FP6007", hint="a node has one role")
        if not role:
            return [ROUTER for _ in names]
        for node in names:
            if node not in role and node:
                row, end = next((row, end) for row in range(len(self)) for end in "ab" if self.cells[end][row] == node)
                hint = f"fill {end}_role in one row of the node, or leave the roles of all nodes out"
                self.add(row, end, f"{node} has no role, others have", code="FP6007", hint=hint)
        return [role.get(node, "") for node in names]


def _forwards_and_ends(role: str) -> tuple[bool, bool]:
    """Whether nodes of a role forward, and whether they are endpoints."""
    return role not in ENDPOINT_ROLES, role in ENDPOINT_ROLES or role == ROUTER


def read(path: Path, skip: frozenset[int] = frozenset()) -> Imported:
    """Read a cable list, without the lines ``skip``."""
    sheet = _Sheet(path, skip)
    tails, heads = sheet.cells["a"], sheet.cells["b"]
    sheet.check_ends()
    gbps = sheet.numbers("gbps", 0.0)
    back_gbps = sheet.numbers("back_gbps", gbps)
    weight = sheet.numbers("weight", 1.0, above_zero=True)
    back_weight = sheet.numbers("back_weight", weight, above_zero=True)
    length_m, delay_us = sheet.numbers("length_m", math.nan), sheet.numbers("delay_us", math.nan)
    both, up = sheet.flags("direction"), sheet.flags("up")
    names = list(dict.fromkeys(chain.from_iterable(zip(tails, heads, strict=True))))
    roles = sheet.roles(names)
    for key in ("back_gbps", "back_weight"):
        for row in [row for row in np.flatnonzero(~both).tolist() if sheet.cells.get(key, [""] * len(sheet))[row]]:
            sheet.add(row, key, f"{key} is given for a one-way link", code="FP6007", hint="leave it empty")
    if not len(sheet):
        sheet.findings.add("no cables after the header", code="FP6004", line=sheet.header_line)
    sheet.findings.finish()

    ids = {name: node for node, name in enumerate(names)}
    a = np.fromiter(map(ids.__getitem__, tails), np.int32, len(tails))
    b = np.fromiter(map(ids.__getitem__, heads), np.int32, len(heads))
    level = np.asarray([role_level(role) for role in roles], np.int32)
    swap = both & (level[a] > level[b])
    keep = np.ones(2 * len(a), dtype=np.bool_)
    keep[1::2] = both
    first = np.cumsum(keep)[0::2] - 1

    def directed(forward: Any, back: Any) -> Any:
        rows = np.empty(2 * len(a), dtype=np.asarray(forward).dtype)
        rows[0::2], rows[1::2] = np.where(swap, back, forward), np.where(swap, forward, back)
        return rows[keep]

    reverse = np.full(2 * len(a), -1)
    reverse[0::2], reverse[1::2] = np.where(both, first + 1, -1), first
    cables = np.bincount(a, minlength=len(names)) + np.bincount(b, minlength=len(names))
    kinds = [_forwards_and_ends(role) for role in roles]
    forwards = np.asarray([forwards for forwards, _ in kinds])
    tiers = np.repeat(np.asarray(sheet.cells.get("tier", [""] * len(sheet)), dtype=object), 2)[keep]
    built = topology_of_tables(
        path.stem,
        "file",
        names=names,
        roles=roles,
        nodes={
            "level": level,
            "forwards": forwards,
            "nics": np.where([ends for _, ends in kinds], np.where(forwards, 1, cables), 0),
        },
        links={
            "src": directed(a, b),
            "dst": directed(b, a),
            "capacity_gbps": directed(gbps, back_gbps),
            "weight": directed(weight, back_weight),
            "length_m": directed(length_m, length_m),
            "delay_us": directed(delay_us, delay_us),
        },
        tiers=[word or None for word in tiers],
        reverse=reverse[keep],
        up=directed(up, up),
    )
    told = any(any(sheet.cells.get(f"{end}_role", ())) for end in "ab")
    return Imported(built, facts=NodeFacts(told=told))


def _first_row(path: Path) -> int:
    """The line after the header."""
    lines = read_text(path).split("\n")
    return next((number for number, line in enumerate(lines, 1) if line.strip(" ,\r")), 1) + 1


def read_sound(path: Path) -> Imported:
    """Read what is sound of a cable list."""
    return sound_lines(read, path, _first_row)


def write(topology: Topology, path: Path) -> None:
    """Write a cable list; pods, rails, planes and port counts are left out, names and roles must say the rest.

    Raises
    ------
    FormatError
        When a node has no cable, or forwards or ends traffic otherwise than its role says.
    """
    nodes, links = topology.nodes, topology.links
    touched = np.zeros(len(nodes), dtype=np.bool_)
    touched[links.src] = touched[links.dst] = True
    alone = np.flatnonzero(~touched)
    if len(alone):
        raise cannot_say("csv", f"the node {nodes.name[int(alone[0])]}, which has no cable")
    roles = [topology.roles[code] for code in nodes.role.tolist()]
    for name, role, forwards, nics in zip(nodes.name, roles, nodes.forwards.tolist(), nodes.nics.tolist(), strict=True):
        if _forwards_and_ends(role) != (forwards, nics > 0):
            what = ("forwards" if forwards else "does not forward") + " and " + ("ends" if nics else "does not end")
            raise cannot_say("csv", f"that {name} of role {role!r} {what} traffic")
        if name != name.strip() or not name:
            raise cannot_say("csv", f"the name {name!r} with its blanks")
    first = np.flatnonzero(topology.is_cable)
    mate = links.reverse[first]
    duplex = mate >= 0
    back = np.where(duplex, mate, first)
    if (topology.up[first] != topology.up[back]).any():
        raise cannot_say("csv", "a cable that is down in one direction only")
    src, dst = links.src[first].tolist(), links.dst[first].tolist()
    columns = {
        "a": [nodes.name[node] for node in src],
        "b": [nodes.name[node] for node in dst],
        "gbps": _cells(links.capacity_gbps[first]),
        "back_gbps": _cells(links.capacity_gbps[back], duplex),
        "weight": _cells(links.weight[first]),
        "back_weight": _cells(links.weight[back], duplex),
        "tier": [topology.tiers[code] for code in links.tier[first].tolist()],
        "length_m": _cells(links.length_m[first]),
        "delay_us": _cells(links.delay_us[first]),
        "a_role": [roles[node] for node in src],
        "b_role": [roles[node] for node in dst],
        "direction": ["both" if pair else "one-way" for pair in duplex.tolist()],
        "up": ["true" if alive else "false" for alive in topology.up[first].tolist()],
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))


def _cells(values: Floats, given: Bools | None = None) -> list[str]:
    """Numbers as exact text, empty where not known or not given."""
    known = ~np.isnan(values) if given is None else given & ~np.isnan(values)
    return [repr(value) if there else "" for value, there in zip(values.tolist(), known.tolist(), strict=True)]


SUMMARY = "One cable a row: a,b,gbps and optional columns"
FORMAT = TopologyFormat("csv", (".csv",), read, write, read_sound)
