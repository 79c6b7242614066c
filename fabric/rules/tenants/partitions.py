"""Partitions of InfiniBand: one per tenant, written for OpenSM (``-P partitions.conf``) and read back.

Members of a tenant are full members of its partition; tenants that it serves by design are limited members, which talk
to full members and not to each other. Every other membership is that of the default partition: limited, but for the
port of the subnet manager itself. So the manager must run on a switch or on a host of no tenant. OpenSM makes everybody
a full member of the default partition where it cannot read the file: with a wrong path no tenant is isolated.

What a host may send with is in the table of its adapter, which the subnet manager writes; both ends check, and switches
at hosts by OpenSM's default (``--part_enforce both``). Routing and failures have no part in it.

The key of its own tenant is the first of a host's table (``indx0``), which programs use that are given none. Hosts
of a shared service have theirs at another place, as one partition has one such flag for all its members.

References
----------
opensm(8), PARTITION CONFIGURATION; InfiniBand Architecture Specification 1.3, volume 1, section 10.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fabric.rules.errors import RuleError
from fabric.rules.tenancy import Tenancy
from topologies.errors import FormatError
from topologies.reading.text_input import read_text

PARTITIONS = "partitions.conf"
DEFAULT_KEY = 0x7FFF
_PER_LINE = 4


class Partition(NamedTuple):
    """A partition and its members: port GUIDs, and whether each is a full member."""

    name: str
    key: int  # the low 15 bits
    full: Mapping[int, bool]
    everybody: bool | None  # whether all other ports are full members; None: they are none


def partition_lines(tenancy: Tenancy, guid_of: Mapping[int, int]) -> Iterator[str]:
    """Lines of ``partitions.conf``.

    Parameters
    ----------
    guid_of : mapping
        Port GUID of every endpoint, by topology node.
    """
    yield "# A partition per tenant; who is served by design is a limited member. Run the subnet manager on a switch,\n"
    yield "# or on a host of no tenant: its port is a full member of the default partition.\n"
    yield f"Default={DEFAULT_KEY:#06x} : ALL=limited, ALL_SWITCHES=full, SELF=full ;\n"
    for tenant, name in enumerate(tenancy.names):
        members = [(guid, int(tenancy.of[node])) for node, guid in guid_of.items()]
        served = set(tenancy.shared_with[tenant])
        own = [f"{guid:#018x}=full" for guid, its in members if its == tenant]
        own += [f"{guid:#018x}=limited" for guid, its in members if its in served]
        if not own:
            continue
        rows = [", ".join(own[at : at + _PER_LINE]) for at in range(0, len(own), _PER_LINE)]
        first = "" if served else ", indx0"  # a host has one key in the first place: that of its own tenant
        yield f"{name}={tenancy.keys[tenant]:#06x}, ipoib{first} :\n    " + ",\n    ".join(rows) + " ;\n"


_HEAD = re.compile(r"([A-Za-z0-9_-]*)=(0x[0-9a-fA-F]{1,4})((?:\s*,\s*[a-z0-9_=]+)*)")
_MEMBER = re.compile(r"(0x[0-9a-fA-F]{1,16}|ALL|ALL_SWITCHES|SELF)(?:=(full|limited))?")
_FLAGS = re.compile(r"ipoib|indx0|defmember=(full|limited)")


def read_partitions(folder: Path) -> list[Partition]:
    """Partitions of an export folder.

    Raises
    ------
    RuleError
        FP8066 with the line, for whatever is not the name, key, flags and port GUIDs of a partition: what cannot be
        read might make members meet.
    """
    path = folder / PARTITIONS
    try:
        text = read_text(path)
    except FormatError as error:
        raise _wrong(path, None, f"{path} cannot be read: {error.problems[0].message}") from None
    lines = [line.partition("#")[0] for line in text.split("\n")]
    found: list[Partition] = []
    begins, held = 0, ""
    for number, line in enumerate(lines, 1):
        if not held.strip():
            begins, held = number, ""
        held += line + " "
        while ";" in held:
            entry, _, held = held.partition(";")
            found.append(_partition(entry.strip(), path, begins))
            begins = number
    if held.strip():
        raise _wrong(path, begins, "a partition without its closing ;")
    seen: dict[int, str] = {}
    for one in found:
        if one.key in seen:
            raise _wrong(path, None, f"partitions {seen[one.key]} and {one.name} have one key, {one.key:#06x}")
        seen[one.key] = one.name
    return found


def _partition(entry: str, path: Path, line: int) -> Partition:
    head, colon, members = entry.partition(":")
    match = _HEAD.fullmatch(head.strip())
    if match is None or not colon:
        raise _wrong(path, line, f"{entry[:60]!r} is not NAME=KEY : MEMBERS")
    default = False
    for flag in filter(None, (word.strip() for word in match[3].split(","))):
        if not _FLAGS.fullmatch(flag):
            raise _wrong(path, line, f"flag {flag!r} of partition {match[1]}; ipoib, indx0 and defmember are read")
        default = flag == "defmember=full" if flag.startswith("defmember") else default
    full: dict[int, bool] = {}
    everybody: bool | None = None
    for word in filter(None, (word.strip() for word in members.split(","))):
        member = _MEMBER.fullmatch(word)
        if member is None:
            raise _wrong(path, line, f"member {word!r} of partition {match[1]} is not a port GUID, full or limited")
        holds = member[2] == "full" if member[2] else default
        if member[1] == "ALL":
            everybody = holds
        elif member[1].startswith("0x"):
            guid = int(member[1], 16)
            full[guid] = holds or full.get(guid, False)
    return Partition(match[1], int(match[2], 16) & 0x7FFF, full, everybody)


def _wrong(path: Path, line: int | None, words: str) -> RuleError:
    return RuleError(words, file=str(path), line=line, hint="export again", code="FP8066")
