"""Files of an export read back: people edit them, git merges them, transfers cut them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeVar

from fabric.rules.errors import RuleError
from topologies.errors import FormatError
from topologies.printable import from_spreadsheet_cell
from topologies.reading.json_value import JsonValue, parse_json
from topologies.reading.text_input import read_text, shown

T = TypeVar("T")


def read_record(path: Path, *, code: str = "FP8023", hint: str = "export again") -> JsonValue:
    """A JSON file of ours.

    Raises
    ------
    RuleError
        When it cannot be read or is not JSON.
    """
    try:
        return parse_json(read_text(path), str(path), code=code, hint=hint)
    except FormatError as error:
        raise RuleError(f"{path} cannot be read: {error.problems[0].message}", hint=hint, code=code) from None


@dataclass(frozen=True)
class Row:
    """A row of a CSV file of ours, and its place."""

    path: Path
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """A cell as it is."""
        return self.cells[column]

    def whole(self, column: str, *, most: int = 2**31 - 1) -> int:
        """A whole number from 0."""
        return self._taken(column, int, lambda value: 0 <= value <= most, f"a whole number from 0 to {most}")

    def number(self, column: str) -> float:
        """A finite number from 0."""
        return self._taken(column, float, lambda value: 0 <= value < math.inf, "a number from 0")

    def address(self, column: str) -> IPv4Address | IPv6Address:
        """An IP address."""
        return self._taken(column, ip_address, lambda _: True, "an IP address")

    def prefix(self, column: str) -> IPv4Network | IPv6Network:
        """An IP prefix."""
        return self._taken(column, ip_network, lambda _: True, "an IP prefix")

    def _taken(self, column: str, read: Callable[[str], T], right: Callable[[T], bool], what: str) -> T:
        text = self.cells[column]
        try:
            value = read(text)
        except (ValueError, OverflowError):
            value = None
        if value is None or not right(value):
            raise RuleError(
                f"{column} is {shown(text)}, not {what}",
                file=str(self.path),
                line=self.line,
                hint="export again",
                code="FP8023",
            )
        return value


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of a CSV file of ours.

    Raises
    ------
    RuleError
        FP8023, when it cannot be read, columns are missing, or a row is cut.
    """

    def bad(message: str, line: int | None = None) -> RuleError:
        return RuleError(message, file=str(path), line=line, hint="export again", code="FP8023")

    try:
        text = read_text(path)
    except FormatError as error:
        first = error.problems[0]
        raise bad(first.message, first.line) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = [name for name in columns if name not in header]
        if missing:
            raise bad(f"there is no column {', '.join(missing)}", 1)
        for cells in reader:
            if len(cells) != len(header):
                raise bad(f"{len(cells)} cells, the header has {len(header)}", reader.line_num)
            values = map(from_spreadsheet_cell, cells)
            yield Row(path, reader.line_num, dict(zip(header, values, strict=True)))
    except csv.Error as error:
        raise bad(f"not CSV: {error}", reader.line_num) from None
