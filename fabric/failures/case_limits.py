"""Limits with ``when``: measured in every case of their set, with the case that breaks each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan

import numpy as np

from fabric.evaluation.limits import SLOWDOWN, link_statistic
from fabric.failures.cases import Damage
from fabric.failures.engine import Outcomes, PhaseEngine, SweepPhase
from fabric.failures.judge import Judge, JudgedJob
from fabric.routing.utilisation import SAME, over_capacity
from fabric.scenario.limit_schema import LimitSpec
from topologies.columns import Bools, Floats, Longs


@dataclass(frozen=True)
class LimitTally:
    """How a limit does in cases: in how many it does not hold, the worst value, and the first case that has it."""

    cases: int = 0
    broken: int = 0
    value: float = nan  # infinite where something cannot finish; nan where nothing is measured
    case: int = -1

    def merged(self, other: LimitTally) -> LimitTally:
        """With further cases."""
        worse = isnan(self.value) or other.value > self.value * (1 + SAME)
        value, case = (other.value, other.case) if worse else (self.value, self.case)
        return LimitTally(self.cases + other.cases, self.broken + other.broken, value, case)


@dataclass(frozen=True, eq=False)
class MeasuredCases:
    """Cases as they were routed, phase by phase, and judged."""

    number: Longs  # shape (N,)
    count: Floats  # equal cases that each stands for
    outcomes: tuple[Outcomes, ...]  # one per phase
    engines: tuple[PhaseEngine, ...]  # that were asked; pairs have the first failure done
    damage: Mapping[str, Damage]  # by fabric, on top of what the engines have done
    judged: Sequence[tuple[JudgedJob, ...]]
    which: Longs  # shape (N,), entry of ``judged``


def tally(limit: LimitSpec, phases: Sequence[SweepPhase], judge: Judge, cases: MeasuredCases) -> LimitTally:
    """A limit in these cases."""
    mine = [at for at, phase in enumerate(phases) if phase.fabric == limit.fabric]
    if limit.workload is None and not mine:
        return LimitTally(round(float(cases.count.sum())))
    values = _values(limit, mine, judge, cases)
    return _over_links(limit, phases, mine, cases) if values is None else _counted(limit, cases, values)


def needs_loads(limit: LimitSpec) -> bool:
    """Whether a limit is about some links, or another figure than the highest, so that it takes all loads of a case."""
    if limit.workload is not None or limit.metric == "unreachable_pairs":
        return False
    return limit.tier is not None or (limit.metric != "links_over_capacity" and limit.stat != "max")


def holds(limit: LimitSpec, phases: Sequence[SweepPhase], judge: Judge, cases: MeasuredCases) -> Bools:
    """Whether a limit holds, or measures nothing, in each of these cases, shape (N,).

    A statistic over some links that does not hold intact is taken not to hold with more of the fabric down either.
    """
    mine = [at for at, phase in enumerate(phases) if phase.fabric == limit.fabric]
    if limit.workload is None and not mine:
        return np.ones(len(cases.number), dtype=np.bool_)
    values = _values(limit, mine, judge, cases)
    most = limit.max * (1 + SAME)
    if values is not None:
        return np.asarray(~(values > most))
    chosen, ceiling, measure = _link_measure(limit, phases, mine, cases)
    kept = ceiling <= most
    if max(measure(phases[at].intact.utilisation[chosen]) for at in mine) > most:
        return kept
    for row in np.flatnonzero(~kept).tolist():
        kept[row] = _value_over_links(limit, mine, cases, row, chosen, measure) <= most
    return kept


def _values(limit: LimitSpec, mine: Sequence[int], judge: Judge, cases: MeasuredCases) -> Floats | None:
    """What a limit measures in every case; None where that takes all loads of its fabric."""
    if limit.workload is not None:
        return _of_job(limit, judge, cases)
    if limit.metric == "unreachable_pairs":
        return np.asarray(_over(cases, mine, "unreachable_pairs").sum(axis=0))
    if limit.metric == "links_over_capacity" and limit.tier is None:
        return np.asarray(_over(cases, mine, "links_over_capacity").max(axis=0))
    if limit.metric != "links_over_capacity" and limit.tier is None and limit.stat == "max":
        return np.asarray(_over(cases, mine, "max_utilisation").max(axis=0))
    return None


def _over(cases: MeasuredCases, phases: Sequence[int], name: str) -> Floats:
    """A figure of some phases, shape (phases, N)."""
    return np.array([getattr(cases.outcomes[at], name) for at in phases], dtype=np.float64)


def _counted(limit: LimitSpec, cases: MeasuredCases, values: Floats) -> LimitTally:
    """From the value of every case; nan where none is measured."""
    known = ~np.isnan(values)
    if not known.any():
        return LimitTally(round(float(cases.count.sum())))
    broken = values > limit.max * (1 + SAME)
    worst = int(np.argmax(np.where(known, values, -1.0) >= np.max(values[known]) * (1 - SAME)))
    return LimitTally(
        round(float(cases.count.sum())),
        round(float(cases.count[broken].sum())),
        float(values[worst]),
        int(cases.number[worst]),
    )


def _of_job(limit: LimitSpec, judge: Judge, cases: MeasuredCases) -> Floats:
    """What a job comes to in every case."""
    at = next((place for place, job in enumerate(judge.jobs) if job.id == limit.workload), None)
    if at is None:
        return np.full(len(cases.number), nan)
    return np.array([_job_value(limit, jobs[at]) for jobs in cases.judged])[cases.which]


def _job_value(limit: LimitSpec, job: JudgedJob) -> float:
    if job.time is None or limit.metric == SLOWDOWN:
        return nan
    if limit.metric == "memory_per_gpu":
        return nan if job.time.memory is None else job.time.memory.total
    if limit.metric == "checkpoint_time":
        writes = any(phase.name == "checkpoint" for phase in job.time.phases)
        return nan if not writes else inf if job.time.checkpoint_time_s is None else job.time.checkpoint_time_s
    has_step = job.time.step_time_ideal_s is not None
    return nan if not has_step else inf if job.step_time_s is None else job.step_time_s


def _over_links(
    limit: LimitSpec, phases: Sequence[SweepPhase], mine: Sequence[int], cases: MeasuredCases
) -> LimitTally:
    """A statistic over the links of a tier, from all loads of the cases that may break it or be the worst.

    No statistic is above the fullest link of all, so that cases are looked at from the fullest on, until neither the
    limit nor the worst value so far can be passed.
    """
    chosen, ceiling, measure = _link_measure(limit, phases, mine, cases)
    broken, worst, at_case = 0.0, nan, -1
    for row in np.argsort(-ceiling, kind="stable").tolist():
        if not isnan(worst) and ceiling[row] <= worst and ceiling[row] <= limit.max * (1 + SAME):
            break
        value = _value_over_links(limit, mine, cases, row, chosen, measure)
        broken += float(cases.count[row]) if value > limit.max * (1 + SAME) else 0.0
        number = int(cases.number[row])
        if isnan(worst) or value > worst * (1 + SAME) or (value >= worst * (1 - SAME) and number < at_case):
            worst, at_case = value, number
    return LimitTally(round(float(cases.count.sum())), round(broken), worst, at_case)


def _link_measure(
    limit: LimitSpec, phases: Sequence[SweepPhase], mine: Sequence[int], cases: MeasuredCases
) -> tuple[Bools, Floats, Callable[[Floats], float]]:
    """The links that a limit is about, what no case's value is above, and the statistic."""
    topology = phases[mine[0]].topology
    chosen = topology.up if limit.tier is None else topology.links.tier == topology.tiers.index(limit.tier)
    if limit.metric == "links_over_capacity":
        ceiling = _over(cases, mine, "links_over_capacity").max(axis=0)
        return chosen & topology.up, ceiling, lambda values: float(over_capacity(values).sum())
    ceiling = _over(cases, mine, "max_utilisation").max(axis=0)
    return chosen & topology.up, ceiling, lambda values: link_statistic(values, limit.stat)


def _value_over_links(
    limit: LimitSpec,
    mine: Sequence[int],
    cases: MeasuredCases,
    row: int,
    chosen: Bools,
    measure: Callable[[Floats], float],
) -> float:
    """A statistic over links that are up in one case."""
    damage = cases.damage[limit.fabric or ""]
    alive = chosen.copy()
    alive[damage.of(row)[0]] = False
    return max(measure(cases.engines[at].utilisation(damage, row)[alive]) for at in mine)
