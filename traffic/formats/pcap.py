"""``pcap``: captured packets, one file or all captures of a folder; RoCEv2 queue pairs are counted."""

from __future__ import annotations

import gzip
import socket
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topologies.errors import FormatError, TrafficError
from topologies.registry import Injected
from topologies.topology import Topology
from traffic.addresses import AddressBook, rows_of
from traffic.workload import DEMAND_FORMATS, DemandRows

_SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz")
_VLAN = (0x8100, 0x88A8)
_ROCE_PORT = 4791
_GZIP = b"\x1f\x8b"
_UDP = 17


@DEMAND_FORMATS.register("pcap", example={"path": "captures"})
def read_pcap(
    path: Path, topology: Injected[Topology], unit: str | None = None, addresses: Path | None = None
) -> DemandRows:
    """Bytes on the wire between two nodes, over the time from the first to the last packet of all captures.

    Parameters
    ----------
    path : Path
        A capture (pcap or pcapng, also gzipped), or a folder of captures. Ethernet frames, with VLAN tags or without.
        Captures of both ends of a cable count a packet twice; take one of them.
    topology : Topology
        Whose endpoints the addresses mean.
    unit : str, optional
        Not used: packets have lengths.
    addresses : Path, optional
        Table ``address,node``; without one addresses must be node names.

    Returns
    -------
    DemandRows
        With the mean number of destination queue pairs of a pair of nodes that speaks RoCEv2.

    Raises
    ------
    FormatError
        When a file is not a capture (FP6225).

    References
    ----------
    InfiniBand Architecture Specification, volume 1, annex A17 (RoCEv2: UDP port 4791; the destination queue pair is in
    bytes 5 to 7 of the base transport header).
    """
    book = AddressBook(topology, addresses)
    octets: dict[tuple[bytes, bytes], int] = defaultdict(int)
    queues: dict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
    first, last, skipped = float("inf"), float("-inf"), 0
    for file in _captures(path):
        for frame, time, length in _frames(file):
            first, last = min(first, time), max(last, time)
            ends = _addresses(frame)
            if ends is None:
                skipped += 1
                continue
            src, dst, rest, protocol = ends
            octets[src, dst] += length
            if protocol == _UDP and int.from_bytes(rest[2:4], "big") == _ROCE_PORT and len(rest) >= 16:
                queues[src, dst].add(rest[13:16])
    volume: dict[tuple[int, int], float] = defaultdict(float)
    for (src, dst), size in octets.items():
        one, other = (book.node(_text(address), size) for address in (src, dst))
        if one is not None and other is not None and one != other:
            volume[one, other] += size
    rows = rows_of(volume, last - first, book)
    notes = [f"{skipped:,} frames are neither IPv4 nor IPv6 and are left out"] if skipped else []
    pairs = round(sum(len(found) for found in queues.values()) / len(queues)) if queues else None
    return DemandRows(rows.src, rows.dst, rows.rate_gbps, (*rows.warnings, *notes), pairs)


def _captures(path: Path) -> list[Path]:
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise TrafficError(
            f"no capture at {path}",
            where="path",
            hint=f"a file or a folder with {', '.join(_SUFFIXES)}, relative to the scenario",
            code="FP4025",
        )
    return files


def _frames(file: Path) -> Iterator[tuple[bytes, float, int]]:
    """Frame, time in s and length on the wire of every packet."""
    from scapy.error import Scapy_Exception
    from scapy.utils import RawPcapNgReader, RawPcapReader

    try:
        with gzip.open(file) if _compressed(file) else file.open("rb") as opened:
            source: Any = opened
            reader = RawPcapReader(source)
            resolution = isinstance(reader, RawPcapNgReader)
            for frame, meta in reader:
                yield frame, _time(meta, ng=resolution), int(meta.wirelen)
    except (Scapy_Exception, OSError, EOFError) as error:
        raise FormatError(
            f"no capture: {error}", file=str(file), line=None, hint="pcap or pcapng, also gzipped", code="FP6225"
        ) from error


def _compressed(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == _GZIP


def _time(meta: Any, *, ng: bool) -> float:
    if ng:
        return float(((meta.tshigh or 0) << 32 | (meta.tslow or 0)) / meta.tsresol)
    return float(meta.sec + meta.usec * 1e-6)


def _addresses(frame: bytes) -> tuple[bytes, bytes, bytes, int] | None:
    """Source, destination, what follows the IP header, and its protocol; None for other frames."""
    at, kind = 14, int.from_bytes(frame[12:14], "big")
    while kind in _VLAN:
        kind = int.from_bytes(frame[at + 2 : at + 4], "big")
        at += 4
    if kind == 0x0800 and len(frame) >= at + 20:
        header = (frame[at] & 0x0F) * 4
        return frame[at + 12 : at + 16], frame[at + 16 : at + 20], frame[at + header :], frame[at + 9]
    if kind == 0x86DD and len(frame) >= at + 40:
        return frame[at + 8 : at + 24], frame[at + 24 : at + 40], frame[at + 40 :], frame[at + 6]
    return None


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
