"""Measured traffic: captures, flow records, counters, SNDlib; and what scale and shift do to it."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import plain, run

from topologies.errors import FormatError, TrafficError
from traffic.formats.prometheus import fitted
from traffic.formats.sndlib import read_sndlib

ADDRESSES = "address,node\n10.0.0.1,h0\n10.0.0.2,h1\n10.0.0.3,h2\nfd00::1,h0\nfd00::2,h1\n"
ETHERNET = bytes(12)


def ipv4(src: int, dst: int, *, port: int = 4791, queue: int = 17) -> bytes:
    """An IPv4 UDP packet with the base transport header of RoCEv2."""
    header = bytes([0x45, 0, 0, 48, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, src, 10, 0, 0, dst])
    return (
        header
        + struct.pack("!HHHH", 50000, port, 28, 0)
        + bytes([4, 0, 255, 255, 0])
        + queue.to_bytes(3, "big")
        + bytes(12)
    )


def capture(path: Path, frames: list[tuple[float, bytes, int]]) -> None:
    """A pcap file of (time, frame, length on the wire)."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for time, frame, length in frames:
        parts += [struct.pack("<IIII", int(time), round(time % 1 * 1e6), len(frame), length), frame]
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wb") as file:
        file.write(b"".join(parts))


def rates(job) -> dict[tuple[str, str], float]:
    """Gbps by pair of hosts."""
    flows = job.phases[0].flows
    return {
        (f"h{src}", f"h{dst}"): pytest.approx(rate)
        for src, dst, rate in zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)
    }


@pytest.fixture
def folder(tmp_path):
    """Two captures, one compressed: 10 s, VLAN tags, IPv6, ARP."""
    vlan, six, arp = b"\x81\x00\x00\x05\x08\x00", b"\x86\xdd", b"\x08\x06"
    ipv6 = (
        bytes([0x60, 0, 0, 0, 0, 8, 17, 64])
        + bytes.fromhex("fd00" + "00" * 13 + "01" + "fd00" + "00" * 13 + "02")
        + bytes(8)
    )
    captures = tmp_path / "captures"
    captures.mkdir()
    capture(captures / "a.pcap", [
        (100.0, ETHERNET + b"\x08\x00" + ipv4(1, 2), 1_000_000),
        (105.0, ETHERNET + b"\x08\x00" + ipv4(1, 2, queue=18), 1_000_000),
        (110.0, ETHERNET + vlan + ipv4(2, 3), 500_000),
    ])  # fmt: skip
    capture(captures / "b.pcap.gz", [
        (101.0, ETHERNET + six + ipv6, 250_000), (102.0, ETHERNET + arp + bytes(28), 64),
        (103.0, ETHERNET + b"\x08\x00" + ipv4(9, 1), 999),
    ])  # fmt: skip
    (tmp_path / "addresses.csv").write_text(ADDRESSES)
    return tmp_path


def test_captures_of_a_folder_add_up(folder):
    """Bytes on the wire, not of the snapshot, over 10 s; strangers and ARP are left out, and told."""
    job = run("matrix", plain(4), folder, format="pcap", path="captures", addresses="addresses.csv")
    assert rates(job) == {("h0", "h1"): 2.25e6 * 8e-9 / 10, ("h1", "h2"): 0.5e6 * 8e-9 / 10}
    assert job.warnings == ("1 address belongs to no endpoint: 10.0.0.9; 0.0 % of the bytes are left out with them",)


def test_queue_pairs_of_rocev2_are_what_is_hashed(folder):
    """h0 to h1 has queue pairs 17 and 18, h1 to h2 and a stranger one each: 4/3 on average, one whole."""
    job = run("matrix", plain(4), folder, format="pcap", path="captures/a.pcap", addresses="addresses.csv")
    assert job.phases[0].flows_per_pair == 2


def test_a_file_that_is_no_capture_is_refused(folder):
    """And a folder without any."""
    (folder / "no.pcap").write_text("hello, this is no capture at all")
    with pytest.raises(FormatError, match=r"no\.pcap: no capture: "):
        run("matrix", plain(4), folder, format="pcap", path="no.pcap")
    (folder / "empty").mkdir()
    with pytest.raises(TrafficError, match=r"path: no capture at .*empty"):
        run("matrix", plain(4), folder, format="pcap", path="empty")


NFDUMP = """ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt
2026-11-01 10:00:00,2026-11-01 10:00:04,4.0,10.0.0.1,10.0.0.2,1,2,UDP,........,0,0,100,1000000,0,0
2026-11-01 10:00:05,2026-11-01 10:00:10,5.0,10.0.0.2,10.0.0.1,2,1,UDP,........,0,0,100,500000,0,0
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
2,1500000,200,0,0,0
"""


def test_flow_records_become_rates_over_their_time(folder):
    """1 MB and 0.5 MB in 10 s."""
    (folder / "flows.csv").write_text(NFDUMP)
    job = run("matrix", plain(4), folder, format="nfdump", path="flows.csv", addresses="addresses.csv")
    assert rates(job) == {("h0", "h1"): 0.8e-3, ("h1", "h0"): 0.4e-3}


