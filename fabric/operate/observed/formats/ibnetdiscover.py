"""``ibnetdiscover``: an InfiniBand fabric as the subnet's ports tell it; one file has all of them.

Ports go by their numbers. An adapter's description is its host's name and its own, as the Linux driver sets it
(``node0 mlx5_0``), or all of it the name of a node. Aggregation engines inside switches and routers to other subnets
are no cables.

References
----------
ibnetdiscover(8), section "Topology file format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import UNREADABLE
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError
from topologies.formats.ibnetdiscover import link_gbps

SUMMARY = "InfiniBand: the output of ibnetdiscover, one file with the whole fabric"
ORDER = 60

_NODE = re.compile(r'^(Switch|Ca|Hca|Rt)\s+(\d{1,18})\s+"([^"]+)"(?:\s*#\s*"([^"]*)")?')
_PORT = re.compile(r'^\[(\d{1,9})\](?:\[ext \d+\])?\s*(?:\([0-9a-fA-Fx]+\))?\s*"([^"]+)"\[(\d{1,9})\](.*)$')
_HINT = "take the output of ibnetdiscover as it is, without options"
_ENGINE = "aggregation node"


@dataclass
class _Port:
    node: str
    port: str
    far: str
    far_port: str
    gbps: float
    line: int


def read_ibnetdiscover(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what every port tells."""
    names: dict[str, str] = {}
    ports: list[_Port] = []
    skipped: set[str] = set()
    switches: set[str] = set()
    current = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if found := _NODE.match(line):
            current = found[3]
            names[current] = (found[4] or current).strip()
            if found[1] == "Switch":
                switches.add(current)
            if found[1] == "Rt" or _ENGINE in names[current].lower():
                skipped.add(current)
        elif found := _PORT.match(line):
            if not current:
                raise FormatError(
                    "a port before any node", file=file, line=number, column=1, code=UNREADABLE, hint=_HINT
                )
            ports.append(_Port(current, found[1], found[2], found[3], link_gbps(found[4]), number))
        elif line.startswith("["):
            raise FormatError(
                "this is no port of a node", file=file, line=number, column=1, code=UNREADABLE, hint=_HINT
            )
        elif not line:
            current = ""
    if not names:
        raise FormatError("no switch or adapter in the file", file=file, line=1, column=1, code=UNREADABLE, hint=_HINT)
    into.whole = into.numbered = True
    into.switches |= {names[guid] for guid in switches - skipped}
    for guid, name in names.items():
        if guid not in skipped:
            into.listen(name)
    for entry in ports:
        if entry.node in skipped or entry.far in skipped:
            continue
        far = names.get(entry.far, entry.far)
        into.add(names[entry.node], entry.port, (far,), (entry.far_port,), gbps=entry.gbps, line=entry.line)


FORMAT = NeighbourFormat((".ibnetdiscover", ".ibnet", ".topo", ".txt"), read_ibnetdiscover, "ibnetdiscover")
