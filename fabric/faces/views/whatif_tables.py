"""Tables of a what-if: the changes, their effect, the links they touched."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.output.column_table import ColumnTable, TableColumn
from fabric.result import RouteResult
from fabric.whatif.changes import ChangeSet
from fabric.whatif.effect import LinkChange, effect
from topologies.units import percent, points


def change_table(changes: ChangeSet) -> ColumnTable:
    """One row per change."""
    rows = changes.changes
    flags = [
        " ".join([*(f"--set {text}" for text in row.sets), *(f"--down {text}" for text in row.down)])
        or f"--scale {row.scale:g}"
        for row in rows
    ]
    return ColumnTable.of(
        (
            TableColumn("enabled", "", ["[x]" if row.enabled else "[ ]" for row in rows], width=3),
            TableColumn("change", "change", [row.text for row in rows], width=34),
            TableColumn("flags", "on the command line", flags, width=40, priority=1),
        ),
        len(rows),
    )


def effect_table(base: RouteResult, now: RouteResult) -> ColumnTable:
    """Figures before and now; what changed first, in its own order."""
    rows = sorted(effect(base, now), key=lambda row: row.is_equal)
    texts = [row.texts for row in rows]
    return ColumnTable.of(
        (
            TableColumn("metric", "", [row.metric for row in rows], width=30),
            TableColumn("base", "base", [text[0] for text in texts], numeric=True, width=10),
            TableColumn("now", "now", [text[1] for text in texts], numeric=True, width=10),
            TableColumn("difference", "difference", [text[2] for text in texts], numeric=True, width=11),
            TableColumn("limit", "limit", [text[3] for text in texts], numeric=True, width=9, priority=1),
            TableColumn("verdict", "", [text[4] for text in texts], width=4),
        ),
        len(rows),
    )


def changed_link_table(changed: Sequence[LinkChange]) -> ColumnTable:
    """Links whose load changed most."""
    return ColumnTable.of(
        (
            TableColumn("link", "link", [row.link for row in changed], width=24),
            TableColumn("base", "base", [row.base for row in changed], _ratio, True, 10),
            TableColumn("now", "now", [row.now for row in changed], _ratio, True, 10),
            TableColumn("change", "difference", [row.change for row in changed], _points, True, 11),
            TableColumn("base_gbps", "base Gb/s", [row.base_gbps for row in changed], _gbps, True, 10, 1),
            TableColumn("now_gbps", "now Gb/s", [row.now_gbps for row in changed], _gbps, True, 10, 1),
        ),
        len(changed),
    )


def _ratio(value: float | None) -> str:
    return "down" if value is None else percent(value)


def _points(value: float) -> str:
    return points(value)


def _gbps(value: float) -> str:
    return f"{value:,.1f}"
