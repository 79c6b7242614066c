"""``ibnetdiscover``: an InfiniBand fabric as the diagnostic program of that name prints it; read only.

Switches and channel adapters are named by their descriptions, which must differ; where they do not, GUIDs are added. A
link's speed is its width times the lane rate that the words stand for (4xNDR is 400 Gb/s).

References
----------
ibnetdiscover(8), section "topology file format".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError
from topologies.format_registry import TopologyFormat, both_ways
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology

_NODE = re.compile(r'^(Switch|Ca|Hca|Rt)\s+(\d+)\s+"([^"]+)"(?:\s*#\s*"([^"]*)")?')
_PORT = re.compile(r'^\[(\d+)\](?:\([0-9a-fA-Fx]+\))?\s+"([^"]+)"\[(\d+)\](.*)$')
_RATE = re.compile(r"(\d+)x([A-Z]+\d*)\s*$")
_LANE_GBPS = {
    "SDR": 2.5, "DDR": 5.0, "QDR": 10.0, "FDR10": 10.0, "FDR": 14.0, "EDR": 25.0, "HDR": 50.0, "NDR": 100.0,
    "XDR": 200.0,
}  # fmt: skip


@dataclass
class _Node:
    kind: str
    ports: int
    id: str
    description: str
    line: int


def _read(path: Path, findings: Findings) -> Topology:
    nodes: dict[str, _Node] = {}
    heard: dict[tuple[str, str], tuple[str, str, float, int]] = {}
    current: _Node | None = None
    for number, raw in enumerate(read_text(path).splitlines(), 1):
        line = raw.strip()
        if not line:
            current = None
            continue
        if line.startswith("#") or re.match(r"^(vendid|devid|sysimgguid|switchguid|caguid|rtguid)=", line):
            continue
        if found := _NODE.match(line):
            current = _Node(found[1], int(found[2]), found[3], (found[4] or found[3]).strip(), number)
            if current.id in nodes:
                before = nodes[current.id].line
                findings.add(f"{current.id} is described twice, first on line {before}", code="FP6007", line=number)
            nodes.setdefault(current.id, current)
        elif (found := _PORT.match(line)) and current is not None:
            port = (current.id, found[1])
            if int(found[1]) > current.ports or int(found[1]) < 1:
                message = f"port {found[1]} of {current.description}, which has {current.ports}"
                findings.add(message, code="FP6005", line=number)
            elif port in heard:
                message = f"two cables on port {found[1]} of {current.description}, first on line {heard[port][3]}"
                findings.add(message, code="FP6007", line=number)
            else:
                heard[port] = (found[2], found[3], _gbps(found[4], findings, number), number)
        else:
            hint = "take the output of ibnetdiscover as it is"
            findings.add(f"{shown(line)} is neither a node nor a port of one", code="FP6003", line=number, hint=hint)
    if not nodes:
        hint = 'a node is a line such as: Switch 36 "S-0002c902004a3a40" # "leaf1"'
        raise FormatError("no switch or adapter in the file", file=str(path), hint=hint, code="FP6003")
    names = _names(nodes)
    devices = {
        names[key]: Device(names[key], host=node.kind in ("Ca", "Hca"), ports=node.ports) for key, node in nodes.items()
    }
    cables = sound_cables(_cables(heard, nodes, names, findings), devices, findings)
    return topology_of_devices(path.stem, list(devices.values()), cables)


def _gbps(tail: str, findings: Findings, line: int) -> float:
    rate = _RATE.search(tail)
    if rate is None:
        return float("nan")
    if rate[2] not in _LANE_GBPS:
        known = ", ".join(_LANE_GBPS)
        findings.add(f"{rate[0].strip()} is not a known link speed", code="FP6005", line=line, hint=f"known: {known}")
        return float("nan")
    return int(rate[1]) * _LANE_GBPS[rate[2]]


def _names(nodes: dict[str, _Node]) -> dict[str, str]:
    """A name for every node: its description, with the GUID where two are the same."""
    count = Counter(node.description for node in nodes.values())
    return {
        key: re.sub(r"\s+", ".", node.description if count[node.description] == 1 else f"{node.description}.{key}")
        for key, node in nodes.items()
    }


def _cables(
    heard: dict[tuple[str, str], tuple[str, str, float, int]],
    nodes: dict[str, _Node],
    names: dict[str, str],
    findings: Findings,
) -> list[PortCable]:
    """Every cable once; one that only one of two described ends lists is a problem."""
    cables = []
    for (node, port), (far, far_port, gbps, line) in heard.items():
        back = heard.get((far, far_port))
        if far in nodes and (back is None or back[:2] != (node, port)):
            there = f"{names[far]} port {far_port}"
            findings.add(
                f"{names[node]} port {port} lists {there}, which lists {'nothing' if back is None else 'another port'}",
                code="FP6007",
                line=line,
                hint="discover again: the fabric changed meanwhile",
            )
        elif far not in nodes or (node, int(port)) < (far, int(far_port)):
            cables.append(PortCable((names[node], port), (names.get(far, far), far_port), gbps, line))
    return cables


read, read_sound = both_ways(_read)
SUMMARY = "InfiniBand as ibnetdiscover prints it; read only"
FORMAT = TopologyFormat("ibnetdiscover", (".ibnet",), read, None, read_sound)
