"""File formats of topologies: one file of ``topologies/formats/`` each, which declares ``SUMMARY`` and ``FORMAT``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from topologies.columns import column
from topologies.errors import FormatError, Problem, nearest_hint
from topologies.host_nics import settle_hosts
from topologies.host_roles import HostKeys, NodeFacts
from topologies.hosts import HostGroup
from topologies.plugin_folder import PluginFolder
from topologies.reading.asked import NOTHING_ASKED, Asked, Untold
from topologies.reading.text_input import EVERY_PROBLEM, MAX_PROBLEMS, Findings
from topologies.topology import Topology
from topologies.units import format_gbps
from topologies.whole_file import whole_file

_MOST_PASSES = 50  # a file that is wrong in a thousand lines has one cause


class Imported(NamedTuple):
    """What was sound in a file, what was not and is left out, and what was assumed."""

    topology: Topology
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()  # sentences: what was guessed, and fields that the answer leaves out
    facts: NodeFacts = NodeFacts()  # what the file says of its nodes beside the topology
    endpoints: Mapping[str, tuple[str, ...]] = {}  # of every host, NIC by NIC, once hosts are decided
    untold: Untold = Untold()  # of capacities that are not known


@dataclass(frozen=True)
class TopologyFormat:
    """One file format: ``read`` raises ``FormatError`` with file and line, ``write`` when the format cannot say it.

    ``read`` gives the topology, or an ``Imported`` with notes and with what the file says of its nodes. ``read_sound``
    takes what is sound and lists the rest; without it a file is read whole or not at all. A capacity that the file does
    not tell is nan. A format that ``asks`` takes what the user says of it as a second argument of both, an ``Asked``.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[..., Topology | Imported] | None
    write: Callable[[Topology, Path], None] | None
    read_sound: Callable[..., Imported] | None = None
    most_nodes: int | None = None  # that are written unless more are asked for
    tells_nodes: bool = False  # every file says what its nodes are, or they are routers by the format's nature
    asks: tuple[str, ...] = ()  # fields of ``Asked`` that it goes by


def as_imported(taken: Topology | Imported) -> Imported:
    """What a reader gave, with its notes if it has any."""
    return taken if isinstance(taken, Imported) else Imported(taken)


FORMATS = PluginFolder("topology format", "topologies.formats", "FORMAT", TopologyFormat)
_SUFFIXES = re.compile(r"^FORMAT = TopologyFormat\(\s*\"[^\"]+\",\s*(\([^()]*\))", re.MULTILINE)


@cache
def format_suffixes() -> dict[str, str]:
    """Format by the suffix of its files, from the text of the formats: none of them is imported.

    Raises
    ------
    ValueError
        When a format does not begin with its name and the tuple of its suffixes.
    """
    found: dict[str, str] = {}
    for name, declared in FORMATS.declared.items():
        suffixes = _SUFFIXES.search(declared.path.read_text(encoding="utf-8"))
        if suffixes is None:
            raise ValueError(f'{declared.path}: write FORMAT = TopologyFormat("{name}", (".suffix",), ...')
        for suffix in ast.literal_eval(suffixes[1]):
            found.setdefault(suffix, name)
    return found


def find_format(path: Path, format: str | None = None) -> TopologyFormat:  # noqa: A002 - the key of the scenario
    """The format called ``format``, or the one that the suffix of ``path`` belongs to.

    Raises
    ------
    FormatError
        When there is no such format.
    """
    if format is not None:
        if format in FORMATS:
            return FORMATS[format]
        hint = nearest_hint(format, FORMATS, "known formats")
        raise FormatError(f"unknown topology format {format!r}", where="format", hint=hint, code="FP6002")
    for entry in FORMATS.values():
        if path.suffix.lower() in entry.suffixes:
            return entry
    known = ", ".join(f"{suffix} ({entry.name})" for entry in FORMATS.values() for suffix in entry.suffixes)
    what = f"suffix {path.suffix!r}" if path.suffix else "a file without suffix"
    raise FormatError(
        f"{what} belongs to no topology format",
        file=str(path),
        hint=f"name the format, or use one of {known}",
        code="FP6002",
    )


