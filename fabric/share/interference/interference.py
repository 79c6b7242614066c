"""Who slows whom: lanes of all jobs, pairs, groups, a newcomer's price, shifts and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.jobs import job_times
from fabric.evaluation.limits import INTERFERENCE_DECIDES, SLOWDOWN, limit_name_and_text, limit_text
from fabric.pipeline.run import Run
from fabric.result import LimitVerdict, PhaseRoute
from fabric.routing.progress import Progress, Reporter, silent
from fabric.routing.utilisation import SAME
from fabric.share.interference.groups import beside_all, fullest_beside, groups_of
from fabric.share.interference.lanes import Lane, lanes_of
from fabric.share.interference.pairs import PairFigures, pair_figures
from fabric.share.interference.result import (
    OTHERS,
    Admitted,
    Figures,
    Hurt,
    InterferenceResult,
    Sharing,
    SharingJob,
)
from fabric.share.interference.shared_rows import ColumnName, SharedRows, joined, shared_rows
from fabric.share.interference.shifts import find_all_shifts
from fabric.share.interference.worst import most_slowdown
from topologies.budget import counted
from topologies.errors import FabricError, Problem, ScenarioError, TrafficError, nearest_hint

Pairs = Mapping[tuple[str, str], PairFigures]


@dataclass(frozen=True)
class InterferenceRequest:
    """What is asked.

    ``admit`` is the job whose price is asked for, ``without`` are jobs that are left out of everything.
    """

    admit: str | None = None
    without: tuple[str, ...] = ()
    max_slowdown: float | None = None
    shifts: bool = True
    time_limit_s: float = 20.0


def interference(run: Run, request: InterferenceRequest, *, progress: Reporter = silent) -> InterferenceResult:
    """Slowdown of every job beside every other and all, what a newcomer costs, and shifts.

    Raises
    ------
    FabricError
        When a job is not there (FP9744), its period makes no sense (FP9740, FP9741), or it cannot finish (FP9742).
    """
    names = [workload.id for workload in run.traffic]
    for job in (*request.without, *((request.admit,) if request.admit else ())):
        _check_job(job, names)
    if request.admit in request.without:
        raise ScenarioError(
            f"{request.admit} is both admitted and left out", code="FP9744", hint="either --admit or --without"
        )
    jobs = [job for job in names if job not in request.without]
    if not jobs:
        raise ScenarioError(
            f"--without leaves out {', '.join(names)}: no job is left",
            code="FP9744",
            hint="leave out fewer; one job alone is slowed by nobody, two can slow each other",
        )
    progress(Progress("links that jobs share"))
    shared = shared_rows(run.result.routes, jobs)
    lanes = _lanes(run, jobs, shared)
    pairs = _pairs(jobs, lanes, shared, progress)
    progress(Progress(f"{counted(len(jobs), 'jobs')} side by side"))
    together, notes = _together(jobs, lanes, shared, pairs, run.loaded.scenario.seed)
    admitted: tuple[Admitted, ...] = ()
    if request.admit:
        admitted = _admitted(request.admit, jobs, lanes, shared, pairs, together, run.loaded.scenario.seed)
    shifts = None
    if request.shifts:
        progress(Progress("time shifts"))
        shifts = find_all_shifts(
            groups_of(jobs, joined(shared, jobs)), lanes, shared, [*shared.met], request.time_limit_s
        )
    slowdown, worst, best = (_matrix(jobs, pairs, name) for name in ("mean", "worst", "best"))
    most = {job: most_slowdown(job, lanes, shared) for job in jobs}
    together = {job: replace(one, most=max(most[job], one.worst)) for job, one in together.items()}
    others = tuple(_beside_others(job, together[job], lanes, pairs, shared) for job in jobs)
    return InterferenceResult(
        run.loaded,
        tuple(_job(run, job, lanes[job], shared) for job in jobs),
        slowdown,
        worst,
        best,
        _sharings(pairs, shared),
        others,
        shifts,
        _limits(run, {one.job: one.figures for one in others}),
        request.admit or "",
        admitted,
        request.max_slowdown,
        (*notes, *_notes(run, jobs, lanes)),
    )


def _check_job(job: str, names: Sequence[str]) -> None:
    if job not in names:
        raise ScenarioError(
            f"{job!r} is not the id of a workload", code="FP9744", hint=nearest_hint(job, names, "workloads")
        )


def _lanes(run: Run, jobs: Sequence[str], shared: SharedRows) -> dict[str, tuple[Lane, ...]]:
    """The lanes of every job; all problems of their periods at once."""

    def alone(route: PhaseRoute, job: str) -> tuple[float, str]:
        at = shared.columns.get(ColumnName(job, route.fabric, route.phase))
        return (0.0, "") if at is None else (1 / shared.figures[at].pace, shared.figures[at].link)

    times = {job.id: job for job in job_times(run.traffic, run.result.routes, peak=alone)}
    routes = {(route.fabric, route.phase): route for route in run.result.routes}
    found: dict[str, tuple[Lane, ...]] = {}
    problems: list[Problem] = []
    for index, (workload, spec) in enumerate(zip(run.traffic, run.loaded.scenario.workloads, strict=True)):
        if workload.id not in jobs:
            continue
        try:
            found[workload.id] = lanes_of(
                workload,
                times.get(workload.id),
                routes,
                shared,
                weight=spec.sharing.weight,
                period_s=spec.sharing.period,
            )
        except FabricError as error:
            problems += error.under("workloads", index).problems
    if problems:
        raise run.loaded.locate(TrafficError(problems))
    return found


def _pairs(
    jobs: Sequence[str], lanes: Mapping[str, Sequence[Lane]], shared: SharedRows, progress: Reporter
) -> dict[tuple[str, str], PairFigures]:
    """Pairs that can hold each other, by the order of jobs."""
    found = {}
    for number, (one, other) in enumerate(shared.met):
        if number % 100 == 0:
            progress(Progress(f"pairs of jobs: {number:,} of {len(shared.met):,}"))
        figures = pair_figures(lanes[one], lanes[other], shared)
        if figures is not None:
            found[one, other] = figures
    return found


def _together(
    jobs: Sequence[str], lanes: Mapping[str, Sequence[Lane]], shared: SharedRows, pairs: Pairs, seed: int
) -> tuple[dict[str, Figures], tuple[str, ...]]:
    """Every job beside all others."""
    found = {job: Figures() for job in jobs}
    notes: list[str] = []
    for group in groups_of(jobs, joined(shared, jobs)):
        if len(group) == 2:
            one, other = group if group in pairs else group[::-1]
            if (one, other) not in pairs:  # they hold each other only beside a third
                continue
            found[one], found[other] = pairs[one, other].first, pairs[one, other].second
            continue
        figures, said = beside_all(group, lanes, shared, np.random.default_rng(seed))
        found |= figures
        notes.append(f"{counted(len(group), 'jobs')} together: {said}")
    return found, tuple(dict.fromkeys(notes))


def _matrix(jobs: Sequence[str], pairs: Pairs, name: str) -> np.ndarray:
    place = {job: at for at, job in enumerate(jobs)}
    found = np.ones((len(jobs), len(jobs)))
    for (one, other), figures in pairs.items():
        found[place[one], place[other]] = getattr(figures.first, name)
        found[place[other], place[one]] = getattr(figures.second, name)
    return found


def _links(shared: SharedRows, one: str, other: str) -> int:
    return shared.met.get((one, other), 0) or shared.met.get((other, one), 0)


def _sharings(pairs: Pairs, shared: SharedRows) -> tuple[Sharing, ...]:
    """All ordered pairs that share links, the costliest first, then by name."""
    rows = []
    for one, other in shared.met:
        figures = pairs.get((one, other)) or PairFigures(Figures(), Figures(), Hurt(), Hurt())
        links = _links(shared, one, other)
        rows.append(Sharing(one, other, figures.first, figures.first_hurt, links))
        rows.append(Sharing(other, one, figures.second, figures.second_hurt, links))
    return tuple(sorted(rows, key=lambda row: (-round(row.figures.mean, 9), row.job, row.beside)))


def _worst_beside(job: str, pairs: Pairs) -> Hurt:
    """Where a job loses most beside any single other."""
    most, found = 1.0, Hurt()
    for (one, other), figures in pairs.items():
        for name, mine, hurt in (
            (one, figures.first, figures.first_hurt),
            (other, figures.second, figures.second_hurt),
        ):
            if name == job and mine.mean > most * (1 + SAME):
                most, found = mine.mean, hurt
    return found


def _beside_others(
    job: str, figures: Figures, lanes: Mapping[str, Sequence[Lane]], pairs: Pairs, shared: SharedRows
) -> Sharing:
    hurt = _worst_beside(job, pairs)
    if not hurt.link and figures.mean > 1 + SAME:
        hurt = fullest_beside(job, lanes, shared)
    return Sharing(job, OTHERS, figures, hurt, shared.crowded[job])


def _job(run: Run, job: str, lanes: Sequence[Lane], shared: SharedRows) -> SharingJob:
    kind = next(workload.kind for workload in run.traffic if workload.id == job)
    weight = next(spec.sharing.weight for spec in run.loaded.scenario.workloads if spec.id == job)
    step = next((lane for lane in lanes if lane.pieces), None)
    beside = tuple(one if other == job else other for one, other in shared.met if job in (one, other))
    wire = step.wire_s if step else None
    return SharingJob(job, kind, weight, step.period_s if step else None, wire, beside)


def _admitted(
    newcomer: str,
    jobs: Sequence[str],
    lanes: Mapping[str, Sequence[Lane]],
    shared: SharedRows,
    pairs: Pairs,
    together: Mapping[str, Figures],
    seed: int,
) -> tuple[Admitted, ...]:
    """What the newcomer costs every other job, the costliest first."""
    before = {pair: figures for pair, figures in pairs.items() if newcomer not in pair}
    rest = [job for job in jobs if job != newcomer]
    without, _ = _together(rest, lanes, shared, before, seed)
    rows = []
    for job in rest:
        hurt = Hurt()
        if (job, newcomer) in pairs:
            hurt = pairs[job, newcomer].first_hurt
        elif (newcomer, job) in pairs:
            hurt = pairs[newcomer, job].second_hurt
        error = float(np.hypot(without[job].error, together[job].error))
        rows.append(Admitted(job, without[job].mean, together[job].mean, hurt, error))
    return tuple(sorted(rows, key=lambda row: (-round(row.cost, 9), row.job)))


def _limits(run: Run, figures: Mapping[str, Figures]) -> tuple[LimitVerdict, ...]:
    """Limits of the scenario on slowdowns."""
    verdicts = []
    for index, limit in enumerate(run.loaded.scenario.limits):
        if limit.metric != SLOWDOWN:
            continue
        name, text = limit_name_and_text(index, limit)
        mine = figures.get(limit.workload or "")
        if mine is None:
            detail = f"{limit.workload} is left out; {INTERFERENCE_DECIDES}"
            verdicts.append(LimitVerdict(name, text, SLOWDOWN, None, limit.max, "ratio", None, detail, at=limit.at))
            continue
        value = mine.worst if limit.at == "p100" else mine.mean
        at = "p100" if limit.at == "p100" else "mean"
        detail = "beside all others"
        ok: bool | None = bool(value <= limit.max * (1 + SAME))
        if ok and at == "p100" and mine.most is not None and mine.most > limit.max * (1 + SAME):
            ok = None
            detail = f"worst seen; all that is proved is {limit_text(mine.most, 'ratio')} or less"
        verdicts.append(LimitVerdict(name, text, SLOWDOWN, value, limit.max, "ratio", ok, detail, at=at))
    return tuple(verdicts)


def _notes(run: Run, jobs: Sequence[str], lanes: Mapping[str, Sequence[Lane]]) -> list[str]:
    """What the figures leave out, in words."""
    notes = []
    drawn = sorted({route.fabric for route in run.result.routes if route.draws is not None})
    if drawn:
        notes.append(f"{', '.join(drawn)}: one draw of the hash, that of fabric route; --router ecmp takes their mean")
    spans = {workload.id: workload for workload in run.traffic}
    now_and_then = sorted(
        {
            f"{job} {phase.name}"
            for job in jobs
            for phase in spans[job].phases
            if not phase.every_step and not phase.steady
        }
    )
    if now_and_then:
        notes.append(f"not in every step, and left out: {', '.join(now_and_then)}")
    known = {job.id: job.compute_s for job in job_times(run.traffic, run.result.routes)}
    specs = {workload.id: spec for workload, spec in zip(run.traffic, run.loaded.scenario.workloads, strict=True)}
    stepping = [job for job in jobs if any(lane.pieces for lane in lanes[job])]
    bare = [job for job in stepping if not known.get(job) and specs[job].sharing.period is None]
    if bare:
        notes.append(
            f"{', '.join(bare)}: no compute time is known, so a step is its phases alone, one after the other without "
            "a pause; period: says how long one takes"
        )
    unused = [job for job in jobs if job not in stepping and specs[job].sharing.period is not None]
    if unused:
        notes.append(f"{', '.join(unused)}: period is that of a step, and has no effect: all its traffic is steady")
    return notes
