"""CSV of others: size, encoding, quoting and header are checked, and every row and cell knows where it stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from topologies.errors import FormatError, nearest
from topologies.reading.text_input import Findings, read_text, shown

MAX_BYTES = 2**31
MAX_CELL = 131_072  # characters
_OTHER_MARKS = (";", "\t", "|")


def csv_text(path: Path) -> str:
    """The text of a CSV file.

    Raises
    ------
    FormatError
        When it cannot be read, is larger than 2 GiB, is not UTF-8 or holds a NUL character.
    """
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        size = 0  # read_text says why
    if size > MAX_BYTES:
        raise FormatError(
            f"{size:,} bytes; a CSV file of {MAX_BYTES:,} is the most", file=str(path), hint="split it", code="FP6003"
        )
    text = read_text(path)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FormatError(
            "not CSV: a NUL character", file=str(path), line=line, hint="save the file as UTF-8 text", code="FP6003"
        )
    return text


def csv_lines(findings: Findings, text: str, *, skipinitialspace: bool = False) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every row with something in it.

    Raises
    ------
    FormatError
        When quotes do not match or a cell is longer than 131,072 characters (FP6003).
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=skipinitialspace)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        hint = "a quoted cell ends with a quote; a quote inside is written twice"
        if "limit" in str(error):
            hint = f"a cell of {MAX_CELL:,} characters is the longest"
        findings.add(f"not CSV: {error}", code="FP6003", line=line, hint=hint)
        raise findings.error() from error


class CsvInput:
    """A table with a header; cells without the blanks around them.

    Parameters
    ----------
    findings : Findings
        Where the problems of the file go.
    path : Path
    header_code, row_code : str
        Codes of a wrong header and of a row of another length.
    """

    def __init__(self, findings: Findings, path: Path, *, header_code: str = "FP6220", row_code: str = "FP6221"):
        self._findings, self._header_code, self._row_code = findings, header_code, row_code
        self._text = csv_text(path)
        self._lines = csv_lines(findings, self._text, skipinitialspace=True)
        self.header_line, first = next(self._lines, (1, []))
        self.header = [cell.strip() for cell in first]

    def need(self, required: Sequence[str], optional: Collection[str] = ()) -> None:
        """Refuse a header that lacks a column, has one twice, or has one that is neither required nor optional."""
        known = [*required, *optional]
        missing = [name for name in required if name not in self.header]
        odd = [name for name in self.header if name not in known]
        if not missing and not odd:
            self.need_once()
            return
        near = nearest(odd[0], known) if odd else None
        hint = f"columns are {', '.join(required)}" + (f"; also {', '.join(optional)}" if optional else "")
        if near:
            hint = f"{odd[0]!r} is not a column; did you mean {near!r}?"
        self.refuse(f"expected the header {','.join(required)}", hint)

    def need_once(self) -> None:
        """Refuse a header that has a column twice."""
        twice = next((name for at, name in enumerate(self.header) if name in self.header[:at]), None)
        if twice is not None:
            self.refuse(f"the column {shown(twice)} appears twice", "keep one of them")

    def refuse(self, message: str, hint: str) -> None:
        """Raise what is wrong with the header, which is shown."""
        if len(self.header) == 1 and any(mark in self.header[0] for mark in _OTHER_MARKS):
            hint = "separate the columns with commas"
        self._findings.add(
            f"{message}, found {shown(','.join(self.header))}",
            code=self._header_code, line=self.header_line, column=1, hint=hint,
        )  # fmt: skip
        self._findings.finish()

    def rows(self, *, until: Collection[str] = ()) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of every row up to one whose first cell is in ``until``; wrong lengths are noted."""
        width = len(self.header)
        for line, cells in self._lines:
            if until and cells[0].strip() in until:
                return
            if len(cells) != width:
                message = f"{len(cells)} fields, the header has {width}"
                hint = "leave a cell empty rather than out; quote one that has a comma"
                self._findings.add(message, code=self._row_code, line=line, column=1, hint=hint)
                continue
            yield line, [cell.strip() for cell in cells]

    def rest(self) -> Iterator[tuple[int, list[str]]]:
        """Line and cells of what :meth:`rows` has not read, of any length."""
        yield from self._lines

    def column(self, line: int, name: str) -> int | None:
        """Where in its line a cell begins, from 1; None where quotes make that unsure."""
        text = self._text.split("\n", line)[line - 1]
        at = self.header.index(name)
        return None if '"' in text else len(",".join(text.split(",")[:at])) + 1 + (at > 0)
