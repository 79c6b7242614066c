"""What every phase comes to on its fabric: its fullest link, and the best that any routing could reach."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.views.draws import band_columns
from fabric.output.columns import counts, named, optional, ratio_text, ratios, times
from fabric.output.table import Column, Mark, Table
from fabric.result import Band, PhaseRoute
from fabric.routing.router import HashSpread, router_label
from fabric.routing.utilisation import is_over
from topologies.units import excess, percent

PHASES_SHOWN = (
    "fabric", "phase", "router", "max_utilisation", "p5", "p95", "links_over_capacity", "best_possible", "above_best",
    "throughput", "solver", "solve_time_s",
)  # fmt: skip
_SMALL = 1e-6  # relative: below the bound by more than it, demand was not all admitted


def phase_mark(entry: PhaseRoute) -> Mark:
    """Bad where a link is offered more than it carries, or demand has no path."""
    return "bad" if is_over(entry.max_utilisation) or entry.unreachable_pairs else ""


def above_best(utilisation: float, best: float) -> float | None:
    """Relative distance to the bound; None without a bound, and where demand was cut.

    >>> above_best(1.25, 1.0), above_best(1.0, 0.0)
    (0.25, None)
    """
    return None if best <= 0 or utilisation < best * (1 - _SMALL) else max(utilisation / best - 1, 0.0)


def above(utilisation: float, best: float) -> str:
    """Relative distance to the bound, with enough digits to tell a small one from none; ``-`` where demand was cut.

    >>> above(1.07, 1.0), above(1.00002, 1.0), above(1.0, 1.0), above(1.0, 0.0)
    ('7.0 %', '0.00200 %', '0.0 %', '-')
    """
    return excess(above_best(utilisation, best))


def reached(utilisation: float, partial: bool) -> str:
    """A utilisation; what a stopped solve reached is not an optimum, and says so."""
    return f"<= {percent(utilisation)}" if partial else percent(utilisation)


def throughput_text(throughput: float) -> str:
    """λ, by how much all demand could grow."""
    return f"{throughput:,.3f}"


def phase_table(routes: Sequence[PhaseRoute]) -> Table:
    """Every phase on its fabric."""
    best = [entry.best_possible.lower_bound for entry in routes]
    peak = [entry.max_utilisation for entry in routes]
    drawn = [_band(entry) for entry in routes]
    labels = [router_label(entry.router, drawn=entry.draws is not None) for entry in routes]
    stopped = [entry.partial and entry.objective is None for entry in routes]
    columns = (
        named("fabric", "fabric", [entry.fabric for entry in routes], width=8),
        named("phase", "phase", [entry.phase for entry in routes], width=18),
        named("router", "router", [entry.router for entry in routes], texts=labels, width=10, priority=1),
        ratios("max_utilisation", "max offered", peak, texts=[*map(reached, peak, stopped)], width=12),
        *band_columns(drawn, ratios, priority=1),
        counts("draws", "draws", [len(entry.draws) if entry.draws else None for entry in routes], priority=2),
        counts("links_over_capacity", "links over", [entry.links_over_capacity for entry in routes], width=10),
        ratios("best_possible", "best possible", best, text=_bound, width=13),
        ratios("above_best", "above best", [*map(above_best, peak, best)], text=excess, width=10, priority=1),
        Column(
            "throughput",
            "λ",
            [entry.throughput for entry in routes],
            optional(throughput_text),
            numeric=True,
            width=6,
            priority=1,
            unit="ratio",
        ),
        named("hottest_link", "hottest link", [entry.hottest_link or None for entry in routes], width=24, priority=1),
        named("solver", "solver", [entry.solver or None for entry in routes], priority=1),
        times("solve_time_s", "time", [entry.solve_time_s for entry in routes], priority=1, live=True),
        counts("unreachable_pairs", "pairs cut", [entry.unreachable_pairs for entry in routes], priority=1),
    )
    return Table.of(columns, len(routes), title="phases", marks=[phase_mark(entry) for entry in routes])


def shown_phases(routes: Sequence[PhaseRoute]) -> Table:
    """Every phase for people: bands where something was drawn."""
    return phase_table(routes).only(*PHASES_SHOWN).without_empty("p5", "p95")


def _band(entry: PhaseRoute) -> Band | None:
    """The fullest link in every draw of the hash; None where there is one draw at most, which has no band."""
    return entry.draws.max_utilisation if entry.draws is not None and len(entry.draws) > 1 else None


def _bound(best: float | None) -> str:
    return f">= {ratio_text(best)}"


def spread_table(routes: Sequence[PhaseRoute]) -> Table:
    """Percentiles over the draws of the hash seeds, of the phases that were drawn."""
    drawn = [(entry, entry.spread) for entry in routes if entry.spread is not None]
    spreads: list[HashSpread] = [spread for _, spread in drawn]
    full = [spread.max_utilisation for spread in spreads]
    worst = [spread.worst_rate for spread in spreads]

    def worst_rates(name: str, header: str, part: str, **layout: int) -> Column:
        return ratios(name, header, [None if rate is None else getattr(rate, part) for rate in worst], **layout)

    columns = (
        named("fabric", "fabric", [entry.fabric for entry, _ in drawn], width=8),
        named("phase", "phase", [entry.phase for entry, _ in drawn], width=18),
        counts("replicas", "draws", [spread.replicas for spread in spreads]),
        ratios("max_mean", "mean", [each.mean for each in full], priority=2),
        ratios("max_p5", "p5", [each.p5 for each in full], priority=2),
        ratios("max_p50", "p50", [each.p50 for each in full]),
        ratios("max_p95", "p95", [each.p95 for each in full]),
        ratios("max_p99", "p99", [each.p99 for each in full]),
        counts("rate_draws", "rate draws", [spread.rate_draws or None for spread in spreads], width=10),
        ratios("rate_mean", "flow mean", [spread.mean_rate for spread in spreads], width=9),
        worst_rates("rate_p50", "worst p50", "p50", width=9),
        worst_rates("rate_p95", "worst p95", "p95", priority=1, width=9),
        worst_rates("rate_p99", "worst p99", "p99", width=9),
    )
    title = "hash imbalance: fullest link, and rates of flows, mean and worst, of what they offer"
    table = Table.of(columns, len(drawn), title=title)
    fewer = any(spread.worst_rate is not None and spread.rate_draws not in (0, spread.replicas) for spread in spreads)
    return table if fewer else table.without("rate_draws")
