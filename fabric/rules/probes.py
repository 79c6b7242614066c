"""Packets that exercise every rule of one switch once, as a capture file and a table of what should happen.

A probe for a prefix rule goes to an address of the prefix that no better rule takes; one for a single flow has its
5-tuple; one for the rule that takes everything has an address that nobody has. Prefixes are probed by UDP port 4791,
the way RoCEv2 comes. Probes enter by a port that their rule does not send out of, since switches never send back.
A switch's own hash decides the bucket of a group, so probes exercise groups, not each of their buckets.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabric.rules.address_line import deciding_rules, on_line
from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import File
from fabric.rules.errors import RuleError
from fabric.rules.manifest import to_csv
from fabric.rules.packet import Packet, find_rule
from fabric.rules.ports import Ports
from fabric.rules.table import LOCAL, ROCE_PORT, UDP, Match, Rule, SwitchTable

PROBE_COLUMNS = ("probe", "cookie", "priority", "match", "in_port", "expected", "src", "dst", "src_port", "dst_port")
NOBODY = 0xC0000201  # 192.0.2.1, of a range that documentation may use (RFC 5737)
EXPERIMENTAL = 0x88B5  # Ethernet type for local experiments (IEEE 802), for frames that are not IP
TCP, ICMP, ICMP6 = 6, 1, 58
_LIMIT = 65_535
_SRC_PORT = 49_152


@dataclass(frozen=True)
class Probe:
    """One packet and what a switch should do with it."""

    number: int  # place in the capture, from 1
    rule: Rule
    in_port: int
    packet: Packet
    src_mac: str
    dst_mac: str

    @property
    def expected(self) -> str:
        """Action of the rule in words: ``drop``, ``output:3``, ``group:7``."""
        action = self.rule.action
        value = "LOCAL" if action.value == LOCAL else action.value
        return action.kind if action.kind == "drop" else f"{action.kind}:{value}"


@dataclass(frozen=True)
class ProbeSet:
    """Probes of one switch, and the rules that no packet reaches because better ones take all of theirs."""

    switch: str
    probes: tuple[Probe, ...]
    unreachable: tuple[Rule, ...]


def plan_probes(table: SwitchTable, plan: AddressPlan) -> ProbeSet:
    """One probe for every rule of a switch, in the order of its rules.

    Raises
    ------
    RuleError
        For a switch that the fabric does not have (FP8051).
    """
    topology = plan.topology
    if not topology.has_node(table.name):
        raise RuleError(
            f"{table.name!r} is not on fabric {plan.fabric}", hint="compare with its own scenario", code="FP8051"
        )
    node = topology.node(table.name)
    ports = Ports(topology)
    members = {group.id: {bucket.port for bucket in group.buckets} for group in table.groups}
    asked = {rule.match.in_port for rule in table.rules}  # ports of tenants, whose own rules would take the packet
    free = _Uncovered(table.rules)
    probes: list[Probe] = []
    unreachable: list[Rule] = []
    for rule in table.rules:
        packet = _packet(rule, table.rules, free, plan)
        if packet is None:
            unreachable.append(rule)
            continue
        used = members.get(rule.action.value, set()) if rule.action.kind == "group" else {rule.action.value}
        avoided = asked if rule.action.kind == "drop" else asked | used
        in_port = rule.match.in_port or _in_port(plan, ports, node, avoided)
        probes.append(Probe(len(probes) + 1, rule, in_port, packet, *_macs(plan, ports, node, in_port, packet)))
    return ProbeSet(table.name, tuple(probes), tuple(unreachable))


class _Uncovered:
    """First address of every prefix rule that no better rule takes, read off the function of the table."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.line = deciding_rules(rules)
        self.first: dict[Rule, int] = {}
        for start, _, rule in self.line.spans():
            if rule is not None:
                self.first.setdefault(rule, start)


def _packet(rule: Rule, rules: Sequence[Rule], free: _Uncovered, plan: AddressPlan) -> Packet | None:
    """A packet that the rule takes, None when there is none."""
    match = rule.match
    if not match.family:
        return _missing(rule, rules, free, plan)
    if match.is_flow:
        src = match.src if match.src_bits else _other(plan, match.family, match.dst)
        src_port, dst_port = match.src_port or _SRC_PORT, match.dst_port or ROCE_PORT
        made = Packet(match.family, src, match.dst, match.protocol or UDP, src_port, dst_port)
        return made if find_rule(rules, made, match.in_port) == rule else None
    if rule not in free.first:
        return None
    address = free.first[rule] - on_line(match.family, 0)
    return _plain(rule, rules, Packet(match.family, _other(plan, match.family, address), address))


def _plain(rule: Rule, rules: Sequence[Rule], packet: Packet) -> Packet | None:
    """The packet with a source port that no single flow has."""
    for src_port in range(_SRC_PORT, _LIMIT + 1):
        made = packet._replace(src_port=src_port)
        if find_rule(rules, made) == rule:
            return made
    return None