def test_records_that_are_none_are_reported_with_their_line(folder):
    """A size in words, a row cut short, a header of something else."""
    (folder / "flows.csv").write_text(NFDUMP.replace(",1000000,", ",many,").replace(",500000,0,0", ""))
    with pytest.raises(FormatError) as found:
        run("matrix", plain(4), folder, format="nfdump", path="flows.csv", addresses="addresses.csv")
    assert [(problem.line, problem.code) for problem in found.value.problems] == [(2, "FP6223"), (3, "FP6221")]
    (folder / "flows.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match=r"columns ts, te, sa, da, ibyt are missing, found 'a,b'"):
        run("matrix", plain(4), folder, format="nfdump", path="flows.csv")


def test_counters_become_pairs_that_add_up(folder):
    """h0 sends 3 Gb/s, h1 1; h1 gets 2, h2 2; the counter of h1 starts again from 0 in between."""
    rows = ["time,node,tx_bytes,rx_bytes", "0,h0,0,0", "8,h0,3e9,0", "0,h1,9e9,1e9", "4,h1,0.5e9,2e9", "8,h1,1e9,3e9",
            "0,h2,5,5", "8,h2,5,2000000005"]  # fmt: skip
    (folder / "c.csv").write_text("\n".join(rows) + "\n")
    flows = run("matrix", plain(4), folder, format="prometheus", path="c.csv").phases[0].flows
    np.testing.assert_allclose(flows.sent(4)[:3], [3, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(flows.received(4)[:3], [0, 2, 2], rtol=1e-3)


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=3, max_size=8))
def test_a_fitted_matrix_has_the_sums_it_was_fitted_to(ends):
    """Where nobody has more than all others together; what is received is scaled to what is sent."""
    sent, received = np.array(ends).T
    received = received * sent.sum() / received.sum()
    if (sent + received > 0.9 * sent.sum()).any():
        return
    matrix = fitted(sent, received)
    assert np.trace(matrix) == 0
    np.testing.assert_allclose(matrix.sum(axis=1), sent, rtol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=0), received, rtol=0.05)


SNDLIB = """<?xml version="1.0" encoding="UTF-8"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0"><demands>
<demand id="a"><source>h0</source><target>h1</target><demandValue>1500.0</demandValue></demand>
<demand id="b"><source>h1</source><target>h2</target><demandValue>500</demandValue></demand>
</demands></network>
"""
NATIVE = """?SNDlib native format; type: network; version: 1.0
DEMANDS (
  a ( h0 h1 ) 1 1500.00 UNLIMITED
  b ( h1 h2 ) 1 500 UNLIMITED
)
"""


@pytest.mark.parametrize("text", [SNDLIB, NATIVE], ids=["xml", "native"])
def test_both_forms_of_sndlib_give_the_same(tmp_path, text):
    """Mbit/s unless said."""
    (tmp_path / "net").write_text(text)
    job = run("matrix", plain(4), tmp_path, format="sndlib", path="net")
    assert rates(job) == {("h0", "h1"): 1.5, ("h1", "h2"): 0.5}
    assert read_sndlib(tmp_path / "net", plain(4).topologies["main"]).notes == (
        "rates in the file are Mbit/s (unit)",
        "no pair has demands in both directions, and each is taken one way, from source to target; "
        "demand_model: undirected lets it go both ways",
    )
    both = run("matrix", plain(4), tmp_path, format="sndlib", path="net", demand_model="undirected")
    assert rates(both) == {("h0", "h1"): 1.5, ("h1", "h0"): 1.5, ("h1", "h2"): 0.5, ("h2", "h1"): 0.5}
    more = run("matrix", plain(4), tmp_path, format="sndlib", path="net", unit="Gbps", scale=0.5, shift=1)
    assert rates(more) == {("h1", "h2"): 750, ("h2", "h3"): 250}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<network><demands>", r"net:\d+:\d+: not XML"),
        ("<network/>", "no demand in the file"),
        ('<!DOCTYPE n [<!ENTITY a "b">]><network>&a;</network>', "net:1:13: a document type or entity declaration"),
        (SNDLIB.replace("h2<", "h9<"), "has no node 'h9'"),
        (NATIVE.replace("1 500", "500"), r"net:4:1: a demand is: id \( source target \)"),
        ("NODES ( )", "no demands in the file"),
    ],
)
def test_an_sndlib_file_that_is_wrong_says_where(tmp_path, text, message):
    """With the line where there is one."""
    (tmp_path / "net").write_text(text)
    with pytest.raises(FormatError, match=message):
        run("matrix", plain(4), tmp_path, format="sndlib", path="net")


def test_a_table_of_addresses_is_checked(tmp_path):
    """An unknown node is corrected, a wrong header shown; formats that name nodes take none."""
    (tmp_path / "flows.csv").write_text(NFDUMP)
    (tmp_path / "a.csv").write_text("address,node\n10.0.0.1,hO\n")
    with pytest.raises(FormatError, match=r"a\.csv:2: .* has no node 'hO' \(help: names are like h0"):
        run("matrix", plain(4), tmp_path, format="nfdump", path="flows.csv", addresses="a.csv")
    with pytest.raises(TrafficError, match="csv names nodes itself; addresses are for measured traffic"):
        run("matrix", plain(4), tmp_path, format="csv", path="flows.csv", addresses="a.csv")
