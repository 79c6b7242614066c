"""The step of a job as bars on a time axis: compute, phases under it, phases it waits for.

The times are those of ``fabric.evaluation.jobs``, the order that of ``fabric.evaluation.step_order``. Where the hash is
not drawn, the last bar ends at the step time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fabric.evaluation.step_order import step_order
from fabric.faces.views.bands import FULL, HOT, TENTH
from fabric.result import JobPhase, JobTime, RouteResult

Kind = Literal["compute", "bubble", "overlapped", "exposed", "apart"]
COMPUTE, BUBBLE, OPTIMIZER = "compute", "bubble", "optimizer"
OVER = "over"  # the part of a bar that congestion adds


@dataclass(frozen=True)
class Fill:
    """How one kind of bar is drawn: its colour, the character where there is none, and what it is."""

    colour: str
    glyph: str
    letter: str  # where there is ASCII alone
    text: str
    short: str


FILLS: dict[str, Fill] = {
    "compute": Fill("#8a97a5", "▒", "=", "compute", "compute"),
    "bubble": Fill("#d6cfbe", "╌", "_", "pipeline bubble", "bubble"),
    "exposed": Fill(FULL.colour, "█", "#", "the step waits", "waits"),
    "overlapped": Fill(TENTH.colour, "░", "-", "hidden under compute", "hidden"),
    "apart": Fill("#c9c9c9", "·", ".", "not in step", "outside"),
    OVER: Fill(HOT.colour, "▓", "!", "congestion adds", "congestion"),
}


@dataclass(frozen=True)
class Bar:
    """One phase in time.

    ``ideal_s`` is its length without congestion; ``apart`` phases are outside the step (checkpoints) and start at 0;
    ``end_s`` is None where the phase cannot finish.
    """

    lane: str
    start_s: float
    end_s: float | None
    ideal_s: float
    kind: Kind
    fabric: str | None = None
    stretch: float | None = None
    hottest_link: str = ""
    waited_s: float = 0.0  # of one that overlaps compute: what the step waits for all the same


@dataclass(frozen=True)
class JobTimeline:
    """The bars of one job; totals are None where the step cannot finish or has phases that were not routed."""

    job: str
    bars: tuple[Bar, ...]
    total_s: float | None
    ideal_total_s: float | None

    @property
    def span_s(self) -> float:
        """End of the last bar: the length of the axis."""
        return max((bar.end_s for bar in self.bars if bar.end_s is not None), default=0.0)


def timelines(result: RouteResult) -> tuple[JobTimeline, ...]:
    """The steps of all jobs that have times."""
    return tuple(job_timeline(job) for job in result.jobs)


def job_timeline(job: JobTime) -> JobTimeline:
    """The step of one job."""
    compute_s = job.compute_s or 0.0
    order = step_order(job)
    bars = [Bar(COMPUTE, 0.0, compute_s, compute_s, "compute")] if compute_s else []
    for placed in order.placed:
        bars.append(_bar(placed.phase, placed.start_s, "overlapped" if placed.under_compute else "exposed"))
    clock = order.clock_s
    kinds: tuple[tuple[str, Kind], ...] = ((BUBBLE, "bubble"), (OPTIMIZER, "compute"))
    for lane, kind in kinds:
        seconds = getattr(job.parts, f"{lane}_s") if job.parts else 0.0
        if seconds:
            bars.append(Bar(lane, clock, clock + seconds, seconds, kind))
            clock += seconds
    bars += [_bar(phase, 0.0, "apart") for phase in job.phases if phase.ideal_s > 0 and not phase.in_step]
    return JobTimeline(job.id, tuple(bars), job.step_time_s, job.step_time_ideal_s)


def _bar(phase: JobPhase, start_s: float, kind: Kind) -> Bar:
    end = None if phase.predicted_s is None else start_s + phase.predicted_s
    waited = phase.exposed_s or 0.0 if kind == "overlapped" else 0.0
    return Bar(phase.name, start_s, end, phase.ideal_s, kind, phase.fabric, phase.stretch, phase.hottest_link, waited)
