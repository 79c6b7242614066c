"""Packets of several captures: between which addresses, how many bytes, when, where, and what tells them apart."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from traffic.captures.frames import ETHERNET, Ip, fingerprint, first_ip, flow, inner_ip, queue_pair
from traffic.captures.records import records
from traffic.captures.twice import Seen

Pair = tuple[bytes, bytes]  # source and destination
_PLAIN = b"\x08\x00\x45"  # IPv4 without options right after the addresses of Ethernet
_TCP, _UDP = 6, 17
_ROCE = b"\x12\xb7"  # UDP port 4791


class Packets:
    """Reads captures one after the other.

    Parameters
    ----------
    is_ours : callable
        Whether both addresses of a pair belong to endpoints; the outermost such pair of a packet is counted.
    check_link : callable
        Refuses a link type.
    say : callable
        Takes what the files hold besides packets: name of a field, detail, count.
    """

    def __init__(
        self,
        is_ours: Callable[[bytes, bytes], bool],
        check_link: Callable[[Path, int], None],
        say: Callable[[str, str, int], None],
    ) -> None:
        self._is_ours, self._check_link, self._say = is_ours, check_link, say
        self.seen = Seen()
        self.pairs: dict[Pair, int] = {}
        self.points: dict[tuple[str, int], int] = {}
        self.queues: dict[int, set[bytes]] = defaultdict(set)
        self.octets_without_ip: dict[str, int] = defaultdict(int)
        self.in_tunnel: dict[str, int] = defaultdict(int)
        self.spans: list[tuple[int, int]] = []  # first and last stamp of a file, ns
        self.jumps: dict[Path, int] = {}  # longest time between two packets of a file, ns
        self.timeless = 0
        self._ours: list[bool] = []
        self._quick: dict[bytes, int] = {}  # pairs of endpoints by their eight bytes in a plain header

    def take(self, file: Path) -> None:
        """Read all packets of a file."""
        seen, points, quick, queues = self.seen, self.points, self._quick, self.queues
        add_pair, add_length, add_time = seen.pair.append, seen.length.append, seen.time_ns.append
        add_point, add_print, add_flow = seen.point.append, seen.print.append, seen.flow.append
        first, last, jump = 2**100, -(2**100), 0
        previous: int | None = None
        for frame, time, length, link_type, point in records(file, self._say):
            number = points.get(point)
            if number is None:
                self._check_link(file, link_type)
                number = points[point] = len(points)
            if time is None:
                self.timeless += 1
            else:
                if time < first:
                    first = time
                if time > last:
                    last = time
                if previous is not None and abs(time - previous) > jump:
                    jump = abs(time - previous)
                previous = time
            # Most frames by far; the same as below, without a step for each header.
            if link_type == ETHERNET and frame[12:15] == _PLAIN and frame[20:22] in (b"\0\0", b"\x40\0"):
                pair = quick.get(frame[26:34])
                if pair is not None and time is not None:
                    protocol = frame[23]
                    if protocol == _UDP:
                        add_print(hash(frame[16:22] + frame[26:40] + frame[42:58]))
                        add_flow(0)
                        if frame[36:38] == _ROCE and len(frame) >= 50:
                            queues[pair].add(frame[47:50])
                    else:
                        add_print(hash(frame[16:22] + frame[26 : 50 if protocol == _TCP else 58]))
                        ends = frame[26:30], frame[30:34]
                        add_flow(flow(frame, Ip(14, 4, *ends, protocol, 34)) if protocol == _TCP else 0)
                    add_pair(pair)
                    add_length(length)
                    add_time(time)
                    add_point(number)
                    continue
            ip = first_ip(frame, link_type)
            if isinstance(ip, str):
                self._say(ip, "", 1)
                self.octets_without_ip[ip] += length
                continue
            outer = ip
            ip, pair = self._counted(frame, ip)
            if ip.version == 4 and self._ours[pair]:
                quick[ip.src + ip.dst] = pair
            queue = queue_pair(frame, ip)
            if queue is not None:
                queues[pair].add(queue)
            add_pair(pair)
            add_length(length - (ip.at - outer.at))
            add_time(time or 0)
            add_point(number)
            # Packets without a stamp are like no other.
            add_print(fingerprint(frame, ip) if time is not None else len(seen.print))
            add_flow(flow(frame, ip) if time is not None else 0)
        if last >= first:
            self.spans.append((first, last))
            self.jumps[file] = jump

    def _counted(self, frame: bytes, outer: Ip) -> tuple[Ip, int]:
        """The outermost header between two endpoints; where there is none, the outermost of all."""
        ip, tunnel = outer, ""
        while True:
            pair = self._number(ip)
            if self._ours[pair]:
                if tunnel:
                    self.in_tunnel[tunnel] += 1
                return ip, pair
            inside = inner_ip(frame, ip)
            if inside is None:
                return outer, self._number(outer)
            ip, tunnel = inside

    def _number(self, ip: Ip) -> int:
        key = ip.src, ip.dst
        pair = self.pairs.get(key)
        if pair is None:
            pair = self.pairs[key] = len(self.pairs)
            self._ours.append(self._is_ours(*key))
        return pair


def address_text(address: bytes) -> str:
    """An address as it is written; an IPv4 address inside an IPv6 one (as RoCE 1 has it) as IPv4.

    >>> address_text(bytes([10, 0, 0, 1])), address_text(bytes(10) + b"\\xff\\xff" + bytes([10, 0, 0, 1]))
    ('10.0.0.1', '10.0.0.1')
    """
    if len(address) == 16 and address.startswith(b"\0" * 10 + b"\xff\xff"):
        address = address[12:]
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
