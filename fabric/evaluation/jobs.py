"""What congestion costs each job: the time of every phase, and of the step.

A phase takes its ideal window times the highest utilisation among the links it crosses, when that is above 1: the
slowest flow decides when a collective is done. What a step is made of then is in ``step_time``. Phases inside the hosts
take what their scale-up links need, with congestion or without; where nothing is known of those links, no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isinf

from fabric.evaluation.phases import job_peak
from fabric.evaluation.step_time import exposed_times, parts_of, phase_time_s
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
    phases = [(phase, _phase(workload, phase, routes, peak)) for phase in workload.phases if not phase.steady]
    timed = [(phase, time) for phase, time in phases if phase.fabric is not None or phase.inside_s]
    in_step = [(phase, time) for phase, time in timed if time.in_step]
    complete = all(phase.fabric is None or (phase.fabric, phase.name) in routes for phase, _ in in_step)
    compute = workload.compute.compute_s if workload.compute else None
    ideal = parts_of(workload, [(phase, time.ideal_s) for phase, time in in_step]) if complete else None
    parts = parts_of(workload, [(phase, time.predicted_s) for phase, time in in_step]) if complete else None
    checkpoint = [
        time.predicted_s for _, time in phases if time.name == CHECKPOINT and (time.fabric, time.name) in routes
    ]
    waits = exposed_times([(phase, time.predicted_s) for phase, time in timed], compute)
    exposed = {time.name: replace(time, exposed_s=wait) for (_, time), wait in zip(timed, waits, strict=True)}
    return JobTime(
        id=workload.id,
        kind=workload.kind,
        ranks=workload.ranks,
        phases=tuple(exposed.get(time.name, time) for _, time in phases),
        compute_s=compute,
        step_time_ideal_s=ideal.step_s if ideal else None,
        step_time_s=parts.step_s if parts else None,
        checkpoint_time_s=checkpoint[0] if checkpoint else None,
        parts_ideal=ideal if compute is not None else None,
        parts=parts if compute is not None else None,
        memory=workload.worst_memory,
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
    if phase.fabric is None:
        inside = phase_time_s(phase, 0.0) if phase.inside_s else 0.0
        return replace(base, ideal_s=inside, predicted_s=inside, stretch=1.0 if inside else None)
    route = routes.get((phase.fabric, phase.name))
    if route is None or workload.id not in route.window_s:
        return base
    window, way = route.window_s[workload.id], route.way_s.get(workload.id, 0.0)
    highest, link = peak(route, workload.id)
    ideal = phase_time_s(phase, window, way_s=way)
    lost = workload.id in route.jobs_cut or isinf(highest)
    predicted = None if lost else phase_time_s(phase, window, stretch=route.stretch_at(highest), way_s=way)
    stretch = None if predicted is None else predicted / ideal if ideal else 1.0
    return replace(base, ideal_s=ideal, predicted_s=predicted, stretch=stretch, hottest_link=link)
