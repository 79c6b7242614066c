"""Tiers against what the jobs send: oversubscription that costs time, that costs nothing, and capacity never used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from fabric.pipeline.run import Run
from fabric.result import JobTime, PhaseRoute
from fabric.review.finding import Finding
from topologies.oversubscription import plural
from topologies.summary import TopologySummary, summarise
from topologies.topology import Topology
from topologies.units import format_bytes, format_seconds, percent, to_one

_OVER = 1 + 1e-6
_IDLE = 0.5  # a tier that is never fuller has capacity to spare
_SLOWER = 1.005  # a step that is this much longer than at line rate waits for the network


@dataclass(frozen=True)
class Fullest:
    """The fullest that a tier gets over all phases."""

    tier: str
    utilisation: float
    phase: str
    jobs: tuple[str, ...]


def fullest_of(run: Run, fabric: str) -> dict[str, Fullest]:
    """By tier of a fabric."""
    fullest: dict[str, Fullest] = {}
    for route in run.result.routes:
        if route.fabric != fabric:
            continue
        for tier in route.tiers:
            known = fullest.get(tier.tier)
            if known is None or tier.max > known.utilisation:
                fullest[tier.tier] = Fullest(tier.tier, tier.max, route.phase, _jobs(route))
    return fullest


def _jobs(route: PhaseRoute) -> tuple[str, ...]:
    return tuple(sorted({each.job for each in route.classes}))


def tier_findings(run: Run, fabric: str, topology: Topology) -> Iterator[Finding]:
    """Oversubscribed tiers that jobs feel or do not feel, and tiers that no job fills."""
    fullest = fullest_of(run, fabric)
    if not fullest:
        text = "no job sends anything over it: its tiers are not judged"
        yield Finding("note", "tiers", "jobs", text, (), "workloads that use it", fabric)
        return
    summary = summarise(topology)
    jobs = {job.id: job for job in run.result.jobs}
    for lower, ratio in summary.oversubscription_by_role.items():
        tier = next((name for name in fullest if name.startswith(f"{lower}-")), None)
        if tier is None or ratio is None:
            continue
        full = fullest[tier]
        if full.utilisation > _OVER:
            yield _costs(fabric, lower, ratio, full, [jobs[name] for name in full.jobs if name in jobs])
        elif ratio > _OVER:
            text = (
                f"{to_one(ratio)} at {plural(lower)} costs the jobs nothing: {tier} is {percent(full.utilisation)} full "
                f"at most, in {full.phase}"
            )
            yield Finding("note", "tiers", tier, text, (), "nothing; keep it in mind for other jobs", fabric)
        elif full.utilisation < _IDLE:
            yield _stranded(fabric, lower, tier, full, summary)


def _costs(fabric: str, lower: str, ratio: float, full: Fullest, jobs: list[JobTime]) -> Finding:
    """A tier that is offered more than it has."""
    what = f"{to_one(ratio)} at {plural(lower)}" + ("" if ratio > _OVER else ", unevenly used")
    text = f"{full.tier} is offered {percent(full.utilisation)} in {full.phase} ({what})"
    steps = []
    for job in jobs:
        for phase in job.phases:
            if phase.fabric != fabric or phase.name != full.phase or phase.predicted_s is None:
                continue
            if phase.predicted_s > _SLOWER * phase.ideal_s:
                waits = f"; the step waits {format_seconds(phase.exposed_s)} for it" if phase.exposed_s else ""
                steps.append(
                    f"{job.id}: {phase.name} takes {format_seconds(phase.predicted_s)}, at the line rate of the NICs "
                    f"{format_seconds(phase.ideal_s)}{waits}"
                )
    if not steps:
        return Finding("note", "tiers", full.tier, text, ("no phase takes longer for it",), "nothing", fabric)
    cure = (
        f"uplinks for {to_one(ratio / full.utilisation)} at {plural(lower)}, or a placement that stays below them"
        if ratio > _OVER
        else "another router or placement: fabric route lists changes that help"
    )
    return Finding("warning", "tiers", full.tier, text, tuple(steps), cure, fabric)


def _stranded(fabric: str, lower: str, tier: str, full: Fullest, summary: TopologySummary) -> Finding:
    """Capacity that no phase uses."""
    upper = tier.removeprefix(f"{lower}-")
    above = summary.nodes_by_role.get(upper, 0)
    enough = max(ceil(above * full.utilisation), 1)
    text = f"{tier} is {percent(full.utilisation)} full at most, in {full.phase}: the jobs leave the rest unused"
    steps = (
        f"{above:,} {plural(upper)} x {percent(full.utilisation)} = {above * full.utilisation:,.1f}: "
        f"{enough:,} {'carry' if enough > 1 else 'carries'} the same, failures and growth apart",
    )
    return Finding("note", "stranded", tier, text, steps, f"fewer {plural(upper)}, or jobs that need them", fabric)


def limit_findings(run: Run) -> Iterator[Finding]:
    """Limits of the scenario that do not hold."""
    for limit in run.result.limits:
        if limit.ok is False:
            text = f"limit {limit.id} does not hold: {limit.text}"
            detail = (
                f"{_measured(limit.value, limit.unit)} where at most {_measured(limit.max, limit.unit)} is allowed",
            )
            detail += (limit.detail,) if limit.detail else ()
            yield Finding("warning", "limit", limit.id, text, detail, "fabric route lists changes that help")


def _measured(value: float | None, unit: str) -> str:
    """A figure of a limit in its unit."""
    if value is None:
        return "no end"
    texts = {"ratio": percent, "s": format_seconds, "bytes": format_bytes}
    return texts[unit](value) if unit in texts else f"{value:,.0f}"
