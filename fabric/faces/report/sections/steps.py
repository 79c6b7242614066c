"""The step of every job: its phases in time, beside what they would take without congestion."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, TimelineBlock, Words, not_said
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.energy import ENERGY_NOTE, energy_of
from fabric.faces.views.jobs import shown_steps
from fabric.faces.views.memory import shown_memory
from fabric.faces.views.step_parts import job_parts_table
from fabric.faces.views.timeline import Bar, JobTimeline, job_timeline
from topologies.units import format_seconds

_TITLE = "Step time per job"
_HOW = (
    "A phase takes its ideal window times the highest offered load among the links that carry it, when that is above "
    "100 %: the slowest flow decides when a collective is done. Phases that overlap with compute count only for what "
    "exceeds it; the others are added. Phases inside the hosts take what their scale-up links need. The step is what "
    "the busiest pipeline stage computes, bubble, optimizer, and the communication it waits for; these add up to it. "
    "Stretch is the predicted time over the ideal one."
)


def steps_section(source: ReportSource) -> Section | None:
    """A time line and a table per job."""
    blocks: list[Block] = []
    for job in source.result.jobs:
        timeline = job_timeline(job)
        if timeline.span_s > 0:
            blocks.append(TimelineBlock(timeline, tuple(_said(bar) for bar in timeline.bars), _ticks(timeline)))
        blocks.append(shown_steps(job))
        if job.parts is not None or job.parts_ideal is not None:
            blocks.append(job_parts_table(job))
    memory = shown_memory([(job.id, job.memory) for job in source.result.jobs])
    if len(memory):
        blocks.append(memory)
    energy = energy_of(source.result.jobs, source.run.power)
    if len(energy):
        blocks += [energy, Words(ENERGY_NOTE)]
    if not blocks and source.idle:
        return not_said("steps", _TITLE, _HOW, source.idle)
    return Section("steps", _TITLE, _HOW, tuple(blocks)) if blocks else None


def _said(bar: Bar) -> str:
    """A bar in words."""
    kind = {
        "compute": "compute",
        "bubble": "pipeline stages wait for each other",
        "overlapped": "under compute",
        "exposed": "the step waits",
        "apart": "no part of the step",
    }[bar.kind]
    end = "never ends" if bar.end_s is None else f"{format_seconds(bar.start_s)} to {format_seconds(bar.end_s)}"
    takes = "" if bar.end_s is None else f", takes {format_seconds(bar.end_s - bar.start_s)}"
    ideal = "" if bar.kind in ("compute", "bubble") else f", ideal {format_seconds(bar.ideal_s)}"
    return f"{bar.lane}: {end}{takes}{ideal}; {kind}"


def _ticks(timeline: JobTimeline, most: int = 5) -> tuple[tuple[float, str], ...]:
    """Round times along the axis."""
    power = 10.0 ** int(f"{timeline.span_s / most:e}".split("e")[1])
    step = next((power * factor for factor in (1, 2, 5) if power * factor * most >= timeline.span_s), power * 10)
    steps = int(timeline.span_s / step * (1 + 1e-9))
    return tuple((at * step, format_seconds(at * step)) for at in range(steps + 1))


SUMMARY = "the step of every job, its phases in time"
ORDER = 60
SECTION = ReportSection(steps_section)
