"""What ``fabric traffic`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.export.document import Document, Line, Table, table
from topologies.units import format_bytes, format_gbps, format_seconds
from traffic.workload import Phase, WorkloadTraffic


def traffic_document(workloads: Sequence[WorkloadTraffic]) -> Document:
    """Phases of every workload, with bytes per rank and direction."""
    parts: list[Table | Line] = []
    for workload in workloads:
        parts.append(Line(_headline(workload)))
        if workload.groups:
            groups = ", ".join(f"{name} {shape.size} x {shape.count:,}" for name, shape in workload.groups.items())
            parts.append(Line(f"groups (ranks x communicators): {groups}"))
        if workload.phases:
            headers = (
                "phase",
                "collective~",
                "fabric",
                ">group",
                ">payload/rank",
                ">sent/rank",
                ">total",
                ">pairs",
            )
            parts.append(table("", headers, [_row(phase) for phase in workload.phases]))
        parts += [Line(f"warning: {text}", "warn") for text in workload.warnings]
    return parts


def _headline(workload: WorkloadTraffic) -> str:
    words = [f"{workload.id}: {workload.kind}"]
    if workload.ranks:
        words.append(f"{workload.ranks:,} ranks")
    if workload.parameters is not None:
        words.append(f"{workload.parameters / 1e9:,.2f} x 10^9 parameters")
    if workload.parameters_per_rank is not None:
        words.append(f"{workload.parameters_per_rank / 1e9:,.3f} x 10^9 per rank")
    if workload.compute_s is not None:
        words.append(f"compute {format_seconds(workload.compute_s)} per step")
    return ", ".join(words)


def _row(phase: Phase) -> tuple[str, ...]:
    if phase.steady:
        payload, sent, total = "steady", "steady", format_gbps(phase.rate_gbps)
    else:
        payload = format_bytes(phase.payload_bytes_per_rank)
        sent, total = format_bytes(phase.sent_bytes_per_rank), format_bytes(phase.total_bytes)
    return (
        phase.name,
        phase.collective,
        phase.fabric or "NVLink",
        f"{phase.group_size:,}",
        payload,
        sent,
        total,
        f"{phase.pairs:,}",
    )
