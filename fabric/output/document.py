"""A report as lines and tables, before it is known where it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True)
class Column:
    """A column: its header with unit, whether numbers stand in it, and what may happen to it when space is short."""

    header: str
    numeric: bool = False
    flexible: bool = False  # may be cut
    optional: bool = False  # may be left out, the rightmost first
    live: bool = False  # differs between two equal runs; on terminals only


@dataclass(frozen=True)
class Table:
    """Rows of text under a title; ``marks`` colours whole rows."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[Mark, ...] = ()

    def mark(self, row: int) -> Mark:
        """Mark of a row."""
        return self.marks[row] if self.marks else ""

    @property
    def repeatable(self) -> Table:
        """Without the columns that differ between two equal runs."""
        kept = [at for at, column in enumerate(self.columns) if not column.live]
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        return Table(self.title, tuple(self.columns[at] for at in kept), rows, self.marks)


@dataclass(frozen=True)
class Line:
    """A line of text."""

    text: str
    mark: Mark = ""


Document = Sequence[Table | Line]


def table(title: str, headers: Iterable[str], rows: Iterable[Sequence[object]], *, marks: Iterable[Mark] = ()) -> Table:
    """A table; a header that starts with ``>`` is numeric, one that ends with ``~`` may be cut, with ``?`` left out,
    with ``!`` stands on terminals only, because it differs between two equal runs."""
    columns = tuple(
        Column(
            header.strip(">~?!"),
            numeric=header.startswith(">"),
            flexible=header.endswith("~"),
            optional=header.endswith(("?", "!")),
            live=header.endswith("!"),
        )
        for header in headers
    )
    return Table(title, columns, tuple(tuple(str(cell) for cell in row) for row in rows), tuple(marks))
