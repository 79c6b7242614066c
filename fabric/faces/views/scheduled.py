"""Exports for schedulers: a row for every fabric, job or node group of an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.faces.views.row_kinds import SCHEDULED
from fabric.output.columns import Special, counts, from_records, named
from fabric.output.table import Table

_SPECIAL: dict[str, Special] = {
    "hosts": (counts, "hosts", {}),
    "levels": (counts, "levels", {}),
    "groups": (counts, "groups", {}),
    "ranks": (counts, "ranks", {}),
    "mapped": (counts, "names mapped", {}),
    "differences": (counts, "differences", {}),
    "read_by": (named, "read by", {"flexible": True}),
}


def scheduled_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row per fabric, job or node group."""
    return Table.of(from_records(rows, SCHEDULED.columns, _SPECIAL), len(rows), title="exported")


def scheduler_format_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Formats for schedulers, what there is one of, and what reads them."""
    special: dict[str, Special] = {name: (named, name.replace("_", " "), {"flexible": True}) for name in _FORMAT[2:]}
    return Table.of(from_records(rows, _FORMAT, special), len(rows), title="for schedulers and launchers")


_FORMAT = ("format", "of", "summary", "read_by")
