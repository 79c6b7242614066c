"""Counters of InfiniBand ports as ``perfquery -x`` prints them, twice, and of ``ibdiagnet``'s counter files.

Data counters are in words of four bytes. Neither says when it was read: the time between the two is told by --window.

References
----------
infiniband-diags, ``perfquery.c``; InfiniBand Architecture Specification 1.3, section 16.1.4.11 (PortCountersExtended).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fabric.operate.load_check.port_readings import PortReadings
from fabric.operate.monitoring.link_labels import PortEnd
from topologies.errors import FormatError
from topologies.reading.text_input import Findings, read_text

WORD = 4
_HEAD = re.compile(r"^# Port (?P<extended>extended )?counters: .*?Lid (?P<lid>\d+) port (?P<port>\d+)", re.IGNORECASE)
_VALUE = re.compile(r"^Port(?P<side>Xmit|Rcv)Data:\.*(?P<value>\d+)\s*$")
_DIAGNET = re.compile(r"^Port=(?P<port>\d+)\s+Lid=(?P<lid>0x[0-9a-fA-F]+|\d+)\b")
_DIAGNET_VALUE = re.compile(
    r"^port_(?P<side>xmit|rcv)_data(?P<extended>_extended)?\s*=\s*(?P<value>0x[0-9a-fA-F]+|\d+)"
)
_TURN_WORDS = 2.0**32


def read_perfquery(before: Path, after: Path, window_s: float) -> PortReadings:
    """Two outputs of the same ports; the names of devices are their LIDs, of ports their numbers.

    Raises
    ------
    FormatError
        Nothing of a port in a file, counters of 32 bits that are full, or other ports in each (FP9866).
    """
    readings = PortReadings(f"{before}, {after}")
    first, last = dict(_counters(before)), dict(_counters(after))
    both = first.keys() & last.keys()
    if not both:
        raise FormatError(
            f"no port is in {before.name} and in {after.name}", file=str(after), code="FP9866",
            hint="perfquery -x LID PORT of the same ports, twice",
        )  # fmt: skip
    for key in sorted(both, key=str):
        readings.samples[key] = np.array([[0.0, first[key] * WORD], [window_s, last[key] * WORD]])
    alone = len(first.keys() ^ last.keys())
    if alone:
        readings.notes.append(f"{alone:,} counters are in one of the files only")
    return readings


def _counters(path: Path) -> Iterator[tuple[tuple[PortEnd, str], float]]:
    """Words by port and side."""
    findings = Findings(path)
    port: PortEnd | None = None
    found = 0
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        head = _HEAD.match(text) or _DIAGNET.match(text)
        if head is not None:
            port = PortEnd(str(int(head["lid"], 0)), str(int(head["port"])))
            continue
        match = _VALUE.match(text) or _DIAGNET_VALUE.match(text)
        if match is None:
            continue
        if port is None:
            findings.add("a counter before any port", code="FP9866", line=line, hint="whole outputs of perfquery -x")
            continue
        if match.re is _DIAGNET_VALUE and not match["extended"]:
            continue  # the counter of 32 bits stands beside the one of 64
        words = float(int(match["value"], 0))
        if words == _TURN_WORDS - 1:
            findings.add(
                f"the counter of port {port.port} of LID {port.instance} is full and stands still", code="FP9866",
                line=line, hint="counters of 64 bits: perfquery -x",
            )  # fmt: skip
            continue
        found += 1
        yield (port, "sent" if match["side"].lower() == "xmit" else "received"), words
    findings.finish()
    if not found:
        raise FormatError(
            "no data counter of any port", file=str(path), code="FP9866", hint="the output of perfquery -x"
        )
