"""More or less traffic than planned: all demand scaled, steps that take longer or shorter, steady streams.

A scale is routed anew until the mean is what was measured, and offered only where one is found: a job that
communicates without a pause has the same mean whatever it sends. What it can do is pause, or run slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fabric.operate.forecast import LinkForecast, step_times
from fabric.operate.load_check.plan_change import Case, PlanChange
from fabric.operate.load_check.result import Explanation
from topologies.columns import Bools, Floats

_TRIES = 4  # plans that are routed in search of a scale
_NEAR = 0.01  # of the mean: what a scale may leave
_STOPPED = 0.02


def demand_causes(case: Case) -> Iterator[Explanation]:
    """All demand scaled, and each job of several at another pace."""
    yield from _scaled(case)
    steady = np.array([part.steady for part in case.plan.parts], dtype=np.bool_)
    jobs = np.array([part.job for part in case.plan.parts], dtype=np.str_)
    names = list(dict.fromkeys(jobs[~steady].tolist()))
    if names:
        yield from _paced(case, ~steady, names)
    for name in names if len(names) > 1 else ():
        yield from _paced(case, ~steady & (jobs == name), [name])
    for name in dict.fromkeys(jobs[steady].tolist()) if len(case.plan.jobs) > 1 else ():
        yield from _streamed(case, steady & (jobs == name), name)


def _factor(case: Case, own: Floats) -> float | None:
    """Least squares factor on a part of the mean, the rest as planned; None where nothing of it is measured."""
    known = case.rates.known
    mine = own[known]
    if not (mine > 0).any():
        return None
    rest = case.rates.gbps[known] - (case.plan.part_gbps.sum(axis=0)[known] - mine)
    return max(float((rest @ mine) / (mine @ mine)), 0.0)


def _scaled(case: Case) -> Iterator[Explanation]:
    """The scale whose plan, routed anew, has the mean that was measured.

    The time of a step, which is scale over mean, is close to linear in the scale: two plans give the next scale.
    """
    known = case.rates.known
    measured, mean = case.rates.gbps[known], case.plan.mean_gbps[known]
    if not (mean > 0).any() or not (wanted := float((measured @ mean) / (mean @ mean))) > _STOPPED:
        return
    times, before = wanted, (1.0, 1.0)  # scale, and time of a step of it over the planned one
    given = case.run.loaded.scenario.scale
    for _ in range(_TRIES):
        times = float(f"{times:.3g}")
        sets = f"scale={given * times:.6g}"
        other = case.change(PlanChange(sets=(sets,)))
        if other is None or not (there := other.mean_gbps[known]).any():
            return
        left = float((measured @ there) / (there @ there))
        if abs(left - 1) < _NEAR:
            yield Explanation(
                "demand", f"all demand is {times:.3g} times what is planned", case.fit(other), f"--set {sets}"
            )
            return
        now = (times, times * left / wanted)
        if times == before[0]:
            return
        slope = (now[1] - before[1]) / (now[0] - before[0])
        rest = now[1] - slope * now[0]
        before = now
        # no time of a step is left that does not grow with the scale: no scale has this mean
        if rest <= _NEAR * now[1] or slope * wanted >= 1 - _NEAR:
            return
        times = min(max(wanted * rest / (1 - slope * wanted), 1e-3), 1e3)


def _paced(case: Case, mine: Bools, jobs: Sequence[str]) -> Iterator[Explanation]:
    """Steps that take longer: the same bytes in more time. Shorter ones only where jobs have time left to save."""
    factor = _factor(case, case.plan.part_gbps[mine].sum(axis=0))
    if factor is None or (factor > 1 and not _can_hurry(case, jobs, factor)):
        return
    all_of = jobs[0] if len(jobs) == 1 else "every job"
    if factor < _STOPPED:
        words = f"{all_of} does not run"
    elif factor < 1:
        words = f"steps of {all_of} take {1 / factor:.3g} times as long, or it pauses"
    else:
        words = f"steps of {all_of} take {1 / factor:.3g} times as long: less time without communication"
    yield Explanation("pace", words, case.fit(_with_factor(case.plan, mine, factor)))


def _can_hurry(case: Case, jobs: Sequence[str], factor: float) -> bool:
    """Whether all communication of every job fits in that part of its step."""
    times = step_times(case.run)
    for name in jobs:
        job = times.get(name)
        if job is None or job.compute_s is None or not job.step_time_s:
            return False
        busy_s = sum(phase.predicted_s or 0.0 for phase in job.phases if phase.in_step)
        if job.step_time_s / factor < busy_s:
            return False
    return True


def _streamed(case: Case, mine: Bools, job: str) -> Iterator[Explanation]:
    """Steady traffic of one job at another rate."""
    factor = _factor(case, case.plan.part_gbps[mine].sum(axis=0))
    if factor is not None:
        words = (
            f"{job} does not run" if factor < _STOPPED else f"{job} sends {factor:.3g} times its planned steady rate"
        )
        yield Explanation("demand", words, case.fit(_with_factor(case.plan, mine, factor)))


def _with_factor(plan: LinkForecast, mine: Bools, factor: float) -> LinkForecast:
    """The plan with some parts of its mean times a factor; bands of links go with their mean."""
    whole = plan.part_gbps.sum(axis=0)
    parts = plan.part_gbps * np.where(mine, factor, 1.0)[:, None]
    capacity = plan.topology.capacity_gbps
    ratio = np.divide(parts.sum(axis=0), whole, out=np.ones(len(whole)), where=whole > 0)
    now_and_then = plan.high_gbps - np.minimum(plan.widest_gbps, capacity)
    widest = plan.widest_gbps * ratio
    return replace(
        plan, part_gbps=parts, widest_gbps=widest,
        mean_gbps=np.minimum(parts.sum(axis=0), capacity), low_gbps=plan.low_gbps * ratio,
        high_gbps=np.minimum(widest + now_and_then, capacity),
    )  # fmt: skip
