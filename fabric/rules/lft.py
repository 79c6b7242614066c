"""Linear forwarding tables of InfiniBand: the port of every switch for every LID, as OpenSM writes and reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fabric.rules.errors import RuleError

UNREACHABLE = 255

_SWITCH = re.compile(
    r"Unicast lids \[(\S+)-(\S+)\] of switch (?:DR path slid \S+; dlid \S+; \S+ )?"
    r"Lid (\d+) guid (0x[0-9a-fA-F]+) \((.*)\):?"
)
_ENTRY = re.compile(r"(0x[0-9a-fA-F]+)\s+(\d+|UNREACHABLE)\b")


@dataclass(frozen=True)
class Lft:
    """Table of one switch."""

    guid: int
    lid: int
    name: str
    port: Mapping[int, int]  # by LID; 0 is the switch itself, UNREACHABLE none


@dataclass(frozen=True)
class LftDifference:
    """A LID whose port differs from the plan; ports None where one side has no entry."""

    switch: str
    lid: int
    ours: int | None
    theirs: int | None


def format_lft(table: Lft, *, last_lid: int) -> Iterator[str]:
    """Lines of a switch, as in ``opensm-lfts.dump``; what is not reachable has none."""
    yield f"Unicast lids [0x0-{last_lid:#x}] of switch Lid {table.lid} guid {table.guid:#018x} ('{table.name}'):"
    shown = 0
    for lid, port in sorted(table.port.items()):
        if port != UNREACHABLE:
            shown += 1
            yield f"{lid:#06x} {port:03d}"
    yield f"{shown} lids dumped"


def parse_lfts(text: str, file: str) -> list[Lft]:
    """Tables of all switches of ``opensm-lfts.dump`` or of ``dump_fts``.

    Raises
    ------
    RuleError
        With file and line, for lines that are neither switch, entry nor count.
    """
    found: list[Lft] = []
    ports: dict[int, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if match := _SWITCH.match(line):
            ports = {}
            name = match[5].strip("'\"")
            found.append(Lft(int(match[4], 16), int(match[3]), name, ports))
        elif (match := _ENTRY.match(line)) and found:
            ports[int(match[1], 16)] = UNREACHABLE if match[2] == "UNREACHABLE" else int(match[2])
        elif line and not re.match(r"(\d+ (?:valid )?lids dumped|Lid\s+Out|Port\s+Info|#)", line):
            raise RuleError(
                f"no line of a forwarding table: {line[:80]!r}",
                file=file,
                line=number,
                hint="opensm-lfts.dump and the output of dump_fts are read",
                code="FP8021",
            )
    return found


def compare_lfts(ours: list[Lft], theirs: list[Lft]) -> list[LftDifference]:
    """Entries that differ, by GUID of the switch; tables that one side does not have are compared with an empty one."""
    other = {table.guid: table for table in theirs}
    found: list[LftDifference] = []
    for table in ours:
        seen = other.pop(table.guid).port if table.guid in other else {}
        for lid in sorted({*table.port, *seen}):
            here, there = table.port.get(lid), seen.get(lid)
            here, there = (None if port == UNREACHABLE else port for port in (here, there))
            if here != there:
                found.append(LftDifference(table.name, lid, here, there))
    for table in other.values():
        found += [LftDifference(table.name, lid, None, port) for lid, port in sorted(table.port.items())]
    return found
