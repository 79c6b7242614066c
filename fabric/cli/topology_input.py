"""Topology files as commands take them: which format, what is said beside them, and standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from fabric.cli.options import RareOption
from fabric.scenario.load import STDIN
from topologies.errors import FabricError, FormatError
from topologies.format_registry import FORMATS, Imported, find_format, format_suffixes, import_topology
from topologies.reading.asked import NOTHING_ASKED, Asked, CapacityAttribute
from topologies.units import parse_speed_gbps

MOST_STDIN_BYTES = 1 << 30

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class TopologyFlags:
    """How topology files are to be read."""

    form: str | None = None
    speed_gbps: float | None = None
    asked: Asked = NOTHING_ASKED

    @property
    def given(self) -> tuple[str, ...]:
        """Flags that a scenario does not take."""
        named = {"--speed": self.speed_gbps, "--capacity": self.asked.capacity, "--directions": self.asked.directions}
        return tuple(flag for flag, value in named.items() if value is not None)


def topology_flags(command: F) -> F:
    """Add the flags that say how a topology file is read; the command gets them as ``flags``."""
    options = (
        click.option(
            "--from", "form", metavar="FORMAT", help="Format of INPUT; default: by its suffix, or a scenario."
        ),
        click.option("--speed", metavar="SPEED", help="Of the links whose capacity INPUT does not tell, such as 400G."),
        click.option(
            "--capacity",
            cls=RareOption,
            metavar="NAME:UNIT",
            help="Attribute of links that is their capacity: bw:Mbps.",
        ),
        click.option(
            "--directions",
            cls=RareOption,
            type=click.Choice(["both", "as-written"]),
            help="Edges of a directed graph without the other direction: cables, or links of one way.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def parsed_flags(form: str | None, speed: str | None, capacity: str | None, directions: Any) -> TopologyFlags:
    """The values of :func:`topology_flags`, checked."""
    gbps = None
    if speed is not None:
        try:
            gbps = parse_speed_gbps(speed)
        except ValueError as error:
            raise click.UsageError(f"--speed: {error}") from None
    attribute = None
    if capacity is not None:
        name, mark, unit = capacity.rpartition(":")
        if not mark or not name:
            raise click.UsageError(f"--capacity {capacity}: write NAME:UNIT, such as bw:Mbps")
        try:
            attribute = CapacityAttribute(attribute=name, unit=unit)
        except ValidationError:
            raise click.UsageError(f"--capacity {capacity}: {unit!r} is not a unit such as Mbps or Gb/s") from None
    return TopologyFlags(form, gbps, Asked(attribute, directions))


def format_of(source: str, form: str | None) -> str | None:
    """Name of the topology format of a file or folder; None for what may be a scenario or a catalogue."""
    if form is not None:
        return find_format(Path(source), form).name
    name = source.lower()
    by_suffix = next((form for suffix, form in format_suffixes().items() if name.endswith(suffix)), None)
    if by_suffix is not None:
        return by_suffix
    folder = Path(source)
    if source != "-" and folder.is_dir():
        if any(path.suffix == ".json" for path in folder.iterdir()):
            return "lldp"
        hint = "a folder is one of LLDP: a NAME.json of lldpctl -f json0 per device"
        raise FormatError("no .json file in the folder", file=source, hint=hint, code="FP6001")
    return None


def read_topology_input(source: str, form: str, flags: TopologyFlags, *, strict: bool) -> Imported:
    """Read a topology file, a folder, or standard input (``-``).

    Raises
    ------
    FormatError
        As :func:`topologies.format_registry.import_topology`.
    """
    if source != "-":
        if not Path(source).exists():
            raise FormatError("no such file", file=source, hint=f"formats: {', '.join(FORMATS)}", code="FP6001")
        return import_topology(source, form, strict=strict, speed=flags.speed_gbps, asked=flags.asked)
    with _stdin_file() as path:
        try:
            found = import_topology(path, form, strict=strict, speed=flags.speed_gbps, asked=flags.asked)
        except FabricError as error:
            raise FormatError(
                replace(problem, file=STDIN if problem.file == str(path) else problem.file)
                for problem in error.problems
            ) from error
    return found._replace(problems=tuple(replace(problem, file=STDIN) for problem in found.problems))


@contextmanager
def _stdin_file() -> Iterator[Path]:
    """Standard input as a file, since readers read twice."""
    data = sys.stdin.buffer.read(MOST_STDIN_BYTES + 1)
    if len(data) > MOST_STDIN_BYTES:
        raise FormatError(f"more than {MOST_STDIN_BYTES:,} bytes", file=STDIN, hint="give a file", code="FP6001")
    with TemporaryDirectory(prefix="fabric-") as folder:
        path = Path(folder) / "stdin"
        path.write_bytes(data)
        yield path