def _missing(rule: Rule, rules: Sequence[Rule], free: _Uncovered, plan: AddressPlan) -> Packet | None:
    """A packet that only the rule for everything takes: to an address of no range, else a frame that is not IP."""
    if rule in free.first and free.line.at(NOBODY) == rule:
        made = _plain(rule, rules, Packet(4, _other(plan, 4, NOBODY), NOBODY))
        if made is not None:
            return made
    frame = Packet(0, 0, 0, 0, 0, 0)
    return frame if find_rule(rules, frame) == rule else None


def _other(plan: AddressPlan, family: int, address: int) -> int:
    """Address of an endpoint, another than ``address``."""
    for node in plan.node_at[:2].tolist():
        if plan.address(family, node) != address:
            return plan.address(family, node)
    return NOBODY + 1 if family == 4 else 1 << 64 | 1


def _in_port(plan: AddressPlan, ports: Ports, node: int, used: set[int]) -> int:
    """The first live port that is not used, the switch itself when all are."""
    for port, link in enumerate(ports.links(node).tolist(), 1):
        if port not in used and plan.topology.up[link]:
            return port
    return LOCAL


def _macs(plan: AddressPlan, ports: Ports, node: int, in_port: int, packet: Packet) -> tuple[str, str]:
    """Source and destination MAC: the neighbour at the port, and the endpoint that has the address, else the switch."""
    link = ports.link(node, in_port) if in_port != LOCAL else -1
    neighbour = int(plan.topology.links.dst[link]) if link >= 0 else node
    offset = plan.offset_of(packet.family, packet.dst) if packet.family else -1
    owner = plan.endpoint_at(offset) if offset >= 0 else -1
    return plan.mac(neighbour), plan.mac(owner if owner >= 0 else node)


# ---- files -----------------------------------------------------------------------------------------------------------


def frame_bytes(probe: Probe) -> bytes:
    """A probe as an Ethernet frame, built by scapy."""
    from scapy.layers import inet, inet6
    from scapy.layers.l2 import Ether
    from scapy.packet import Packet as Layer
    from scapy.packet import Raw

    packet = probe.packet
    text = Raw(f"fabric probe {probe.number}".encode().ljust(32, b"."))
    ether = Ether(src=probe.src_mac, dst=probe.dst_mac)
    if not packet.family:
        ether.type = EXPERIMENTAL
        return bytes(ether / text)
    network: Layer
    if packet.family == 4:
        network = inet.IP(src=packet.src_text, dst=packet.dst_text, proto=packet.protocol, ttl=64)
    else:
        network = inet6.IPv6(src=packet.src_text, dst=packet.dst_text, nh=packet.protocol, hlim=64)
    if packet.protocol in (UDP, TCP):
        kind = inet.UDP if packet.protocol == UDP else inet.TCP
        return bytes(ether / network / kind(sport=packet.src_port, dport=packet.dst_port) / text)
    if packet.protocol in (ICMP, ICMP6):
        echo = inet.ICMP() if packet.protocol == ICMP else inet6.ICMPv6EchoRequest()
        return bytes(ether / network / echo / text)
    return bytes(ether / network / text)


def probe_files(probes: ProbeSet, stem: str) -> Iterator[File]:
    """``STEM.pcap`` with all probes in order, and ``STEM.csv`` with what each should do.

    Parameters
    ----------
    stem : str
        Safe name of the switch.
    """
    from scapy.utils import PcapWriter

    held = io.BytesIO()
    writer = PcapWriter(held, linktype=1, sync=True)
    writer.write_header(None)
    for probe in probes.probes:
        # One microsecond apart from 0, so that the same tables give the same bytes.
        writer.write_packet(frame_bytes(probe), sec=0, usec=probe.number)
    yield File(f"{stem}.pcap", held.getvalue())
    yield File(f"{stem}.csv", to_csv(PROBE_COLUMNS, map(_row, probes.probes)))


def _row(probe: Probe) -> tuple[object, ...]:
    packet, rule = probe.packet, probe.rule
    in_port = "LOCAL" if probe.in_port == LOCAL else probe.in_port
    plain = packet.protocol not in (UDP, TCP)
    return (
        probe.number,
        f"{rule.cookie:#x}",
        rule.priority,
        match_text(rule.match),
        in_port,
        probe.expected,
        packet.src_text,
        packet.dst_text,
        "" if plain else packet.src_port,
        "" if plain else packet.dst_port,
    )


def match_text(match: Match) -> str:
    """A match for people: its prefix, and what else a single flow asks for."""
    if not match.family:
        return f"any in by port {match.in_port}" if match.in_port else "any"
    parts = [match.dst_text]
    if match.in_port:
        parts.append(f"in by port {match.in_port}")
    if match.src_bits:
        parts.append(f"from {match.src_text}")
    if match.protocol:
        parts.append("udp" if match.protocol == UDP else f"protocol {match.protocol}")
    if match.src_port:
        parts.append(f"source port {match.src_port}")
    if match.dst_port:
        parts.append(f"port {match.dst_port}")
    return " ".join(parts)
