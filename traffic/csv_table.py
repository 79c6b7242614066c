"""Rows of a CSV file whose columns are all required, in any order: what two demand formats share."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from topologies.errors import nearest
from topologies.text_input import Findings, read_text, shown


def csv_rows(findings: Findings, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of every row that is not empty; a row of another length is noted and left out.

    Raises
    ------
    FormatError
        When the header is another one (FP6220).
    """
    lines = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    header = [cell.strip() for cell in next(lines, [])]
    if sorted(header) != sorted(columns):
        odd = next((cell for cell in header if cell not in columns), None)
        close = nearest(odd, columns) if odd else None
        hint = f"{odd!r} is not a column; did you mean {close!r}?" if close else f"columns are {', '.join(columns)}"
        message = f"expected the header {','.join(columns)}, found {shown(','.join(header))}"
        findings.add(message, code="FP6220", line=1, column=1, hint=hint)
        findings.finish()
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            message = f"{len(cells)} fields, the header has {len(header)}"
            findings.add(message, code="FP6221", line=lines.line_num, column=1)
            continue
        yield lines.line_num, {key: cell.strip() for key, cell in zip(header, cells, strict=True)}
