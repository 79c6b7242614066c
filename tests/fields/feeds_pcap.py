"""Feeds of captures, written byte by byte."""

from __future__ import annotations

import struct

import capture_bytes as made
from capture_bytes import Packet, block, bth, enhanced, ether, interface, ip4, ip6, option, plain_frame, section, udp
from demand_files import Files, one, reader_of
from feeding import Feed, ReaderFeeds

from topologies.reading.fields import REFUSED
from traffic.formats.pcap import _LINKS, _NO_IP

S = 10**9
TWO = [Packet(100 * S, plain_frame(1, 2)), Packet(101 * S, plain_frame(1, 2, 1))]
CLASSIC = one(made.pcap(TWO))
NG = one(made.pcapng(TWO))


def with_frame(frame: bytes, link: int = 1, *, keys: dict[str, object] | None = None, length: int = 0) -> Files:
    """Two packets of Ethernet, and a frame between them in a file of its own."""
    other = made.pcap([Packet(100 * S + S // 2, frame, length)], link=link)
    return Files({"a": made.pcap(TWO), "b": other}, path="", keys=keys or {})


def counts(frame: bytes, link: int = 1) -> Feed:
    """The frame adds traffic."""
    return Feed(with_frame(ether(0x0800, ip4(3, 4, udp()))), with_frame(frame, link))


def carried(options: bytes) -> Files:
    """A section of pcapng with options of its interface."""
    return one(section() + interface(options) + b"".join(enhanced(packet) for packet in TWO))


def with_packet_option(code: int, value: bytes) -> Files:
    ends = enhanced(TWO[0]) + enhanced(TWO[1], options=option(code, value))
    return one(section() + interface() + ends)


def with_block(kind: int, body: bytes = bytes(8)) -> Files:
    return one(made.pcapng(TWO) + block(kind, body))


def statistics(code: int) -> Files:
    return with_block(5, bytes(12) + option(code, struct.pack("<Q", 7)))


INNER = ip4(3, 4, udp(b"data"))  # between endpoints, inside tunnels of strangers
FRAME = ether(0x0800, INNER)


def outside(load: bytes, protocol: int = 17) -> bytes:
    return ether(0x0800, ip4(8, 9, load, protocol))


TUNNELS = {
    "VXLAN": outside(udp(bytes(8) + FRAME, dport=4789)),
    "GENEVE": outside(udp(bytes([0, 0, 0x65, 0x58]) + bytes(4) + FRAME, dport=6081)),
    "GRE": outside(bytes([0, 0, 8, 0]) + INNER, 47),
    "ERSPAN": outside(struct.pack("!HHI", 0x1000, 0x88BE, 1) + bytes(8) + FRAME, 47),
    "IP in IP": outside(INNER, 4),
    "IPv6 in IP": outside(ip6(3, 4, udp(b"data")), 41),
}
COOKED = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800)
COOKED_2 = struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, bytes(8))
LINK_FRAMES = {
    1: ether(0x0800, ip4(4, 3, udp())), 0: struct.pack("<I", 2) + INNER, 108: struct.pack(">I", 2) + INNER,
    9: b"\xff\x03\x00\x21" + INNER, 50: b"\xff\x03\x00\x21" + INNER, 12: INNER, 14: INNER, 101: INNER, 228: INNER,
    229: ip6(3, 4, udp()), 113: COOKED + INNER, 276: COOKED_2 + INNER,
}  # fmt: skip
MPLS = struct.pack("!II", 16 << 12 | 64, 17 << 12 | 0x100 | 64)
ROUTING = bytes([17, 4, 4, 1, 1, 0, 0, 0]) + made.ip6_address(4) + made.ip6_address(9)
HOP_BY_HOP = bytes([17, 0, 1, 4, 0, 0, 0, 0])


def queue_pairs(frame: bytes) -> Feed:
    """A frame of RoCE whose queue pair is one more of its pair; the bytes are the same without it."""
    roce = bth(18)
    return Feed(with_frame(frame.replace(roce, bth(17))), with_frame(frame))


def both_ends() -> Feed:
    """Another packet, and the same one, in a second file."""
    return Feed(with_frame(plain_frame(1, 2, 7)), with_frame(plain_frame(1, 2, 0)))


def with_queue(frame: bytes, *, link: int = 1) -> Files:
    return with_frame(frame, link)


def six(queue: int) -> Files:
    """RoCE between two addresses, without and with a hop-by-hop header."""
    bare = ether(0x86DD, ip6(1, 2, udp(bth(17))))
    other = ether(0x86DD, ip6(1, 2, HOP_BY_HOP + udp(bth(queue)), 0))
    return one(made.pcap([Packet(100 * S, bare), Packet(101 * S, other)]))


MANY = [Packet(100 * S + at * S // 20, plain_frame(1, 2, at)) for at in range(20)]
LATER = [Packet(1000 * S + at * S // 20, plain_frame(2, 1, at)) for at in range(20)]
PCAP = ReaderFeeds(
    "demand format", "pcap", reader_of("pcap"),
    {
        "magic 0xa1b2c3d4": Feed(one(made.pcap(TWO)), one(made.pcap(MANY))),
        "magic 0xa1b23c4d": Feed(CLASSIC, one(made.pcap([*TWO, Packet(101 * S + 123_456_789, plain_frame(1, 2, 3))],
                                                        magic=made.NANO))),
        "magic 0xa1b2cd34": Feed(CLASSIC, one(made.pcap(MANY, magic=made.MODIFIED, mark=">"))),
        "thiszone": Feed(
            Files({"a": made.pcap(TWO), "b": made.pcap(MANY)}, path=""),
            Files({"a": made.pcap(TWO), "b": made.pcap(MANY, zone=1)}, path=""),
        ),
        "sigfigs": Feed(CLASSIC, one(made.pcap(TWO)[:12] + b"\x09\0\0\0" + made.pcap(TWO)[16:])),
        "snaplen": Feed(CLASSIC, one(made.pcap(TWO)[:16] + b"\x60\0\0\0" + made.pcap(TWO)[20:])),
        "FCS length": Feed(CLASSIC, one(made.pcap(TWO, link=1 | 0x24000000))),
        "original length": Feed(CLASSIC, one(made.pcap([TWO[0], Packet(101 * S, plain_frame(1, 2, 1), 9000)]))),
        "stamp beyond a second": Feed(
            CLASSIC, one(made.pcap(TWO)[:28] + struct.pack("<I", 7_000_000) + made.pcap(TWO)[32:]),
            one(made.pcap(TWO)[:28] + struct.pack("<I", 7_000_000) + made.pcap(TWO)[32:], duration=1.0),
        ),
        "cut file": Feed(CLASSIC, one(made.pcap(TWO) + made.pcap(TWO)[24:50])),
        "section header block": Feed(NG, one(made.pcapng(TWO) + section(">") + interface(mark=">") +
                                             enhanced(Packet(102 * S, plain_frame(1, 2, 5)), mark=">"))),
        "enhanced packet block": Feed(NG, one(made.pcapng([*TWO, Packet(102 * S, plain_frame(1, 2, 5))]))),
        "packet block": Feed(NG, one(made.pcapng(TWO) + made.obsolete(Packet(102 * S, plain_frame(1, 2, 5))))),
        "simple packet block": Feed(
            NG, one(made.pcapng(TWO) + made.simple(TWO[0])), one(made.pcapng(TWO) + made.simple(TWO[0]), duration=2.0)
        ),
        "interface statistics block": Feed(NG, with_block(5, bytes(12))),
        "name resolution block": Feed(NG, with_block(4)),
        "decryption secrets block": Feed(NG, with_block(10)),
        "systemd journal block": Feed(NG, with_block(9)),
        "custom block": Feed(NG, with_block(0xBAD)),
        "if_tsresol": Feed(NG, carried(option(9, b"\x05"))),
        "if_tsoffset": Feed(
            Files({"a": made.pcap(MANY), "b": made.pcapng(TWO)}, path=""),
            Files({"a": made.pcap(MANY), "b": carried(option(14, struct.pack("<q", 1))).files["f"]}, path=""),
        ),
        "if_fcslen": Feed(NG, carried(option(13, b"\x04"))),
        "if_filter": Feed(NG, carried(option(11, b"\0tcp port 80"))),
        "if_*": Feed(NG, carried(option(2, b"eth0"))),
        "epb_flags": Feed(NG, with_packet_option(2, struct.pack("<I", 4 << 5))),
        "epb_dropcount": Feed(NG, with_packet_option(4, struct.pack("<Q", 9))),
        "isb_ifdrop": Feed(NG, statistics(5)),
        "isb_osdrop": Feed(NG, statistics(7)),
        "isb_*": Feed(NG, statistics(4)),
        **{
            f"link type {number}": counts(LINK_FRAMES[number], number) if treatment != REFUSED else
            Feed(CLASSIC, one(made.pcap(TWO, link=number)))
            for number, (_, treatment) in _LINKS.items()
        },
        "VLAN tags": counts(ether(0x88A8, struct.pack("!HHHH", 5, 0x8100, 6, 0x0800) + INNER)),
        "MPLS labels": counts(ether(0x8847, MPLS + INNER)),
        "PPPoE session": counts(ether(0x8864, bytes(6) + b"\x00\x21" + INNER)),
        **{name: Feed(with_frame(outside(udp())), with_frame(frame)) for name, frame in TUNNELS.items()},
        "IPv6 extension headers": Feed(six(17), six(18)),
        "segment routing header": Feed(with_frame(ether(0x86DD, ip6(3, 9, udp()))),
                                       with_frame(ether(0x86DD, ip6(3, 9, ROUTING + udp(), 43)))),
        "queue pairs": queue_pairs(plain_frame(1, 2, 9).replace(bth(17, 9), bth(18))),
        "cut before its addresses": Feed(CLASSIC, with_frame(plain_frame(1, 2)[:20], length=200)),
        **{f"ethertype {kind:#06x}": Feed(CLASSIC, with_frame(ether(kind, bytes(40)))) for kind in _NO_IP},
        "ethertype *": Feed(CLASSIC, with_frame(ether(0x9999, bytes(40)))),
        "802.3 frame": Feed(CLASSIC, with_frame(ether(38, bytes([0x42, 0x42, 3]) + bytes(35)))),
        "PPP without IP": Feed(CLASSIC, with_frame(b"\xff\x03\xc0\x21" + bytes(20), 9)),
        "neither IPv4 nor IPv6": Feed(CLASSIC, with_frame(bytes([0x10]) + bytes(40), 101)),
        "packets captured twice": both_ends(),
        "time between captures": Feed(
            Files({"a": made.pcap(MANY)}, path=""), Files({"a": made.pcap(MANY), "b": made.pcap(LATER)}, path=""),
            Files({"a": made.pcap(MANY), "b": made.pcap(LATER)}, path="", keys={"duration": 1000.0}),
        ),
    },
    unknown=Feed(NG, with_block(0x7777)),
    unknown_name="block type 0x7777",
)  # fmt: skip

READERS = [PCAP]
