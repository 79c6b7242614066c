"""What a routed scenario comes to, in a few lines of words."""

from __future__ import annotations

from collections.abc import Iterable

from fabric.faces.views.draws import draws_words, short_peak, step_band_words
from fabric.output.document import Line
from fabric.result import PhaseRoute, RouteResult
from fabric.routing.router import router_label, traits_of
from fabric.routing.traits import PERFECT_SPLIT
from fabric.scenario.load import LoadedScenario
from topologies.units import format_seconds, peak_percent, percent


def identity(loaded: LoadedScenario, entry: PhaseRoute | None) -> tuple[str, ...]:
    """Parts of the line that says what is looked at, the most important first."""
    if entry is None:
        return (loaded.scenario.name, "nothing routed")
    topology = entry.topology
    switches = [
        f"{int((topology.nodes.role[topology.is_switch] == code).sum()):,} {role}"
        for code, role in enumerate(topology.roles)
        if (topology.nodes.role[topology.is_switch] == code).any()
    ]
    down = int((~topology.up & topology.is_cable).sum())
    return (
        loaded.scenario.name,
        entry.fabric,
        *((f"{down:,} cables down",) if down else ()),
        router_label(entry.router, drawn=entry.draws is not None),
        f"{len(topology.endpoint_nodes):,} endpoints",
        " · ".join(switches),
        f"{draws_words(entry.draws)}, seed {loaded.scenario.seed}" if entry.draws else f"seed {loaded.scenario.seed}",
    )


STOPPED = (
    "partial: a solve ended before the gap asked for; its bound and gap are above; "
    "--time-limit gives it more time, --gap asks for less"
)


def perfect_splits(routers: Iterable[str]) -> list[Line]:
    """Which of the routers divide perfectly, said once where tables may leave their column out."""
    perfect = [router for router in dict.fromkeys(routers) if traits_of(router).is_bound]
    return [Line(f"{PERFECT_SPLIT}: {', '.join(perfect)}; hashed flows load some links more")] if perfect else []


def verdict(entry: PhaseRoute, *, short: bool = False) -> Line:
    """Whether the phase is congested, and how badly, in one line; a short one has the same figures."""
    worst = f"worst {peak_percent(entry.max_utilisation) if short else short_peak(entry)}"
    over = f"{entry.links_over_capacity:,} {'' if short else 'links '}over{'' if short else ' capacity'}, {worst}"
    if entry.unreachable_pairs:
        cut = f"CUT: {entry.unreachable_pairs:,} pairs {'' if short else 'have '}no path"
        return Line(f"{cut}, {over if entry.links_over_capacity else worst}", "bad")
    if entry.links_over_capacity:
        return Line(f"CONGESTED {over}", "bad")
    return Line(f"not congested, {worst}{'' if short else congested_draws(entry)}", "good")


def congested_draws(entry: PhaseRoute) -> str:
    """In how many draws of the hash a link is over capacity although the middle one has none; else empty."""
    part = entry.draws.congested_part if entry.draws is not None and not entry.links_over_capacity else 0.0
    return f"; a link is over capacity in {percent(part, 0)} of draws" if part else ""


def bound(entry: PhaseRoute) -> str:
    """How far from the provable optimum the phase is."""
    best = entry.best_possible.lower_bound
    if best <= 0:
        return "no bound"
    above = max(entry.max_utilisation / best - 1, 0.0)
    far = "this is it" if above < 1e-6 else f"here {percent(above)} above"
    return f"best possible >= {percent(best)}, {far}: {entry.best_possible.witness}"


def step_words(result: RouteResult) -> tuple[Line, ...]:
    """One line per job: the step without and with congestion."""
    lines = []
    for job in result.jobs:
        if job.step_time_ideal_s is None:
            continue
        if job.step_time_s is None:
            lines.append(Line(f"{job.id}: step cannot finish", "bad"))
            continue
        more = job.step_time_s / job.step_time_ideal_s - 1 if job.step_time_ideal_s else 0.0
        words = f"{job.id}: step {format_seconds(job.step_time_ideal_s)} → {format_seconds(job.step_time_s)}"
        words += step_band_words(job.draws)
        lines.append(Line(f"{words} (+{percent(more)})" if more > 5e-4 else words, "warn" if more > 5e-4 else ""))
    return tuple(lines)


def limit_words(result: RouteResult) -> Line | None:
    """How many limits hold."""
    if not result.limits:
        return None
    failed = sum(limit.ok is False for limit in result.limits)
    undecided = sum(limit.ok is None for limit in result.limits)
    rest = f", {undecided} open" if undecided else ""
    if failed:
        return Line(f"{failed} of {len(result.limits)} limits FAIL{rest}", "bad")
    return Line(f"{len(result.limits) - undecided} of {len(result.limits)} limits hold{rest}", "good")
