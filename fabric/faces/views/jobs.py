"""Tables of phases in time."""

from __future__ import annotations

from fabric.output.column_table import ColumnTable, TableColumn
from fabric.result import RouteResult
from topologies.units import format_bytes, format_seconds


def phase_table(result: RouteResult) -> ColumnTable:
    """Every phase of every job: bytes, times, what the step waits for."""
    rows = [(job, phase) for job in result.jobs for phase in job.phases]

    def seconds(value: float | None) -> str:
        return "-" if value is None else format_seconds(value)

    return ColumnTable.of(
        (
            TableColumn("job", "job", [job.id for job, _ in rows], width=12, priority=3),
            TableColumn("phase", "phase", [phase.name for _, phase in rows], width=18),
            TableColumn("fabric", "fabric", [phase.fabric or "NVLink" for _, phase in rows], width=8, priority=1),
            TableColumn("collective", "collective", [phase.collective for _, phase in rows], width=18, priority=4),
            TableColumn("bytes", "sent/rank", [p.bytes_per_rank for _, p in rows], format_bytes, True, 9, 2),
            TableColumn("ideal_s", "ideal", [p.ideal_s if p.fabric else None for _, p in rows], seconds, True, 8, 1),
            TableColumn(
                "predicted_s", "here", [p.predicted_s if p.fabric else None for _, p in rows], seconds, True, 8
            ),
            TableColumn(
                "exposed_s", "exposed", [p.exposed_s if p.fabric else None for _, p in rows], seconds, True, 8, 1
            ),
            TableColumn("stretch", "stretch", [phase.stretch for _, phase in rows], _times, True, 7),
            TableColumn("hottest_link", "slowest link", [p.hottest_link for _, p in rows], width=22, priority=2),
        ),
        len(rows),
    )


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}x"
