"""What a switch says it has: flows and groups from OpenFlow 1.3 multipart replies, in the values of our tables.

Read by struct: scapy 2.8 takes the padding behind a match for four bytes whatever its length, so that instructions of
flow statistics come out shifted. Entries that no rule of ours can be are kept as well, with ``rule`` or ``group`` None:
a switch is compared whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from fabric.rules.openflow13.encode import ETHER_IPV4, ETHER_IPV6, HEADER, PORT_LOCAL, SCTP, TCP, VERSION
from fabric.rules.table import DROP, LOCAL, UDP, Action, Bucket, Group, Match, Rule

_FLOW = struct.Struct("!HBxIIHHHHxxxxQQQ")  # ofp_flow_stats up to its match
_BUCKET = struct.Struct("!HHIIxxxx")
_OXM_BASIC = 0x8000
_IN_PORT, _ETH_TYPE, _IP_PROTO = 0, 5, 10
_ADDRESSES = {11: (4, "src"), 12: (4, "dst"), 26: (6, "src"), 27: (6, "dst")}
_PORTS = {
    13: (TCP, "src_port"), 14: (TCP, "dst_port"), 15: (UDP, "src_port"), 16: (UDP, "dst_port"),
    17: (SCTP, "src_port"), 18: (SCTP, "dst_port"),
}  # fmt: skip
_APPLY_ACTIONS, _OUTPUT, _GROUP = 4, 0, 22
_SELECT = 1
OWNER = 0xFA  # first byte of our cookies


class InstalledFlow(NamedTuple):
    """A flow as the switch has it."""

    table: int
    priority: int
    cookie: int
    match: bytes  # OpenFlow's bytes, padded: what a strict deletion needs
    asks: Match | None  # the same as a match of ours, in table 0; None: none of ours is the same
    rule: Rule | None  # None: not a rule that fabric writes
    groups: tuple[int, ...]  # groups it hands packets to; those of rules that are not ours as far as they are found

    @property
    def ours(self) -> bool:
        """Whether its cookie says that fabric wrote it."""
        return self.cookie >> 56 == OWNER and self.table == 0

    @property
    def words(self) -> str:
        """The flow in the words of its kind, for people."""
        from fabric.rules.ovs_text import format_rule

        if self.rule is not None:
            return format_rule(self.rule)
        return f"table {self.table}: cookie={self.cookie:#x},priority={self.priority}, with a match or action of others"


class InstalledGroup(NamedTuple):
    """A group as the switch has it."""

    id: int
    group: Group | None  # None: not one that fabric writes
    basis: int | None = None  # of its hash; None: OpenFlow 1.3 does not tell


def read_flows(body: bytes) -> list[InstalledFlow]:
    """Flows of the body of one multipart reply (without its 16 bytes of header).

    Raises
    ------
    ValueError
        When lengths contradict each other.
    """
    return [_flow(part) for part in parts_of(body, 0, _FLOW.size + 8)]


def read_groups(body: bytes) -> list[InstalledGroup]:
    """Groups of the body of one multipart reply of group descriptions; ValueError as for flows."""
    found = []
    for part in parts_of(body, 0, 8):
        kind, number = part[2], int.from_bytes(part[4:8], "big")
        buckets = [_bucket(one) for one in parts_of(part[8:], 0, _BUCKET.size)]
        whole = kind == _SELECT and all(bucket is not None for bucket in buckets)
        group = Group(number, tuple(bucket for bucket in buckets if bucket is not None)) if whole else None
        found.append(InstalledGroup(number, group))
    return found


def parts_of(data: bytes, at_length: int, least: int) -> Iterator[bytes]:
    """Pieces of ``data``, each with its own length in two bytes from ``at_length``."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + at_length : at + at_length + 2], "big")
        if length < least or at + length > len(data):
            raise ValueError(f"an entry of {length} bytes where {len(data) - at} are left and {least} are least")
        yield data[at : at + length]
        at += length


def _flow(data: bytes) -> InstalledFlow:
    head = _FLOW.unpack_from(data)
    table, priority, idle, hard, cookie = head[1], head[4], head[5], head[6], head[8]
    at = _FLOW.size
    kind, length = struct.unpack_from("!HH", data, at)
    end = at + (length + 7) // 8 * 8
    if kind != 1 or length < 4 or end > len(data):
        raise ValueError(f"a match of type {kind} and {length} bytes")
    match = _match(data[at + 4 : at + length])
    action, groups = _action(data[end:])
    asks = match if table == 0 else None
    if asks is not None and asks.in_port and (action != DROP or not asks.family):
        asks = None  # ours at a port only drop; what else somebody has there is followed by no plan
    lasts = not idle and not hard
    rule = Rule(priority, asks, action, cookie) if asks is not None and action is not None and lasts else None
    return InstalledFlow(table, priority, cookie, data[at:end], asks, rule, groups)


