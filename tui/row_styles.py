"""How rows of tables are coloured by what they say."""

from __future__ import annotations

from rich.style import Style

from fabric.output.table import Table
from tui.style import Look


def load_style(table: Table, position: int, look: Look) -> Style | None:
    """Rows whose links are over capacity are red."""
    row = table.record(position)
    value = row.get("max", row.get("utilisation"))
    return look.load(float("inf") if value is None else float(value))


def verdict_style(table: Table, position: int, look: Look) -> Style | None:
    """Red where a limit fails, green where one that failed holds now."""
    row = table.record(position)
    if row["verdict"] == "FAIL":
        return look.bad
    return look.good if row["verdict"] == "ok" and row["difference"] != "=" else None
