"""Who slows whom: pairs of jobs, the matrix of them, what a newcomer costs, and time shifts."""

from __future__ import annotations

from fabric.faces.views.row_kinds import SHARINGS
from fabric.output.columns import Maker, counts, factors, named, ratio_text, relatives, times
from fabric.output.table import Column, Mark, Table
from fabric.routing.utilisation import SAME
from fabric.share.interference.result import OTHERS, InterferenceResult, Shifts
from topologies.units import format_seconds

MATRIX_MOST = 12  # jobs, above which pairs are listed instead


def _slow(name: str, header: str, values: object, **layout: object) -> Column:
    """Times as long, with the digits that show 0.1 %."""
    maker: Maker = factors
    return maker(name, header, values, **{"text": slowdown_text, **layout})


def slowdown_text(value: float | None) -> str:
    """A step over the step alone; exactly 1 where nothing is in its way.

    >>> slowdown_text(1.0), slowdown_text(1.0004), slowdown_text(1.192)
    ('1', '1.0004', '1.192')
    """
    if value is None:
        return "-"
    if value <= 1 + SAME:
        return "1"
    return f"{value:.3f}" if value >= 1.0005 else f"{value:.4f}"


def sharing_table(result: InterferenceResult) -> Table:
    """Every ordered pair of jobs that use a link together, and every job beside all others, the costliest first."""
    rows = sorted((*result.pairs, *result.others), key=lambda row: (-round(row.figures.mean, 9), row.job, row.beside))
    columns = {
        "job": named("job", "job", [row.job for row in rows]),
        "beside": named("beside", "beside", [row.beside for row in rows]),
        "slowdown": _slow("slowdown", "slowdown x", [row.figures.mean for row in rows]),
        "worst": _slow("worst", "worst x", [row.figures.worst for row in rows], priority=1),
        "best": _slow("best", "best x", [row.figures.best for row in rows], priority=2),
        "links": counts("links", "shared links", [row.links for row in rows], width=6, priority=3),
        "phase": named("phase", "in phase", [row.hurt.phase for row in rows]),
        "beside_phase": named("beside_phase", "against", [row.hurt.beside_phase for row in rows], priority=1),
        "link": named("link", "held by", [row.hurt.link for row in rows]),
        "phase_stretch": _slow("phase_stretch", "phase x", [row.hurt.stretch for row in rows], priority=3),
    }
    missed = set(result.too_slow)
    marks: list[Mark] = [
        "bad" if row.job in missed and row.beside == OTHERS else "warn" if row.figures.mean > 1 + SAME else ""
        for row in rows
    ]
    return Table.of([columns[name] for name in SHARINGS.names], len(rows), title="jobs beside each other", marks=marks)


def slowdown_matrix(result: InterferenceResult) -> Table:
    """Slowdown of the job of the row beside that of the column, and beside all others."""
    jobs = [job.id for job in result.jobs]
    columns = [named("job", "job", jobs)]
    for at, job in enumerate(jobs):
        values = [None if row == at else float(result.slowdown[row, at]) for row in range(len(jobs))]
        columns.append(_slow(f"beside_{job}", f"beside {job}", values))
    columns.append(_slow("others", OTHERS, [one.figures.mean for one in result.others]))
    return Table.of(columns, len(jobs), title="slowdown (step beside over step alone)")


def sharing_job_table(result: InterferenceResult) -> Table:
    """Every job as it shares the fabric."""
    jobs = result.jobs
    parts = [job.wire_s / job.period_s if job.wire_s is not None and job.period_s else None for job in jobs]
    columns = [
        named("job", "job", [job.id for job in jobs]),
        named("workload", "workload", [job.kind for job in jobs]),
        times("period_s", "step alone", [job.period_s for job in jobs]),
        times("wire_s", "on the wire", [job.wire_s for job in jobs]),
        relatives("wire_part", "of the step", parts, text=_part),
        factors("weight", "weight", [job.weight for job in jobs], text=_weight),
        _slow("slowdown", "slowdown x", [one.figures.mean for one in result.others]),
        _slow("worst", "worst x", [one.figures.worst for one in result.others]),
        counts("beside", "jobs on its links", [len(job.beside) for job in jobs]),
    ]
    return Table.of(columns, len(jobs), title="jobs")


def _part(value: float | None) -> str:
    return ratio_text(value)


def _weight(value: float) -> str:
    return f"{value:g}"


def admitted_table(result: InterferenceResult) -> Table:
    """What the newcomer costs every other job, the costliest first."""
    rows = result.admitted
    columns = [
        named("job", "job", [row.job for row in rows]),
        relatives("cost", f"cost of {result.newcomer}", [row.cost for row in rows]),
        relatives("error", "+-", [row.error for row in rows], text=_part),
        _slow("without", "without x", [row.without for row in rows]),
        _slow("with", "with x", [row.with_it for row in rows]),
        named("phase", "in phase", [row.hurt.phase for row in rows]),
        named("beside_phase", "against", [row.hurt.beside_phase for row in rows]),
        named("link", "held by", [row.hurt.link for row in rows]),
    ]
    missed = set(result.too_slow)
    costly = [row.cost > 3 * row.error + SAME for row in rows]
    marks: list[Mark] = [
        "bad" if row.job in missed else "warn" if costs else "" for row, costs in zip(rows, costly, strict=True)
    ]
    return Table.of(columns, len(rows), title=f"what {result.newcomer} costs", marks=marks)


def shift_table(result: InterferenceResult, shifts: Shifts) -> Table:
    """When every step begins, and what that does."""
    rows = shifts.items
    others = {one.job: one.figures.mean for one in result.others}
    columns = [
        named("job", "job", [row.job for row in rows]),
        times("shift_s", "begins at", [row.shift_s for row in rows], text=_moment),
        times("period_s", "step alone", [row.period_s for row in rows]),
        times("held_s", "held to", [row.held_s for row in rows]),
        counts("steps", "lasts steps", [row.steps for row in rows], text=_lasts),
        _slow("without", "slowdown x without", [others[row.job] for row in rows]),
        _slow("slowdown", "with shifts", [row.slowdown for row in rows]),
    ]
    marks: list[Mark] = ["good" if row.slowdown <= others[row.job] else "warn" for row in rows]
    return Table.of(columns, len(rows), title="time shifts", marks=marks)


def _moment(value: float) -> str:
    return "0 s" if value == 0 else format_seconds(value)


def _lasts(value: int | None) -> str:
    return "as held" if value is None else f"{value:,}"
