"""Times that workloads' own keys allow, such as a checkpoint's deadline: limits beside those of the scenario.

A phase with a volume takes what the job's times say. Steady traffic that has to send a volume within a time keeps it
while no link it crosses is over capacity, and takes as many times longer as the fullest of them is over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import isinf
from typing import Protocol

from fabric.result import JobTime, LimitVerdict, PhaseRoute
from fabric.routing.utilisation import SAME
from traffic.workload import Phase, TimeLimit, WorkloadTraffic

CANNOT_FINISH = "it cannot finish: demand has no path"


class Peak(Protocol):
    """A job's highest utilisation in a routed phase, and its link."""

    def __call__(self, route: PhaseRoute, job: str, *, steady: bool = False) -> tuple[float, str]:
        """Of its volumes, or of its steady traffic."""
        ...


def judge_time_limits(
    workloads: Sequence[WorkloadTraffic],
    routes: Sequence[PhaseRoute],
    jobs: Sequence[JobTime],
    *,
    peak: Peak,
    fabric: str | None = None,
) -> tuple[LimitVerdict, ...]:
    """One row for every time that a workload's key allows; with ``fabric``, of the phases on it alone."""
    return tuple(
        _judge(workload, limit, routes, jobs, peak)
        for workload in workloads
        for limit in workload.time_limits
        if fabric is None or limit.fabric == fabric
    )


def _judge(
    workload: WorkloadTraffic, limit: TimeLimit, routes: Sequence[PhaseRoute], jobs: Sequence[JobTime], peak: Peak
) -> LimitVerdict:
    phase = next((one for one in workload.phases if (one.fabric, one.name) == (limit.fabric, limit.phase)), None)
    value, why = None, f"{workload.id} sends nothing in {limit.phase}"
    if phase is not None:
        carried = _carried(workload.id, phase, routes)
        value, why = None, not_routed(phase.name, phase.fabric)
        if carried and any(workload.id in route.jobs_cut for route in carried):
            why = CANNOT_FINISH
        elif carried:
            value = _time_s(workload.id, phase, limit, carried, jobs, peak)
            why = "" if value is not None else CANNOT_FINISH
    if limit.never:
        value, why = None, limit.never
    ok = None if value is None else bool(value <= limit.max_s * (1 + SAME))
    return LimitVerdict(
        id=f"{workload.id}.{limit.key}",
        text=f"{workload.id} {limit.phase} time ≤ {limit.word}",
        metric=f"{limit.phase}_time",
        value=value,
        max=limit.max_s,
        unit="s",
        ok=False if why == CANNOT_FINISH or limit.never else ok,
        detail=why or f"workloads.{workload.id}.{limit.key}",
    )


def _carried(job: str, phase: Phase, routes: Sequence[PhaseRoute]) -> list[PhaseRoute]:
    """Routes that a phase is part of: its own, or of steady traffic all of its fabric."""
    return [
        route
        for route in routes
        if route.fabric == phase.fabric
        and any((one.job, one.phase, one.steady) == (job, phase.name, phase.steady) for one in route.classes)
    ]


def _time_s(
    job: str, phase: Phase, limit: TimeLimit, carried: Sequence[PhaseRoute], jobs: Sequence[JobTime], peak: Peak
) -> float | None:
    if not phase.steady:
        times = [one for entry in jobs if entry.id == job for one in entry.phases if one.name == phase.name]
        return times[0].predicted_s if times else None
    stretch = max(route.stretch_at(peak(route, job, steady=True)[0]) for route in carried)
    return None if isinf(stretch) else limit.max_s * stretch


def not_routed(phase: str, fabric: str | None) -> str:
    """Why a time that needs a phase is not known."""
    return f"{phase} on {fabric} is not routed"


def missing_phases(job: JobTime, routed: Collection[tuple[str, str]], wanted: Callable[[str, bool], bool]) -> list[str]:
    """Reasons why a job's time is open: phases that ``wanted(name, in_step)`` asks for and nothing routed."""
    return [
        not_routed(phase.name, phase.fabric)
        for phase in job.phases
        if phase.fabric is not None and wanted(phase.name, phase.in_step) and (phase.fabric, phase.name) not in routed
    ]
