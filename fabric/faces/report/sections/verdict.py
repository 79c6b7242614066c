"""Whether the limits hold, and what holds the network back."""

from __future__ import annotations

from fabric.evaluation.limits import limit_text
from fabric.faces.answers.route_report import above, reached
from fabric.faces.report.content import Block, Cell, ReportTable, Section, Words, as_table, count, number
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.output.document import Mark
from fabric.output.numbers import percent
from fabric.result import LimitVerdict, PhaseRoute, RouteResult

_HOW = (
    "A limit is judged over all routed phases, on the value and not on its printed text: it holds when the value is at "
    "most what is allowed. “not decided” means that the tool does not model what the limit asks. The best possible "
    "load is a lower bound that no routing can pass, proven by a cut or by the router itself; what is above it is the "
    "price of the routing, what is below it has to be bought as links."
)
_VERDICT: dict[bool | None, tuple[str, Mark]] = {
    True: ("ok", "good"),
    False: ("fail", "bad"),
    None: ("not decided", "warn"),
}


def verdict_section(source: ReportSource) -> Section:
    """Limits, phases and what is lost."""
    result = source.result
    blocks: list[Block] = [*_lost(result)]
    if result.limits:
        blocks.append(_limits(result))
    else:
        blocks.append(Words("The scenario has no limits: nothing is judged.", "warn"))
    blocks += [*_why(result), _phases(result), *_luck(result)]
    blocks += [Words(f"Warning: {text}", "warn") for text in result.warnings]
    if result.partial:
        blocks.append(Words("A time limit stopped a solve: its load is an upper bound of the optimum.", "warn"))
    return Section("verdict", "Verdict and limits", _HOW, tuple(blocks))


def _limits(result: RouteResult) -> ReportTable:
    heads = (
        ("verdict", "ok"), ("limit", "text"), (">value", "value"), (">allowed", "max"), ("unit", "unit"),
        ("detail", "detail"),
    )  # fmt: skip
    rows = [
        (
            Cell(_VERDICT[limit.ok][0], limit.ok),
            limit.text,
            number(measured(limit), limit.value),
            number(limit_text(limit.max, limit.unit), limit.max),
            limit.unit,
            limit.detail,
        )
        for limit in result.limits
    ]
    return as_table("Limits", heads, rows, marks=[_VERDICT[limit.ok][1] for limit in result.limits])


def measured(limit: LimitVerdict) -> str:
    """The value with as many digits as tell it from a limit that it misses."""
    text = limit_text(limit.value, limit.unit)
    if limit.ok is False and limit.value is not None and text == limit_text(limit.max, limit.unit):
        return f"{limit.value:.9g} s" if limit.unit == "s" else f"{limit.value * 100:.9g} %"
    return text


def _why(result: RouteResult) -> list[Words]:
    """What holds the worst phase of every fabric back."""
    worst: dict[str, PhaseRoute] = {}
    for entry in result.routes:
        if entry.fabric not in worst or entry.max_utilisation > worst[entry.fabric].max_utilisation:
            worst[entry.fabric] = entry
    return [Words(f"Why, on {name}: {entry.phase}: {entry.bottleneck}.") for name, entry in worst.items()]


def _lost(result: RouteResult) -> list[Words]:
    return [
        Words(
            f"{entry.unreachable_pairs:,} pairs have no path in {entry.fabric} {entry.phase}, among them "
            + ", ".join(f"{pair.src} → {pair.dst}" for pair in entry.unreachable[:5])
            + ".",
            "bad",
        )
        for entry in result.routes
        if entry.unreachable_pairs
    ]


def _phases(result: RouteResult) -> ReportTable:
    heads = (
        ("fabric", "fabric"), ("phase", "phase"), ("router", "router"), (">max offered", "max_utilisation"),
        (">links over", "links_over_capacity"), (">best possible ≥", "best_possible"), (">above best", "above_best"),
        (">λ", "throughput"), ("hottest link", "hottest_link"),
    )  # fmt: skip
    rows, marks = [], []
    for entry in result.routes:
        best = entry.best_possible.lower_bound
        excess = entry.max_utilisation / best - 1 if best > 0 else None
        rows.append(
            (
                entry.fabric,
                entry.phase,
                entry.router,
                number(
                    reached(entry.max_utilisation, entry.partial and entry.objective is None), entry.max_utilisation
                ),
                count(entry.links_over_capacity),
                number(percent(best), best),
                number(above(entry.max_utilisation, best), excess),
                number(f"{entry.throughput:,.3f}" if entry.throughput is not None else "-", entry.throughput),
                entry.hottest_link or "-",
            )
        )
        marks.append(mark_of(entry))
    return as_table("Phases: the fullest link, and the best that any routing could reach", heads, rows, marks=marks)


def mark_of(entry: PhaseRoute) -> Mark:
    """Bad where a link is offered more than it carries, or demand has no path."""
    return "bad" if entry.links_over_capacity or entry.unreachable_pairs else ""


def _luck(result: RouteResult) -> list[ReportTable]:
    """Percentiles over the draws of the hash seeds."""
    drawn = [(entry, entry.spread) for entry in result.routes if entry.spread is not None]
    if not drawn:
        return []
    heads = (
        ("fabric", "fabric"), ("phase", "phase"), (">draws", "replicas"), (">fullest link, p50", "max_p50"),
        (">p95", "max_p95"), (">p99", "max_p99"), (">worst flow's rate, p50", "rate_p50"), (">p95", "rate_p95"),
        (">p99", "rate_p99"),
    )  # fmt: skip
    rows: list[tuple[Cell | str, ...]] = [
        (
            entry.fabric,
            entry.phase,
            count(spread.replicas),
            *(number(percent(value), value) for value in (full.p50, full.p95, full.p99)),
            *(number(percent(value), value) for value in (rate.p50, rate.p95, rate.p99)),
        )
        for entry, spread in drawn
        for full, rate in [(spread.max_utilisation, spread.worst_rate)]
    ]
    return [as_table("Luck of the hash, over draws of its seeds", heads, rows)]


SUMMARY = "whether the limits hold, and what holds the network back"
ORDER = 10
SECTION = ReportSection(verdict_section)
