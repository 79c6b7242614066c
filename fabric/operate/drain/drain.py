"""``plan_drain``: works put into windows so that every state keeps the limits, at the least cost to the jobs."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.evaluation.severity import worst_phase
from fabric.operate.drain.looks import Looks, new_faults
from fabric.operate.drain.partition import Rules, cost_of, members
from fabric.operate.drain.planner import DrainRequest, Planner
from fabric.operate.drain.result import DrainResult, Window
from fabric.operate.drain.states import States
from fabric.operate.drain.work import Work
from fabric.pipeline.run import Run
from fabric.routing.progress import Reporter, silent
from topologies.errors import ScenarioError

_LOOKS = 20  # plans that are looked at closely until no window breaks what only that shows


def plan_drain(
    run: Run, works: tuple[Work, ...], request: DrainRequest = DrainRequest(), *, progress: Reporter = silent
) -> DrainResult:
    """Windows for some works, each state routed.

    Parameters
    ----------
    run : Run
        The scenario as it is routed before the work.

    Raises
    ------
    ScenarioError
        When the works do not fit into the windows (FP3122), or wait for each other (FP3123).
    """
    states, looks = States(run, works, progress), Looks(run, works, request.failures, progress)
    planner = Planner(states, checked_rules(works, request), request)
    division = planner.search()
    for _ in range(_LOOKS):
        if not _learned(planner, looks, division):
            break
        division = planner.search()
    ordered = _in_order(planner, division)
    residual = planner.by_residual(planner.request.windows or len(ordered))  # it uses all there are
    windows = tuple(_window(planner, looks, number, each) for number, each in enumerate(ordered, 1))
    return DrainResult(
        loaded=run.loaded,
        windows=windows,
        lost=sum(window.lost for window in windows),
        unit=states.unit,
        exact=planner.exact or planner.is_free(ordered),
        states=len(states.known),
        residual=None if residual is None else planner.other(residual, len(residual)),
        other=tuple(planner.other(each, number) for number, each in sorted(planner.found.items())),
        max_utilisation=run.result.max_utilisation or 0.0,
        not_kept=(*states.not_kept, *looks.not_kept),
        notes=(*looks.notes, *_drawn(run)),
    )


def _drawn(run: Run) -> tuple[str, ...]:
    """That costs are those of one draw of the hash, where there are several."""
    hashed = {route.router for route in run.result.routes if route.draws is not None}
    if not hashed:
        return ()
    return (
        f"router {', '.join(sorted(hashed))} hashes: windows are compared in the one draw that the result shows, and "
        "another draw may prefer another plan; --router ecmp compares the mean",
    )


def checked_rules(works: Sequence[Work], request: DrainRequest) -> Rules:
    """What divisions have to keep.

    Raises
    ------
    ScenarioError
        As ``plan_drain``.
    """
    before = tuple(sum(1 << place for place in dict.fromkeys(work.after)) for work in works)
    rules = Rules(len(works), before, min(request.at_most or len(works), len(works)))
    try:
        least = rules.least_windows
    except ValueError as error:
        name = works[error.args[0]].name
        raise ScenarioError(
            f"{name} waits, through others or itself, for itself",
            hint="take one of the after: out of the circle",
            code="FP3123",
        ) from None
    if request.windows is not None and request.windows < least:
        raise ScenarioError(
            f"{len(works):,} works do not fit into {request.windows:,} windows",
            hint=f"allow {least:,} windows at least, or more works at once",
            code="FP3122",
        )
    return rules


def _learned(planner: Planner, looks: Looks, division: Sequence[int]) -> bool:
    """Look at the windows of a division, and forbid those that break what their quick figures did not show."""
    learned = False
    for each, state in zip(division, planner.states.of(list(division)), strict=True):
        for text in new_faults(looks.at(each), state.broken):
            planner.states.forbid(each, text)
            learned = True
    return learned


def _in_order(planner: Planner, division: Sequence[int]) -> list[int]:
    """The windows from the cheapest on, so that what goes wrong at first goes wrong where it hurts least."""
    left, done, ordered = list(division), 0, list[int]()
    while left:
        ready = [each for each in left if not any(planner.rules.before[place] & ~done for place in members(each))]
        cheapest = min(ready, key=lambda each: (cost_of([each], planner.price), each))
        left.remove(cheapest)
        ordered.append(cheapest)
        done |= cheapest
    return ordered


def _window(planner: Planner, looks: Looks, number: int, works: int) -> Window:
    state, look = planner.states.of([works])[0], looks.at(works)
    result = look.run.result
    worst = worst_phase(result.routes)
    return Window(
        number=number,
        works=tuple(planner.states.works[place].name for place in members(works)),
        selectors=looks.selectors(works),
        hours=planner.hours(works),
        lost=state.lost * planner.hours(works),
        broken=state.broken,
        max_utilisation=result.max_utilisation or 0.0,
        hottest_link=worst.hottest_link if worst is not None else "",
        gpus_cut_off=state.gpus_cut_off,
        jobs=result.jobs,
        limits=result.limits,
        worst_failure=look.worst_failure,
    )
