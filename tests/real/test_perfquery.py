"""Counters as the real ``perfquery -x`` prints them, of ports that ``ibsim`` counts packets on."""

from __future__ import annotations

from pathlib import Path

import pytest
from ib_lab import IbLab
from real_programs import require

from fabric.operate.load_check.counter_rates import Met, mean_gbps
from fabric.operate.load_check.perfquery import read_perfquery
from fabric.operate.monitoring.link_labels import PortEnd

require("ibsim", "opensm", "perfquery")
pytestmark = pytest.mark.real_ib
NET = """\
Switch 4 "leaf0"
[1] "h0"[1]
[2] "h1"[1]

Hca 1 "h0"
[1] "leaf0"[1]

Hca 1 "h1"
[1] "leaf0"[2]
"""
ASKED = 5
MAD_BYTES = 288  # a datagram of 256 bytes and its headers, as ibsim counts it


def test_what_crosses_a_port_between_two_outputs_is_its_rate(tmp_path: Path) -> None:
    """Five queries to h1 cross port 2 of leaf0, and so does the one that reads h1: 6 x 288 bytes each way."""
    net = tmp_path / "two.net"
    net.write_text(NET, encoding="utf-8")
    with IbLab(net, "h0") as lab:
        lab.run("opensm", "-o", "-f", "/dev/null", check=False)

        def counters(name: str) -> Path:
            file = tmp_path / name
            file.write_text(lab.run("perfquery", "-x", "3", "1") + lab.run("perfquery", "-x", "2", "2"))
            return file

        before = counters("before.txt")
        for _ in range(ASKED):
            lab.run("perfquery", "-x", "3", "1")
        readings = read_perfquery(before, counters("after.txt"), 1.0)
    assert {port for port, _ in readings.samples} == {PortEnd("3", "1"), PortEnd("2", "2")}
    # every run of perfquery asks a port for what it can first, then for its counters
    for side in ("sent", "received"):
        rate = mean_gbps(readings.samples[PortEnd("2", "2"), side], 10.0, Met())
        packets = rate * 1e9 / 8 / MAD_BYTES
        assert packets == pytest.approx(round(packets))
        assert packets % (ASKED + 1) == 0
        assert packets >= ASKED + 1
