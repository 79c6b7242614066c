"""Captures byte by byte: forms of files, clocks, links, tunnels, and packets that were captured twice."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import capture_bytes as made
import pytest
from capture_bytes import Packet, ether, ip4, plain_frame, tcp, udp
from traffic_clusters import plain, run

from topologies.errors import FormatError, TrafficError
from traffic.captures.records import records
from traffic.formats.pcap import read_pcap

MEASURED = Path(__file__).parent / "measured"
ADDRESSES = "address,node\n" + "".join(f"10.0.0.{host + 1},h{host}\nfd00::{host + 1},h{host}\n" for host in range(4))
S = 10**9
# Four packets of 100 bytes from h0 to h1 in 3.000000456 s.
FOUR = [
    Packet(1_700_000_000 * S + at * S + (456 if at == 3 else 0), plain_frame(1, 2, at).ljust(100, b"\0"))
    for at in range(4)
]
GBPS = 4 * 100 * 8e-9 / 3


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "addresses.csv").write_text(ADDRESSES)
    return tmp_path


def put(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)


def rows(folder: Path, path: str = "in", **keys):
    topology = plain(4).topologies["main"]
    return read_pcap(folder / path, topology, addresses=folder / "addresses.csv", **keys)


def rates(read) -> dict[tuple[int, int], float]:
    triples = zip(read.src.tolist(), read.dst.tolist(), read.rate_gbps.tolist(), strict=True)
    return {(src, dst): pytest.approx(rate, rel=1e-6) for src, dst, rate in triples}


@pytest.mark.parametrize("name", ["micro.pcap", "nano.pcap"])
def test_nanoseconds_and_microseconds_are_the_same_time(tmp_path, name):
    """21 packets of 242 bytes in 1 s: 21 x 242 x 8 bit."""
    (tmp_path / "a.csv").write_text(ADDRESSES)
    job = run("matrix", plain(2), MEASURED, format="pcap", path=name, addresses=str(write_two(tmp_path)))
    assert job.phases[0].rate_gbps == pytest.approx(21 * 242 * 8e-9, rel=1e-9)


def write_two(folder: Path) -> Path:
    (folder / "two.csv").write_text("address,node\n10.0.0.1,h0\n10.0.0.2,h1\n")
    return folder / "two.csv"


def test_the_same_packets_in_both_units_count_once(folder):
    """The folder has the capture in microseconds and again in nanoseconds."""
    put(folder, a=(MEASURED / "micro.pcap").read_bytes(), b=(MEASURED / "nano.pcap").read_bytes())
    read = rows(folder)
    assert rates(read) == {(0, 1): 21 * 242 * 8e-9}
    assert any("21 of 42 packets were captured a second time and count once (b)" in note for note in read.notes)
    assert rates(rows(folder, repeats="all")) == {(0, 1): 2 * 21 * 242 * 8e-9}


@pytest.mark.parametrize("mark", "<>")
@pytest.mark.parametrize("magic", [made.MICRO, made.NANO, made.MODIFIED])
@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_every_form_of_pcap_gives_the_same(folder, mark, magic, packed):
    """Magic number, byte order, compression."""
    put(folder, capture=packed(made.pcap(FOUR, magic=magic, mark=mark)))
    assert rates(rows(folder)) == {(0, 1): GBPS}


def test_nanoseconds_are_kept(folder):
    """The last stamp is 456 ns past the second; microseconds lose it."""
    put(folder, capture=made.pcap(FOUR, magic=made.NANO))
    times = [record[1] for record in records(folder / "in" / "capture", lambda *_: None)]
    assert times == [packet.time_ns for packet in FOUR]


@pytest.mark.parametrize(
    ("resolution", "per_second"),
    [(b"\x06", 10**6), (b"\x09", 10**9), (b"\x03", 10**3), (b"\x8a", 2**10), (b"\x9e", 2**30)],
)
@pytest.mark.parametrize("mark", "<>")
def test_every_resolution_of_pcapng_gives_the_same(folder, resolution, per_second, mark):
    """Powers of ten and of two, both byte orders."""
    packets = b"".join(made.enhanced(packet, per_second=per_second, mark=mark) for packet in FOUR)
    put(folder, capture=made.section(mark) + made.interface(made.option(9, resolution, mark), mark=mark) + packets)
    assert rates(rows(folder)) == {(0, 1): pytest.approx(GBPS, rel=1e-6)}


def test_sections_and_interfaces_have_units_of_their_own(folder):
    """Two interfaces of one section and one of another, with three resolutions, and an offset of seconds."""
    offset = 1_600_000_000
    shifted = [Packet(packet.time_ns - offset * S, packet.frame) for packet in FOUR[2:3]]
    put(folder, capture=b"".join([
        made.section(), made.interface(), made.interface(made.option(9, b"\x09")),
        made.enhanced(FOUR[0]), made.enhanced(FOUR[1], number=1, per_second=10**9),
        made.section(">"), made.interface(made.option(14, struct.pack(">q", offset), ">"), mark=">"),
        made.enhanced(shifted[0], mark=">"),
        made.section(), made.interface(), made.enhanced(FOUR[3]),
    ]))  # fmt: skip
    assert rates(rows(folder)) == {(0, 1): GBPS}


def test_simple_packets_need_a_duration(folder):
    """They have no stamp; their original length counts, 1000 bytes over 2 s each."""
    frame = plain_frame(1, 2)
    put(folder, capture=made.section() + made.interface(snap=60) + 2 * made.simple(Packet(0, frame[:60], 1000)))
    with pytest.raises(FormatError, match="simple packet block: a packet without a stamp"):
        rows(folder)
    assert rates(rows(folder, duration=2.0)) == {(0, 1): 2 * 1000 * 8e-9 / 2}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (made.section() + struct.pack("<II", 6, 0xFFFFFFFC) + bytes(64), "a block of 4,294,967,292 bytes"),
        (made.section() + struct.pack("<II", 6, 8) + bytes(64), "a block of 8 bytes"),
        (made.section() + struct.pack("<II", 1, 21) + bytes(64), "a block of 21 bytes"),
        (made.section() + made.enhanced(FOUR[0]), "a packet of interface 0, which no block describes"),
        (made.section()[:8] + bytes(4) + bytes(16), "without the byte-order magic"),
        (made.pcap(FOUR)[:32] + struct.pack("<I", 2**31) + bytes(64), "a packet of 2,147,483,648 bytes"),
        (made.pcap(FOUR)[:4] + bytes(10), "ends inside its header"),
        (made.pcap(FOUR)[:4] + bytes([9, 0]) + made.pcap(FOUR)[6:], r"version 9\.4 of pcap"),
        (b"\x28\xb5\x2f\xfd" + bytes(30), "compressed by zstd"),
        (b"snoop\0\0\0" + bytes(30), "a snoop capture"),
        (gzip.compress(made.pcap(FOUR))[:60], "no capture: "),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_damaged_capture_is_refused(folder, data, message):
    """Lengths are checked before anything is read by them."""
    (folder / "x.pcap").write_bytes(data)
    with pytest.raises(FormatError, match=message) as refusal:
        rows(folder, "x.pcap")
    assert refusal.value.problems[0].code == "FP6225"


def test_a_capture_that_was_cut_short_is_read_to_there(folder):
    """Three of four packets, in 2 s, and said."""
    put(folder, capture=made.pcap(FOUR)[:-10])
    read = rows(folder)
    assert rates(read) == {(0, 1): 3 * 100 * 8e-9 / 2}
    assert any("cut file: the file ends inside a packet" in note for note in read.notes)


def test_microseconds_above_a_second_are_another_unit(folder):
    """A stamp of 950,000,000 microseconds: nanoseconds under the wrong magic number."""
    wrong = made.pcap(FOUR, magic=made.NANO).replace(struct.pack("<I", made.NANO), struct.pack("<I", made.MICRO), 1)
    put(folder, capture=wrong.replace(struct.pack("<I", 456), struct.pack("<I", 950_000_000), 1))
    with pytest.raises(FormatError, match=r"stamp beyond a second.*950,000,000.*nanoseconds"):
        rows(folder)
    assert rates(rows(folder, duration=4.0)) == {(0, 1): 4 * 100 * 8e-9 / 4}


def test_one_moment_tells_no_rate(folder):
    """One packet: over which time? And a duration that is shorter than the packets span is refused."""
    put(folder, capture=made.pcap(FOUR[:1]))
    with pytest.raises(FormatError, match="all packets have the same stamp"):
        rows(folder)
    assert rates(rows(folder, duration=10.0)) == {(0, 1): 100 * 8e-9 / 10}
    put(folder, capture=made.pcap(FOUR))
    with pytest.raises(FormatError, match="the packets span 3 s, longer than the duration of 2 s"):
        rows(folder, duration=2.0)


def test_time_between_captures_is_not_averaged_in_silence(folder):
    """Two captures of 3 s, an hour apart."""
    later = [Packet(packet.time_ns + 3600 * S, plain_frame(2, 1, 9).ljust(100, b"\0")) for packet in FOUR]
    put(folder, a=made.pcap(FOUR), b=made.pcap(later))
    with pytest.raises(FormatError, match=r"time between captures.*60 min of 60 min lie between captures"):
        rows(folder)
    assert rates(rows(folder, duration=3603.001)) == {(0, 1): 400 * 8e-9 / 3603.001, (1, 0): 400 * 8e-9 / 3603.001}


def test_files_of_a_folder_are_known_by_what_they_hold(folder):
    """tcpdump -C names them a.pcap1, a.pcap2; notes beside them are left out, and said."""
    put(folder, **{"a.pcap": made.pcap(FOUR[:2]), "a.pcap1": made.pcap(FOUR[2:]), "notes.txt": b"hello"})
    read = rows(folder)
    assert rates(read) == {(0, 1): GBPS}
    assert read.notes[0] == "no captures, and left out: notes.txt"
    (folder / "none").mkdir()
    with pytest.raises(TrafficError, match="no capture at"):
        rows(folder, "none")


def busy(count: int, *, shift_ns: int = 0, hops: int = 64, tos: int = 0, first: int = 0) -> list[Packet]:
    """A packet of h0 to h1 every 10 ms, each of its own."""
    return [
        Packet(FOUR[0].time_ns + at * S // 100 + shift_ns, plain_frame(1, 2, at, identification=at, hops=hops, tos=tos))
        for at in range(first, count)
    ]


def once(count: int) -> dict[tuple[int, int], float]:
    return {(0, 1): count * len(plain_frame(1, 2)) * 8e-9 / ((count - 1) / 100)}


def test_captures_of_both_ends_count_once(folder):
    """The far end sees 200 packets 40 ms later, by its clock and the way there, with fewer hops left and marked."""
    put(folder, a=made.pcap(busy(200)), b=made.pcapng(busy(200, shift_ns=40_000_000, hops=61, tos=3)))
    read = rows(folder)
    assert read.rate_gbps[0] == pytest.approx(200 * 54 * 8e-9 / 2.03)
    assert any("200 of 400 packets were captured a second time" in note for note in read.notes)


@pytest.mark.parametrize("load", [tcp(b"abc", sequence=7), udp(made.bth(5, 6)), b"anything else of another protocol"])
def test_tags_change_nothing_of_what_a_packet_is(folder, load):
    """One end is a trunk: the same packets behind a VLAN tag, which are read another way; 4 bytes more."""
    protocol = 6 if load.startswith(tcp()[:4]) else 17 if load.startswith(udp()[:4]) else 99
    packets = [(FOUR[0].time_ns + at * S // 10, ip4(1, 2, load, protocol, identification=at)) for at in range(20)]
    untagged = [Packet(time, ether(0x0800, packet)) for time, packet in packets]
    tagged = [Packet(time + 1_000, ether(0x8100, b"\0\5\x08\0" + packet)) for time, packet in packets]
    put(folder, a=made.pcap(untagged), b=made.pcap(tagged))
    assert rates(rows(folder)) == {(0, 1): 20 * len(untagged[0].frame) * 8e-9 / 1.900001}


def test_a_packet_that_one_end_missed_still_counts(folder):
    """The far end saw 150 of 200."""
    put(folder, a=made.pcap(busy(200)), b=made.pcap(busy(200, first=50)))
    assert rates(rows(folder)) == once(200)


def test_interfaces_of_one_file_are_points_too(folder):
    """A router's two interfaces in one pcapng."""
    packets = busy(50)
    both = b"".join(made.enhanced(packet) + made.enhanced(packet, number=1) for packet in packets)
    put(folder, capture=made.section() + made.interface() + made.interface() + both)
    assert rates(rows(folder)) == once(50)


