"""Tables of many rows for people: columns that are arrays, cells that become text only when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fabric.output.rows import compile_where
from topologies.columns import Longs
from topologies.errors import ScenarioError, nearest_hint


@dataclass(frozen=True, eq=False)
class TableColumn:
    """One column.

    Attributes
    ----------
    name : str
        As in CSV and in filters, unit last: ``offered_gbps``.
    header : str
        For people.
    values : sequence
        One per row; an array, or anything indexed by row.
    text : callable
        Text of one value.
    width : int
        Characters it wants; ``priority`` 0 is never left out where space is short, higher ones go first.
    """

    name: str
    header: str
    values: Any
    text: Callable[[Any], str] = str
    numeric: bool = False
    width: int = 10
    priority: int = 0


@dataclass(frozen=True, eq=False)
class ColumnTable:
    """Columns over the same rows, and which rows are shown in which order."""

    columns: tuple[TableColumn, ...]
    order: Longs = field(default_factory=lambda: np.empty(0, np.int64))  # row ids, as shown

    @staticmethod
    def of(columns: Sequence[TableColumn], rows: int) -> ColumnTable:
        """All rows in their own order."""
        return ColumnTable(tuple(columns), np.arange(rows))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(entry.name for entry in self.columns)

    def column(self, name: str) -> TableColumn:
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

    def cells(self, position: int) -> tuple[str, ...]:
        """Texts of the row shown at ``position``."""
        row = int(self.order[position])
        return tuple(entry.text(entry.values[row]) for entry in self.columns)

    def record(self, position: int) -> dict[str, Any]:
        """Values of the row shown at ``position``, by column name, as plain Python values."""
        return self._record(int(self.order[position]))

    def _record(self, row: int) -> dict[str, Any]:
        found = {entry.name: entry.values[row] for entry in self.columns}
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()}

    def records(self) -> list[dict[str, Any]]:
        """All shown rows, for CSV and JSON."""
        return [self._record(row) for row in self.order.tolist()]

    def where(self, expression: str) -> ColumnTable:
        """Only the rows that a filter holds for; the language is that of ``--where``.

        Raises
        ------
        ScenarioError
            When the filter does not parse or names an unknown column.
        """
        keep = compile_where(expression, self.names)
        kept = [row for row in self.order.tolist() if keep(self._record(row))]
        return ColumnTable(self.columns, np.asarray(kept, np.int64))

    def containing(self, text: str) -> ColumnTable:
        """Only the rows in whose cells ``text`` stands, in any case."""
        wanted = text.casefold()
        shown = [
            row
            for row in self.order.tolist()
            if any(wanted in entry.text(entry.values[row]).casefold() for entry in self.columns if not entry.numeric)
        ]
        return ColumnTable(self.columns, np.asarray(shown, np.int64))

    def sorted_by(self, name: str, *, reverse: bool = False) -> ColumnTable:
        """Rows by one column, ties as they are; nan and None last."""
        values = self.column(name).values
        if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
            key = values[self.order].astype(np.float64)
            key = np.where(np.isnan(key), np.inf, -key if reverse else key)
            return ColumnTable(self.columns, self.order[np.argsort(key, kind="stable")])
        rows = self.order.tolist()
        present = [row for row in rows if values[row] is not None]
        present.sort(key=lambda row: values[row], reverse=reverse)
        rest = [row for row in rows if values[row] is None]
        return ColumnTable(self.columns, np.asarray([*present, *rest], np.int64))
