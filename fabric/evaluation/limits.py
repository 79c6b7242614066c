"""Whether the scenario's limits hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.evaluation.jobs import CHECKPOINT
from fabric.evaluation.phases import job_peak
from fabric.evaluation.severity import by_severity
from fabric.evaluation.time_limits import CANNOT_FINISH, Peak, judge_time_limits, missing_phases
from fabric.result import JobTime, LimitVerdict, PhaseRoute
from fabric.routing.utilisation import SAME, highest, over_capacity
from fabric.scenario.limit_schema import LimitSpec
from topologies.errors import Problem, ScenarioError, nearest_hint
from topologies.units import format_bytes, format_seconds, percent, precise_percent, precise_seconds
from traffic.workload import WorkloadTraffic

FAILURES_DECIDE = "fabric failures decides it over all cases of"
SLOWDOWN = "slowdown"
INTERFERENCE_DECIDES = "fabric interference decides it"


def check_limits(
    limits: Sequence[LimitSpec],
    routes: Sequence[PhaseRoute],
    jobs: Sequence[JobTime],
    workloads: Sequence[WorkloadTraffic] = (),
    *,
    fabric: str | None = None,
    peak: Peak = job_peak,
) -> tuple[LimitVerdict, ...]:
    """Judge every limit over all routed phases; one with ``when`` (a failure case) is left undecided.

    Parameters
    ----------
    workloads : sequence of WorkloadTraffic
        The times that their own keys allow, such as a checkpoint's deadline, are judged after ``limits``.
    fabric : str, optional
        The only fabric that is routed: times allowed to phases on others are left out.
    peak : callable
        How full the fullest link of a job is in a routed phase.

    Raises
    ------
    ScenarioError
        When a limit names a tier its fabric does not have.
    """
    problems: list[Problem] = []
    verdicts: list[LimitVerdict] = []
    for index, limit in enumerate(limits):
        try:
            verdicts.append(_judge(index, limit, routes, jobs))
        except ScenarioError as error:
            problems += error.under("limits", index).problems
    if problems:
        raise ScenarioError(problems)
    return (*verdicts, *judge_time_limits(workloads, routes, jobs, peak=peak, fabric=fabric))


def limit_name_and_text(index: int, limit: LimitSpec) -> tuple[str, str]:
    """What the limit at a position is called, and what it measures, in words."""
    subject = limit.fabric or limit.workload or ""
    tier = f" {limit.tier}" if limit.tier else ""
    stat = f" {limit.stat}" if limit.unit == "ratio" and limit.fabric else ""
    at = "" if limit.percentile == 0.5 else f" at {limit.at}"
    when = "" if limit.when is None else f" when {limit.when}"
    return f"L{index + 1}", f"{subject}{tier} {limit.metric}{stat}{at}{when}"


def _judge(index: int, limit: LimitSpec, routes: Sequence[PhaseRoute], jobs: Sequence[JobTime]) -> LimitVerdict:
    name, text = limit_name_and_text(index, limit)
    if limit.when is not None:
        detail = f"{FAILURES_DECIDE} {limit.when}"
        return LimitVerdict(name, text, limit.metric, None, limit.max, limit.unit, None, detail, at=limit.at)
    if limit.metric == SLOWDOWN:
        return LimitVerdict(
            name, text, limit.metric, None, limit.max, limit.unit, None, INTERFERENCE_DECIDES, at=limit.at
        )
    value, detail = _on_fabric(limit, routes) if limit.fabric else _on_job(limit, jobs, routes)
    ok = None if value is None else bool(value <= limit.max * (1 + SAME))
    if detail == CANNOT_FINISH:
        ok = False
    return LimitVerdict(name, text, limit.metric, value, limit.max, limit.unit, ok, detail, at=limit.at)


def _on_job(limit: LimitSpec, jobs: Sequence[JobTime], routes: Sequence[PhaseRoute]) -> tuple[float | None, str]:
    job = next((job for job in jobs if job.id == limit.workload), None)
    if job is None:
        return None, f"{limit.workload} has no phases with a volume"
    routed = {(route.fabric, route.phase) for route in routes}
    if limit.metric == "memory_per_gpu":
        if job.memory is None:
            return None, f"{job.id} has no model whose memory is counted"
        return job.memory.total, f"stage {job.memory.stage}"
    if limit.metric == "checkpoint_time":
        if not any(phase.name == CHECKPOINT for phase in job.phases):
            return None, f"{job.id} writes no checkpoint"
        value, missing = job.checkpoint_time_s, missing_phases(job, routed, lambda name, _: name == CHECKPOINT)
    else:
        value, missing = job.step_time_s, missing_phases(job, routed, lambda _, in_step: in_step)
    return value, missing[0] if missing else "" if value is not None else CANNOT_FINISH


def _on_fabric(limit: LimitSpec, routes: Sequence[PhaseRoute]) -> tuple[float | None, str]:
    mine = by_severity([route for route in routes if route.fabric == limit.fabric])
    if not mine:
        return None, f"no traffic on {limit.fabric}"
    topology = mine[0].topology
    if limit.tier is not None and limit.tier not in topology.tiers:
        raise ScenarioError(
            f"{limit.fabric} has no tier {limit.tier!r}",
            where="tier",
            hint=nearest_hint(limit.tier, topology.tiers, "its tiers"),
            code="FP2105",
        )
    if limit.metric == "unreachable_pairs":
        return float(sum(route.unreachable_pairs for route in mine)), ""
    chosen = topology.up.copy()
    if limit.tier is not None:
        chosen &= topology.links.tier == topology.tiers.index(limit.tier)
    if limit.metric == "links_over_capacity":
        counts = [int(over_capacity(route.utilisation[chosen]).sum()) for route in mine]
        return float(max(counts)), f"in {mine[counts.index(max(counts))].phase}"
    values = np.array([link_statistic(route.utilisation[chosen], limit.stat) for route in mine])
    worst = mine[highest(values)]
    over = int((worst.utilisation[chosen] > limit.max * (1 + SAME)).sum())
    return float(values.max()), f"in {worst.phase}; {over:,} of {int(chosen.sum()):,} directed links above"


def link_statistic(values: np.ndarray, stat: str) -> float:
    """One figure of the utilisations of links, as a limit's ``stat`` says; 0 of none."""
    if not len(values):
        return 0.0
    if stat == "max":
        return float(values.max())
    if stat == "mean":
        return float(values.mean())
    return float(np.quantile(values, {"p50": 0.5, "p99": 0.99}[stat], method="inverted_cdf"))


def limit_text(value: float | None, unit: str) -> str:
    """A measured or allowed value for people."""
    if value is None:
        return "-"
    if unit == "ratio":
        return percent(value).replace(".0 %", " %")
    if unit == "bytes":
        return format_bytes(value)
    return format_seconds(value) if unit == "s" else f"{value:,.0f}"


def measured_text(limit: LimitVerdict) -> str:
    """The measured value, with as many digits as tell it from a limit that it misses."""
    text = limit_text(limit.value, limit.unit)
    if limit.ok is False and limit.value is not None and text == limit_text(limit.max, limit.unit):
        if limit.unit == "bytes":
            return f"{limit.value:,.0f} B"
        return precise_seconds(limit.value) if limit.unit == "s" else precise_percent(limit.value)
    return text
