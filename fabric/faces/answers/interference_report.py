"""What ``fabric interference`` prints: the matrix, the pairs that cost most, a newcomer's price, shifts, limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fabric.faces.views.interference import (
    MATRIX_MOST,
    admitted_table,
    sharing_job_table,
    sharing_table,
    shift_table,
    slowdown_matrix,
    slowdown_text,
)
from fabric.faces.views.limits import LIMITS_SHOWN, limit_table
from fabric.faces.views.row_kinds import PAIRS_SHOWN, SHARINGS
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.routing.utilisation import SAME
from fabric.scenario.provenance import envelope
from fabric.share.interference.result import InterferenceResult, Shifts
from topologies.budget import counted
from topologies.units import format_seconds, percent, signed_percent


def interference_document(result: InterferenceResult) -> list[Table | Line]:
    """Who slows whom, and what helps."""
    jobs = len(result.jobs)
    document: list[Table | Line] = [Line(_head(result), _mark(result))]
    if 1 < jobs <= MATRIX_MOST:
        document += [slowdown_matrix(result), sharing_job_table(result)]
    table = sharing_table(result).only(*SHARINGS.shown)
    document.append(table.first(PAIRS_SHOWN).as_rows())
    if len(table) > PAIRS_SHOWN:
        more = f"{len(table) - PAIRS_SHOWN:,} more pairs; --limit 0 or --format csv has all"
        document.append(Line(more, is_rows=True))
    if result.newcomer:
        document += [admitted_table(result), *_price(result)]
    if result.shifts is not None:
        document += [shift_table(result, result.shifts).first(PAIRS_SHOWN), *_shift_lines(result, result.shifts)]
    if result.limits:
        document.append(limit_table(result.limits).only(*LIMITS_SHOWN))
    document += _verdict(result)
    return document


def _mark(result: InterferenceResult) -> Any:
    return "bad" if not result.holds else ""


def _head(result: InterferenceResult) -> str:
    """How many jobs, how many pairs meet, and who loses most."""
    name = f"{result.loaded.scenario.name}: {counted(len(result.jobs), 'jobs')}"
    if len(result.jobs) < 2:
        return f"{name}, so no links are shared"
    met = len(result.pairs) // 2
    worst = max(result.others, key=lambda one: one.figures.mean, default=None)
    if not met:
        return f"{name}, none on a link of another"
    if worst is None or worst.figures.mean <= 1 + SAME:
        return f"{name}, {counted(met, 'pairs')} on common links, none slower for it"
    return (
        f"{name}, {counted(met, 'pairs')} on common links; {worst.job} loses most: its step takes "
        f"{slowdown_text(worst.figures.mean)} times as long beside all others, {slowdown_text(worst.figures.worst)} at "
        "worst"
    )


def _price(result: InterferenceResult) -> list[Line]:
    """The admission in words."""
    if not result.admitted:
        return [Line(f"{result.newcomer} slows no job: there is no other")]
    worst = result.admitted[0]
    if worst.cost <= SAME:
        return [Line(f"placing {result.newcomer} costs no other job anything", "good")]
    return [Line(f"placing {result.newcomer} costs {worst.job} {signed_percent(worst.cost)}", "warn")]


def _shift_lines(result: InterferenceResult, shifts: Shifts) -> list[Line]:
    """How good the shifts are, how good they could be, and what it takes to keep them."""
    lines = []
    if shifts.overlap <= SAME:
        lines.append(
            Line(
                "with these shifts no link is asked for more than its capacity; without them the worst link is asked "
                f"for {percent(shifts.before)} more, averaged over the cycle",
                "good",
            )
        )
    else:
        which = "no shifts have" if shifts.any_shift else "no shifts by whole slots have"
        proof = f"{which} less" if shifts.proved else f"{which} less than {percent(shifts.bound, 2)}"
        lines.append(
            Line(
                f"with these shifts the worst link is asked for {percent(shifts.overlap, 2)} more than its capacity, "
                f"averaged over the cycle ({proof}; begun together {percent(shifts.before, 2)}): steps that are late "
                "for it lose their shift, which has to be set again",
                "warn",
            )
        )
    others = {one.job: one.figures.mean for one in result.others}
    before = sum(others[row.job] for row in shifts.items) / len(shifts.items)
    after = sum(row.slowdown for row in shifts.items) / len(shifts.items)
    if after > before * (1 + SAME):
        lines.append(
            Line(f"mean slowdown {slowdown_text(before)} without and {slowdown_text(after)} with: not worth it", "warn")
        )
    cost = f"; waiting costs a step {percent(shifts.held_cost, 2)} at most" if shifts.held_cost > SAME else ""
    lines.append(
        Line(
            f"slots of {format_seconds(shifts.slot_s)}, cycle {format_seconds(shifts.cycle_s)}; the launcher begins "
            f"step k of a job at its shift + k times what it is held to{cost}"
        )
    )
    lines += [Line(text, "warn") for text in shifts.notes]
    more = len(shifts.items) - PAIRS_SHOWN
    return [Line(f"{more:,} more jobs are shifted; --json has all"), *lines] if more > 0 else lines


def _verdict(result: InterferenceResult) -> list[Line]:
    if result.max_slowdown is None:
        return []
    if not result.too_slow:
        return [Line(f"no job is slowed more than {slowdown_text(result.max_slowdown)}", "good")]
    return [Line(f"slowed more than {slowdown_text(result.max_slowdown)}: {', '.join(result.too_slow)}", "bad")]


def interference_record(result: InterferenceResult) -> dict[str, Any]:
    """``InterferenceResult``, but for its rows."""
    shifts = result.shifts
    return {
        **envelope("InterferenceResult", result.loaded),
        "verdict": "ok" if result.holds else "fail",
        "jobs": [
            {
                "id": job.id,
                "kind": job.kind,
                "weight": job.weight,
                "period_s": finite(job.period_s),
                "wire_s": finite(job.wire_s),
                "slowdown": one.figures.mean,
                "worst": one.figures.worst,
                "best": one.figures.best,
                "beside": list(job.beside),
            }
            for job, one in zip(result.jobs, result.others, strict=True)
        ],
        "slowdown": result.slowdown.tolist(),
        "slowdown_worst": result.worst.tolist(),
        "slowdown_best": result.best.tolist(),
        "shifts": [asdict(one) for one in shifts.items] if shifts else [],
        "overlap": shifts.overlap if shifts else None,
        "overlap_unshifted": shifts.before if shifts else None,
        "bound": shifts.bound if shifts else None,
        "bound_proved": shifts.proved if shifts else None,
        "slot_s": shifts.slot_s if shifts else None,
        "cycle_s": shifts.cycle_s if shifts else None,
        "bound_of_any_shift": shifts.any_shift if shifts else None,
        "whole_cycle": shifts.whole_cycle if shifts else None,
        "solver": shifts.solver if shifts else None,
        "admit": result.newcomer or None,
        "admitted": [
            {
                "job": row.job, "cost": row.cost, "without": row.without, "with": row.with_it, "phase": row.hurt.phase,
                "beside_phase": row.hurt.beside_phase, "link": row.hurt.link,
            }
            for row in result.admitted
        ],
        "max_slowdown": result.max_slowdown,
        "too_slow": list(result.too_slow),
        "limits": limit_table(result.limits).records(),
        "notes": [*result.notes, *(shifts.notes if shifts else ())],
    }  # fmt: skip
