"""Whether the limits hold, and what holds the network back."""

from __future__ import annotations

from fabric.evaluation.severity import worst_of_each_fabric
from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.draws import draws_lines
from fabric.faces.views.limits import LIMITS_SHOWN, limit_table
from fabric.faces.views.phases import PHASES_SHOWN, phase_table, spread_table
from fabric.result import RouteResult

_PHASES_SHOWN = (*(name for name in PHASES_SHOWN if not name.startswith("solve")), "hottest_link")
_LIMITS_SHOWN = (*LIMITS_SHOWN[:-1], "unit", LIMITS_SHOWN[-1])
_HOW = (
    "A limit is judged over all routed phases, on the value and not on its printed text: it holds when the value is at "
    "most what is allowed. “open” means that the tool does not model what the limit asks. The best possible "
    "load is a lower bound that no routing can pass, proven by a cut or by the router itself; what is above it is the "
    "price of the routing, what is below it has to be bought as links. Hashed flows are drawn several "
    "times: loads and times are medians over the draws, a limit is judged at the percentile it names, p50 where it "
    "names none, and “fails in” is the "
    "part of the draws in which it does not hold."
)


def verdict_section(source: ReportSource) -> Section:
    """Limits, phases and what is lost."""
    result = source.result
    blocks: list[Block] = [*_lost(result)]
    if source.idle:
        blocks.append(Words(f"No load is known and no limit is judged: {source.idle}.", "warn"))
    if result.limits:
        blocks.append(
            limit_table(result.limits).only(*_LIMITS_SHOWN).without_empty("at", "failed_part").titled("Limits")
        )
    else:
        blocks.append(Words("The scenario has no limits: nothing is judged.", "warn"))
    if result.routes:
        blocks += [Words(line.text, line.mark) for line in draws_lines(result.routes)]
        phases = phase_table(result.routes).only(*_PHASES_SHOWN).without_empty("p5", "p95")
        blocks += [*_why(result), phases.titled("Phases: the fullest link, and the best that any routing could reach")]
    spread = spread_table(result.routes)
    blocks += [spread.titled("Hash imbalance, over seeds")] if len(spread) else []
    blocks += [Words(f"Warning: {text}", "warn") for text in result.warnings]
    if result.partial:
        blocks.append(Words("A time limit stopped a solve: its load is an upper bound of the optimum.", "warn"))
    return Section("verdict", "Verdict and limits", _HOW, tuple(blocks))


def _why(result: RouteResult) -> list[Words]:
    """What holds the worst phase of every fabric back."""
    worst = worst_of_each_fabric(result.routes)
    return [Words(f"Why, on {entry.fabric}: {entry.phase}: {entry.bottleneck}.") for entry in worst]


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


SUMMARY = "whether the limits hold, and what holds the network back"
ORDER = 10
SECTION = ReportSection(verdict_section)
