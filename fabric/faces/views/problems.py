"""What is wrong with files, a problem a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.faces.views.row_kinds import PROBLEMS
from fabric.output.columns import Special, counts, from_records, named
from fabric.output.table import Mark, Table

_SPECIAL: dict[str, Special] = {
    "message": (named, "message", {"flexible": True, "width": 40}),
    "hint": (named, "hint", {"flexible": True, "priority": 1}),
    "path": (named, "key", {"priority": 2}),
    "line": (counts, "line", {}),
    "column": (counts, "column", {"priority": 1}),
}


def problem_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Problems of files, in the order found; errors are marked bad."""
    marks: list[Mark] = ["bad" if row["severity"] == "error" else "warn" for row in rows]
    return Table.of(from_records(rows, PROBLEMS.columns, _SPECIAL), len(rows), title="problems", marks=marks)
