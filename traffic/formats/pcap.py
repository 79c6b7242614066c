"""``pcap``: captured packets, one file or all captures of a folder; RoCE queue pairs are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from topologies.errors import FormatError, TrafficError
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.registry import Injected
from topologies.topology import Topology
from topologies.units import TimeS, format_seconds, percent
from traffic.addresses import MOST_UNKNOWN, AddressBook, rows_of
from traffic.captures.frames import CUT
from traffic.captures.packets import Packets, address_text
from traffic.captures.records import is_capture
from traffic.captures.twice import Repeats, counted
from traffic.workload import DEMAND_FORMATS, DemandRows

_SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz")
_MOST_GAP = 0.5  # share of the time that may lie between captures
_LONG_NS = 3_600_000_000_000  # an hour: packets of one capture that are farther apart may be of a wrong clock
_LEFT_OUT = "frames have no IP addresses and are left out"

_LINKS = {
    1: ("Ethernet", MODELLED), 0: ("null, loopback", MODELLED), 108: ("OpenBSD loopback", MODELLED),
    9: ("PPP", MODELLED), 50: ("PPP with HDLC framing", MODELLED), 12: ("raw IP", MODELLED), 14: ("raw IP", MODELLED),
    101: ("raw IP", MODELLED), 228: ("raw IPv4", MODELLED), 229: ("raw IPv6", MODELLED),
    113: ("Linux cooked, interface any", MODELLED), 276: ("Linux cooked 2, interface any", MODELLED),
    105: ("IEEE 802.11", REFUSED), 127: ("IEEE 802.11 with radiotap", REFUSED),
    119: ("IEEE 802.11 with prism", REFUSED),
    163: ("IEEE 802.11 with AVS", REFUSED), 192: ("PPI", REFUSED), 197: ("ERF of a DAG card", REFUSED),
    242: ("IP over InfiniBand", REFUSED), 247: ("InfiniBand, which has LIDs and no IP addresses", REFUSED),
    104: ("Cisco HDLC", REFUSED), 51: ("PPPoE alone", REFUSED), 6: ("Token Ring", REFUSED), 7: ("ARCNET", REFUSED),
    10: ("FDDI", REFUSED), 8: ("SLIP", REFUSED), 107: ("Frame Relay", REFUSED), 122: ("IP over Fibre Channel", REFUSED),
    224: ("Fibre Channel", REFUSED), 187: ("Bluetooth", REFUSED), 189: ("USB", REFUSED), 220: ("USB", REFUSED),
    195: ("IEEE 802.15.4", REFUSED), 227: ("CAN", REFUSED), 239: ("nflog", REFUSED), 253: ("netlink", REFUSED),
    147: ("a private use", REFUSED),
}  # fmt: skip
_NO_IP = {0x0806: "ARP", 0x88CC: "LLDP", 0x8809: "LACP", 0x8808: "pause frames", 0x88F7: "PTP", 0x8906: "FCoE",
          0x8914: "FIP", 0x88E5: "MACsec, encrypted", 0x8863: "PPPoE discovery", 0x88A4: "EtherCAT"}  # fmt: skip

FIELDS = DeclaredFields(
    "demand format",
    "pcap",
    "draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, tcpdump.org/linktypes.html",
    [
        Field("magic 0xa1b2c3d4", MODELLED, "classic pcap, stamps in microseconds, both byte orders"),
        Field("magic 0xa1b23c4d", MODELLED, "classic pcap, stamps in nanoseconds, both byte orders"),
        Field("magic 0xa1b2cd34", MODELLED, "classic pcap with 24 bytes before a packet, its interface among them"),
        Field("thiszone", MODELLED, "seconds that are added to all stamps of a file"),
        Field("sigfigs", HARMLESS, "accuracy of stamps; always 0"),
        Field("snaplen", HARMLESS, "bytes kept of a packet; the length on the wire is counted"),
        Field("FCS length", MODELLED, "bytes of frame check sequence, left out as most captures have none"),
        Field("original length", MODELLED, "bytes on the wire, which are counted, whatever was kept of them"),
        Field("stamp beyond a second", REFUSED, "the part of a second is a second or more: the stamps are of another "
              "unit than the magic number says", "duration"),
        Field("cut file", REPORTED, "the file ends inside a packet"),
        Field("section header block", MODELLED, "each section has its byte order and interfaces"),
        Field("enhanced packet block", MODELLED, "a packet"),
        Field("packet block", MODELLED, "a packet, in files of old programs"),
        Field("simple packet block", REFUSED, "a packet without a stamp; the time must be given", "duration"),
        Field("interface statistics block", HARMLESS, "its counts of lost packets are reported, see below"),
        Field("name resolution block", HARMLESS, "names of addresses"),
        Field("decryption secrets block", HARMLESS, "keys of the payload"),
        Field("systemd journal block", HARMLESS, "log lines"),
        Field("custom block", HARMLESS, "what a program keeps for itself"),
        Field("if_tsresol", MODELLED, "unit of stamps, a power of ten or two; a microsecond unless given"),
        Field("if_tsoffset", MODELLED, "seconds that are added to all stamps of an interface"),
        Field("if_fcslen", MODELLED, "bytes of frame check sequence, left out"),
        Field("if_filter", REPORTED, "the capture was filtered; what the filter kept out is not counted"),
        Field("if_*", HARMLESS, "name, speed, addresses and system of the interface"),
        Field("epb_flags", MODELLED, "bytes of frame check sequence; direction and errors change nothing"),
        Field("epb_dropcount", REPORTED, "packets were lost while capturing; the rates are too low by them"),
        Field("isb_ifdrop", REPORTED, "packets were dropped by the interface; the rates are too low by them"),
        Field("isb_osdrop", REPORTED, "packets were dropped by the system; the rates are too low by them"),
        Field("isb_*", HARMLESS, "packets received, accepted and delivered"),
        *(
            Field(f"link type {number}", treatment, name if treatment == MODELLED else f"{name} is not read")
            for number, (name, treatment) in _LINKS.items()
        ),
        Field("VLAN tags", MODELLED, "802.1Q and QinQ are passed over"),
        Field("MPLS labels", MODELLED, "passed over, to IP or to Ethernet behind a control word"),
        Field("PPPoE session", MODELLED, "passed over"),
        *(
            Field(name, MODELLED, f"{what}: the outermost addresses that both belong to endpoints are counted")
            for name, what in {
                "VXLAN": "UDP port 4789 or 8472", "GENEVE": "UDP port 6081", "GRE": "IP protocol 47",
                "ERSPAN": "types I, II and III over GRE", "IP in IP": "protocol 4", "IPv6 in IP": "protocol 41",
            }.items()
        ),
        Field("IPv6 extension headers", MODELLED, "passed over to the transport header"),
        Field("segment routing header", MODELLED, "the last segment is the destination"),
        Field("queue pairs", MODELLED, "destination queue pairs of RoCE, version 1 and 2: flows that switches hash"),
        Field(CUT, REPORTED, _LEFT_OUT),
        *(Field(f"ethertype {kind:#06x}", REPORTED, f"{name}: {_LEFT_OUT}") for kind, name in _NO_IP.items()),
        Field("ethertype *", REPORTED, _LEFT_OUT),
        Field("802.3 frame", REPORTED, f"spanning tree and the like: {_LEFT_OUT}"),
        Field("PPP without IP", REPORTED, f"control protocols: {_LEFT_OUT}"),
        Field("neither IPv4 nor IPv6", REPORTED, _LEFT_OUT),
        Field("packets captured twice", MODELLED, "the same packet at two points counts once; repeats decides where "
              "that is not sure"),
        Field("time between captures", REFUSED, "more than half of the time from the first to the last packet lies "
              "between captures, or between two packets", "duration"),
    ],
)  # fmt: skip


class _Said:
    """What the files hold besides packets: how much of each field, and details."""

    def __init__(self) -> None:
        self.count: dict[str, int] = defaultdict(int)
        self.detail: dict[str, str] = {}

    def __call__(self, name: str, detail: str, count: int) -> None:
        self.count[name] += count
        if detail:
            self.detail.setdefault(name, detail)

    def notes(self, octets: Mapping[str, int], total: int) -> tuple[str, ...]:
        """A sentence a reported field, with how much of it there is."""
        said = []
        for name in self.count:
            for text in FIELDS.notes([name]):
                share = f", {percent(octets[name] / total)} of the bytes" if name in octets and total else ""
                detail = f"; {self.detail[name]}" if name in self.detail else ""
                said.append(f"{text} ({self.count[name]:,}{share}{detail})")
        return tuple(said)


@DEMAND_FORMATS.register("pcap", example={"path": "captures"})
def read_pcap(
    path: Path,
    topology: Injected[Topology],
    unit: str | None = None,
    addresses: Path | None = None,
    duration: TimeS | None = None,
    repeats: Repeats | None = None,
    max_unknown: float = MOST_UNKNOWN,
) -> DemandRows:
    """Bytes on the wire between two nodes, over the time from the first to the last packet of all captures.

    Parameters
    ----------
    path : Path
        A capture (pcap or pcapng, also gzipped), or a folder of captures.
    topology : Topology
        Whose endpoints the addresses mean.
    unit : str, optional
        Not used: packets have lengths.
    addresses : Path, optional
        Table ``address,node``; without one addresses must be node names.
    duration : float, optional
        Seconds that were captured; from the first to the last packet if absent.
    repeats : {'once', 'all'}, optional
        What packets count that were captured twice, where that is not sure.
    max_unknown : float
        Share of the bytes that may belong to no endpoint.

    Returns
    -------
    DemandRows
        With the mean number of destination queue pairs of a pair of nodes that speaks RoCE.

    Raises
    ------
    FormatError
        When a file is not a capture (FP6225), its fields are refused (FP6251), its time is not known (FP6227), its
        packets are there twice (FP6228), or too much of it belongs to no endpoint (FP6229).
    """
    files, left_out = _captures(path)
    book = AddressBook(topology, addresses, max_unknown)
    said = _Said()

    def is_ours(src: bytes, dst: bytes) -> bool:
        return all(book.node(address_text(address)) is not None for address in (src, dst))

    packets = Packets(is_ours, _check_link, said)
    for file in files:
        packets.take(file)
    seconds, when = _time(packets, duration, said, path)
    keep, twice = counted(packets.seen, tuple(packets.points), repeats)
    sizes = np.array(packets.seen.length)[keep]
    octets = np.bincount(np.array(packets.seen.pair, np.int64)[keep], sizes, len(packets.pairs))
    volume: dict[tuple[int, int], float] = defaultdict(float)
    for (src, dst), size in zip(packets.pairs, octets.tolist(), strict=True):
        ends = book.pair(address_text(src), address_text(dst), size) if size else None
        if ends is not None:
            volume[ends] += size
    no_ip = sum(packets.octets_without_ip.values())
    total = int(book.total_bytes) + no_ip
    if total and no_ip / total > max_unknown:
        names = ", ".join(packets.octets_without_ip)
        raise FormatError(
            f"{percent(no_ip / total)} of the bytes are in frames without IP addresses ({names}); "
            f"up to {percent(max_unknown)} is accepted",
            file=str(path), hint="max_unknown takes more", code="FP6229",
        )  # fmt: skip
    rows = rows_of(volume, seconds, book)
    tunnels = tuple(
        f"{count:,} packets are counted by their addresses inside {name}, as those outside are not of endpoints"
        for name, count in packets.in_tunnel.items()
    )
    queues = packets.queues.values()
    mean = round(sum(len(numbers) for numbers in queues) / len(queues)) if queues else None
    notes = (*left_out, when, *twice, *tunnels, *said.notes(packets.octets_without_ip, total))
    return DemandRows(rows.src, rows.dst, rows.rate_gbps, rows.warnings, mean, notes)


def _captures(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Captures at a path, and what to say of other files of the folder."""
    if not path.is_dir():
        files, other = [path], []
    else:
        inside = sorted(path.iterdir())
        files = [file for file in inside if file.is_file() and (file.suffix in _SUFFIXES or is_capture(file))]
        other = [file.name for file in inside if file not in files]
    if not files or not all(file.is_file() for file in files):
        raise TrafficError(
            f"no capture at {path}",
            where="path",
            hint=f"a file or a folder with {', '.join(_SUFFIXES)}, relative to the scenario",
            code="FP4025",
        )
    names = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
    return files, (f"no captures, and left out: {names}",) if other else ()


