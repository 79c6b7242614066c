"""``ibnetdiscover``: an InfiniBand fabric as the diagnostic program of that name prints it; read only.

Switches and channel adapters are named by their descriptions, which must differ; where they do not, GUIDs are added. A
link's speed is its width times the lane rate that the words stand for (4xNDR is 400 Gb/s). An adapter's description is
its host's name and its own (``node0 mlx5_0``), as the Linux driver sets it: adapters of one host are its NICs.

Not hosts, and said: the aggregation engine that a switch shows as an adapter of its own (left out, with the port it is
on), routers to other subnets (left out), adapters of appliances that manage the fabric or lead out of it (kept, without
traffic), and adapters without a cable (left out).

References
----------
ibnetdiscover(8), section "Topology file format"; rdma-core, infiniband-diags/ibnetdiscover.c.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError
from topologies.format_registry import Imported, TopologyFormat, both_ways
from topologies.host_roles import NodeFacts, some
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, read_text, shown
from topologies.units import precise_gbps

MOST_PORTS = 254  # port numbers have 8 bits, of which 255 is not one
_LANE_GBPS = {
    "SDR": 2.5, "DDR": 5.0, "QDR": 10.0, "FDR10": 10.0, "FDR": 14.0, "EDR": 25.0, "HDR": 50.0, "NDR": 100.0,
    "XDR": 200.0,
}  # fmt: skip
_CODED = ("SDR", "DDR", "QDR")  # eight bits in ten
_WIDTHS = ("1x", "2x", "4x", "8x", "12x")
AGGREGATION = "Aggregation Node"
APPLIANCE = "ufm, gateway, gw, skyway"
UNCABLED = "adapter without a port line"

FIELDS = DeclaredFields(
    "topology format",
    "ibnetdiscover",
    "ibnetdiscover(8); rdma-core, infiniband-diags/ibnetdiscover.c",
    [
        Field("Switch", MODELLED, "a switch with its number of ports"),
        Field("Ca", MODELLED, "a channel adapter: a NIC of the host that its description names"),
        Field("Hca", MODELLED, "a channel adapter, as the simulator spells it"),
        Field("Rt", REPORTED, "routers lead to other subnets and are left out"),
        Field("[port]", MODELLED, "a cable between two ports"),
        Field("description", MODELLED, "name of a switch; host and adapter of an adapter"),
        Field(AGGREGATION, REPORTED, "adapters inside switches, which sum up inside the network, are left out"),
        Field("sysimgguid", MODELLED, "an adapter with the one of a switch is part of that switch, and left out"),
        Field(APPLIANCE, MODELLED, "adapters so described manage the fabric or lead out of it: they send no traffic"),
        Field(UNCABLED, REPORTED, "adapters without a cable are left out"),
        *(Field(word, MODELLED, f"a lane of {precise_gbps(gbps)}") for word, gbps in _LANE_GBPS.items()),
        *(Field(width, MODELLED, f"{width[:-1]} lanes") for width in _WIDTHS),
        Field("??", MODELLED, "the speed is not known and asked for"),
        Field("lmc", HARMLESS, "addresses of a port; the router of the scenario chooses paths"),
        Field("lid", HARMLESS, "address of a port"),
        Field("vendid", HARMLESS, "vendor"),
        Field("devid", HARMLESS, "device"),
        Field("switchguid", HARMLESS, "identity of a switch"),
        Field("caguid", HARMLESS, "identity of an adapter"),
        Field("rtguid", HARMLESS, "identity of a router"),
        Field("base port 0", HARMLESS, "management port of a switch"),
        Field("enhanced port 0", HARMLESS, "management port of a switch"),
        Field("s= w= v=", HARMLESS, "of -f: speed and width once more, and virtual lanes"),
        Field("[ext]", HARMLESS, "of -g: number of a port on the outside of a chassis"),
        Field("Chassis", HARMLESS, "of -g: heading"),
        Field("Non-Chassis Nodes", HARMLESS, "of -g: heading"),
        Field("Hostname:", HARMLESS, "of -g: heading"),
        Field("(scp), slot", HARMLESS, "of -g: places of Xsigo directors"),
        Field("#", HARMLESS, "comment"),
    ],
    unknown="refused",
)

_NODE = re.compile(r'^(Switch|Ca|Hca|Rt)\s+(\d{1,18})\s+"([^"]+)"(?:\s*#\s*"([^"]*)")?')
_PORT = re.compile(
    r'^\[(\d{1,9})\](?:\[ext \d+\])?\s*(?:\([0-9a-fA-Fx]+\))?\s*"([^"]+)"\[(\d{1,9})\](?:\[ext \d+\])?(.*)$'
)
_PEER = re.compile(r'"([^"]*)"')
_RATE = re.compile(r"\b(\d+)x(\?\?|[A-Z]+\d*)(?![\w.])")
_IDENTITY = re.compile(r"^(vendid|devid|sysimgguid|switchguid|caguid|rtguid)=(?:0x)?([0-9a-fA-F]*)")
_HEADING = re.compile(r"^(Chassis \d+|Non-Chassis Nodes|Hostname:)")
_OTHER_OUTPUT = re.compile(r"^(?:[<>] |(?:SW|CA|RT|\?\?)\s+\d+\s+\d+\s+0x|(?:Switch|Ca|Router|Rt)\s*:\s*0x)")
_ADAPTER = re.compile(r"^(\S+) (\S*\d\S*|mlx\S*|HCA\S*)$")
_APPLIANCE = re.compile(r"(?<![a-z0-9])(?:ufm|gateway|gw|skyway|mga100)(?![a-z])", re.IGNORECASE)
_ENGINE = re.compile(AGGREGATION, re.IGNORECASE)


@dataclass
class _Node:
    kind: str
    ports: int
    id: str
    description: str
    line: int
    system: str  # sysimgguid, without leading zeros


@dataclass(frozen=True)
class _Port:
    """What a line says of a port: the other end, its description, and the speed."""

    far: str
    far_port: str
    peer: str
    gbps: float
    line: int


class _Listing:
    """The nodes and ports of a file, and what of them is no part of the fabric that jobs use."""

    def __init__(self, path: Path, findings: Findings) -> None:
        self.findings = findings
        self.nodes: dict[str, _Node] = {}
        self.heard: dict[tuple[str, str], _Port] = {}
        self.orphans = 0
        self._read(path)
        self.left_out: dict[str, str] = {}  # why, by id
        self._leave_out()

    def _read(self, path: Path) -> None:
        current: _Node | None = None
        system, guid = "", False
        for number, raw in enumerate(read_text(path).splitlines(), 1):
            line = raw.strip()
            if not line:
                current, system, guid = None, "", False
            elif identity := _IDENTITY.match(line):
                if identity[1] == "sysimgguid":
                    system = identity[2].lstrip("0").lower()
                guid = guid or identity[1] in ("caguid", "rtguid", "switchguid")
            elif line.startswith("#") or _HEADING.match(line):
                continue
            elif found := _NODE.match(line):
                current = self._node(found, number, system)
            elif (found := _PORT.match(line)) and current is not None:
                self._port(current, found, number)
            elif found and guid:
                self.orphans += 1
            else:
                hint = "take the output of ibnetdiscover as it is"
                if _OTHER_OUTPUT.match(line):
                    hint = "this is of another option (-p, -l or --diff); take the output without options"
                self.findings.add(
                    f"{shown(line)} is neither a node nor a port of one", code="FP6003", line=number, hint=hint
                )
        if not self.nodes:
            hint = 'a node is a line such as: Switch 36 "S-0002c902004a3a40" # "leaf1"'
            raise FormatError("no switch or adapter in the file", file=str(path), hint=hint, code="FP6003")

    def _node(self, found: re.Match[str], line: int, system: str) -> _Node:
        node = _Node(found[1], int(found[2]), found[3], (found[4] or found[3]).strip(), line, system)
        if node.ports > MOST_PORTS:
            message = f"{node.description} has {node.ports:,} ports; an InfiniBand node has {MOST_PORTS} at most"
            self.findings.add(message, code="FP6005", line=line, hint="take the output of ibnetdiscover as it is")
            node.ports = MOST_PORTS
        if node.id in self.nodes:
            before = self.nodes[node.id].line
            self.findings.add(f"{node.id} is described twice, first on line {before}", code="FP6007", line=line)
        return self.nodes.setdefault(node.id, node)

    def _port(self, node: _Node, found: re.Match[str], line: int) -> None:
        port = (node.id, found[1])
        if not 1 <= int(found[1]) <= node.ports:
            message = f"port {found[1]} of {node.description}, which has {node.ports}"
            self.findings.add(message, code="FP6005", line=line)
        elif port in self.heard:
            message = f"two cables on port {found[1]} of {node.description}, first on line {self.heard[port].line}"
            self.findings.add(message, code="FP6007", line=line)
        else:
            peer = _PEER.search(found[4])
            gbps = _gbps(found[4], self.findings, line)
            self.heard[port] = _Port(found[2], found[3], peer[1].strip() if peer else "", gbps, line)

    def _leave_out(self) -> None:
        """Aggregation engines, routers, and adapters without a cable."""
        switches = {node.system for node in self.nodes.values() if node.kind == "Switch" and node.system}
        cabled = {node for node, _ in self.heard} | {port.far for port in self.heard.values()}
        for node in self.nodes.values():
            if node.kind == "Rt":
                self.left_out[node.id] = "Rt"
            elif node.kind != "Switch" and (_ENGINE.search(node.description) or node.system in switches):
                self.left_out[node.id] = AGGREGATION
            elif node.kind != "Switch" and node.id not in cabled:
                self.left_out[node.id] = UNCABLED
        for port in self.heard.values():
            if port.far not in self.nodes and _ENGINE.search(port.peer):
                self.left_out[port.far] = AGGREGATION

    def own_ports(self) -> Counter[str]:
        """Ports of every switch that lead to engines inside it, and are none for a cable."""
        return Counter(node for (node, _), port in self.heard.items() if self.left_out.get(port.far) == AGGREGATION)

    def say(self, idle: list[str]) -> None:
        """What was left out, each kind once, and what was assumed."""
        for kind in dict.fromkeys(self.left_out.values()):
            names = [self.nodes[key].description if key in self.nodes else key
                     for key, why in self.left_out.items() if why == kind]  # fmt: skip
            effect = FIELDS.notes([kind])[0]
            self.findings.note(f"{effect}: {len(names):,}" + (f", such as {names[0]}" if kind != AGGREGATION else ""))
        if idle:
            self.findings.note(
                f"{some(idle)} are taken for appliances that manage the fabric or lead out of it, by their "
                "descriptions: they send no traffic; hosts: [PATTERN, ...] beside path says otherwise"
            )
        if self.orphans:
            self.findings.note(
                f"{self.orphans:,} lines of ports whose node has no line, as filters leave behind, are left out"
            )


def _read(path: Path, findings: Findings) -> Imported:
    listing = _Listing(path, findings)
    nodes = {key: node for key, node in listing.nodes.items() if key not in listing.left_out}
    names = _names(nodes)
    own_ports = listing.own_ports()
    idle = {key for key, node in nodes.items() if node.kind != "Switch" and _APPLIANCE.search(node.description)}
    devices = {
        names[key]: Device(
            names[key],
            host=node.kind != "Switch" and key not in idle,
            idle=key in idle,
            ports=node.ports - own_ports[key],
        )
        for key, node in nodes.items()
    }
    listing.say([names[key] for key in nodes if key in idle])
    coded = sorted({rate[2] for rate in _RATE.finditer(read_text(path)) if rate[2] in _CODED})
    if coded:
        findings.note(f"{', '.join(coded)} lanes count at their line rate, of which coding leaves four fifths")
    heard = {
        port: far for port, far in listing.heard.items()
        if port[0] not in listing.left_out and far.far not in listing.left_out
    }  # fmt: skip
    cables = sound_cables(_cables(heard, nodes, names, findings), devices, findings)
    adapters = {
        names[key]: (found[1], found[2])
        for key, node in nodes.items()
        if node.kind != "Switch" and (found := _ADAPTER.match(node.description))
    }
    labels = {names[key]: node.description for key, node in nodes.items() if names[key] != node.description}
    built = topology_of_devices(path.stem, list(devices.values()), cables)
    told = any(device.host for device in devices.values())
    return Imported(built, facts=NodeFacts(told=told or None, adapters=adapters, labels=labels))


def link_gbps(tail: str) -> float:
    """Speed that the end of a port's line tells, Gbps; nan where it tells none that is known.

    >>> link_gbps(' # "leaf1" lid 3 4xNDR'), link_gbps("4x??")
    (400.0, nan)
    """
    rates = list(_RATE.finditer(_PEER.sub("", tail)))
    if not rates or rates[-1][2] not in _LANE_GBPS or f"{rates[-1][1]}x" not in _WIDTHS:
        return float("nan")
    return int(rates[-1][1]) * _LANE_GBPS[rates[-1][2]]


def _gbps(tail: str, findings: Findings, line: int) -> float:
    rates = list(_RATE.finditer(_PEER.sub("", tail)))
    if not rates or rates[-1][2] == "??":
        return float("nan")
    rate = rates[-1]
    if rate[2] not in _LANE_GBPS or f"{rate[1]}x" not in _WIDTHS:
        known = ", ".join(_LANE_GBPS)
        message = f"{rate[0].strip()} is not a known link speed"
        findings.add(message, code="FP6005", line=line, hint=f"known: {known}, of {', '.join(_WIDTHS)}")
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
    heard: dict[tuple[str, str], _Port], nodes: dict[str, _Node], names: dict[str, str], findings: Findings
) -> list[PortCable]:
    """Every cable once; one that only one of two described ends lists is a problem, and so are two speeds."""
    cables = []
    for (node, port), end in heard.items():
        far, far_port = end.far, end.far_port
        back = heard.get((far, far_port))
        if far in nodes and (back is None or (back.far, back.far_port) != (node, port)):
            there = f"{names[far]} port {far_port}"
            findings.add(
                f"{names[node]} port {port} lists {there}, which lists {'nothing' if back is None else 'another port'}",
                code="FP6007",
                line=end.line,
                hint="discover again: the fabric changed meanwhile",
            )
        elif far not in nodes or (node, int(port)) < (far, int(far_port)):
            gbps = end.gbps if back is None or end.gbps == end.gbps else back.gbps
            if back is not None and back.gbps == back.gbps and back.gbps != gbps:
                findings.note(
                    f"{names[node]} port {port} is {gbps:g}G at one end and {back.gbps:g}G at the other: the lower "
                    "holds"
                )
                gbps = min(gbps, back.gbps)
            cables.append(PortCable((names[node], port), (names.get(far, far), far_port), gbps, end.line))
    return cables


read, read_sound = both_ways(_read)
SUMMARY = "InfiniBand as ibnetdiscover prints it; read only"
FORMAT = TopologyFormat("ibnetdiscover", (".ibnet",), read, None, read_sound)
