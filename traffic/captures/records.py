"""The records of a capture file: classic pcap in all its magic numbers, and pcapng.

References
----------
draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng; libpcap, ``savefile.c`` (modified headers 0xa1b2cd34).
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from topologies.errors import FormatError

LARGEST_BLOCK = 2**24  # bytes; the largest packet that libpcap writes has 2^18
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unpack it: unzstd FILE"),
    b"\xfd7zX": ("compressed by xz", "unpack it: unxz FILE"),
    b"BZh9": ("compressed by bzip2", "unpack it: bunzip2 FILE"),
    b"\x04\x22\x4d\x18": ("compressed by lz4", "unpack it: unlz4 FILE"),
    b"snoo": ("a snoop capture", "convert it: editcap -F pcapng FILE NEW"),
    b"GMBU": ("a capture of Network Monitor", "convert it: editcap -F pcapng FILE NEW"),
    b"RTSS": ("a capture of Network Monitor", "convert it: editcap -F pcapng FILE NEW"),
}
# Nanoseconds in the unit of the second field of a stamp, and whether the record header has an interface.
_CLASSIC = {0xA1B2C3D4: (1_000, False), 0xA1B23C4D: (1, False), 0xA1B2CD34: (1_000, True)}
_SECTION = 0x0A0D0D0A
_SECTION_BYTES = _SECTION.to_bytes(4, "big")  # reads the same from both ends
_KNOWN_BLOCKS = {
    1: "interface description block", 2: "packet block", 3: "simple packet block", 4: "name resolution block",
    5: "interface statistics block", 6: "enhanced packet block", 9: "systemd journal block",
    10: "decryption secrets block", 0xBAD: "custom block", 0x40000BAD: "custom block", _SECTION: "section header block",
}  # fmt: skip
_INTERFACE_OPTIONS = {2: "if_name", 3: "if_description", 4: "if_IPv4addr", 5: "if_IPv6addr", 6: "if_MACaddr",
                      7: "if_EUIaddr", 8: "if_speed", 9: "if_tsresol", 10: "if_tzone", 11: "if_filter", 12: "if_os",
                      13: "if_fcslen", 14: "if_tsoffset", 15: "if_hardware", 16: "if_txspeed", 17: "if_rxspeed",
                      18: "if_iana_tzname"}  # fmt: skip
_STATISTICS = {4: "isb_ifrecv", 5: "isb_ifdrop", 6: "isb_filteraccept", 7: "isb_osdrop", 8: "isb_usrdeliv"}


# Frame, time in ns (None for simple packets), length on the wire without a frame check sequence, link type, and the
# point it was captured at: file and interface. A plain tuple, as there are millions.
Record = tuple[bytes, int | None, int, int, tuple[str, int]]
Say = Callable[[str, str, int], None]  # name of a declared field, what it says, and how much of it


@dataclass
class _Interface:
    link_type: int
    snap_length: int
    per_second: int = 1_000_000
    offset_ns: int = 0
    fcs_bytes: int = 0


def is_capture(file: Path) -> bool:
    """Whether a file begins as a capture does, compressed or not."""
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
        if start[:2] == _GZIP:
            with gzip.open(file) as unpacked:
                start = unpacked.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return start == _SECTION_BYTES or any(int.from_bytes(start, order) in _CLASSIC for order in ("little", "big"))


def records(file: Path, say: Say) -> Iterator[Record]:
    """Every packet of a capture.

    Raises
    ------
    FormatError
        When the file is no capture, or a length in it cannot be (FP6225).
    """
    with _opened(file) as source:
        start = source.read(4)
        if start == _SECTION_BYTES:
            yield from _Sections(file, source, say).records()
            return
        for mark in ("<", ">"):
            (magic,) = struct.unpack(f"{mark}I", start) if len(start) == 4 else (0,)
            if magic in _CLASSIC:
                yield from _classic(file, source, mark, magic, say)
                return
        what, hint = _OTHERS.get(start, ("pcap or pcapng begins otherwise", "pcap or pcapng, also gzipped"))
        raise _broken(file, what, hint=hint)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        with file.open("rb") as plain:
            compressed = plain.read(2) == _GZIP
            plain.seek(0)
            if compressed:
                unpacked = cast(io.RawIOBase, gzip.GzipFile(fileobj=plain))
                yield cast("IO[bytes]", io.BufferedReader(unpacked, 2**20))
            else:
                yield plain
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(file, str(error)) from error


def _broken(file: Path, what: str, *, hint: str = "pcap or pcapng, also gzipped") -> FormatError:
    return FormatError(f"no capture: {what}", file=str(file), hint=hint, code="FP6225")


def _cut(file: Path, say: Say) -> None:
    say("cut file", f"{file.name} ends inside a packet; what stands before it is taken", 1)


def _classic(file: Path, source: IO[bytes], mark: str, magic: int, say: Say) -> Iterator[Record]:
    header = source.read(20)
    if len(header) < 20:
        raise _broken(file, "the file ends inside its header")
    major, minor, zone_s, _, _, network = struct.unpack(f"{mark}HHiIII", header)
    if (major, minor) not in ((2, 3), (2, 4)):
        raise _broken(file, f"version {major}.{minor} of pcap", hint="convert it: editcap -F pcapng FILE NEW")
    link_type = network & 0xFFFF
    fcs_bytes = (network >> 28) * 2 if network & 0x04000000 else 0
    unit_ns, modified = _CLASSIC[magic]
    whole = 1_000_000_000 // unit_ns
    shape = struct.Struct(f"{mark}IIIIIHBB" if modified else f"{mark}IIII")
    read, size, unpack = source.read, shape.size, shape.unpack
    name, point = str(file), (str(file), 0)
    while True:
        head = read(size)
        if len(head) < size:
            if head:
                _cut(file, say)
            return
        seconds, part, captured, length, *more = unpack(head)
        if captured > LARGEST_BLOCK:
            raise _broken(file, f"a packet of {captured:,} bytes", hint="the file is damaged; capture again")
        frame = read(captured)
        if len(frame) < captured:
            _cut(file, say)
            return
        if part >= whole:
            other = "nanoseconds" if unit_ns > 1 else "a number of them below a second"
            field = "stamp beyond a second"
            say(field, f"{file.name} has {part:,} where less than {whole:,} makes a second ({other}?)", 1)
        if modified:
            point = (name, more[0])
        time_ns = (seconds + zone_s) * 1_000_000_000 + part * unit_ns
        yield frame, time_ns, (length if length > captured else captured) - fcs_bytes, link_type, point


class _Sections:
    """The blocks of a pcapng file whose first four bytes are read."""

    def __init__(self, file: Path, source: IO[bytes], say: Say) -> None:
        self._file, self._read, self._say = file, source.read, say
        self._mark = "<"
        self._interfaces: list[_Interface] = []
        self._first = 0  # number of the section's first interface in the file

    def records(self) -> Iterator[Record]:
        kind_bytes = _SECTION_BYTES
        while len(kind_bytes) == 4:
            body = self._body(kind_bytes)
            if body is None:
                _cut(self._file, self._say)
                return
            (kind,) = struct.unpack(f"{self._mark}I", kind_bytes)
            if kind == _SECTION:
                self._first += len(self._interfaces)
                self._interfaces = []
            elif kind == 1:
                self._describe(body)
            elif kind in (2, 3, 6):
                yield self._packet(kind, body)
            elif kind == 5:
                self._statistics(body)
            else:
                self._say(_KNOWN_BLOCKS.get(kind, f"block type {kind:#x}"), "", 1)
            kind_bytes = self._read(4)
        if kind_bytes:
            _cut(self._file, self._say)

    def _body(self, kind: bytes) -> bytes | None:
        """What is inside the next block; None where the file ends before it does."""
        rest = self._read(8 if kind == _SECTION_BYTES else 4)
        if len(rest) < 4 or (kind == _SECTION_BYTES and len(rest) < 8):
            return None
        if kind == _SECTION_BYTES:
            order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(rest[4:])
            if order is None:
                raise _broken(self._file, "a section without the byte-order magic of pcapng")
            self._mark = order
        (size,) = struct.unpack(f"{self._mark}I", rest[:4])
        if size < 12 + len(rest) - 4 or size > LARGEST_BLOCK or size % 4:
            raise _broken(self._file, f"a block of {size:,} bytes", hint="the file is damaged; capture again")
        inner = self._read(size - 8 - len(rest))
        tail = self._read(4)
        if len(tail) < 4:
            return None
        if tail != rest[:4]:
            raise _broken(self._file, "the two lengths of a block differ", hint="the file is damaged; capture again")
        return rest[4:] + inner

    def _options(self, area: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 4 <= len(area):
            code, size = struct.unpack_from(f"{self._mark}HH", area, at)
            if code == 0 or at + 4 + size > len(area):
                return
            yield code, area[at + 4 : at + 4 + size]
            at += 4 + size + (-size) % 4

    def _describe(self, body: bytes) -> None:
        if len(body) < 8:
            raise _broken(self._file, "an interface description of too few bytes")
        link_type, _, snap_length = struct.unpack_from(f"{self._mark}HHI", body)
        interface = _Interface(link_type, snap_length)
        for code, value in self._options(body[8:]):
            name = _INTERFACE_OPTIONS.get(code)
            if name == "if_tsresol" and value:
                power = value[0] & 0x7F
                interface.per_second = 2**power if value[0] & 0x80 else 10**power
            elif name == "if_tsoffset" and len(value) == 8:
                interface.offset_ns = struct.unpack(f"{self._mark}q", value)[0] * 1_000_000_000
            elif name == "if_fcslen" and value:
                interface.fcs_bytes = value[0]
            elif name == "if_filter":
                text = value[1:].decode("utf-8", "replace") if value[:1] == b"\0" else "one in machine code"
                self._say("if_filter", f"captured through the filter {text!r}", 1)
            elif name is None and not 1 <= code <= 18 and code not in (2988, 2989, 19372, 19373):
                self._say(f"option {code} of an interface", "", 1)
        self._interfaces.append(interface)

    def _statistics(self, body: bytes) -> None:
        for code, value in self._options(body[12:]):
            name = _STATISTICS.get(code)
            if name is not None and len(value) == 8:
                (count,) = struct.unpack(f"{self._mark}Q", value)
                if count:
                    self._say(name, "", count)

    def _interface(self, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise _broken(self._file, f"a packet of interface {number}, which no block describes")
        return self._interfaces[number]

    def _packet(self, kind: int, body: bytes) -> Record:
        mark = self._mark
        if len(body) < {2: 20, 3: 4, 6: 20}[kind]:
            raise _broken(self._file, f"a packet block of {len(body)} bytes")
        number, time, dropped = 0, None, 0
        if kind == 3:
            (length,) = struct.unpack_from(f"{mark}I", body)
            interface = self._interface(0)
            captured = min(length, interface.snap_length or length, len(body) - 4)
            at = 4
        else:
            shape = f"{mark}IIIII" if kind == 6 else f"{mark}HHIIII"
            number, *more = struct.unpack_from(shape, body)
            if kind == 2:
                dropped = more.pop(0)
            high, low, captured, length = more
            interface = self._interface(number)
            ticks = high << 32 | low
            time = ticks * 1_000_000_000 // interface.per_second + interface.offset_ns
            at = 20
        if at + captured > len(body):
            raise _broken(self._file, f"a packet of {captured:,} bytes in a block of {len(body):,}")
        fcs_bytes = interface.fcs_bytes
        options = body[at + captured + (-captured) % 4 :]
        if options and kind != 3:
            for code, value in self._options(options):
                if code == 2 and len(value) == 4:
                    fcs_bytes = struct.unpack(f"{mark}I", value)[0] >> 5 & 0xF or fcs_bytes
                elif code == 4 and len(value) == 8:
                    dropped = struct.unpack(f"{mark}Q", value)[0]
        if dropped and dropped != 0xFFFF:
            self._say("epb_dropcount", "", dropped)
        frame = body[at : at + captured]
        point = (str(self._file), self._first + number)
        return frame, time, max(length, captured) - fcs_bytes, interface.link_type, point