def _check_link(file: Path, link_type: int) -> None:
    name = f"link type {link_type}"
    problems = FIELDS.refusals([name], str(file))
    if problems:
        raise FormatError(problems)
    if link_type not in _LINKS:
        raise FormatError(
            f"{name} is not read",
            file=str(file), hint="capture Ethernet, raw IP or Linux cooked frames", code="FP6251",
        )  # fmt: skip


def _time(packets: Packets, duration: float | None, said: _Said, path: Path) -> tuple[float, str]:
    """Seconds that were captured, and a sentence about them."""
    spans = packets.spans
    if packets.timeless:
        said("simple packet block", f"{packets.timeless:,} packets", packets.timeless)
    for (first, last), (file, jump) in zip(spans, packets.jumps.items(), strict=True):
        if jump > _MOST_GAP * (last - first) and jump > _LONG_NS:
            said("time between captures", f"two packets of {file.name} are {format_seconds(jump / 1e9)} apart", 1)
    begin, end = min((first for first, _ in spans), default=0), max((last for _, last in spans), default=0)
    seconds = (end - begin) / 1e9
    ordered, until, idle = sorted(spans), begin, 0
    for first, last in ordered:
        idle += max(0, first - until)
        until = max(until, last)
    if idle > _MOST_GAP * (end - begin):
        gap = f"{format_seconds(idle / 1e9)} of {format_seconds(seconds)} lie between captures"
        said("time between captures", gap, 1)
    refused = [name for name in FIELDS.names(REFUSED) if name in said.count]
    if refused and duration is None:
        problems = FIELDS.refusals(refused, str(path), code="FP6227")
        details = "; ".join(said.detail[name] for name in refused if name in said.detail)
        first_problem = problems[0]
        raise FormatError(
            f"{first_problem.message} ({details})", file=str(path), hint="duration: '60 s' says how long was captured",
            code="FP6227",
        )  # fmt: skip
    if duration is not None:
        sure = not refused
        if sure and seconds > duration * 1.001:
            raise FormatError(
                f"the packets span {format_seconds(seconds)}, longer than the duration of {format_seconds(duration)}",
                file=str(path), hint="leave duration out, or correct it", code="FP6227",
            )  # fmt: skip
        return duration, f"rates are the mean over the {format_seconds(duration)} of duration"
    if seconds <= 0:
        raise FormatError(
            "all packets have the same stamp: over which time is the mean?",
            file=str(path), hint="duration: '60 s' says how long was captured", code="FP6227",
        )  # fmt: skip
    return seconds, (
        f"rates are the mean over {format_seconds(seconds)}, from the first packet at {_stamp(begin)} to the last "
        "(duration)"
    )


def _stamp(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{time_ns // 1_000_000_000} s"
