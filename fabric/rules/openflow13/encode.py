"""OpenFlow 1.3 messages of our rules and groups, laid out by scapy's ``contrib.openflow3``.

scapy builds 3,000 messages a second. So every shape of message (which fields it matches, how long the prefixes are,
what it does) is built a few times only: once with zeros, and once per value with all ones; bytes that differ are where
that value goes. Later messages of the shape are that layout filled in.

Three traps of scapy are kept away from here: it would insert ``eth_type`` itself, from a state that outlives a message
(``prereq_autocomplete``); masks are taken as numbers only; buckets watch port 0 unless set. One thing it cannot do:
matches outside of OpenFlow's basic class, so that flows of others are deleted by the bytes the switch gave
(``flow_delete_exactly``, by struct).

References
----------
OpenFlow Switch Specification 1.3.5, section 7 (ONF TS-023, 2015).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Literal, NamedTuple

from fabric.rules.errors import RuleError
from fabric.rules.table import LOCAL, UDP, Group, Match, Rule, SwitchTable

VERSION = 4  # on the wire, of OpenFlow 1.3
HEADER = struct.Struct("!BBHI")  # version, type, length, xid
TCP, SCTP = 6, 132
ETHER_IPV4, ETHER_IPV6 = 0x0800, 0x86DD
MOST_BUCKETS = (0xFFFF - 16) // 32  # of 32 bytes each, in a message whose length has 16 bits
PORT_LOCAL, ANY = 0xFFFFFFFE, 0xFFFFFFFF

FlowCommand = Literal["add", "modify_strict", "delete_strict"]
GroupCommand = Literal["add", "modify", "delete"]
_FLOW_COMMANDS = {"add": 0, "modify_strict": 2, "delete_strict": 4}
_GROUP_COMMANDS = {"add": 0, "modify": 1, "delete": 2}
PORT_NAMES = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}  # of protocols whose ports OpenFlow 1.3 can match


class _Layout(NamedTuple):
    """A message with zeros for its values, and the bytes each value fills, most significant first."""

    zeros: bytes
    places: tuple[tuple[tuple[int, int], ...], ...]

    def fill(self, values: Sequence[int]) -> bytes:
        """The message with these values."""
        made = bytearray(self.zeros)
        for places, value in zip(self.places, values, strict=True):
            for start, end in places:
                try:
                    made[start:end] = value.to_bytes(end - start, "big")
                except OverflowError:
                    raise RuleError(
                        f"{value} does not fit into {8 * (end - start)} bits, which OpenFlow 1.3 has for it",
                        hint="export the tables again; fabric writes no such value",
                        code="FP8030",
                    ) from None
        return bytes(made)


class _Shape(NamedTuple):
    """What decides the layout of a FLOW_MOD: the fields of its match with their prefix lengths, and its action."""

    command: int
    family: int
    dst_bits: int
    src_bits: int
    protocol: int
    src_port: bool
    dst_port: bool
    in_port: bool
    action: str


@cache
def _scapy() -> Any:
    """scapy's layer, with its automatic prerequisites off."""
    from scapy.config import conf
    from scapy.contrib import openflow3

    conf.contribs["OPENFLOW"]["prereq_autocomplete"] = False
    return openflow3


def wire_port(port: int) -> int:
    """Port number on the wire."""
    return PORT_LOCAL if port == LOCAL else port


# ---- layouts ---------------------------------------------------------------------------------------------------------


