"""A capture read by us, and by nfdump's own programs, is the same matrix."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from real_programs import require
from traffic_clusters import plain, run

pytestmark = pytest.mark.real_nfdump
require("nfpcapd", "nfdump", root=False)


def test_flows_of_a_capture_are_what_nfdump_says(tmp_path):
    """300 random packets between four hosts; nfdump counts bytes of IP, the wire has 14 more of Ethernet."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    rng = np.random.default_rng(5)
    packets = []
    for number in range(300):
        src, dst = rng.choice(4, 2, replace=False)
        load = bytes(int(rng.integers(20, 1400)))
        packet = Ether() / IP(src=f"10.0.0.{src + 1}", dst=f"10.0.0.{dst + 1}") / UDP(sport=5000, dport=6000) / load
        packet.time = 1_700_000_000 + number * 0.1
        packets.append(packet)
    wrpcap(str(tmp_path / "some.pcap"), packets)
    (tmp_path / "flows").mkdir()
    collect = ["nfpcapd", "-r", str(tmp_path / "some.pcap"), "-l", str(tmp_path / "flows")]
    subprocess.run(collect, check=True, timeout=60, capture_output=True)
    show = ["nfdump", "-R", str(tmp_path / "flows"), "-o", "csv"]
    told = subprocess.run(show, check=True, timeout=60, capture_output=True, text=True)
    (tmp_path / "flows.csv").write_text(told.stdout)
    (tmp_path / "a.csv").write_text("address,node\n" + "".join(f"10.0.0.{i + 1},h{i}\n" for i in range(4)))
    ours = run("matrix", plain(4), tmp_path, format="pcap", path="some.pcap", addresses="a.csv").phases[0].flows
    theirs = run("matrix", plain(4), tmp_path, format="nfdump", path="flows.csv", addresses="a.csv").phases[0].flows
    np.testing.assert_array_equal(ours.src, theirs.src)
    np.testing.assert_array_equal(ours.dst, theirs.dst)
    span = 29.9
    sent = {}
    for packet in packets:
        key = (int(packet[IP].src[-1]) - 1, int(packet[IP].dst[-1]) - 1)
        sizes = sent.setdefault(key, [0, 0])
        sizes[0] += len(packet)
        sizes[1] += len(packet[IP])
    pairs = list(zip(ours.src.tolist(), ours.dst.tolist(), strict=True))
    np.testing.assert_allclose(ours.amount, [sent[pair][0] * 8e-9 / span for pair in pairs], rtol=1e-6)
    # nfdump prints whole seconds, so that its span is up to one shorter; the same for all pairs.
    times = theirs.amount / [sent[pair][1] * 8e-9 / span for pair in pairs]
    np.testing.assert_allclose(times, times[0], rtol=1e-6)
    assert 1 <= times[0] < 1.04


def test_both_directions_of_a_conversation_are_what_nfdump_sums_up(tmp_path):
    """-B prints one record for both ways; the bytes add up to nfdump's own summary and to the capture's."""
    import capture_bytes as made

    second = 10**9
    packets = []
    for at in range(60):
        there = made.ip4(1, 2, made.tcp(bytes(100 + at), sequence=at, sport=50000, dport=2049), 6)
        back = made.ip4(2, 1, made.tcp(bytes(900 + at), sequence=at, sport=2049, dport=50000), 6)
        packets += [made.Packet((1_700_000_000 + at) * second, made.ether(0x0800, load)) for load in (there, back)]
    (tmp_path / "some.pcap").write_bytes(made.pcap(packets))
    (tmp_path / "flows").mkdir()
    collect = ["nfpcapd", "-r", str(tmp_path / "some.pcap"), "-l", str(tmp_path / "flows")]
    subprocess.run(collect, check=True, timeout=60, capture_output=True)
    (tmp_path / "a.csv").write_text("address,node\n10.0.0.1,h0\n10.0.0.2,h1\n")
    answers = []
    for more in ([], ["-B"], ["-b"], ["-a"]):
        show = ["nfdump", "-R", str(tmp_path / "flows"), "-o", "csv", *more]
        told = subprocess.run(show, check=True, timeout=60, capture_output=True, text=True)
        (tmp_path / "flows.csv").write_text(told.stdout)
        flows = run("matrix", plain(4), tmp_path, format="nfdump", path="flows.csv", addresses="a.csv").phases[0].flows
        answers.append(dict(zip(zip(flows.src.tolist(), flows.dst.tolist(), strict=True), flows.amount, strict=True)))
    there, back = (sum(len(packet.frame) - 14 for packet in packets[way::2]) for way in (0, 1))
    for answer in answers:
        assert answer == {(0, 1): pytest.approx(there * 8e-9 / 59), (1, 0): pytest.approx(back * 8e-9 / 59)}