def _match(data: bytes) -> Match | None:
    """A match from its OXM fields; None when it asks for something our matches cannot."""
    values: dict[str, int] = {}
    at = 0
    while at < len(data):
        if at + 4 > len(data) or at + 4 + data[at + 3] > len(data):
            raise ValueError("a match field that is cut off")
        kind, field, length = int.from_bytes(data[at : at + 2], "big"), data[at + 2], data[at + 3]
        value = data[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != _OXM_BASIC or not _read_field(field >> 1, value, values, masked=bool(field & 1)):
            return None
    in_port = values.pop("in_port", 0)
    if not values:
        return Match(0, in_port=in_port)
    family = {ETHER_IPV4: 4, ETHER_IPV6: 6}.get(values.pop("eth_type", 0))
    if family is None or values.pop("family", family) != family:
        return None
    return Match(4 if family == 4 else 6, **values, in_port=in_port)


def _read_field(field: int, value: bytes, values: dict[str, int], *, masked: bool) -> bool:
    """Enter one field into ``values``; False when our matches have no such field."""
    if field in _ADDRESSES:
        family, side = _ADDRESSES[field]
        width = 4 if family == 4 else 16
        if len(value) != width * (1 + masked) or values.setdefault("family", family) != family:
            return False
        mask = int.from_bytes(value[width:], "big") if masked else (1 << 8 * width) - 1
        bits = mask.bit_count()
        if mask != (1 << 8 * width) - (1 << (8 * width - bits)):
            return False
        values |= {side: int.from_bytes(value[:width], "big"), f"{side}_bits": bits}
        return True
    if masked:
        return False
    number = int.from_bytes(value, "big")
    if field == _ETH_TYPE:
        values["eth_type"] = number
    elif field == _IN_PORT:
        values["in_port"] = port_of_wire(number)
    elif field == _IP_PROTO:
        values["protocol"] = number
    elif field in _PORTS:
        protocol, key = _PORTS[field]
        if values.setdefault("protocol", protocol) != protocol:
            return False
        values[key] = number
    else:
        return False
    return True


def _action(data: bytes) -> tuple[Action | None, tuple[int, ...]]:
    """The action of a flow's instructions (None: not one of ours), and the groups found in them."""
    actions: list[tuple[int, int]] = []
    plain = True
    for instruction in parts_of(data, 2, 8):
        kind = int.from_bytes(instruction[:2], "big")
        if kind in (3, _APPLY_ACTIONS):
            actions += actions_of(instruction[8:])
        plain &= kind == _APPLY_ACTIONS
    groups = tuple(value for kind, value in actions if kind == _GROUP)
    if not data or (plain and not actions):
        return DROP, groups
    if not plain or len(actions) != 1 or actions[0][0] not in (_OUTPUT, _GROUP):
        return None, groups
    kind, value = actions[0]
    return Action("group", value) if kind == _GROUP else Action("output", port_of_wire(value)), groups


def actions_of(data: bytes) -> list[tuple[int, int]]:
    """Kind and first 32-bit value of every action."""
    return [(int.from_bytes(one[:2], "big"), int.from_bytes(one[4:8], "big")) for one in parts_of(data, 2, 8)]


def _bucket(data: bytes) -> Bucket | None:
    """A bucket that only sends out of a port; None for others."""
    _, weight, _, _ = _BUCKET.unpack_from(data)
    acts = actions_of(data[_BUCKET.size :])
    return Bucket(port_of_wire(acts[0][1]), weight) if len(acts) == 1 and acts[0][0] == _OUTPUT else None


def port_of_wire(number: int) -> int:
    """Port of ours from a number on the wire."""
    return LOCAL if number == PORT_LOCAL else number


def read_messages(data: bytes) -> tuple[list[Rule], list[Group]]:
    """Rules and groups of messages that fill a switch, as ``encode.table_messages`` writes them.

    Raises
    ------
    ValueError
        For bytes that are not messages, and for messages that add anything but rules and groups of ours.
    """
    rules, groups = [], []
    for message in parts_of(data, 2, HEADER.size):
        kind = message[1]
        if len(message) < {14: 56, 15: 16}.get(kind, 8):
            raise ValueError(f"a message of type {kind} that is cut off")
        command = message[25] if kind == 14 else int.from_bytes(message[8:10], "big")
        if kind == 20:
            continue
        if message[0] != VERSION or kind not in (14, 15) or command != 0:
            raise ValueError(f"a message of type {kind} that adds nothing")
        if kind == 14:
            rules.append(_added_rule(message))
        else:
            buckets = [_bucket(one) for one in parts_of(message[16:], 0, _BUCKET.size)]
            made = tuple(bucket for bucket in buckets if bucket is not None)
            if message[10] != _SELECT or len(made) != len(buckets):
                raise ValueError("a group that does not distribute over ports")
            groups.append(Group(int.from_bytes(message[12:16], "big"), made))
    return rules, sorted(groups)


def _added_rule(message: bytes) -> Rule:
    length = int.from_bytes(message[50:52], "big")
    match, action = _match(message[52 : 48 + length]), _action(message[48 + (length + 7) // 8 * 8 :])[0]
    if match is None or action is None or message[24]:
        raise ValueError("a flow that fabric does not write")
    return Rule(int.from_bytes(message[30:32], "big"), match, action, int.from_bytes(message[8:16], "big"))
