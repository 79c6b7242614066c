"""What ``fabric drain`` and ``fabric plan change`` print: windows, what they cost beside other plans, what breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fabric.faces.views.drain import window_table
from fabric.faces.views.row_kinds import WINDOWS
from fabric.operate.drain.result import DrainResult, OtherPlan
from fabric.output.columns import amount_text, load_text
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.scenario.provenance import envelope
from topologies.budget import counted
from topologies.units import percent


def drain_document(result: DrainResult) -> list[Table | Line]:
    """Windows, the verdict, other plans."""
    works = sum(len(window.works) for window in result.windows)
    head = (
        f"{result.loaded.scenario.name}: {counted(works, 'works')} in {counted(len(result.windows), 'windows')}, "
        f"{amount_text(result.hours)} h, {amount_text(result.lost)} {result.unit} lost"
    )
    table = window_table(result).only(*WINDOWS.shown).as_rows()
    return [Line(head), table, *verdict(result), *comparison(result), *_ways_back(result)]


def verdict(result: DrainResult) -> list[Line]:
    """Whether every state keeps the limits, and how sure the plan is."""
    lines = []
    for window in result.windows:
        if window.broken:
            lines.append(Line(f"window {window.number} breaks: {'; '.join(window.broken)}", "bad"))
    if result.keeps_limits:
        lines.append(Line("every window keeps what holds before the work; each is routed", "good"))
    else:
        less = "stops a job for fewer works, then breaks a limit for fewer"
        how = f"no division into windows {less}" if result.exact else f"the search found none that {less}"
        lines.append(Line(f"not everything can be kept: {how}, and of such plans this one costs least", "bad"))
    if result.not_kept:
        lines.append(Line(f"does not hold before the work either: {'; '.join(result.not_kept)}", "warn"))
    lines.append(Line(_how_sure(result)))
    lines += [Line(text, "warn") for text in result.notes]
    return lines


def _how_sure(result: DrainResult) -> str:
    """Whether a cheaper plan is ruled out."""
    routed = f"{counted(result.states, 'states')} routed"
    if not result.exact:
        return f"local search, {routed}: that no plan costs less is not proved"
    if result.keeps_limits and result.lost <= 0:
        return f"nothing is lost, so no plan costs less ({routed})"
    return f"all divisions compared, {routed}: none costs less"


def comparison(result: DrainResult) -> list[Line]:
    """The order by residual capacity, and plans with other numbers of windows."""
    lines = []
    other = result.residual
    if other is None:
        lines.append(Line("the order by residual capacity does not fit into as many windows"))
    else:
        part = f", {percent(result.lost / other.lost)} of it here" if other.lost > 0 else ""
        lines.append(Line(f"by residual capacity, {_plan_text(other, result.unit)}{part}"))
    for plan in result.other:
        if plan.windows != len(result.windows):
            lines.append(Line(f"with {_plan_text(plan, result.unit)}"))
    return lines


def _plan_text(plan: OtherPlan, unit: str) -> str:
    broken = f", {counted(plan.broken, 'works')} in windows that break something" if plan.broken else ""
    broken += f", {plan.stalled:,} of them where a job cannot finish" if plan.stalled else ""
    return (
        f"{counted(plan.windows, 'windows')}: {amount_text(plan.lost)} {unit} lost, fullest link "
        f"{load_text(plan.max_utilisation)}{broken}"
    )


def _ways_back(result: DrainResult) -> list[Line]:
    """Where the rounds of rules are, and that every window is left by its way back."""
    lines = [Line("way back from every window: undrain what it drains; the state is the one before the work")]
    for window in result.windows:
        if window.folder:
            counts = ", ".join(
                f"{one.fabric} {counted(one.steps, 'steps')} in {counted(one.rounds, 'rounds')}, back "
                f"{one.back_steps:,} in {one.back_rounds:,}"
                for one in window.changes
            )
            lines.append(Line(f"window {window.number}: {window.folder}" + (f" ({counts})" if counts else "")))
    return lines


def drain_record(result: DrainResult) -> dict[str, Any]:
    """``DrainResult``, but for its rows."""
    return {
        **envelope("DrainResult", result.loaded),
        "keeps_limits": result.keeps_limits,
        "hours": result.hours,
        "lost": result.lost,
        "unit": result.unit,
        "exact": result.exact,
        "states_routed": result.states,
        "max_utilisation_before": result.max_utilisation,
        "not_kept_before": list(result.not_kept),
        "residual_capacity": None if result.residual is None else asdict(result.residual),
        "other_plans": [asdict(plan) for plan in result.other],
        "notes": list(result.notes),
    }


def window_entry(result: DrainResult) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a window: its columns, jobs, limits, and how it is left."""
    table = window_table(result).only(*WINDOWS.columns)

    def entry(row: int) -> dict[str, Any]:
        window = result.windows[row]
        return {
            **table.entry(row),
            "names": list(window.works),
            "down": list(window.selectors),
            "broken": list(window.broken),
            "jobs": [
                {"id": job.id, "step_time_s": finite(job.step_time_s), "stretch": finite(job.stretch)}
                for job in window.jobs
            ],
            "limits": [
                {"id": one.id, "text": one.text, "value": finite(one.value), "max": one.max, "ok": one.ok}
                for one in window.limits
            ],
            "roll_back": window.roll_back,
            "changes": [asdict(change) for change in window.changes],
            "folder": window.folder or None,
        }

    return entry
