"""Times of jobs and limits over the draws of the hash: judged in every draw, then shown by medians or as limits ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from fabric.evaluation.jobs import CHECKPOINT, job_times
from fabric.evaluation.limits import check_limits
from fabric.evaluation.phases import job_peak, jobs_with_steady
from fabric.evaluation.time_limits import Peak
from fabric.result import Band, JobPhase, JobTime, LimitVerdict, PhaseRoute, rank_of
from fabric.routing.utilisation import SAME
from fabric.scenario.limit_schema import LimitSpec
from traffic.workload import WorkloadTraffic

# (fabric, phase, job, of its steady traffic) -> highest utilisation, its link
Peaks = dict[tuple[str, str, str, bool], tuple[float, str]]


def peaks_of(route: PhaseRoute) -> Peaks:
    """What every job meets in a routed phase."""
    wanted = [(job, False) for job in route.window_s] + [(job, True) for job in jobs_with_steady(route.classes)]
    return {(route.fabric, route.phase, job, steady): job_peak(route, job, steady=steady) for job, steady in wanted}


def judge(
    workloads: Sequence[WorkloadTraffic],
    routes: Sequence[PhaseRoute],
    limits: Sequence[LimitSpec],
    peaks: Peaks | None = None,
    *,
    fabric: str | None = None,
) -> tuple[tuple[JobTime, ...], tuple[LimitVerdict, ...]]:
    """Times of all jobs and all limits; where phases were drawn, medians over the draws with the figures of each.

    Parameters
    ----------
    peaks : dict, optional
        Of routes whose loads by class are no longer kept.
    fabric : str, optional
        The only fabric that is routed.

    Raises
    ------
    ScenarioError
        When a limit names what is not there.
    """
    peaks = {key: peak for route in routes for key, peak in peaks_of(route).items()} if peaks is None else peaks
    jobs = _times(workloads, routes, peaks)
    verdicts = check_limits(limits, routes, jobs, workloads, fabric=fabric, peak=_peak_in(peaks))
    counts = [route.every_draw.count for route in routes if route.every_draw is not None]
    if not counts:
        return jobs, verdicts
    # A fabric that is drawn once is the same in every draw of the others.
    count = min((count for count in counts if count > 1), default=1)
    in_draws = [_in_draw(workloads, routes, peaks, draw) for draw in range(count)]
    judged = [
        check_limits(limits, drawn, times, workloads, fabric=fabric, peak=_peak_in(met))
        for drawn, times, met in in_draws
        if verdicts
    ]
    drawn = {(route.fabric, route.phase) for route in routes if route.every_draw is not None}
    jobs = tuple(_job(job, [times[at] for _, times, _ in in_draws], drawn) for at, job in enumerate(jobs))
    own = [one for each in workloads for one in each.time_limits if fabric is None or one.fabric == fabric]
    are_drawn = [_is_drawn(limit, jobs, drawn) for limit in limits]
    are_drawn += [any(name == limit.fabric for name, _ in drawn) for limit in own]
    percentiles = [*(limit.percentile for limit in limits), *(0.5 for _ in own)]
    return jobs, tuple(
        _limit([each[at] for each in judged], percentile) if is_drawn else verdict
        for at, (is_drawn, percentile, verdict) in enumerate(zip(are_drawn, percentiles, verdicts, strict=True))
    )


def _peak_in(peaks: Peaks) -> Peak:
    """What a job meets in a routed phase, from what was kept."""

    def peak(route: PhaseRoute, job: str, *, steady: bool = False) -> tuple[float, str]:
        return peaks[route.fabric, route.phase, job, steady]

    return peak


def _times(workloads: Sequence[WorkloadTraffic], routes: Sequence[PhaseRoute], peaks: Peaks) -> tuple[JobTime, ...]:
    return job_times(workloads, routes, peak=_peak_in(peaks))


def _in_draw(
    workloads: Sequence[WorkloadTraffic], routes: Sequence[PhaseRoute], peaks: Peaks, draw: int
) -> tuple[list[PhaseRoute], tuple[JobTime, ...], Peaks]:
    """Routes, times and peaks of one draw; what a hash does not place is the same in all."""
    drawn, met = [], dict(peaks)
    for route in routes:
        every = route.every_draw
        if every is None:
            drawn.append(route)
            continue
        at = draw if every.count > 1 else 0
        drawn.append(
            replace(
                route,
                utilisation=every.utilisation[at],
                max_utilisation=float(every.peak[at]),
                links_over_capacity=int(every.over[at]),
            )
        )
        for (job, steady), values in every.job_peak.items():
            key = (route.fabric, route.phase, job, steady)
            met[key] = (float(values[at]), peaks[key][1])
    return drawn, _times(workloads, drawn, met), met


def _job(job: JobTime, times: Sequence[JobTime], drawn: set[tuple[str, str]]) -> JobTime:
    """A job by the medians of its times."""
    is_drawn = [(phase.fabric or "", phase.name) in drawn for phase in job.phases]
    if not any(is_drawn):
        return job
    phases = tuple(
        _phase(phase, [each.phases[at] for each in times]) if is_drawn[at] else phase
        for at, phase in enumerate(job.phases)
    )
    if job.step_time_ideal_s is None:
        return replace(job, phases=phases, checkpoint_time_s=_checkpoint(phases))
    step = Band.of(each.step_time_s for each in times)
    # The median is the step of one draw; its parts are that draw's, and add up to it.
    parts = next((each.parts for each in times if each.step_time_s == step.median), None)
    return replace(
        job, phases=phases, step_time_s=_median(step), checkpoint_time_s=_checkpoint(phases), draws=step, parts=parts
    )


def _checkpoint(phases: Sequence[JobPhase]) -> float | None:
    return next((phase.predicted_s for phase in phases if phase.name == CHECKPOINT), None)


def _phase(phase: JobPhase, times: Sequence[JobPhase]) -> JobPhase:
    if phase.fabric is None or not phase.ideal_s:
        return phase
    predicted = Band.of(each.predicted_s for each in times)
    seconds = _median(predicted)
    return replace(
        phase,
        predicted_s=seconds,
        exposed_s=_median(Band.of(each.exposed_s for each in times)),
        stretch=None if seconds is None else seconds / phase.ideal_s,
        draws=predicted,
    )


def _median(band: Band) -> float | None:
    return band.median if isfinite(band.median) else None


def _is_drawn(limit: LimitSpec, jobs: Sequence[JobTime], drawn: set[tuple[str, str]]) -> bool:
    """Whether what a limit measures depends on the draw."""
    if limit.when is not None:
        return False
    if limit.fabric is not None:
        return limit.metric != "unreachable_pairs" and any(fabric == limit.fabric for fabric, _ in drawn)
    job = next((job for job in jobs if job.id == limit.workload), None)
    return job is not None and any(phase.draws is not None for phase in job.phases)


def _limit(verdicts: Sequence[LimitVerdict], percentile: float | None) -> LimitVerdict:
    """The verdict of the draw at a percentile or of the mean (None), and in how many draws the limit does not hold."""
    values = Band.of(verdict.value for verdict in verdicts)
    order = np.argsort(np.array(values.values), kind="stable")
    chosen = verdicts[int(order[rank_of(0.5 if percentile is None else percentile, len(values))])]
    if chosen.ok is None:
        return chosen
    failed = sum(verdict.ok is False for verdict in verdicts) / len(verdicts)
    if percentile is None:
        mean = values.mean
        if not isfinite(mean):  # in some draw it cannot finish, and so neither does the mean
            chosen = verdicts[int(order[-1])]
        else:
            chosen = replace(chosen, value=mean, ok=bool(mean <= chosen.max * (1 + SAME)))
    few = _few_draws(percentile, len(values))
    detail = "; ".join(text for text in (chosen.detail, few) if text)
    return replace(chosen, draws=values, failed_part=failed, detail=detail)


def _few_draws(percentile: float | None, count: int) -> str:
    """That draws are too few to tell a percentile from the lowest or highest of them; empty where they are not."""
    if percentile is None or percentile in (0.5, 1.0) or min(percentile, 1 - percentile) * count >= 1 - SAME:
        return ""
    if count == 1:
        return "one draw, which has no percentiles; --replicas N draws more"
    end = "highest" if percentile > 0.5 else "lowest"
    return f"of {count:,} draws this is the {end}; --replicas N draws more"
