"""What monitoring is told of every fabric: links that report, limits, and what the tests of its rules try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.faces.views.row_kinds import WATCHED
from fabric.output.columns import Special, counts, from_records, named, ratios
from fabric.output.table import Table
from fabric.routing.router import router_label

_SPECIAL: dict[str, Special] = {
    "router": (named, "router", {"text": router_label}),
    "links": (counts, "links", {}),
    "measured": (counts, "measured", {}),
    "band_limits": (counts, "with a limit", {}),
    "margin": (ratios, "margin", {}),
    "alerts_tested": (named, "alerts tested", {"flexible": True}),
    "draws": (counts, "draws tested", {}),
}


def watched_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row per fabric."""
    return Table.of(from_records(rows, WATCHED.columns, _SPECIAL), len(rows), title="watched")