def read_topology(path: str | Path, format: str | None = None) -> Topology:  # noqa: A002
    """Read a topology from a file; the format goes by the suffix unless it is named.

    Raises
    ------
    FormatError
        When the format is unknown, the file cannot be read, or its content is wrong; up to 20 problems at once.
    """
    return import_topology(path, format, strict=True).topology


def import_topology(
    path: str | Path,
    format: str | None = None,  # noqa: A002
    *,
    strict: bool = False,
    speed: float | None = None,
    asked: Asked = NOTHING_ASKED,
    keys: HostKeys = HostKeys(),
    groups: Sequence[HostGroup] = (),
) -> Imported:
    """Read a topology; what is wrong with single elements is listed, and they are left out, unless ``strict``.

    ``speed``, Gbps, is that of the links whose capacity the file does not tell; those it tells keep theirs. ``asked``
    says how the file is to be read. ``keys`` and the node ``groups`` of a scenario say which nodes are hosts and which
    endpoints are their NICs (`topologies.host_nics`).

    Raises
    ------
    FormatError
        When the format is unknown, cannot be read, the file is wrong as a whole (or, if strict, anywhere), the speed
        of a link is not known (FP6011), or keys and groups do not fit the file (FP6013).
    """
    file = Path(path)
    entry = find_format(file, format)
    if entry.read is None:
        readable = ", ".join(name for name, other in FORMATS.items() if other.read is not None)
        raise FormatError(
            f"the format {entry.name} is written only", file=str(path), hint=f"one of {readable}", code="FP6002"
        )
    said = [key for key in ("capacity", "directions") if getattr(asked, key) is not None and key not in entry.asks]
    if said:
        hint = f"it is of {', '.join(name for name, other in FORMATS.items() if said[0] in other.asks)}"
        raise FormatError(
            f"the format {entry.name} has no {said[0]} to choose", where=said[0], hint=hint, code="FP6002"
        )
    given = (asked,) if entry.asks else ()
    try:
        found = as_imported(entry.read(file, *given))
    except FormatError:
        if strict or entry.read_sound is None:
            raise
        found = entry.read_sound(file, *given)
    found = _with_speed(found, speed, str(path))
    settled = settle_hosts(found.topology, _facts(entry, found.facts), keys, groups, file=file.name)
    return found._replace(topology=settled.topology, notes=(*found.notes, *settled.notes), endpoints=settled.endpoints)


def _facts(entry: TopologyFormat, facts: NodeFacts) -> NodeFacts:
    return replace(facts, told=True) if entry.tells_nodes and facts.told is None else facts


def _with_speed(found: Imported, speed: float | None, file: str) -> Imported:
    """The links of a file with the speed of those that it does not tell."""
    links = found.topology.links
    unknown = np.isnan(links.capacity_gbps)
    count = int((unknown & found.topology.is_cable).sum())
    if speed is None and count:
        instead = found.untold.instead
        first = found.topology.link_name(int(np.flatnonzero(unknown)[0]))
        unit = (
            "say its unit: capacity: {attribute: NAME, unit: Mbps} beside path, --capacity NAME:Mbps; or one for all: "
        )
        problem = Problem(
            f"the file does not tell the speed of {count:,} cable{'s' * (count > 1)}, such as {first}"
            + (f" ({instead})" if instead else ""),
            file=file,
            line=found.untold.line,
            hint=(unit if instead else "say it: ") + "speed: 400G beside path in the scenario, or --speed 400G",
            code="FP6011",
        )
        raise FormatError([*found.problems, problem])
    if speed is None:
        return found
    notes = found.notes
    if count < int(found.topology.is_cable.sum()):
        told = int(found.topology.is_cable.sum()) - count
        notes += (
            f"speed {format_gbps(speed)} is given to {count:,} of {count + told:,} cables; "
            "the file tells the capacity of the others, which keep it",
        )
    capacity = column(np.where(unknown, speed, links.capacity_gbps), np.float64)
    return found._replace(topology=replace(found.topology, links=replace(links, capacity_gbps=capacity)), notes=notes)


