"""Racks of HDFS servers, as ``hdfs dfsadmin -printTopology`` prints them."""

from __future__ import annotations

import re

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import FormatError, Problem
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, DeclaredFields, Field
from traffic.host_names import HostNames

_NODE = re.compile(r"(?P<address>[^\s()]+)(?:\s+\((?P<name>[^()\s]+)\))?(?:\s+(?P<state>[A-Za-z][A-Za-z ]*))?")
_RACK = re.compile(r"Rack:\s*(\S+)")
_WAY = "write it by: hdfs dfsadmin -printTopology"
_AWAY = "the server takes no new blocks; take it out of the node group"

FIELDS = DeclaredFields(
    "storage",
    "hdfs topology",
    "Apache Hadoop, DFSAdmin.printTopology; DatanodeInfo.AdminStates",
    [
        Field("Rack", MODELLED, "rack of the servers listed under it"),
        Field("(", MODELLED, "name of a server, before its address"),
        Field("In Service", HARMLESS, "what is taken where no state is printed"),
        *(
            Field(state, REFUSED, _AWAY)
            for state in (
                "Decommission In Progress",
                "Decommissioned",
                "Entering Maintenance",
                "In Maintenance",
            )
        ),
    ],
    unknown="refused",
)


def read_racks(text: str, path: str, servers: tuple[str, ...]) -> Ints:
    """Rack of every server, numbered in the order of the servers, shape (servers,).

    Raises
    ------
    FormatError
        With file and line: a line that is none of the format, a server that is in no rack, in two, or in no service
        (FP6214, FP6251).
    """
    problems: list[Problem] = []
    racks: dict[int, tuple[str, int]] = {}
    names = HostNames(servers)
    rack = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        heading, node = _RACK.fullmatch(words), _NODE.fullmatch(words)
        if not words:
            continue
        if heading:
            rack = heading[1]
        elif node is None or not rack:
            what = "is no server and no rack" if rack else "stands before the first rack"
            problems.append(Problem(f"{words[:60]!r} {what}", code="FP6214", file=path, line=number, hint=_WAY))
        else:
            problems += _placed(node, rack, number, path, names, racks)
    if not problems:
        missing = next((name for at, name in enumerate(servers) if at not in racks), None)
        if missing is not None:
            raise FormatError(f"server {missing} is in no rack of the file", file=path, hint=_WAY, code="FP6214")
    if problems:
        raise FormatError(problems)
    numbers = {name: at for at, name in enumerate(dict.fromkeys(racks[at][0] for at in range(len(servers))))}
    return column([numbers[racks[at][0]] for at in range(len(servers))], np.int32)


def _placed(
    node: re.Match[str], rack: str, line: int, path: str, names: HostNames, racks: dict[int, tuple[str, int]]
) -> list[Problem]:
    """Note the rack of a server of the scenario; what is wrong with its line."""
    said = node["name"] or re.sub(r":\d+$", "", node["address"])
    meant = names.find(said)
    if not meant:
        return []  # servers that the scenario does not have
    if len(meant) > 1:
        several = ", ".join(names.names[at] for at in meant)
        return [Problem(f"{said} may be {several}", code="FP6214", file=path, line=line, hint="name hosts in whole")]
    if meant[0] in racks:
        first = racks[meant[0]][1]
        message = f"{said} is listed twice, first on line {first}"
        return [Problem(message, code="FP6214", file=path, line=line, hint=_WAY)]
    racks[meant[0]] = (rack, line)
    return FIELDS.refusals({node["state"].strip(): line}, path) if node["state"] else []
