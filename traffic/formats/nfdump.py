"""``nfdump``: sFlow, NetFlow and IPFIX records as ``nfdump -o csv`` prints them, whatever its version."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from topologies.errors import FormatError
from topologies.reading.csv_input import CsvInput
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import Findings, shown
from topologies.registry import Injected
from topologies.topology import Topology
from topologies.units import TimeS, format_bytes, format_seconds, percent
from traffic.addresses import MOST_UNKNOWN, AddressBook, rows_of
from traffic.captures.twice import Repeats
from traffic.workload import DEMAND_FORMATS, DemandRows

_SCALED = re.compile(r"^[\d.]+ ?[kKMGT]$")
_DROPPED = range(128, 192)  # forwarding status of RFC 7270
_MOST_REPEATED = 0.01  # share of the bytes that several exporters may tell of before the user must decide


def _both(old: str, new: str, treatment: object, effect: str) -> tuple[Field, Field]:
    """A column by its names in nfdump 1.6 to 1.7.2, and since 1.7.3."""
    return Field(old, treatment, effect), Field(new, treatment, effect)  # type: ignore[arg-type]


FIELDS = DeclaredFields(
    "demand format",
    "nfdump",
    "nfdump(1) of 1.6 to 1.7; src/output/output_csv.c, output_csv_fast.c",
    [
        *_both("ts", "firstSeen", MODELLED, "begin of a record; the time of the measurement begins with the first"),
        *_both("te", "lastSeen", MODELLED, "end of a record; the time of the measurement ends with the last"),
        *_both("td", "duration", MODELLED, "seconds of a record; where its end is not printed it gives it"),
        *_both("sa", "srcAddr", MODELLED, "source"),
        *_both("da", "dstAddr", MODELLED, "destination"),
        *_both("ibyt", "inBytes", MODELLED, "bytes from source to destination"),
        Field("bytes", MODELLED, "bytes from source to destination"),
        *_both("obyt", "outBytes", MODELLED, "bytes from destination to source: -b, -B, and exporters of biflows"),
        *_both("ra", "routerIP", MODELLED, "the exporter; a flow that two tell of must be decided, see repeats"),
        *_both("dir", "direction", MODELLED, "ingress or egress; a flow told of at both must be decided, see repeats"),
        *_both("sp", "srcPort", MODELLED, "tells flows apart that several exporters saw"),
        *_both("dp", "dstPort", MODELLED, "tells flows apart that several exporters saw"),
        *_both("pr", "proto", MODELLED, "tells flows apart that several exporters saw"),
        *_both("fwd", "fwdStatus", REPORTED, "records of packets that the router dropped; they are counted as offered"),
        *_both("evt", "event", REPORTED, "events of a firewall; their bytes are added up as they stand"),
        *(
            Field(name, REPORTED, "addresses after translation; those before it are counted")
            for name in ("xsa", "xda", "nsa", "nda", "srcXIP", "dstXIP")
        ),
        Field("af", MODELLED, "address family of csv-fast, whose stamps are in milliseconds"),
        Field("val", REFUSED, "statistics of nfdump -s, which are no flows; print flows: nfdump -r FILE -o csv"),
        Field("Summary", MODELLED, "the bytes of all flows; records that add up to less or more are refused"),
        *(
            Field(name, HARMLESS, "counts of packets and flows, rates and mean sizes, which bytes and times give")
            for name in ("ipkt", "opkt", "pkt", "packets", "inPackets", "outPackets", "fl", "flows", "bps", "pps",
                         "bpp", "cnt", "count")
        ),
        *(
            Field(name, HARMLESS, "what the flow is and how it was routed; its bytes and ends stand beside it")
            for name in (
                "flg", "flags", "tos", "stos", "srcTos", "dtos", "dstTos", "in", "input", "out", "output", "inIfName",
                "outIfName", "sas", "srcAS", "das", "dstAS", "pas", "prevAS", "nas", "nextAS", "smk", "srcMask", "dmk",
                "dstMask", "nh", "nextIP", "nhb", "bgpNextIP", "svln", "srcVlan", "dvln", "dstVlan", "ismc", "inSrcMac",
                "odmc", "outDstMac", "idmc", "inDstMac", "osmc", "outSrcMac", "mpls*", "cl", "clientLatency", "sl",
                "serverLatency", "al", "appLatency", "eng", "engine", "exid", "exporterID", "tr", "received", "version",
                "Ident", "it", "icmpTYpe", "ic", "icmpCode", "biDirection", "endReason", "srcNet", "dstNet",
                "srcGeo", "dstGeo", "label", "minTTL", "maxTTL", "flowID",
            )
        ),
    ],
)  # fmt: skip
_OLD_NAME = {
    "firstSeen": "ts", "lastSeen": "te", "duration": "td", "srcAddr": "sa", "dstAddr": "da", "inBytes": "ibyt",
    "bytes": "ibyt", "outBytes": "obyt", "routerIP": "ra", "direction": "dir", "srcPort": "sp", "dstPort": "dp",
    "proto": "pr", "fwdStatus": "fwd",
}  # fmt: skip


@DEMAND_FORMATS.register("nfdump", example={"path": "flows.csv"})
def read_nfdump(
    path: Path,
    topology: Injected[Topology],
    unit: str | None = None,
    addresses: Path | None = None,
    duration: TimeS | None = None,
    repeats: Repeats | None = None,
    max_unknown: float = MOST_UNKNOWN,
) -> DemandRows:
    """Bytes of all flows between two nodes, both directions, over the time from the first to the last record.

    Parameters
    ----------
    path : Path
        Output of ``nfdump -r FILE -o csv``. With sampling, nfdump must be given to multiply.
    topology : Topology
        Whose endpoints the addresses mean.
    unit : str, optional
        Not used: records count bytes.
    addresses : Path, optional
        Table ``address,node``; without one addresses must be node names.
    duration : float, optional
        Seconds that were measured; from the first to the last record if absent.
    repeats : {'once', 'all'}, optional
        What a flow counts that several exporters, or both directions of one, tell of.
    max_unknown : float
        Share of the bytes that may belong to no endpoint.

    Raises
    ------
    FormatError
        With file and line (FP6220, FP6221, FP6223); when the time is not known (FP6227), flows are told of twice
        (FP6228), or too much belongs to no endpoint (FP6229).
    """
    findings = Findings(path)
    table = CsvInput(findings, path)
    present = {name: table.header_line for name in table.header if name not in _WHERE_SET}
    notes = list(FIELDS.check(present, str(path)))
    table.need_once()
    place = {_OLD_NAME.get(name, name): at for at, name in enumerate(table.header)}
    needed = ["ts", "te" if "te" in place or "td" not in place else "td", "sa", "da", "ibyt"]
    missing = [name for name in needed if name not in place]
    if missing:
        table.refuse(f"columns {', '.join(missing)} are missing", "write it by: nfdump -r FILE -o csv")
    records = _Records(findings, place, in_ms="af" in place)
    for line, cells in table.rows(until=("Summary", "No matched flows", "No matching flows")):
        if cells == table.header:  # outputs that were put together
            continue
        records.take(line, cells)
    findings.finish()
    _check_summary(findings, table, records.octets_read)
    findings.finish()
    seconds, when = _seconds(path, records, duration)
    book = AddressBook(topology, addresses, max_unknown)
    volume: dict[tuple[int, int], float] = defaultdict(float)
    sizes, twice = records.counted(path, repeats)
    for (src, dst), size in sizes.items():
        ends = book.pair(src, dst, size) if size else None
        if ends is not None:
            volume[ends] += size
    if records.dropped:
        name = next(name for name in table.header if _OLD_NAME.get(name, name) == "fwd")
        notes.append(f"{FIELDS.notes([name])[0]} ({records.dropped:,})")
    rows = rows_of(volume, seconds, book)
    return DemandRows(rows.src, rows.dst, rows.rate_gbps, rows.warnings, None, (*notes, when, *twice))


_WHERE_SET = ("fwd", "fwdStatus")  # reported where a record has them, not for the column alone


class _Records:
    """Bytes by flow and by the exporter that tells of it."""

    def __init__(self, findings: Findings, place: dict[str, int], *, in_ms: bool) -> None:
        self._findings, self._place, self._in_ms = findings, place, in_ms
        self.first, self.last, self.dropped, self.octets_read = float("inf"), float("-inf"), 0, 0
        # Bytes, begin and end by (source, destination, ports and protocol) and (exporter, direction).
        self._flows: dict[tuple[str, ...], dict[tuple[str, ...], list[float]]] = defaultdict(dict)
        self._label = [place[name] for name in ("sp", "dp", "pr") if name in place]
        self._teller = [place[name] for name in ("ra", "dir") if name in place]

    def take(self, line: int, cells: list[str]) -> None:
        """Add a record; what is not understood is noted."""
        place = self._place
        try:
            begin = self._stamp(cells[place["ts"]])
            end = self._stamp(cells[place["te"]]) if "te" in place else begin + _span(cells[place["td"]])
            sizes = [_whole(cells[place["ibyt"]]), _whole(cells[place["obyt"]]) if "obyt" in place else 0]
        except ValueError as error:
            self._findings.add(f"a record is not understood: {error}", code="FP6223", line=line)
            return
        if end < begin:
            self._findings.add("a record ends before it begins", code="FP6223", line=line, hint="leave it out")
            return
        if "fwd" in place and cells[place["fwd"]].isdigit() and int(cells[place["fwd"]]) in _DROPPED:
            self.dropped += 1
        self.first, self.last = min(self.first, begin), max(self.last, end)
        self.octets_read += sum(sizes)
        ends, label = (cells[place["sa"]], cells[place["da"]]), [cells[at] for at in self._label]
        teller = tuple(cells[at] for at in self._teller)
        self._add((*ends, *label), teller, sizes[0], begin, end)
        if sizes[1]:
            back = [*label[1::-1], *label[2:]] if "sp" in place and "dp" in place else label
            self._add((*ends[::-1], *back), teller, sizes[1], begin, end)

    def _add(self, flow: tuple[str, ...], teller: tuple[str, ...], size: int, begin: float, end: float) -> None:
        entry = self._flows[flow].setdefault(teller, [0.0, begin, end])
        entry[0] += size
        entry[1], entry[2] = min(entry[1], begin), max(entry[2], end)

    def _stamp(self, cell: str) -> float:
        """Seconds of a time: of the day and clock, or a number of seconds (milliseconds in csv-fast)."""
        if re.fullmatch(r"\d+(\.\d+)?", cell):
            return float(cell) / (1_000 if self._in_ms else 1)
        return datetime.fromisoformat(cell).timestamp()

    def counted(self, path: Path, repeats: Repeats | None) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
        """Bytes by source and destination, and what to say of flows that several exporters tell of.

        Raises
        ------
        FormatError
            When such flows carry much and nothing says how they count (FP6228).
        """
        sizes: dict[tuple[str, str], float] = defaultdict(float)
        twice, flows, one = 0.0, 0, ""
        for flow, tellers in self._flows.items():
            size = sum(entry[0] for entry in tellers.values())
            if len(tellers) > 1 and repeats != "all":
                begin, end = max(entry[1] for entry in tellers.values()), min(entry[2] for entry in tellers.values())
                if begin <= end:
                    best = max(entry[0] for entry in tellers.values())
                    flows, twice = flows + 1, twice + size - best
                    one = one or " and ".join(" ".join(teller) for teller in list(tellers)[:2])
                    size = best if repeats == "once" else size
            sizes[flow[0], flow[1]] += size
        if not flows:
            return sizes, ()
        share = percent(twice / self.octets_read)
        what = f"{flows:,} flows are told of by several exporters or directions (ra, dir: {one})"
        if repeats == "once":
            return sizes, (f"{what} and count once; {share} of the bytes are left out for it",)
        if twice > _MOST_REPEATED * self.octets_read:
            hint = "repeats: once takes each flow from the exporter that saw most of it, repeats: all adds them up"
            raise FormatError(
                f"{what}; {share} of the bytes would count again", file=str(path), hint=hint, code="FP6228"
            )
        return sizes, (f"{what}; {share} of the bytes count again (repeats: once)",)


def _whole(cell: str) -> int:
    if _SCALED.match(cell):
        raise ValueError(f"{shown(cell)} is rounded; print plain numbers: nfdump -N")
    if not (cell.isascii() and cell.isdigit()):
        raise ValueError(f"{shown(cell)} is not a number of bytes")
    return int(cell)


def _span(cell: str) -> float:
    """Seconds of a duration, as a number or as days and hours.

    >>> _span("59.000"), _span("00:01:00.500"), _span("1d 00:00:10")
    (59.0, 60.5, 86410.0)
    """
    days, _, clock = cell.rpartition("d ")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * (int(days) if days else 0)


def _check_summary(findings: Findings, table: CsvInput, octets: int) -> None:
    """Compare the bytes of all records with the summary at the end, where there is one."""
    rest = list(table.rest())
    for (_, names), (line, values) in pairwise(rest):
        if names[:2] == ["flows", "bytes"] and len(values) > 1 and values[1].strip().isdigit():
            said = int(values[1])
            if said != octets:
                findings.add(
                    f"the Summary says {said:,} bytes, the records add up to {octets:,}",
                    code="FP6221", line=line, column=1,
                    hint="print all flows with both directions, or leave the Summary out (nfdump -q)",
                )  # fmt: skip
            return


def _seconds(path: Path, records: _Records, duration: float | None) -> tuple[float, str]:
    """Seconds that were measured, and a sentence about them."""
    seconds = records.last - records.first
    if duration is not None:
        if seconds > duration * 1.001 + 1:  # older versions print whole seconds
            raise FormatError(
                f"the records span {format_seconds(seconds)}, longer than the duration of {format_seconds(duration)}",
                file=str(path), hint="leave duration out, or correct it", code="FP6227",
            )  # fmt: skip
        return duration, f"rates are the mean over the {format_seconds(duration)} of duration"
    if not records.octets_read:
        return 1.0, "no record has bytes"
    if seconds <= 0:
        raise FormatError(
            f"all records ({format_bytes(records.octets_read)}) have the same time: over which is the mean?",
            file=str(path), hint="duration: '60 s' says how long was measured", code="FP6227",
        )  # fmt: skip
    return seconds, f"rates are the mean over {format_seconds(seconds)}, from the first record to the last (duration)"