def _find_layout(build: Callable[[list[int]], bytes], bits: Sequence[int]) -> _Layout:
    """Build with zeros, then with one value of ``bits`` ones at a time; what differs is where it goes."""
    zeros = build([0] * len(bits))
    places = []
    for index, width in enumerate(bits):
        ones = build([(1 << width) - 1 if at == index else 0 for at in range(len(bits))])
        places.append(_runs([at for at, (a, b) in enumerate(zip(zeros, ones, strict=True)) if a != b], width // 8))
    return _Layout(zeros, tuple(places))


def _runs(places: Sequence[int], width: int) -> tuple[tuple[int, int], ...]:
    """Bytes that differ, as ranges of one value's width; a value may stand in several places."""
    starts = places[::width]
    if [at for start in starts for at in range(start, start + width)] != list(places):
        raise AssertionError(f"scapy lays a value of {width} bytes out at {list(places)}")
    return tuple((start, start + width) for start in starts)


_BUILDING = Lock()  # scapy builds for one thread at a time; layouts are read by all


@lru_cache(maxsize=4096)
def _flow_layout(shape: _Shape) -> _Layout:
    """Layout of a FLOW_MOD; its values are those of ``_flow_values``."""
    with _BUILDING:
        return _new_flow_layout(shape)


def _new_flow_layout(shape: _Shape) -> _Layout:
    width = 32 if shape.family == 4 else 128
    bits = [32, 64, 16]  # xid, cookie, priority
    bits += [width] * (bool(shape.src_bits) + bool(shape.dst_bits)) + [16] * (shape.src_port + shape.dst_port)
    bits += [32] * shape.in_port
    bits += [32] * (shape.action != "drop")
    return _find_layout(lambda values: bytes(_flow_packet(shape, values)), bits)


def _flow_packet(shape: _Shape, values: Sequence[int]) -> Any:
    """A FLOW_MOD as scapy's packet."""
    layer = _scapy()
    rest = iter(values)
    xid, cookie, priority = next(rest), next(rest), next(rest)
    fields = _oxm_fields(shape, rest)
    instructions = []
    if shape.action != "drop":
        to = next(rest)
        # NO_BUFFER: what goes out of LOCAL is handed over whole.
        act = layer.OFPATGroup(group_id=to) if shape.action == "group" else layer.OFPATOutput(port=to)
        instructions.append(layer.OFPITApplyActions(actions=[act]))
    return layer.OFPTFlowMod(
        xid=xid, cookie=cookie, priority=priority, cmd=shape.command, out_port="ANY", out_group="ANY",
        match=layer.OFPMatch(oxm_fields=fields), instructions=instructions,
    )  # fmt: skip


def _oxm_fields(shape: _Shape, values: Iterator[int]) -> list[Any]:
    """Fields of a match in the order of their prerequisites."""
    from ipaddress import IPv4Address

    layer = _scapy()
    fields: list[Any] = []
    if not shape.family:
        return [layer.OFBInPort(in_port=next(values))] if shape.in_port else fields
    fields.append(layer.OFBEthType(eth_type=ETHER_IPV4 if shape.family == 4 else ETHER_IPV6))
    if shape.protocol:
        fields.append(layer.OFBIPProto(ip_proto=shape.protocol))
    width = 32 if shape.family == 4 else 128
    for side, bits in (("src", shape.src_bits), ("dst", shape.dst_bits)):
        if not bits:
            continue
        number = next(values)
        address = str(IPv4Address(number)) if shape.family == 4 else number
        name, key = f"OFBIPv{shape.family}{side.capitalize()}", f"ipv{shape.family}_{side}"
        if bits == width:
            fields.append(getattr(layer, name)(**{key: address}))
        else:
            mask = (1 << width) - (1 << (width - bits))
            fields.append(getattr(layer, name + "HM")(**{key: address, f"{key}_mask": mask}))
    for side, given in (("src", shape.src_port), ("dst", shape.dst_port)):
        if given:
            name = PORT_NAMES[shape.protocol]
            make = getattr(layer, f"OFB{name.upper()}{side.capitalize()}")
            fields.append(make(**{f"{name}_{side}": next(values)}))
    if shape.in_port:
        fields.insert(0, layer.OFBInPort(in_port=next(values)))
    return fields


@lru_cache(maxsize=1024)
def _group_layout(command: int, buckets: int) -> _Layout:
    """Layout of a GROUP_MOD of type select; values: xid, id, then weight and port of every bucket."""

    def build(values: list[int]) -> bytes:
        layer = _scapy()
        pairs = zip(values[2::2], values[3::2], strict=True)
        made = [
            layer.OFPBucket(weight=weight, watch_port=port, watch_group="ANY", actions=[layer.OFPATOutput(port=port)])
            for weight, port in pairs
        ]
        mod = layer.OFPTGroupMod(
            xid=values[0], cmd=command, group_type="OFPGT_SELECT", group_id=values[1], buckets=made
        )
        return bytes(mod)

    with _BUILDING:
        return _find_layout(build, [32, 32, *[16, 32] * buckets])


# ---- messages --------------------------------------------------------------------------------------------------------


def check_ports(match: Match) -> None:
    """Raise FP8030 when a match asks for ports of a protocol that has none in OpenFlow 1.3."""
    if (match.src_port or match.dst_port) and match.protocol not in PORT_NAMES:
        raise RuleError(
            f"a rule asks for ports of IP protocol {match.protocol}; OpenFlow 1.3 knows ports of TCP, UDP and SCTP",
            hint="match UDP (17) for RoCEv2",
            code="FP8030",
        )


def _shape(rule: Rule, command: FlowCommand) -> _Shape:
    match = rule.match
    check_ports(match)
    action = "drop" if command == "delete_strict" else rule.action.kind
    return _Shape(
        _FLOW_COMMANDS[command], match.family, match.dst_bits, match.src_bits, match.protocol, bool(match.src_port),
        bool(match.dst_port), bool(match.in_port), action,
    )  # fmt: skip


def _flow_values(rule: Rule, shape: _Shape, xid: int) -> list[int]:
    match: Match = rule.match
    values = [xid, rule.cookie, rule.priority]
    values += [match.src] * bool(match.src_bits) + [match.dst] * bool(match.dst_bits)
    values += [match.src_port] * shape.src_port + [match.dst_port] * shape.dst_port
    values += [wire_port(match.in_port)] * shape.in_port
    if shape.action != "drop":
        values.append(rule.action.value if shape.action == "group" else wire_port(rule.action.value))
    return values


def flow_mod(rule: Rule, command: FlowCommand = "add", *, xid: int = 0) -> bytes:
    """FLOW_MOD of one rule, for table 0, without timeouts.

    Raises
    ------
    RuleError
        FP8030 when the rule asks for ports of a protocol that has none in OpenFlow 1.3.

    Examples
    --------
    >>> from fabric.rules.table import Action
    >>> flow_mod(Rule(0, Match(0), Action("drop"), 7)).hex(" ", 8)  # doctest: +NORMALIZE_WHITESPACE
    '040e003800000000 0000000000000007 0000000000000000 0000000000000000 ffffffffffffffff ffffffff00000000
     0001000400000000'
    """
    shape = _shape(rule, command)
    return _flow_layout(shape).fill(_flow_values(rule, shape, xid))


def flow_delete_exactly(table: int, priority: int, match: bytes, *, xid: int = 0) -> bytes:
    """FLOW_MOD that deletes the one flow with this match, given as the padded bytes a switch sent."""
    body = struct.pack(
        "!QQBBHHHIIIHH", 0, 0, table, _FLOW_COMMANDS["delete_strict"], 0, 0, priority, ANY, ANY, ANY, 0, 0
    )
    return HEADER.pack(VERSION, 14, HEADER.size + len(body) + len(match), xid) + body + match


def group_mod(group: Group, command: GroupCommand = "add", *, xid: int = 0) -> bytes:
    """GROUP_MOD of one select group; buckets watch the port they send to. Deletion sends no buckets."""
    buckets = () if command == "delete" else group.buckets
    if len(buckets) > MOST_BUCKETS:
        raise RuleError(
            f"group {group.id} has {len(buckets):,} buckets; a message of OpenFlow 1.3 holds {MOST_BUCKETS:,}",
            hint="a larger --tolerance makes groups shorter",
            code="FP8030",
        )
    values = [xid, group.id]
    for bucket in buckets:
        values += [bucket.weight, wire_port(bucket.port)]
    return _group_layout(_GROUP_COMMANDS[command], len(buckets)).fill(values)


def hello(*, xid: int = 0, version: int = VERSION) -> bytes:
    """HELLO that offers one version and nothing else."""
    layer = _scapy()
    offer = layer.OFPHETVersionBitmap(bitmap=1 << version)
    return bytes(layer.OFPTHello(version=version, xid=xid, elements=[offer]))


def hello_failed(*, xid: int = 0) -> bytes:
    """ERROR that says no common version was found."""
    return bytes(_scapy().OFPETHelloFailed(xid=xid, errcode=0, data=b""))


def echo_reply(data: bytes, *, xid: int) -> bytes:
    """ECHO_REPLY with the data of the request."""
    return HEADER.pack(VERSION, 3, HEADER.size + len(data), xid) + data


def features_request(*, xid: int = 0) -> bytes:
    """FEATURES_REQUEST."""
    return bytes(_scapy().OFPTFeaturesRequest(xid=xid))


def barrier_request(*, xid: int = 0) -> bytes:
    """BARRIER_REQUEST: the reply comes when everything before it is done."""
    return bytes(_scapy().OFPTBarrierRequest(xid=xid))


def flow_stats_request(*, xid: int = 0) -> bytes:
    """MULTIPART_REQUEST for all flows of all tables."""
    layer = _scapy()
    return bytes(layer.OFPMPRequestFlow(xid=xid, table_id="ALL", match=layer.OFPMatch(oxm_fields=[])))


def group_desc_request(*, xid: int = 0) -> bytes:
    """MULTIPART_REQUEST for the descriptions of all groups."""
    return bytes(_scapy().OFPMPRequestGroupDesc(xid=xid))


def table_messages(table: SwitchTable) -> Iterator[bytes]:
    """All messages that fill an empty switch: groups, barrier, rules, barrier; transaction ids count from 1."""
    xid = 0
    for group in table.groups:
        xid += 1
        yield group_mod(group, xid=xid)
    if table.groups:
        xid += 1
        yield barrier_request(xid=xid)
    for rule in table.rules:
        xid += 1
        yield flow_mod(rule, xid=xid)
    yield barrier_request(xid=xid + 1)


def rehearse(table: SwitchTable) -> None:
    """Build all messages of a table once: what cannot be said is raised here, and nothing is imported later.

    Raises
    ------
    RuleError
        FP8030, as of ``flow_mod`` and ``group_mod``.
    """
    for _ in table_messages(table):
        pass
    shapes = {_shape(rule, "add"): rule for rule in table.rules}
    for rule in shapes.values():
        flow_mod(rule, "modify_strict")
        flow_mod(rule, "delete_strict")
    for group in table.groups[:1]:
        group_mod(group, "delete")
    for build in (hello, hello_failed, features_request, flow_stats_request, group_desc_request):
        build()