def write_topology(
    topology: Topology,
    path: str | Path,
    format: str | None = None,  # noqa: A002
    *,
    max_nodes: int | None = None,
) -> None:
    """Write a topology to a file, whole or not at all: it is written beside its place, then renamed.

    Raises
    ------
    FormatError
        When the format is unknown, cannot express the topology, or the file cannot be written.
    """
    file = Path(path)
    entry = find_format(file, format)
    if entry.write is None:
        writable = ", ".join(name for name, other in FORMATS.items() if other.write is not None)
        raise FormatError(f"the format {entry.name} is read only", hint=f"one of {writable}", code="FP6002")
    most = max_nodes or entry.most_nodes
    if most is not None and len(topology.nodes) > most:
        raise FormatError(
            f"{len(topology.nodes):,} nodes are more than {most:,}, the most written as {entry.name}",
            hint=f"every node becomes a container; --max-nodes {len(topology.nodes)} writes them all",
            code="FP6012",
        )
    try:
        with whole_file(file) as place:
            entry.write(topology, place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FormatError(f"cannot write the file: {reason}", file=str(path), code="FP6001") from error


def both_ways(
    read: Callable[[Path, Findings], Topology | Imported],
) -> tuple[Callable[[Path], Imported], Callable[[Path], Imported]]:
    """``read`` and ``read_sound`` of a format whose reader leaves out what is wrong, and puts it into the findings."""

    def whole(path: Path) -> Imported:
        findings = Findings(path)
        built = as_imported(read(path, findings))
        findings.finish()
        return built._replace(notes=findings.notes)

    def sound(path: Path) -> Imported:
        findings = Findings(path, limit=EVERY_PROBLEM)
        return as_imported(read(path, findings))._replace(problems=findings.found, notes=findings.notes)

    return whole, sound


def told_ways(
    read: Callable[[Path, Findings, Asked], tuple[Topology, Untold]],
) -> tuple[Callable[..., Imported], Callable[..., Imported]]:
    """As :func:`both_ways`, for a reader that takes what the user says, and tells why capacities are not known."""

    def whole(path: Path, asked: Asked = NOTHING_ASKED) -> Imported:
        findings = Findings(path)
        built, untold = read(path, findings, asked)
        findings.finish()
        return Imported(built, (), findings.notes, untold=untold)

    def sound(path: Path, asked: Asked = NOTHING_ASKED) -> Imported:
        findings = Findings(path, limit=EVERY_PROBLEM)
        built, untold = read(path, findings, asked)
        return Imported(built, findings.found, findings.notes, untold=untold)

    return whole, sound


def sound_lines(
    read: Callable[[Path, frozenset[int]], Topology | Imported], path: Path, first: Callable[[Path], int]
) -> Imported:
    """What is sound in a file of one element a line: lines with a problem are left out, and the rest is read again.

    Parameters
    ----------
    read
        Reads a file without some of its lines.
    first
        The first line that is an element; problems before it are of the file as a whole.
    """
    begin = first(path)
    skip: set[int] = set()
    found: list[Problem] = []
    for _ in range(_MOST_PASSES):
        try:
            return as_imported(read(path, frozenset(skip)))._replace(problems=tuple(found))
        except FormatError as error:
            problems = [replace(problem, notes=()) for problem in error.problems]
            if any(problem.line is None or problem.line < begin or problem.line in skip for problem in problems):
                raise
            found += problems
            skip |= {problem.line for problem in problems if problem.line is not None}
    raise FormatError(found[:MAX_PROBLEMS])


def cannot_say(name: str, what: str, hint: str = "the format json keeps everything") -> FormatError:
    """The error of a writer whose format has no way to say something."""
    return FormatError(f"the format {name} cannot express {what}", hint=hint, code="FP6010")
