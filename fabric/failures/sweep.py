"""``run_failures``: every case of a set, ranked by harm, with the worst of every link and the verdicts of limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from math import ceil, isfinite, isnan

from fabric.evaluation.limits import limit_name_and_text
from fabric.evaluation.time_limits import CANNOT_FINISH
from fabric.failures.case_limits import LimitTally
from fabric.failures.chunks import Ground, Sweep, Tally, chunks
from fabric.failures.enumerate import case_set
from fabric.failures.figures import STATES, CaseFigures
from fabric.failures.judge import job_states
from fabric.failures.links import worst_links
from fabric.failures.reacting import Detection, reaction_assumptions
from fabric.failures.reaction import EXPORTED
from fabric.failures.request import FailureRequest
from fabric.failures.result import Cause, FailureCase, FailureLimit, FailureResult
from fabric.output.numbers import finite
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.run import Run
from fabric.result import LimitVerdict
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.limit_schema import LimitSpec
from fabric.spread.run import StoppedError
from topologies.errors import ScenarioError
from topologies.units import format_seconds

Chunks = Callable[[Sweep], Iterator[tuple[int, int, Tally]]]
Watcher = Callable[[FailureResult], object]
_WATCH_S = 0.5  # between two looks at least


def run_failures(
    run: Run,
    request: FailureRequest = FailureRequest(),
    *,
    progress: Reporter = silent,
    chunks_of: Chunks = chunks,
    watch: Watcher | None = None,
) -> FailureResult:
    """Sweep the cases that are asked for, and those of the limits with ``when``.

    Ctrl-C gives what there is, marked partial.

    Parameters
    ----------
    run : Run
        The scenario as it is routed intact.
    chunks_of : callable
        All chunks of a sweep in their order, with their tallies, wherever they are computed.
    watch : callable, optional
        Takes what there is so far, marked partial, now and then while the sweep goes on.

    Raises
    ------
    FabricError
        For sets that are none.
    """
    began = time.perf_counter()
    ground = Ground.of(run, request)
    sweep = Sweep(ground, case_set(run, request), request)
    seen = None if watch is None else _now_and_then(sweep, watch)
    tally, stopped = _swept(sweep, progress, chunks_of, "failures", seen)
    limits: list[FailureLimit] = []
    for place, limit in enumerate(limits_of(run.loaded, run.request)):
        if limit.when is not None and not stopped:
            judged, stopped = judge_limit(limit_sweep(ground, limit), place, progress, chunks_of)
            limits.append(judged)
    result = _result(sweep, tally, tuple(limits))
    if request.expected and tally is not None and not stopped:
        from fabric.failures.losses import with_losses

        result = with_losses(result, sweep, tally, progress=progress)
    return replace(result, partial=stopped, seconds=time.perf_counter() - began)


def worst_case(ground: Ground, request: FailureRequest, progress: Reporter = silent) -> FailureCase | None:
    """The worst case of a set alone, without lists of links; None where the set has none.

    Raises
    ------
    FabricError
        For sets that are none.
    """
    sweep = Sweep(ground, case_set(ground.run, request), request)
    tally, _ = _swept(sweep, progress, chunks, "failures")
    if tally is None or not len(tally.figures):
        return None
    worst = tally.figures.take(tally.figures.by_harm()[:1])
    jobs = [job.id for job in ground.judge.jobs]
    return _case(sweep, worst, 0, jobs, Detection.of(ground.run, request, ground.phases))


def limit_sweep(ground: Ground, limit: LimitSpec) -> Sweep:
    """The cases of a limit with ``when``.

    Raises
    ------
    ScenarioError
        When no set is called so, at the limit; and as ``case_set``.
    """
    request = replace(ground.request, named=(limit.when or "",), sample=None)
    loaded = ground.run.loaded
    try:
        return Sweep(ground, case_set(ground.run, request), request, (limit,))
    except ScenarioError as error:
        if all(problem.where for problem in error.problems):
            raise
        place = loaded.scenario.limits.index(limit)
        raise loaded.locate(error.under("limits", place, "when")) from None


def judge_limit(
    sweep: Sweep, place: int, progress: Reporter = silent, chunks_of: Chunks = chunks
) -> tuple[FailureLimit, bool]:
    """A limit with ``when`` over its set, and whether that was stopped; ``place`` is that of the limit in its list."""
    (limit,) = sweep.limits
    tally, stopped = _swept(sweep, progress, chunks_of, f"limit {limit.when}")
    return _limit(sweep, place, limit, tally.limits[0] if tally else LimitTally(), stopped=stopped), stopped


def _now_and_then(sweep: Sweep, watch: Watcher) -> Callable[[Tally], None]:
    """Shows tallies to a watcher so seldom that the sweep does not wait for it."""
    due = 0.0

    def seen(tally: Tally) -> None:
        nonlocal due
        began = time.perf_counter()
        if began >= due:
            watch(replace(_result(sweep, tally, ()), partial=True))
            due = time.perf_counter() + max(_WATCH_S, 10 * (time.perf_counter() - began))

    return seen


def _swept(
    sweep: Sweep, progress: Reporter, chunks_of: Chunks, what: str, seen: Callable[[Tally], None] | None = None
) -> tuple[Tally | None, bool]:
    """All chunks merged, and whether they were stopped before the last."""
    began, whole = time.perf_counter(), None
    try:
        for _, last, tally in chunks_of(sweep):
            whole = tally if whole is None else whole.merged(tally, sweep.keep)
            spent = time.perf_counter() - began
            left = spent / last * (sweep.units - last)
            progress(Progress(f"{what}: {whole.cases:,} of {sweep.total:,} cases, {format_seconds(left)} left"))
            if seen is not None and last < sweep.units:
                seen(whole)
    except (KeyboardInterrupt, StoppedError):
        return whole, True
    return whole, False


def _result(sweep: Sweep, tally: Tally | None, limits: tuple[FailureLimit, ...]) -> FailureResult:
    ground, request = sweep.ground, sweep.ground.request
    jobs = [job.id for job in ground.judge.jobs]
    intact = ground.judge.job_states(ground.intact_jobs, ground.intact_jobs)
    detection = Detection.of(ground.run, request, ground.phases)
    cause = lru_cache(maxsize=None)(lambda number: _names(sweep, number))
    kinds = tuple(dict.fromkeys(part.kind for part in sweep.cases.parts))
    empty = FailureResult(
        set=sweep.cases.name,
        kinds=kinds,
        choose=sweep.cases.choose,
        total=sweep.cases.total,
        cases=0,
        evaluated=0,
        reaction=request.reaction,
        dialect=request.dialect if request.reaction == EXPORTED else "",
        detection_s=None if detection is None else detection.seconds,
        failures=(),
        links=(),
        limits=limits,
        intact=intact,
        intact_max_utilisation=max((float(each.max_utilisation[0]) for each in ground.intact), default=None),
        assumptions=(*ground.run.result.assumptions, *reaction_assumptions(request, detection)),
        warnings=ground.run.result.warnings,
        request=replace(request, route=ground.run.request),
    )
    if tally is None:
        return empty
    every = sweep.written_out(tally.figures)
    figures = every.take(every.by_harm())
    return replace(
        empty,
        cases=tally.cases,
        evaluated=tally.evaluated,
        failures=tuple(_case(sweep, figures, row, jobs, detection) for row in range(len(figures))),
        links=worst_links(
            ground.phases,
            sweep.over_orbits(tally.worst),
            lambda number, value: Cause(case_id(number), cause(number), value),
        ),
        by_state=dict(zip(STATES, tally.by_state.tolist(), strict=True)),
        cut_off=tally.cut_off,
        over_capacity=tally.over_capacity,
    )


def case_id(number: int) -> str:
    """Of a case in its set, from 1.

    >>> case_id(16)
    'F00017'
    """
    return f"F{number + 1:05d}"


def _names(sweep: Sweep, number: int) -> tuple[str, ...]:
    return tuple(sweep.names[part] for part in sweep.parts_of(number))


def _case(
    sweep: Sweep, figures: CaseFigures, row: int, jobs: Sequence[str], detection: Detection | None
) -> FailureCase:
    number = int(figures.number[row])
    parts = [sweep.cases.parts[part] for part in sweep.parts_of(number)]
    at = int(figures.phase[row])
    phase = sweep.ground.phases[at] if at >= 0 else None
    return FailureCase(
        id=case_id(number),
        parts=_names(sweep, number),
        kinds=tuple(part.kind for part in parts),
        count=ceil(figures.count[row]),
        fabric=phase.fabric if phase else "",
        max_utilisation=finite(float(figures.max_utilisation[row])),
        hottest_link=phase.topology.link_name(int(figures.hottest[row])) if phase else "",
        links_over_capacity=int(figures.links_over_capacity[row]),
        unreachable_pairs=int(figures.unreachable_pairs[row]),
        gpus_cut_off=int(figures.gpus_cut_off[row]),
        jobs=job_states(
            jobs, figures.state[row].tolist(), figures.step_time_s[row].tolist(), figures.stretch[row].tolist()
        ),
        selectors=tuple(dict.fromkeys(text for part in parts for text in part.selectors)),
        slowed=tuple(dict.fromkeys(text for part in parts for text in part.slow_selectors)),
        hits=() if detection is None else detection.hits(parts, row),
        best_utilisation=finite(float(figures.bound[row])) if phase else None,
        roles=tuple(part.role for part in parts),
    )


def _limit(sweep: Sweep, place: int, limit: LimitSpec, tally: LimitTally, *, stopped: bool) -> FailureLimit:
    """The verdict of a limit over its set."""
    name, text = limit_name_and_text(place, limit)
    measured = tally.case >= 0
    holds = None if not measured or (stopped and not tally.broken) else tally.broken == 0
    parts = _names(sweep, tally.case) if measured else ()
    return FailureLimit(
        verdict=LimitVerdict(
            id=name,
            text=text,
            metric=limit.metric,
            value=tally.value if isfinite(tally.value) else None,
            max=limit.max,
            unit=limit.unit,
            ok=holds,
            detail=_detail(tally, parts, stopped=stopped),
            at=limit.at,
        ),
        when=limit.when or "",
        case=case_id(tally.case) if measured else "",
        parts=parts,
        broken=tally.broken,
        cases=tally.cases,
    )


def _detail(tally: LimitTally, parts: Sequence[str], *, stopped: bool) -> str:
    """Which case decides a limit, in words."""
    more = ", stopped before the last" if stopped else ""
    if isnan(tally.value):
        return f"nothing of it is measured{more}"
    never = "" if isfinite(tally.value) else f"{CANNOT_FINISH}; "
    cases = f"of {tally.cases:,} case{'' if tally.cases == 1 else 's'}{more}"
    broken = f"broken in {tally.broken:,} {cases}" if tally.broken else f"worst {cases}"
    return f"{never}{' + '.join(parts)} down: {broken}"