def test_rotated_files_of_constant_packets_add_up(folder):
    """The same bytes again and again, in files that follow each other by 3 s: nothing is there twice."""
    same = [Packet(FOUR[0].time_ns + at * S // 10, plain_frame(1, 2)) for at in range(60)]
    put(folder, a=made.pcap(same[:30]), b=made.pcap(same[30:]))
    assert rates(rows(folder)) == {(0, 1): 60 * 54 * 8e-9 / 5.9}


def test_clocks_that_differ_are_for_the_user_to_decide(folder):
    """The other end's clock is 90 s ahead; once counts one of them."""
    put(folder, a=made.pcap(busy(200)), b=made.pcap(busy(200, shift_ns=90 * S)))
    with pytest.raises(FormatError, match="200 packets of b are in a too, 90 s before: two captures") as refusal:
        rows(folder, duration=100.0)
    assert refusal.value.problems[0].code == "FP6228"
    assert rates(rows(folder, duration=100.0, repeats="once")) == {(0, 1): 200 * 54 * 8e-9 / 100}


def test_segments_that_hosts_cut_otherwise_are_seen(folder):
    """A sender's capture has two segments of 2,000 bytes where the receiver's has four of 1,000."""

    def sent(size: int) -> bytes:
        return made.pcap([
            Packet(FOUR[0].time_ns + at * S // 100, ether(0x0800, ip4(1, 2, tcp(bytes(size), sequence=at * size), 6)))
            for at in range(4000 // size)
        ])  # fmt: skip

    put(folder, a=sent(2000), b=sent(1000))
    with pytest.raises(FormatError, match=r"TCP connections with 100\.0 % of the bytes are both in a and in b"):
        rows(folder)
    total = 4 * (1000 + 54)
    assert rates(rows(folder, repeats="once")) == {(0, 1): total * 8e-9 / 0.03}


def test_a_mirror_of_both_directions_of_a_port_is_seen(folder):
    """Each packet twice, 5 microseconds apart, in one file."""
    twice = sorted(busy(50) + busy(50, shift_ns=5_000), key=lambda packet: packet.time_ns)
    put(folder, capture=made.pcap(twice, magic=made.NANO))
    with pytest.raises(FormatError, match="100 of 100 packets come in pairs less than a millisecond apart"):
        rows(folder)
    assert rows(folder, repeats="once").rate_gbps[0] == pytest.approx(50 * 54 * 8e-9 / 0.490005)


def test_the_outermost_endpoints_are_counted(folder):
    """VXLAN between hosts counts all of the packet; between strangers what is inside, without the 50 bytes outside."""
    inner = ether(0x0800, ip4(3, 4, udp(b"data")))
    between_hosts = ether(0x0800, ip4(1, 2, udp(bytes(8) + inner, dport=4789)))
    between_leaves = ether(0x0800, ip4(8, 9, udp(bytes(8) + inner, dport=4789)))
    put(folder, a=made.pcap([Packet(0, between_hosts), Packet(S, between_leaves)]))
    read = rows(folder)
    assert rates(read) == {(0, 1): len(between_hosts) * 8e-9, (2, 3): len(inner) * 8e-9}
    assert any("1 packets are counted by their addresses inside VXLAN" in note for note in read.notes)


def test_unknown_links_are_refused_by_name(folder):
    """802.11 and InfiniBand by name; a number that nobody knows by its number."""
    for link, message in ((105, "link type 105: IEEE 802.11"), (247, "LIDs and no IP"), (299, "link type 299 is not")):
        put(folder, capture=made.pcap(FOUR, link=link))
        with pytest.raises(FormatError, match=message):
            rows(folder)


def test_frames_without_ip_are_said_with_their_share(folder):
    """60 bytes of ARP in 460; most of the bytes encrypted is refused."""
    put(folder, capture=made.pcap([*FOUR, Packet(FOUR[0].time_ns, ether(0x0806, bytes(46)))]))
    note = "ethertype 0x0806: ARP: frames have no IP addresses and are left out (1, 13.0 % of the bytes)"
    assert note in rows(folder).notes
    put(folder, capture=made.pcap([*FOUR, Packet(FOUR[0].time_ns, ether(0x88E5, bytes(1400)))]))
    with pytest.raises(
        FormatError, match=r"77\.9 % of the bytes are in frames without IP addresses \(ethertype 0x88e5"
    ):
        rows(folder)


def test_roce_version_1_has_addresses_in_its_global_header(folder):
    """EtherType 0x8915, GIDs that hold IPv4 addresses."""
    gids = b"".join(bytes(10) + b"\xff\xff" + bytes([10, 0, 0, host]) for host in (1, 2))
    head = struct.pack("!IHBB", 6 << 28, 12, 0x1B, 64) + gids
    put(folder, capture=made.pcap([Packet(at * S, ether(0x8915, head + made.bth(at + 5))) for at in range(3)]))
    read = rows(folder)
    assert (rates(read), read.queue_pairs) == ({(0, 1): 3 * (14 + 40 + 12) * 8e-9 / 2}, 3)


def test_most_traffic_of_strangers_is_refused(folder):
    """300 of 400 bytes go to an address of no endpoint; a key accepts it."""
    put(
        folder,
        capture=made.pcap([FOUR[0], *(Packet(p.time_ns, plain_frame(1, 9).ljust(100, b"\0")) for p in FOUR[1:])]),
    )
    with pytest.raises(FormatError, match=r"10\.0\.0\.9; 75\.0 % of the bytes .*max_unknown: 75%") as refusal:
        rows(folder)
    assert refusal.value.problems[0].code == "FP6229"
    assert rates(rows(folder, max_unknown=0.75)) == {(0, 1): 100 * 8e-9 / 3}


def test_reading_is_quick_enough(folder):
    """A capture is read packet by packet, not field by field: 20,000 in well under the 5 s a slow machine takes."""
    import time

    put(folder, capture=made.pcap(busy(20_000)))
    start = time.perf_counter()
    rows(folder)
    assert time.perf_counter() - start < 5
