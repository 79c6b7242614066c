"""What failure cases do to jobs: times as ``evaluation.jobs`` gives them, once for every row of peaks that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite, nan

import numpy as np

from fabric.evaluation.jobs import job_times
from fabric.evaluation.phases import job_peak
from fabric.failures.engine import Outcomes, SweepPhase
from fabric.failures.figures import OK, SLOWED, STALLED, STATES
from fabric.failures.result import JobState
from fabric.result import JobTime, PhaseRoute
from fabric.routing.utilisation import SAME, fullest, over_capacity
from topologies.columns import Bools, Floats, Ints, Longs
from traffic.workload import WorkloadTraffic

_DIGITS = 12  # to which peaks are compared: further ones are rounding
Key = tuple[str, str, str, bool]  # fabric, phase, job, of its steady traffic


def intact_outcomes(phase: SweepPhase, *, proven: bool = False) -> Outcomes:
    """The phase as it is intact, as one case; with its bound where those of cases are to be ``proven``, too."""
    route = phase.intact
    before = Outcomes.empty(1, len(phase.jobs))
    hottest = fullest(route.utilisation)
    before.max_utilisation[0] = route.utilisation.max(initial=0.0)
    before.hottest[0] = -1 if hottest is None else hottest
    before.links_over_capacity[0] = int(over_capacity(route.utilisation).sum())
    before.unreachable_pairs[0] = route.unreachable_pairs
    for at, (job, steady) in enumerate(phase.jobs):
        before.peak[0, at] = job_peak(route, job, steady=steady)[0]
        before.cut[0, at] = job in route.jobs_cut
    if proven:
        before.bound[0] = min(route.best_possible.lower_bound, route.max_utilisation)
    return before


@dataclass(frozen=True)
class JudgedJob:
    """A job in one state of the network."""

    finishes: bool
    time: JobTime | None  # None: steady traffic alone
    step_time_s: float | None
    seconds: tuple[float, ...] = ()  # of its phases, where it has no step
    steady_stretch: float = 1.0  # of steady traffic, by its fullest link


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges rows of peaks; columns are those of all phases, one after the other."""

    phases: tuple[SweepPhase, ...]
    traffic: tuple[WorkloadTraffic, ...]
    seen: dict[bytes, tuple[JudgedJob, ...]] = field(default_factory=dict)

    @property
    def keys(self) -> list[Key]:
        """What the columns are of."""
        return [(phase.fabric, phase.phase, job, steady) for phase in self.phases for job, steady in phase.jobs]

    @property
    def jobs(self) -> tuple[WorkloadTraffic, ...]:
        """The jobs that send anything in these phases."""
        sending = {job for _, _, job, _ in self.keys}
        return tuple(workload for workload in self.traffic if workload.id in sending)

    def unique(self, peak: Floats, cut: Bools) -> tuple[list[tuple[JudgedJob, ...]], Longs]:
        """Judgements of the rows that differ, and which of them every row has."""
        rows = np.concatenate([_rounded(peak), cut.astype(np.float64)], axis=1)
        if not rows.shape[1]:
            return [()], np.zeros(len(rows), dtype=np.int64)
        _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        judged = [self._judged(rows[row].tobytes(), peak[row], cut[row]) for row in first.tolist()]
        return judged, np.asarray(which.reshape(-1), dtype=np.int64)

    def _judged(self, key: bytes, peak: Floats, cut: Bools) -> tuple[JudgedJob, ...]:
        if key not in self.seen:
            self.seen[key] = self._judge(
                dict(zip(self.keys, zip(peak.tolist(), cut.tolist(), strict=True), strict=True))
            )
        return self.seen[key]

    def _judge(self, met: dict[Key, tuple[float, bool]]) -> tuple[JudgedJob, ...]:
        routes = []
        for phase in self.phases:
            mine = {job for job, steady in phase.jobs if met[phase.fabric, phase.phase, job, steady][1]}
            routes.append(replace(phase.intact, jobs_cut=tuple(sorted(mine))))

        def peak(route: PhaseRoute, job: str) -> tuple[float, str]:
            return met[route.fabric, route.phase, job, False][0], ""

        times = {time.id: time for time in job_times(self.traffic, routes, peak=peak)}
        return tuple(self._job(workload, times.get(workload.id), routes, met) for workload in self.jobs)

    def _job(
        self,
        workload: WorkloadTraffic,
        time: JobTime | None,
        routes: Sequence[PhaseRoute],
        met: dict[Key, tuple[float, bool]],
    ) -> JudgedJob:
        timed = [
            phase
            for phase in (time.phases if time else ())
            if phase.fabric is not None and (phase.fabric, phase.name, workload.id, False) in met
        ]
        steady, finishes = 1.0, all(phase.predicted_s is not None for phase in timed)
        for route in routes:
            value = met.get((route.fabric, route.phase, workload.id, True))
            if value is not None:
                steady = max(steady, route.stretch_at(value[0]))
                finishes &= not value[1] and isfinite(value[0])
        has_step = time is not None and time.step_time_ideal_s is not None
        return JudgedJob(
            finishes=finishes,
            time=time,
            step_time_s=time.step_time_s if time is not None and has_step else None,
            seconds=() if has_step else tuple(inf if one.predicted_s is None else one.predicted_s for one in timed),
            steady_stretch=steady,
        )

    def states(
        self, peak: Floats, cut: Bools, intact: Sequence[JudgedJob]
    ) -> tuple[Ints, Floats, Floats, list[tuple[JudgedJob, ...]], Longs]:
        """State, step time and stretch of every job, shape (N, J) each; then judgements as ``unique`` gives them."""
        judged, which = self.unique(peak, cut)
        shape = (len(judged), len(self.jobs))
        state, step_s, stretch = np.zeros(shape, np.int32), np.full(shape, nan), np.ones(shape)
        for row, jobs in enumerate(judged):
            for at, (job, before) in enumerate(zip(jobs, intact, strict=True)):
                step_s[row, at] = nan if job.step_time_s is None else job.step_time_s
                stretch[row, at] = stretch_of(job, before)
                state[row, at] = STALLED if not job.finishes else SLOWED if stretch[row, at] > 1 + SAME else OK
        return state[which], step_s[which], stretch[which], judged, which

    def job_states(self, judged: Sequence[JudgedJob], intact: Sequence[JudgedJob]) -> tuple[JobState, ...]:
        """The jobs of one row."""
        state, step_s, stretch = [], [], []
        for job, before in zip(judged, intact, strict=True):
            stretch.append(stretch_of(job, before))
            state.append(STALLED if not job.finishes else SLOWED if stretch[-1] > 1 + SAME else OK)
            step_s.append(nan if job.step_time_s is None else job.step_time_s)
        return job_states([job.id for job in self.jobs], state, step_s, stretch)


