"""What devices and ports go by besides their names in the plan: a CSV of ``device,port,alias``.

An alias is a name or an address: the interface as its system calls it, a host name, a MAC. A row without a port names
the device. ``*`` and ``?`` in ``device`` stand for any characters, so that one row does for all hosts of a kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings

COLUMNS = ("device", "port", "alias")
_PATTERN = re.compile(r"[*?]")


@dataclass(frozen=True)
class Alias:
    """One row."""

    device: str
    port: str
    alias: str
    line: int

    @property
    def is_pattern(self) -> bool:
        """Whether it is of several devices."""
        return bool(_PATTERN.search(self.device))

    def matches(self, names: tuple[str, ...]) -> Iterator[int]:
        """Rows of the devices that it is of."""
        wanted = re.compile(translate(self.device))
        return (row for row, name in enumerate(names) if wanted.match(name))


def read_aliases(path: Path) -> list[Alias]:
    """The rows of a file.

    Raises
    ------
    FormatError
        A wrong header (FP6220), a row of another length (FP6221), a cell without a text (FP6604).
    """
    findings = Findings(path)
    table = CsvInput(findings, path)
    table.need(COLUMNS)
    rows: list[Alias] = []
    places = [table.header.index(name) for name in COLUMNS]
    for line, cells in table.rows():
        device, port, alias = (cells[at] for at in places)
        if not device or not alias:
            lost = "device" if not device else "alias"
            findings.add(
                f"this row has no {lost}", code="FP6604", line=line, column=table.column(line, lost),
                hint="device is a name of the plan, alias what it goes by",
            )  # fmt: skip
            continue
        rows.append(Alias(device, port, alias, line))
    findings.finish()
    return rows
