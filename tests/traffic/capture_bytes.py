"""Captures and frames byte by byte, by struct alone: the second way to what the reader makes of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
MACS = bytes(12)


@dataclass(frozen=True)
class Packet:
    """A frame at a time, ns, with its length on the wire; its own unless given."""

    time_ns: int
    frame: bytes
    length: int = 0

    @property
    def wire(self) -> int:
        return self.length or len(self.frame)


def pcap(
    packets: Sequence[Packet], *, magic: int = MICRO, mark: str = "<", link: int = 1, zone: int = 0, version: int = 4
) -> bytes:
    """A classic capture; ``mark`` is the byte order."""
    unit = 1 if magic == NANO else 1000
    parts = [struct.pack(f"{mark}IHHiIII", magic, 2, version, zone, 0, 65535, link)]
    for packet in packets:
        seconds, rest = divmod(packet.time_ns, 10**9)
        parts.append(struct.pack(f"{mark}IIII", seconds, rest // unit, len(packet.frame), packet.wire))
        if magic == MODIFIED:
            parts.append(struct.pack(f"{mark}IHBB", 3, 8, 0, 0))
        parts.append(packet.frame)
    return b"".join(parts)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes, mark: str = "<") -> bytes:
    return struct.pack(f"{mark}HH", code, len(value)) + padded(value)


def block(kind: int, body: bytes, mark: str = "<") -> bytes:
    size = struct.pack(f"{mark}I", len(padded(body)) + 12)
    return struct.pack(f"{mark}I", kind) + size + padded(body) + size


def section(mark: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{mark}IHHq", 0x1A2B3C4D, 1, 0, -1), mark)


def interface(options: bytes = b"", *, link: int = 1, snap: int = 0, mark: str = "<") -> bytes:
    return block(1, struct.pack(f"{mark}HHI", link, 0, snap) + options, mark)


def enhanced(
    packet: Packet, *, per_second: int = 10**6, number: int = 0, options: bytes = b"", mark: str = "<"
) -> bytes:
    ticks = packet.time_ns * per_second // 10**9
    head = struct.pack(f"{mark}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.frame), packet.wire)
    return block(6, head + padded(packet.frame) + options, mark)


def obsolete(packet: Packet) -> bytes:
    ticks = packet.time_ns // 1000
    head = struct.pack("<HHIIII", 0, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.frame), packet.wire)
    return block(2, head + padded(packet.frame))


def simple(packet: Packet) -> bytes:
    return block(3, struct.pack("<I", packet.wire) + padded(packet.frame))


def pcapng(packets: Sequence[Packet], **keys: object) -> bytes:
    return section() + interface() + b"".join(enhanced(packet) for packet in packets)


def udp(load: bytes = b"", *, sport: int = 50000, dport: int = 4791) -> bytes:
    return struct.pack("!HHHH", sport, dport, 8 + len(load), 0) + load


def tcp(load: bytes = b"", *, sequence: int = 0, sport: int = 50000, dport: int = 80) -> bytes:
    return struct.pack("!HHIIBBHHH", sport, dport, sequence, 0, 5 << 4, 16, 1000, 0, 0) + load


def bth(queue: int = 17, sequence: int = 0) -> bytes:
    """Base transport header of RoCE."""
    return bytes([4, 0, 255, 255, 0]) + queue.to_bytes(3, "big") + bytes(1) + sequence.to_bytes(3, "big")


def ip4(src: int, dst: int, load: bytes, protocol: int = 17, *, identification: int = 0, hops: int = 64, tos: int = 0):
    """From 10.0.0.src to 10.0.0.dst."""
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(load), identification, 0, hops, protocol, 0)
    return head + bytes([10, 0, 0, src, 10, 0, 0, dst]) + load


def ip6_address(number: int) -> bytes:
    return bytes.fromhex("fd00") + bytes(13) + bytes([number])


def ip6(src: int, dst: int, load: bytes, following: int = 17) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(load), following, 64)
    return head + ip6_address(src) + ip6_address(dst) + load


def ether(kind: int, load: bytes) -> bytes:
    return MACS + struct.pack("!H", kind) + load


def plain_frame(src: int, dst: int, sequence: int = 0, **keys: int) -> bytes:
    return ether(0x0800, ip4(src, dst, udp(bth(sequence=sequence)), **keys))
