"""Rows of an answer: filtered first, then sorted, cut last; and written as CSV, JSON or NDJSON.

Every format goes through ``arrange``, so that the same flags give the same rows in the same order everywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from fabric.output.document import Document, Line
from fabric.output.row_kind import RowKind
from fabric.output.table import Table
from fabric.output.where import compile_where, unknown_column
from topologies.errors import ScenarioError
from topologies.printable import json_text, spreadsheet_cell

_AT_ONCE = 10_000  # rows that are text or Python objects at the same time


@dataclass(frozen=True)
class Arrangement:
    """What the row flags ask for.

    Attributes
    ----------
    columns : str, optional
        ``A,B`` (only these), ``+C`` (add), ``-D`` (drop).
    top : int, optional
        Rows of every group (fabric and phase of links).
    limit : int, optional
        Rows in all.
    """

    where: str | None = None
    sort: str | None = None
    reverse: bool = False
    columns: str | None = None
    limit: int | None = None
    top: int | None = None

    @property
    def is_asked(self) -> bool:
        """Whether any of it differs from what an answer does by itself; ``top`` alone is the answer's own."""
        return self.reverse or any(value is not None for value in (self.where, self.sort, self.columns, self.limit))

    def check(self, kind: RowKind) -> None:
        """Refuse, before there are rows, what names a column that they do not have.

        Raises
        ------
        ScenarioError
            FP2201 for a filter that is not one, FP2202 for an unknown column, with the nearest.
        """
        select_columns(kind.columns, self.columns, kind.names)
        if self.where is not None:
            compile_where(self.where, kind.names)
        if self.sort is not None and self.sort not in kind.names:
            raise unknown_column("--sort", self.sort, kind.names)


@dataclass(frozen=True, eq=False)
class ArrangedRows:
    """Rows as asked for, all columns of their kind; how many there are, and how many a filter kept."""

    kind: RowKind
    table: Table
    total: int
    kept: int

    @property
    def text(self) -> str:
        """How many of how many, where some are not listed; else empty.

        >>> from fabric.output.row_kind import RowKind
        >>> table = Table.of((), 2)
        >>> ArrangedRows(RowKind("links", ()), table, 9, 9).text, ArrangedRows(RowKind("links", ()), table, 9, 4).text
        ('2 of 9 rows', '2 of the 4 rows that --where keeps, of 9')
        """
        listed = len(self.table)
        if listed == self.total:
            return ""
        if self.kept in (listed, self.total):
            return f"{listed:,} of {self.total:,} rows"
        return f"{listed:,} of the {self.kept:,} rows that --where keeps, of {self.total:,}"

    @property
    def counts(self) -> dict[str, int]:
        """The same for machines."""
        return {"total": self.total, "kept": self.kept, "listed": len(self.table)}


def select_columns(columns: Sequence[str], wanted: str | None, names: Sequence[str]) -> list[str]:
    """Apply ``--columns A,B`` (only these), ``+C`` (add) and ``-D`` (drop) to the default columns.

    Raises
    ------
    ScenarioError
        FP2202 for what is not among ``names``, and where no column is left.
    """
    if wanted is None:
        return list(columns)
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    for word in words:
        if word.lstrip("+-") not in names:
            raise unknown_column("--columns", word.lstrip("+-"), names)
    chosen = list(dict.fromkeys(word for word in words if word[0] not in "+-")) or list(columns)
    chosen += [word[1:] for word in dict.fromkeys(words) if word[0] == "+" and word[1:] not in chosen]
    left = [column for column in chosen if f"-{column}" not in words]
    if not left or not words:
        raise ScenarioError(f"--columns {wanted!r} leaves no column", hint="--columns help lists them", code="FP2202")
    return left


