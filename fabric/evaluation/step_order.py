"""When the phases of a step are on the wire: one order for pictures of a step and for jobs that share links.

Compute starts the step. Phases that hide under it whole run one after the other from the start. Those that stick out
run one after the other too, so that the last one ends as long after compute as the step waits for them all. Phases that
nothing hides come after, in order; then the bubble and the optimizer. Two phases are never on the wire at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.result import JobPhase, JobTime


@dataclass(frozen=True)
class PlacedPhase:
    """A phase of a step and when it starts, s; it ends after its predicted time, or never."""

    phase: JobPhase
    start_s: float
    under_compute: bool  # the step waits for less than the whole phase

    @property
    def end_s(self) -> float | None:
        """When it ends; None where it cannot finish."""
        return None if self.phase.predicted_s is None else self.start_s + self.phase.predicted_s


@dataclass(frozen=True)
class StepOrder:
    """The phases of a step in the order in which they are on the wire, and when the last of them is over."""

    placed: tuple[PlacedPhase, ...]
    clock_s: float  # compute and all that the step waits for; bubble and optimizer follow


def step_order(job: JobTime) -> StepOrder:
    """Place the timed phases of a job's step."""
    timed = [phase for phase in job.phases if phase.ideal_s > 0 and phase.in_step]
    under = [phase for phase in timed if _overlaps(phase)]
    compute_s = job.compute_s or 0.0
    whole = [phase for phase in under if not phase.exposed_s]
    part = [phase for phase in under if phase.exposed_s]
    placed = [*_in_a_row(whole, 0.0)]
    clock_s = compute_s + sum(phase.exposed_s or 0.0 for phase in part)
    placed += _in_a_row(part, clock_s - sum(phase.predicted_s or 0.0 for phase in part))
    for phase in timed:
        if not _overlaps(phase):
            placed.append(PlacedPhase(phase, clock_s, under_compute=False))
            clock_s += phase.predicted_s or 0.0
    return StepOrder(tuple(placed), clock_s)


def _in_a_row(phases: Sequence[JobPhase], start_s: float) -> list[PlacedPhase]:
    """Phases under compute, one after the other."""
    placed = []
    for phase in phases:
        placed.append(PlacedPhase(phase, start_s, under_compute=True))
        start_s += phase.predicted_s or 0.0
    return placed


def _overlaps(phase: JobPhase) -> bool:
    """Whether the step waits for less than the whole phase: only phases under compute do."""
    return phase.predicted_s is not None and phase.exposed_s is not None and phase.exposed_s < phase.predicted_s
