"""Groups that name the basis of their hash, which OpenFlow 1.3 has no words for.

Switches with the same hash basis polarise: what the first tier sent to one switch, that switch sends out of one port.
Open vSwitch takes a basis per group as a property of OpenFlow 1.5 groups (experimenter of Netronome, method
``dp_hash``), and keeps it though flows are 1.3. So where a switch speaks 1.5 too, its groups go over a second session
of 1.5, built here by struct: scapy has no layer of 1.5.

References
----------
OpenFlow Switch Specification 1.5.1, section 7 (ONF TS-025, 2015); ovs-ofctl(8), "selection_method".
"""

from __future__ import annotations

import struct

from fabric.rules.openflow13.encode import HEADER, GroupCommand, wire_port
from fabric.rules.openflow13.readback import InstalledGroup, actions_of, parts_of, port_of_wire
from fabric.rules.table import Bucket, Group

VERSION = 6  # on the wire, of OpenFlow 1.5
NO_METHOD = -1  # basis of a group that names none, or another method
_COMMANDS = {"add": 0, "modify": 1, "delete": 2}
_SELECT, _EXPERIMENTER, _NETRONOME, _METHOD = 1, 0xFFFF, 0x0000154D, 1
_ALL_BUCKETS, _ALL_GROUPS = 0xFFFFFFFF, 0xFFFFFFFC
_MOD = struct.Struct("!HBxIHxxI")  # command, type, id, length of buckets, bucket of the command
_BUCKET = struct.Struct("!HHI")  # length, length of actions, id
_WEIGHT, _WATCH_PORT = struct.Struct("!HHHxx"), struct.Struct("!HHI")
_OUTPUT = struct.Struct("!HHIHxxxxxx")
_PROPERTY = struct.Struct("!HHIIxxxx16sQ")


def group_mod(group: Group, basis: int, command: GroupCommand = "add", *, xid: int = 0) -> bytes:
    """GROUP_MOD of OpenFlow 1.5 of one select group that distributes by ``dp_hash`` with a basis."""
    buckets = b""
    tail = b""
    if command != "delete":
        buckets = b"".join(_bucket(index, bucket) for index, bucket in enumerate(group.buckets))
        tail = _PROPERTY.pack(_EXPERIMENTER, _PROPERTY.size, _NETRONOME, _METHOD, b"dp_hash", basis)
    body = _MOD.pack(_COMMANDS[command], _SELECT, group.id, len(buckets), _ALL_BUCKETS) + buckets + tail
    return HEADER.pack(VERSION, 15, HEADER.size + len(body), xid) + body


def _bucket(index: int, bucket: Bucket) -> bytes:
    port = wire_port(bucket.port)
    rest = _OUTPUT.pack(0, _OUTPUT.size, port, 0xFFFF)
    rest += _WEIGHT.pack(0, _WEIGHT.size, bucket.weight) + _WATCH_PORT.pack(1, _WATCH_PORT.size, port)
    return _BUCKET.pack(_BUCKET.size + len(rest), _OUTPUT.size, index) + rest


def group_desc_request(*, xid: int = 0) -> bytes:
    """MULTIPART_REQUEST of OpenFlow 1.5 for the descriptions of all groups."""
    body = struct.pack("!HHIII", 7, 0, 0, _ALL_GROUPS, 0)
    return HEADER.pack(VERSION, 18, HEADER.size + len(body), xid) + body


def read_groups(body: bytes) -> list[InstalledGroup]:
    """Groups, with the basis of each, of the body of one multipart reply (without its 16 bytes of header).

    Raises
    ------
    ValueError
        When lengths contradict each other.
    """
    found = []
    for part in parts_of(body, 0, 16):
        number, end = int.from_bytes(part[4:8], "big"), 16 + int.from_bytes(part[8:10], "big")
        if end > len(part):
            raise ValueError(f"{end} bytes of buckets in {len(part)}")
        buckets = [_read_bucket(one) for one in parts_of(part[16:end], 0, _BUCKET.size)]
        made = tuple(bucket for bucket in buckets if bucket is not None)
        whole = part[2] == _SELECT and len(made) == len(buckets)
        found.append(InstalledGroup(number, Group(number, made) if whole else None, _read_basis(part[end:])))
    return found


def _read_bucket(data: bytes) -> Bucket | None:
    end = _BUCKET.size + int.from_bytes(data[2:4], "big")
    if end > len(data):
        raise ValueError(f"{end} bytes of actions in {len(data)}")
    actions = actions_of(data[_BUCKET.size : end])
    weight = 1
    for one in parts_of(data[end:], 2, 8):
        if one[:2] == b"\0\0":
            weight = int.from_bytes(one[4:6], "big")
    return Bucket(port_of_wire(actions[0][1]), weight) if len(actions) == 1 and actions[0][0] == 0 else None


def _read_basis(data: bytes) -> int:
    at = 0
    while at + _PROPERTY.size <= len(data):
        kind, length, experimenter, method, name, basis = _PROPERTY.unpack_from(data, at)
        if length < 4:
            raise ValueError(f"a property of {length} bytes")
        if (kind, experimenter, method) == (_EXPERIMENTER, _NETRONOME, _METHOD) and name.rstrip(b"\0") == b"dp_hash":
            return int(basis)
        at += (length + 7) // 8 * 8
    return NO_METHOD
