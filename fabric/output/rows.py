"""Rows of a table for machines: choosing, sorting, filtering, and writing them as CSV or NDJSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from fabric.output.table import Table
from fabric.output.where import unknown_column
from topologies.printable import json_text, spreadsheet_cell


def select_columns(columns: Sequence[str], wanted: str | None) -> list[str]:
    """Apply ``--columns A,B`` (only these), ``+C`` (add) and ``-D`` (drop) to the default columns."""
    if wanted is None:
        return list(columns)
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    for word in words:
        if word.lstrip("+-") not in columns:
            raise unknown_column("--columns", word.lstrip("+-"), columns)
    chosen = [word for word in words if word[0] not in "+-"] or list(columns)
    chosen += [word[1:] for word in words if word[0] == "+" and word[1:] not in chosen]
    return [column for column in chosen if f"-{column}" not in words]


def arrange(
    table: Table,
    *,
    where: str | None = None,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
) -> Table:
    """Filter, sort and cut rows; missing values sort last."""
    if where is not None:
        table = table.where(where)
    if sort is not None:
        if sort not in table.names:
            raise unknown_column("--sort", sort, table.names)
        table = table.sorted_by(sort, reverse=reverse)
    elif reverse:
        table = table.reversed()
    return table.first(limit)


def to_csv(table: Table) -> str:
    """CSV with a header; nested values as JSON text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(name) for name in table.names])
    for record in table.records():
        writer.writerow([_cell(value) for value in record.values()])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return spreadsheet_cell(json_text(value))
    return spreadsheet_cell(value) if isinstance(value, str) else value


def to_ndjson(envelope: Mapping[str, Any], table: Table) -> str:
    """The envelope without items on the first line, then one row per line."""
    head = {key: value for key, value in envelope.items() if key != "items"}
    return "".join(json_text(line) + "\n" for line in [head, *table.records()])
