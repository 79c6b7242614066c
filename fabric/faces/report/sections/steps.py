"""The step of every job: its phases in time, beside what they would take without congestion."""

from __future__ import annotations

from fabric.faces.report.content import Block, Cell, ReportTable, Section, TimelineBlock, as_table, number, seconds
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.timeline import Bar, JobTimeline, job_timeline
from fabric.result import JobPhase, JobTime
from topologies.units import format_bytes, format_seconds

_HOW = (
    "A phase takes its ideal window times the highest offered load among the links that carry it, when that is above "
    "100 %: the slowest flow decides when a collective is done. Phases that overlap with compute count only for what "
    "exceeds it; the others are added. Phases inside the hosts (NVLink) are part of the compute time's efficiency. "
    "Stretch is the predicted time over the ideal one."
)


def steps_section(source: ReportSource) -> Section | None:
    """A time line and a table per job."""
    blocks: list[Block] = []
    for job in source.result.jobs:
        timeline = job_timeline(job)
        if timeline.span_s > 0:
            blocks.append(TimelineBlock(timeline, tuple(_said(bar) for bar in timeline.bars), _ticks(timeline)))
        blocks.append(_table(job))
    return Section("steps", "Step time per job", _HOW, tuple(blocks)) if blocks else None


def _said(bar: Bar) -> str:
    """A bar in words."""
    kind = {
        "compute": "compute",
        "overlapped": "under compute",
        "exposed": "the step waits",
        "apart": "no part of the step",
    }[bar.kind]
    end = "never ends" if bar.end_s is None else f"{format_seconds(bar.start_s)} to {format_seconds(bar.end_s)}"
    takes = "" if bar.end_s is None else f", takes {format_seconds(bar.end_s - bar.start_s)}"
    ideal = "" if bar.kind == "compute" else f", ideal {format_seconds(bar.ideal_s)}"
    return f"{bar.lane}: {end}{takes}{ideal}; {kind}"


def _ticks(timeline: JobTimeline, most: int = 5) -> tuple[tuple[float, str], ...]:
    """Round times along the axis."""
    power = 10.0 ** int(f"{timeline.span_s / most:e}".split("e")[1])
    step = next((power * factor for factor in (1, 2, 5) if power * factor * most >= timeline.span_s), power * 10)
    steps = int(timeline.span_s / step * (1 + 1e-9))
    return tuple((at * step, format_seconds(at * step)) for at in range(steps + 1))


def _table(job: JobTime) -> ReportTable:
    heads = (
        ("phase", "name"), ("fabric", "fabric"), (">sent per rank", "bytes_per_rank"), (">ideal", "ideal_s"),
        (">here", "predicted_s"), (">step waits", "exposed_s"), (">stretch", "stretch"),
        ("slowest link", "hottest_link"),
    )  # fmt: skip
    rows = [_phase(phase) for phase in job.phases]
    nothing = Cell("-")
    if job.compute_s is not None:
        compute = number(format_seconds(job.compute_s), job.compute_s)
        rows.append((Cell("compute", "compute"), nothing, nothing, compute, compute, compute, nothing, nothing))
    if job.step_time_ideal_s is not None:
        rows.append(
            (
                Cell("step", "step"),
                nothing,
                nothing,
                number(format_seconds(job.step_time_ideal_s), job.step_time_ideal_s),
                number(seconds(job.step_time_s), job.step_time_s),
                nothing,
                number("-" if job.stretch is None else f"{job.stretch:.2f}x", job.stretch),
                nothing,
            )
        )
    ranks = f", {job.ranks:,} ranks" if job.ranks else ""
    return as_table(f"{job.id}: {job.kind}{ranks}", heads, rows)


def _phase(phase: JobPhase) -> tuple[Cell, ...]:
    inside = phase.fabric is None
    waits = "-" if inside or not phase.in_step else seconds(phase.exposed_s)
    return (
        Cell(phase.name, phase.name),
        Cell(phase.fabric or "NVLink", phase.fabric),
        number(format_bytes(phase.bytes_per_rank), phase.bytes_per_rank),
        number("in compute" if inside else format_seconds(phase.ideal_s), None if inside else phase.ideal_s),
        number("in compute" if inside else seconds(phase.predicted_s), None if inside else phase.predicted_s),
        number(waits, None if waits == "-" else phase.exposed_s),
        number("-" if phase.stretch is None else f"{phase.stretch:.2f}x", phase.stretch),
        Cell(phase.hottest_link or "-", phase.hottest_link or None),
    )


SUMMARY = "the step of every job, its phases in time"
ORDER = 60
SECTION = ReportSection(steps_section)
