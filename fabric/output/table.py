"""One table for every face: columns of values with names, units and texts, and marks of rows.

A table is made once per question. A terminal, a file, a report and a screen choose columns by name and rows by order;
none of them makes a value or a text of its own. Cells become text only when they are looked at, so that a table of
200,000 links opens at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from fabric.output.numbers import finite
from fabric.output.where import compile_where
from topologies.columns import Longs
from topologies.errors import ScenarioError, nearest_hint
from topologies.printable import printable

Mark = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True, eq=False)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        Key in JSON, CSV and filters, unit last: ``offered_gbps``.
    header : str
        For people.
    values : sequence
        One per row; an array, or anything indexed by row. None is not a value.
    text : callable
        Text of one value.
    texts : sequence, optional
        Texts by row, where the value alone does not say them; then ``text`` is not used.
    unit : str
        Of the values: ``Gbps``, ``bytes``, ``s``, ``ratio``, ``W``; empty for words and counts.
    width : int
        Cells it wants on a screen that shows rows one by one.
    priority : int
        0 is never left out where space is short; of the others the highest goes first, of equals the rightmost.
    flexible : bool
        Whether its texts may be cut where space is short.
    live : bool
        Whether it differs between two equal runs; such columns stand on terminals only.
    """

    name: str
    header: str
    values: Any
    text: Callable[[Any], str] = str
    numeric: bool = False
    width: int = 10
    priority: int = 0
    unit: str = ""
    texts: Any = None
    flexible: bool = False
    live: bool = False

    def cell(self, row: int) -> str:
        """Text of a row, for people: one printable line."""
        return printable(str(self.texts[row]) if self.texts is not None else self.text(self.values[row]))

    def value(self, row: int) -> Any:
        """Value of a row as a plain Python value; infinity and NaN, which JSON cannot hold, are None."""
        value = self._raw(row)
        return finite(value) if isinstance(value, float) else value

    def taken(self, rows: Longs) -> list[Any]:
        """Values of many rows as ``value`` gives them, those of arrays at once."""
        return [finite(value) if isinstance(value, float) else value for value in self.raw(rows)]

    def raw(self, rows: Longs) -> list[Any]:
        """Values of many rows as plain Python values for filters and orders: infinity stays, nan is None."""
        if not isinstance(self.values, np.ndarray):
            return [self._raw(row) for row in rows.tolist()]
        values: list[Any] = self.values[rows].tolist()
        if self.values.dtype.kind == "f" and np.isnan(self.values[rows]).any():
            return [None if value != value else value for value in values]
        return values

    def _raw(self, row: int) -> Any:
        value = self.values[row]
        value = value.item() if isinstance(value, np.generic) else value
        return None if isinstance(value, float) and value != value else value


