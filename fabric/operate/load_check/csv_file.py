"""Readings from a table: counters of ports over time, or rates of links that somebody has worked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fabric.operate.load_check.port_readings import PortReadings
from fabric.operate.load_check.result import MeasuredRates, Measurement
from fabric.operate.monitoring.link_labels import PortEnd
from topologies.errors import FormatError, nearest_hint
from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings, number
from topologies.topology import Topology
from topologies.units import percent
from traffic.csv_table import csv_rows

COUNTERS = ("time", "node", "port", "tx_bytes", "rx_bytes")
RATES = ("link", "gbps")


def has_rates(path: Path) -> bool:
    """Whether a table has rates of links rather than counters of ports."""
    findings = Findings(path)
    return "link" in CsvInput(findings, path).header


def read_counters(path: Path) -> PortReadings:
    """A row for every reading of a port: time in s, device, port, bytes sent and received since it started.

    Raises
    ------
    FormatError
        Columns (FP6220), numbers (FP6223), or two readings of a port at one time (FP6221).
    """
    findings = Findings(path)
    rows: dict[PortEnd, list[tuple[float, float, float]]] = defaultdict(list)
    seen: set[tuple[PortEnd, float]] = set()
    for line, row in csv_rows(findings, path, COUNTERS):
        numbers = [number(row[key]) for key in ("time", "tx_bytes", "rx_bytes")]
        if any(value is None or value < 0 for value in numbers):
            findings.add("time and counters are numbers, 0 or more", code="FP6223", line=line)
            continue
        time, sent, received = (value or 0.0 for value in numbers)
        port = PortEnd(row["node"], row["port"])
        if (port, time) in seen:
            findings.add(f"{row['node']} {row['port']} has two readings at {row['time']}", code="FP6221", line=line)
        seen.add((port, time))
        rows[port].append((time, sent, received))
    findings.finish()
    readings = PortReadings(str(path))
    for port, found in rows.items():
        table = np.array(found)
        readings.samples[port, "sent"] = table[:, [0, 1]]
        readings.samples[port, "received"] = table[:, [0, 2]]
    return readings


def read_rates(path: Path, topologies: Mapping[str, Topology]) -> Measurement:
    """A row for every link: its name as answers have it, and its mean rate; ``fabric`` where there are several.

    Raises
    ------
    FormatError
        Columns, numbers, a link twice, or hardly any link of the plan (FP9863).
    """
    findings = Findings(path)
    ids = {name: {net.link_name(link): link for link in range(len(net.links))} for name, net in topologies.items()}
    rates = {name: np.full(len(net.links), np.nan) for name, net in topologies.items()}
    unknown: list[tuple[int, str]] = []
    count = 0
    for line, row in csv_rows(findings, path, RATES, optional=("fabric",)):
        count += 1
        gbps = number(row["gbps"])
        if gbps is None or gbps < 0:
            findings.add("gbps is a number, 0 or more", code="FP6223", line=line)
            continue
        among = [row["fabric"]] if row.get("fabric") else list(ids)
        found = [name for name in among if row["link"] in ids.get(name, {})]
        if not found:
            unknown.append((line, row["link"]))
            continue
        if len(found) > 1:
            findings.add(
                f"{row['link']} is a link of {' and of '.join(found)}", code="FP6220", line=line, hint="add fabric"
            )
            continue
        link = ids[found[0]][row["link"]]
        if np.isfinite(rates[found[0]][link]):
            findings.add(f"{row['link']} stands there twice", code="FP6221", line=line)
        rates[found[0]][link] = gbps
    findings.finish()
    notes = _foreign(path, unknown, count, [name for names in ids.values() for name in names])
    made = tuple(
        MeasuredRates(name, rates[name], np.zeros(len(net.links), dtype=np.bool_)) for name, net in topologies.items()
    )
    missing = sum(int((~one.known).sum()) for one in made)
    notes += [f"{missing:,} of {sum(len(one.gbps) for one in made):,} links were not measured"] if missing else []
    return Measurement(str(path), made, 0.0, tuple(notes))


def _foreign(path: Path, unknown: list[tuple[int, str]], count: int, links: list[str]) -> list[str]:
    """What to say of rows of other networks; an error where hardly any other is left."""
    if not unknown and count:
        return []
    line, name = unknown[0] if unknown else (1, "")
    if not count or (count - len(unknown)) < 0.1 * count:
        raise FormatError(
            f"{count - len(unknown):,} of {count:,} links are of the plan"
            + (f" ({percent(1 - len(unknown) / count)}); {name!r} is not" if count else ""),
            file=str(path), line=line, code="FP9863", hint=nearest_hint(name, links[:20_000]),
        )  # fmt: skip
    return [f"{len(unknown):,} of {count:,} rows are of no link of the plan, such as {name!r} in line {line}"]
