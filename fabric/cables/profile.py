"""What a cable profile is: a way to write the cable schedule for a program, a printer or a colleague.

One file of ``fabric/cables/profiles/`` is one profile, and declares ``SUMMARY`` and ``PROFILE``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fabric.cables.cable_rows import CableSchedule
from topologies.errors import FormatError
from topologies.plugin_folder import PluginFolder
from topologies.printable import spreadsheet_cell
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class CableExport:
    """What is written: the schedule, and the networks it is of.

    Attributes
    ----------
    both_ways : bool
        Whether every cable is listed from both of its ends.
    suffix : str
        That of the file to write, such as ``.html``; empty where it goes to standard output.
    """

    name: str
    schedule: CableSchedule
    topologies: Mapping[str, Topology]
    both_ways: bool = False
    suffix: str = ""


@dataclass(frozen=True)
class Profile:
    """One way to write a cable schedule.

    Attributes
    ----------
    suffixes : tuple of str
        Of the files that it writes, the default first.
    write : callable or None
        The text, in parts. None: it is the command's own answer, in any of its formats.
    read_by : str
        What takes it.
    both_ways : bool
        Whether it can list cables from both ends.
    """

    suffixes: tuple[str, ...]
    write: Callable[[CableExport], Iterable[str]] | None
    read_by: str
    both_ways: bool = False


PROFILES = PluginFolder("cable profile", "fabric.cables.profiles", "PROFILE", Profile)

_AT_ONCE = 5_000  # rows that are text at the same time


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]], *, guarded: bool = True) -> Iterator[str]:
    """CSV in parts; ``guarded`` where spreadsheets open it, which compute what looks like a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for number, row in enumerate(rows, 1):
        writer.writerow([spreadsheet_cell(cell) if guarded and isinstance(cell, str) else cell for cell in row])
        if number % _AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def refuse_shared_names(export: CableExport, program: str) -> None:
    """Refuse devices of one name in two fabrics, for programs that know devices by name alone.

    Raises
    ------
    FormatError
        FP3305, with a device.
    """
    seen: dict[str, str] = {}
    for fabric in dict.fromkeys(export.schedule.columns.fabric):
        topology = export.topologies[fabric]
        for name, is_switch in zip(topology.nodes.name, topology.is_switch.tolist(), strict=True):
            if is_switch and seen.setdefault(name, fabric) != fabric:
                raise FormatError(
                    f"{program} knows devices by name, and {seen[name]} and {fabric} both have a {name}",
                    hint="give switches of one fabric another name: in its topology, or write one with --fabric",
                    code="FP3305",
                )