@dataclass(frozen=True, eq=False)
class Table:
    """Columns over the same rows, which rows are shown in which order, and what marks them.

    ``marks`` has the mark of every row id, as a sequence or anything indexed by row; empty: no row has one.
    ``is_rows`` says that it shows rows of the answer, so that the row flags put theirs in its place.
    """

    columns: tuple[Column, ...]
    order: Longs  # row ids, as shown
    title: str = ""
    marks: Any = ()
    is_rows: bool = False

    @staticmethod
    def of(columns: Sequence[Column], rows: int, *, title: str = "", marks: Any = ()) -> Table:
        """All rows in their own order."""
        return Table(tuple(columns), np.arange(rows), title, marks)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(entry.name for entry in self.columns)

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of the columns."""
        return tuple(entry.header for entry in self.columns)

    def column(self, name: str) -> Column:
        """The column called ``name``.

        Raises
        ------
        ScenarioError
            FP2202, with the nearest name.
        """
        for entry in self.columns:
            if entry.name == name:
                return entry
        hint = nearest_hint(name, self.names, "columns")
        raise ScenarioError(f"no column {name!r}", hint=hint, code="FP2202")

    # ---- cells --------------------------------------------------------------------------------------------------

    def cells(self, position: int) -> tuple[str, ...]:
        """Texts of the row shown at ``position``."""
        row = int(self.order[position])
        return tuple(entry.cell(row) for entry in self.columns)

    def texts(self) -> Iterator[tuple[str, ...]]:
        """Texts of all shown rows."""
        return (self.cells(position) for position in range(len(self)))

    def mark(self, position: int) -> Mark:
        """Mark of the row shown at ``position``."""
        has_none = isinstance(self.marks, tuple) and not self.marks
        return "" if has_none else cast(Mark, self.marks[int(self.order[position])])

    def record(self, position: int) -> dict[str, Any]:
        """Values of the row shown at ``position``, by column name, as plain Python values."""
        return self.entry(int(self.order[position]))

    def entry(self, row: int) -> dict[str, Any]:
        """Values of the row with this id, whether it is shown or not."""
        return {column.name: column.value(row) for column in self.columns}

    def records(self) -> list[dict[str, Any]]:
        """All shown rows, for CSV and JSON."""
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in self.rows()]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Values of all shown rows, as plain Python values."""
        return zip(*(entry.taken(self.order) for entry in self.columns), strict=True)

    # ---- other tables of the same cells -------------------------------------------------------------------------

    def only(self, *names: str) -> Table:
        """These columns, in this order; names that the table does not have are left out."""
        have = {entry.name: entry for entry in self.columns}
        return replace(self, columns=tuple(have[name] for name in names if name in have))

    def without_empty(self, *names: str) -> Table:
        """Without those of these columns that have no value in any row shown."""
        rows = self.order.tolist()
        empty = [c.name for c in self.columns if c.name in names and all(c.cell(row) in ("", "-") for row in rows)]
        return self.without(*empty)

    def without(self, *names: str) -> Table:
        """All columns but these."""
        return replace(self, columns=tuple(entry for entry in self.columns if entry.name not in names))

    @property
    def repeatable(self) -> Table:
        """Without the columns that differ between two equal runs."""
        return replace(self, columns=tuple(entry for entry in self.columns if not entry.live))

    def titled(self, title: str) -> Table:
        """Under another title."""
        return replace(self, title=title)

    def as_rows(self) -> Table:
        """The same, as rows of the answer."""
        return replace(self, is_rows=True)

    def ordered(self, order: Any) -> Table:
        """The rows of these ids, in this order."""
        return replace(self, order=np.asarray(order, np.int64))

    def first(self, count: int | None) -> Table:
        """The first ``count`` rows that are shown; all for None."""
        return self if count is None else replace(self, order=self.order[:count])

    def reversed(self) -> Table:
        """The last row first."""
        return replace(self, order=self.order[::-1])

    def where(self, expression: str) -> Table:
        """Only the rows that a filter holds for; the language is that of ``--where``.

        Raises
        ------
        ScenarioError
            When the filter does not parse or names an unknown column.
        """
        wanted = compile_where(expression, self.names)
        if not wanted.names:
            return self if wanted.holds(()) else self.first(0)
        values = zip(*(self.column(name).raw(self.order) for name in wanted.names), strict=True)
        return replace(self, order=self.order[np.fromiter(map(wanted.holds, values), np.bool_, len(self))])

    def containing(self, text: str) -> Table:
        """Only the rows in whose cells ``text`` stands, in any case."""
        wanted = text.casefold()
        named = [entry for entry in self.columns if not entry.numeric]
        rows = self.order.tolist()
        return self.ordered([row for row in rows if any(wanted in entry.cell(row).casefold() for entry in named)])

    def sorted_by(self, name: str, *, reverse: bool = False) -> Table:
        """Rows by one column, ties as they are; nan and None last. Values without an order go by their texts."""
        column = self.column(name)
        values = column.values
        if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
            key = values[self.order].astype(np.float64)
            missing = np.isnan(key)
            if not missing.any():
                return self.ordered(self.order[np.argsort(-key if reverse else key, kind="stable")])
            key = np.where(missing, 0.0, -key if reverse else key)
            return self.ordered(self.order[np.lexsort((key, missing))])
        keyed = list(zip(column.raw(self.order), self.order.tolist(), strict=True))
        present = [(value, row) for value, row in keyed if value is not None]
        if any(isinstance(value, dict | list | tuple) for value, _ in present):
            present = [(column.cell(row), row) for _, row in present]
        # Numbers before texts, where a column has both.
        present.sort(key=lambda pair: (isinstance(pair[0], str), pair[0]), reverse=reverse)
        return self.ordered([row for _, row in present] + [row for value, row in keyed if value is None])
