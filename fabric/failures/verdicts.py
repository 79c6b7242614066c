"""Limits with ``when`` in every run: decided where their cases are few, else said to be open, with how many there are.

A run is judged so before any face sees it, so that none shows a limit open that another shows decided.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fabric.evaluation.limits import FAILURES_DECIDE
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.run import Run
from fabric.result import LimitVerdict
from fabric.routing.progress import Reporter, silent
from topologies.errors import ScenarioError

if TYPE_CHECKING:
    from fabric.failures.chunks import Sweep

NOTHING_LEFT = "FP3110"  # of a set whose parts are all down before anything fails
MOST_UNASKED = 20_000_000  # links and demand rows that cases may make an answer look at: about a second
_PLAIN = 20  # times as much where cases are routed from scratch: paths are searched and demand is prepared again


def decided(run: Run, progress: Reporter = silent) -> Run:
    """The run with its limits in failure cases judged, where that is little work; a saved run as it was saved.

    Raises
    ------
    ScenarioError
        When a limit's ``when`` names nothing.
    """
    limits = limits_of(run.loaded, run.request)
    if run.saved or not run.result.routes or all(limit.when is None for limit in limits):
        return run
    from fabric.failures.chunks import Ground
    from fabric.failures.request import FailureRequest
    from fabric.failures.sweep import limit_sweep

    ground = Ground.of(run, FailureRequest(route=run.request, expected=False))
    verdicts = list(run.result.limits)
    for place, limit in enumerate(limits):
        if limit.when is None:
            continue
        try:
            sweep = limit_sweep(ground, limit)
        except ScenarioError as error:
            if any(problem.code != NOTHING_LEFT for problem in error.problems):
                raise
            verdicts[place] = replace(verdicts[place], detail=error.problems[0].message)
            continue
        verdicts[place] = _verdict(sweep, place, verdicts[place], progress)
    return replace(run, result=replace(run.result, limits=tuple(verdicts)))


def _verdict(sweep: Sweep, place: int, still_open: LimitVerdict, progress: Reporter) -> LimitVerdict:
    if work_of(sweep) > MOST_UNASKED:
        return replace(still_open, detail=f"{sweep.total:,} cases; {FAILURES_DECIDE} {sweep.limits[0].when}")
    from fabric.failures.sweep import judge_limit

    judged, stopped = judge_limit(sweep, place, progress)
    if stopped:
        raise KeyboardInterrupt
    return judged.verdict


def work_of(sweep: Sweep) -> int:
    """How much the cases of a sweep look at: links and rows of demand of the phases on fabrics that they touch.

    Counted, not measured, so that the same scenario always gives the same answer.
    """
    from fabric.failures.optimum import OptimalEngine
    from fabric.failures.plain import PlainEngine

    anew, work = (PlainEngine, OptimalEngine), 0
    for engine in sweep.ground.engines:
        phase = engine.phase
        touched = int(sweep.damage[phase.fabric].any.sum())
        if not touched:
            continue
        cases = sweep.total if sweep.are_pairs else touched
        rows = sum(len(flows.src) for flows in phase.demands.flows)
        work += cases * (len(phase.topology.links) + rows) * (_PLAIN if isinstance(engine.made, anew) else 1)
    return work
