"""The least step time of designs that hold, where that is what is to be least.

Nothing is known of a step before it is routed, so that it is the designs at full bandwidth that are routed, one of
every family, besides the cheapest; what is cheaper within 0.1 % of the fastest is then looked for as under a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fabric.design.choose import Ranked
from fabric.design.judge import Judged
from fabric.design.least_times import least_times
from fabric.design.objective import STEP_TIME, Objective
from fabric.design.plan import Plan
from topologies.units import percent

SAME_STEP = 1e-3  # relative: designs that are as fast
FASTEST = (
    f"step_time is the sum over jobs, of the designs that were routed: of every family the cheapest, and the cheapest "
    f"at full bandwidth; of those within {percent(SAME_STEP)} of the fastest the next measure decides; the bound is "
    "compute, and transfers at the line rate of the NICs"
)


def is_timed(objective: Objective) -> bool:
    """Whether the step time is to be least before anything else."""
    return objective.order[0][0][0] == STEP_TIME


def step_s(judged: Judged) -> float | None:
    """Step time of all jobs together; None where no job has a step."""
    times = judged.step_time_s
    return sum(times.values()) if times else None


def least_step_s(judged: Judged) -> float:
    """What no network is below."""
    times = {} if judged.run is None else least_times(judged.run)
    return sum(seconds for (_, metric), seconds in times.items() if metric == "step_time")


def choose_fastest(plan: Plan, firsts: Mapping[str, Sequence[tuple[Ranked, str]]]) -> None:
    """Take the fastest design of every fabric, and make its step time a limit of the plan.

    Raises
    ------
    ScenarioError
        When no job has a step (FP2122).
    """
    for name, need in plan.needs.items():
        full = plan.fullest(need, firsts[name][0][1])
        plan.chosen[name] = full or firsts[name][0][0]
    least: float | None = None
    for name in plan.needs:
        best: tuple[float, float] | None = None
        for ranked in _candidates(plan, name, firsts[name]):
            judged = plan.trial(name, ranked.counted)
            if plan.impossible:
                return
            seconds = step_s(judged)
            if any(name in breach.fabrics for breach in judged.breaches):
                continue
            if seconds is None:
                raise plan.requirement.located(
                    "no job has a step, so that no design has a step_time", ("objective",),
                    "write objective: cost, or add a job with a step, such as kind: training",
                )  # fmt: skip
            if best is None or (seconds, ranked.value) < best:
                best, least, plan.chosen[name] = (seconds, ranked.value), seconds, ranked
    if least is not None:
        plan.most_step_s = least * (1 + SAME_STEP)


def _candidates(plan: Plan, name: str, firsts: Sequence[tuple[Ranked, str]]) -> Iterator[Ranked]:
    """The cheapest of every family, and the cheapest at full bandwidth."""
    for first, family in firsts:
        full = plan.fullest(plan.needs[name], family)
        yield first
        if full is not None and full is not first:
            yield full
