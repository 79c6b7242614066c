"""What congestion costs each job: the time of every phase, and of the step.

A phase takes its ideal window times the highest utilisation among the links it crosses, when that is above 1: the
slowest flow decides when a collective is done. Phases that overlap with compute count only for what exceeds their room
behind it; the others are added. Phases inside the hosts (NVLink) are part of the compute time's efficiency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isinf

from fabric.evaluation.phases import job_peak
from fabric.evaluation.step_time import exposed_times, step_time
from fabric.result import JobPhase, JobTime, PhaseRoute
from traffic.workload import Phase, WorkloadTraffic

CHECKPOINT = "checkpoint"
Peak = Callable[[PhaseRoute, str], tuple[float, str]]  # a job's highest utilisation in a routed phase, and its link


def job_times(
    workloads: Sequence[WorkloadTraffic], routes: Sequence[PhaseRoute], *, peak: Peak = job_peak
) -> tuple[JobTime, ...]:
    """Times of all workloads that have phases with a volume; ``peak`` says how full a job's fullest link is."""
    by_phase = {(route.fabric, route.phase): route for route in routes}
    return tuple(
        _job(workload, by_phase, peak) for workload in workloads if any(not phase.steady for phase in workload.phases)
    )


def _job(workload: WorkloadTraffic, routes: Mapping[tuple[str, str], PhaseRoute], peak: Peak) -> JobTime:
    phases = tuple(_phase(workload, phase, routes, peak) for phase in workload.phases if not phase.steady)
    timed = [(phase, time) for phase, time in zip([p for p in workload.phases if not p.steady], phases, strict=True)]
    routed = [(phase, time) for phase, time in timed if phase.fabric is not None]
    in_step = [(phase, time) for phase, time in routed if time.in_step]
    complete = all((phase.fabric, phase.name) in routes for phase, _ in in_step)
    compute = workload.compute_s
    step_ideal = step_time([(phase, time.ideal_s) for phase, time in in_step], compute) if complete else None
    step = step_time([(phase, time.predicted_s) for phase, time in in_step], compute) if complete else None
    checkpoint = [time.predicted_s for time in phases if time.name == CHECKPOINT and (time.fabric, time.name) in routes]
    waits = exposed_times([(phase, time.predicted_s) for phase, time in routed], compute)
    exposed = {time.name: replace(time, exposed_s=wait) for (_, time), wait in zip(routed, waits, strict=True)}
    return JobTime(
        id=workload.id,
        kind=workload.kind,
        ranks=workload.ranks,
        phases=tuple(exposed.get(time.name, time) for time in phases),
        compute_s=workload.compute_s,
        step_time_ideal_s=step_ideal,
        step_time_s=step,
        checkpoint_time_s=checkpoint[0] if checkpoint else None,
    )


def _phase(
    workload: WorkloadTraffic, phase: Phase, routes: Mapping[tuple[str, str], PhaseRoute], peak: Peak
) -> JobPhase:
    base = JobPhase(
        name=phase.name,
        collective=phase.collective,
        fabric=phase.fabric,
        bytes_per_rank=phase.sent_bytes_per_rank,
        ideal_s=0.0,
        predicted_s=0.0,
        exposed_s=0.0,
        stretch=None,
        hottest_link="",
        in_step=phase.every_step,
    )
    route = routes.get((phase.fabric or "", phase.name))
    if route is None or workload.id not in route.window_s:
        return base
    ideal = route.window_s[workload.id]
    highest, link = peak(route, workload.id)
    lost = workload.id in route.jobs_cut or isinf(highest)
    stretch = None if lost else route.stretch_at(highest)
    predicted = None if stretch is None else ideal * stretch
    return JobPhase(
        **{**base.__dict__, "ideal_s": ideal, "predicted_s": predicted, "stretch": stretch, "hottest_link": link}
    )
