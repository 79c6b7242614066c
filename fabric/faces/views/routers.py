"""Routers compared: each on every phase, where the load comes from, and jobs and limits under each."""

from __future__ import annotations

from typing import Any

from fabric.evaluation.limits import limit_text
from fabric.evaluation.router_comparison import PhaseComparison, RouterComparison, RouterFigure
from fabric.faces.views.draws import step_band_words
from fabric.faces.views.phases import reached, throughput_text
from fabric.output.columns import NEVER, counts, factors, named, optional, ratio_text, ratios, times
from fabric.output.table import Column, Mark, Table
from fabric.routing.router import router_label, routing_basis
from fabric.routing.utilisation import is_over
from topologies.units import excess, format_seconds

ROUTERS_SHOWN = (
    "fabric", "phase", "router", "max_utilisation", "p5", "p95", "p99", "above_best", "stretch", "throughput", "solver",
    "solve_time_s",
)  # fmt: skip


def figure_mark(row: RouterFigure) -> Mark:
    """Bad where a router, in the worst of hundred draws, overloads a link, or demand has no path."""
    return "bad" if is_over(row.worst) or row.unreachable_pairs else ""


def router_table(result: RouterComparison) -> Table:
    """Every router on every phase; one that refuses a phase has no figures."""
    rows = result.figures
    full = [row.spread.max_utilisation if row.spread else None for row in rows]
    peak = ["refused" if row.max_utilisation is None else reached(row.max_utilisation, row.partial) for row in rows]
    labels = [router_label(row.router, drawn=row.spread is not None) for row in rows]
    columns = (
        named("fabric", "fabric", [row.fabric for row in rows], width=8),
        named("phase", "phase", [row.phase for row in rows], width=18),
        named("router", "router", [row.router for row in rows], texts=labels, width=12),
        ratios("max_utilisation", "max offered", [row.max_utilisation for row in rows], texts=peak, width=12),
        ratios("mean", "mean", [each.mean if each else None for each in full], priority=3),
        ratios("p5", "p5", [each.p5 if each else None for each in full], priority=2),
        ratios("p50", "p50", [each.p50 if each else None for each in full], priority=2),
        ratios("p95", "p95", [each.p95 if each else None for each in full], priority=2),
        ratios("p99", "p99", [each.p99 if each else None for each in full]),
        Column(
            "throughput",
            "λ",
            [row.throughput for row in rows],
            optional(throughput_text),
            numeric=True,
            width=6,
            priority=1,
            unit="ratio",
        ),
        ratios("above_best", "above best", [row.above_best for row in rows], text=excess, width=10),
        factors("stretch", "stretch", [row.stretch for row in rows], priority=1),
        ratios("lower_bound", "bound", [row.lower_bound for row in rows], priority=2),
        ratios("gap", "gap", [row.gap for row in rows], text=excess, priority=2),
        counts("links_over_capacity", "links over", [row.links_over_capacity for row in rows], priority=2),
        counts("unreachable_pairs", "pairs cut", [row.unreachable_pairs for row in rows], priority=2),
        named("hottest_link", "hottest link", [row.hottest_link or None for row in rows], priority=2),
        named("solver", "solver", [row.solver or None for row in rows], priority=1),
        named("partial", "stopped", [row.partial for row in rows], priority=2),
        named(
            "routing_basis",
            "basis",
            [routing_basis(row.router, drawn=row.spread is not None) for row in rows],
            priority=2,
        ),
        named("refused", "why refused", [row.refused or None for row in rows], priority=2, flexible=True),
        times("solve_time_s", "time", [row.solve_time_s for row in rows], priority=1, live=True),
    )
    return Table.of(columns, len(rows), title="routers", marks=[figure_mark(row) for row in rows])