def arrange(table: Table, kind: RowKind, wanted: Arrangement, *, most: int | None = None) -> ArrangedRows:
    """Filter, sort, then cut rows.

    Parameters
    ----------
    table : Table
        All rows, in their own order.
    most : int, optional
        Rows of every group where neither ``limit`` nor ``top`` is asked for.
    """
    every = table.only(*kind.names)
    total = len(every)
    if wanted.where is not None:
        every = every.where(wanted.where)
    kept = len(every)
    if wanted.sort is not None:
        if wanted.sort not in every.names:
            raise unknown_column("--sort", wanted.sort, every.names)
        every = every.sorted_by(wanted.sort, reverse=wanted.reverse)
    elif wanted.reverse:
        every = every.reversed()
    top = wanted.top if wanted.top is not None else most if wanted.limit is None else None
    every = _first_of_each(every, kind.group, top)
    return ArrangedRows(kind, every.first(wanted.limit), total, kept)


def _first_of_each(table: Table, group: Sequence[str], count: int | None) -> Table:
    """The first rows of every combination of the columns in ``group``, in the order they have."""
    if count is None or not len(table):
        return table
    if not group:
        return table.first(count)
    seen: dict[tuple[Any, ...], int] = {}
    keep = np.zeros(len(table), np.bool_)
    for position, key in enumerate(table.only(*group).rows()):
        seen[key] = seen.get(key, 0) + 1
        keep[position] = seen[key] <= count
    return table.ordered(table.order[keep])


# ---- for people ------------------------------------------------------------------------------------------------------


def with_rows(document: Document, rows: ArrangedRows, columns: str | None) -> Document:
    """A document in which the rows as asked for stand in place of those that it shows by itself."""
    table = rows.table.only(*select_columns(rows.kind.shown or rows.kind.columns, columns, rows.kind.names))
    if columns is not None:  # what was asked for is not left out where space is short
        table = replace(table, columns=tuple(replace(column, priority=0) for column in table.columns))
    title = ", ".join(text for text in (table.title or rows.kind.what, rows.text) if text)
    parts: list[Table | Line] = []
    where = None
    for part in document:
        if not part.is_rows:
            parts.append(part)
        elif where is None:
            where = len(parts)
    parts.insert(len(parts) if where is None else where, table.titled(title))
    return parts


# ---- for machines ----------------------------------------------------------------------------------------------------

Entry = Callable[[int], Mapping[str, Any]]  # all that JSON says of the row with an id


def to_csv(table: Table) -> Iterator[str]:
    """CSV with a header; nested values as JSON text."""
    yield _lines([table.names])
    rows = table.rows()
    while part := list(islice(rows, _AT_ONCE)):
        yield _lines(part)


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return spreadsheet_cell(json_text(value))
    return spreadsheet_cell(value) if isinstance(value, str) else value


def row_records(rows: ArrangedRows, columns: str | None, entry: Entry | None) -> Iterator[Mapping[str, Any]]:
    """Every row for JSON: the columns asked for, else all that there is to say of it."""
    if columns is None and entry is not None:
        return (entry(row) for row in rows.table.order.tolist())
    table = rows.table.only(*select_columns(rows.kind.columns, columns, rows.kind.names))
    names = table.names
    return (dict(zip(names, row, strict=True)) for row in table.rows())


def json_answer(record: Mapping[str, Any], rows: ArrangedRows, records: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    """An answer with its rows: how many there are, and what they say."""
    return {**record, rows.kind.counts_key: rows.counts, rows.kind.key: list(records)}


def to_json(record: Mapping[str, Any], rows: ArrangedRows, records: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """``json_answer`` as text, a part at a time: rows are never all there at once."""
    head = json_text({**record, rows.kind.counts_key: rows.counts}, indent=2).removesuffix("\n}")
    yield f"{head},\n  {json_text(rows.kind.key)}: ["
    before = "\n"
    for part in iter(lambda: list(islice(records, _AT_ONCE)), []):
        text = json_text(part, indent=2)[2:-2]  # without the brackets of the list
        yield before + "\n".join(f"  {line}" for line in text.split("\n"))
        before = ",\n"
    yield "\n  ]\n}\n" if before != "\n" else "]\n}\n"


def to_ndjson(record: Mapping[str, Any], rows: ArrangedRows, records: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """The envelope without the rows on the first line, then one row per line."""
    yield json_text({**record, rows.kind.counts_key: rows.counts}) + "\n"
    for part in iter(lambda: list(islice(records, _AT_ONCE)), []):
        yield "".join(json_text(row) + "\n" for row in part)
