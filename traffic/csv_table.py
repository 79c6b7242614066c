"""Rows of a CSV file by column: what demand formats share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings


def csv_rows(
    findings: Findings, path: Path, columns: Sequence[str], optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of every row that is not empty; a row of another length is noted and left out.

    Raises
    ------
    FormatError
        When the header is another one (FP6220).
    """
    table = CsvInput(findings, path)
    table.need(columns, optional)
    for line, cells in table.rows():
        yield line, dict(zip(table.header, cells, strict=True))