def source_table(result: RouterComparison) -> Table:
    """What the load of the fullest link is due to, part by part."""
    phases = result.phases

    def parts(name: str, header: str, text: Any = None, **layout: Any) -> Column:
        return ratios(name, header, _parts(phases, name), text=text or _plus, width=10, **layout)

    columns = (
        named("fabric", "fabric", [phase.fabric for phase in phases], width=8),
        named("phase", "phase", [phase.phase for phase in phases], width=18),
        parts("access_utilisation", "access", ratio_text),
        parts("topology", "topology"),
        parts("uneven_links", "uneven links"),
        parts("wcmp_recovers", "wcmp recovers", part_text, priority=1),
        parts("hashing", "hashing"),
        parts("hashing_p99", "hashing p99", priority=1),
    )
    title = "where it comes from: each part on top of those to its left"
    return Table.of(columns, len(phases), title=title)


def _parts(phases: tuple[PhaseComparison, ...], name: str) -> list[float | None]:
    return [getattr(phase.split, name) for phase in phases]


def _plus(part: float | None) -> str:
    return excess(part) if part is None or part < 0 else f"+{excess(part)}"


def part_text(ratio: float | None) -> str:
    """A part of something in whole percent; without the sign that rounding leaves on a zero."""
    return ratio_text(0.0 if ratio is not None and abs(ratio) < 0.005 else ratio, 0)


def step_times(result: RouterComparison) -> dict[str, dict[str, float | None]]:
    """Step time by job and router; jobs with a step only."""
    times: dict[str, dict[str, float | None]] = {}
    for outcome in result.outcomes:
        for job in outcome.jobs:
            if job.step_time_ideal_s is not None:
                times.setdefault(job.id, {})[outcome.router] = job.step_time_s
    return times


def router_step_table(result: RouterComparison) -> Table:
    """Step time of every job under every router, with what nine draws in ten leave it between."""
    steps = step_times(result)
    bands = {(outcome.router, job.id): job.draws for outcome in result.outcomes for job in outcome.jobs}
    ideal = {job.id: job.step_time_ideal_s for o in result.outcomes for job in o.jobs if job.step_time_ideal_s}

    def under(router: str) -> Column:
        texts = [
            "-" if router not in row else _ending(row[router]) + step_band_words(bands.get((router, job)))
            for job, row in steps.items()
        ]
        return times(router, router, [row.get(router) for row in steps.values()], texts=texts, width=12)

    columns = (
        named("job", "job", list(steps), width=12),
        times("step_time_ideal_s", "ideal", [ideal.get(job) or 0.0 for job in steps]),
        *(under(outcome.router) for outcome in result.outcomes),
    )
    return Table.of(columns, len(steps), title="step time")


def _ending(seconds: float | None) -> str:
    return NEVER if seconds is None else format_seconds(seconds)


def router_limit_table(result: RouterComparison) -> Table:
    """Every limit under every router."""
    rows = [*zip(*(outcome.limits for outcome in result.outcomes), strict=True)]
    judged = {True: " ok", False: " FAIL", None: ""}

    def under(at: int, router: str) -> Column:
        limits = [row[at] for row in rows]
        texts = [limit_text(limit.value, limit.unit) + judged[limit.ok] for limit in limits]
        return Column(router, router, [limit.value for limit in limits], numeric=True, texts=texts, width=14)

    columns = (
        named("text", "limit", [row[0].text for row in rows], width=26),
        Column(
            "max",
            "allowed",
            [row[0].max for row in rows],
            numeric=True,
            texts=[limit_text(row[0].max, row[0].unit) for row in rows],
        ),
        *(under(at, outcome.router) for at, outcome in enumerate(result.outcomes)),
    )
    marks = [_all_mark({limit.ok for limit in row}) for row in rows]
    return Table.of(columns, len(rows), title="limits", marks=marks)


def _all_mark(verdicts: set[bool | None]) -> Mark:
    """Good where a limit holds under all routers, bad where it fails under one."""
    return "good" if verdicts == {True} else "bad" if False in verdicts else "warn"