def job_states(
    jobs: Sequence[str], state: Sequence[int], step_time_s: Sequence[float], stretch: Sequence[float]
) -> tuple[JobState, ...]:
    """Rows of figures as values."""
    return tuple(
        JobState(
            id=job,
            state=STATES[code],
            step_time_s=seconds if isfinite(seconds) and code != STALLED else None,
            stretch=factor if isfinite(factor) and code != STALLED else None,
        )
        for job, code, seconds, factor in zip(jobs, state, step_time_s, stretch, strict=True)
    )


def stretch_of(job: JudgedJob, intact: JudgedJob) -> float:
    """By how much longer a job takes than intact; infinite where it cannot finish.

    By its step where it has one, else by the phase that it stretches most; and by steady traffic.
    """
    if not job.finishes:
        return inf
    steady = job.steady_stretch / intact.steady_stretch if isfinite(intact.steady_stretch) else 1.0
    if job.step_time_s is not None:
        return max(job.step_time_s / intact.step_time_s if intact.step_time_s else 1.0, steady)
    pairs = zip(job.seconds, intact.seconds, strict=True)
    return max([1.0, steady, *(now / before for now, before in pairs if before and isfinite(before))])


def _rounded(peak: Floats) -> Floats:
    """To as many digits as say anything, so that rows that are equal but for rounding are one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where((peak > 0) & np.isfinite(peak), 10.0 ** (_DIGITS - np.ceil(np.log10(peak))), 1.0)
        return np.where(np.isfinite(peak), np.round(peak * scale) / scale, peak)
