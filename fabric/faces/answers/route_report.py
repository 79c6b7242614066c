"""What ``fabric route`` prints: phases, tiers, hottest links with their causes, jobs, limits."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.evaluation.limits import limit_text, measured_text
from fabric.evaluation.severity import worst_phase
from fabric.output.document import Document, Line, Mark, Table, table
from fabric.result import HotLink, JobTime, PhaseRoute, RouteResult
from fabric.routing.utilisation import is_over
from fabric.scenario.load import LoadedScenario
from fabric.whatif.suggestions import Suggestion
from topologies.units import excess, format_bytes, format_seconds, percent

_SHOWN_SHARES = 2


def route_document(loaded: LoadedScenario, result: RouteResult, suggestions: Sequence[Suggestion] = ()) -> Document:
    """The whole answer, most important first."""
    scenario = loaded.scenario
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  offered load, may exceed 100 %")
    ]
    parts.append(_verdict(result))
    parts.append(_phases(result))
    parts += _bottlenecks(result)
    parts += _remarks(result)
    parts += _unreachable(result)
    parts += _luck(result)
    parts.append(_tiers(result))
    if result.items:
        parts.append(_hottest(result))
    parts += [_job(job) for job in result.jobs]
    if result.limits:
        parts.append(_limits(result))
    if suggestions:
        parts.append(_try(suggestions))
    return [*parts, *_notes(result)]


def _try(suggestions: Sequence[Suggestion]) -> Table:
    """Single changes that help, each routed, with the command that applies it."""
    heads = ("change", ">max offered", ">links over", ">step", "command~")
    rows = [
        (
            entry.text,
            f"{percent(entry.max_before)} -> {percent(entry.max_after)}",
            f"{entry.over_after:,}",
            "-" if entry.step_after_s is None else format_seconds(entry.step_after_s),
            entry.command,
        )
        for entry in suggestions
    ]
    return table("try, each alone (routed)", heads, rows)


def _verdict(result: RouteResult) -> Line:
    over = [entry for entry in result.routes if entry.links_over_capacity]
    worst = worst_phase(over)
    if worst is None:
        peak = percent(result.max_utilisation)
        cut = sum(entry.is_cut for entry in result.routes)
        if cut:
            return Line(
                f"DEMAND CUT: in {cut} of {len(result.routes)} phases not all demand is let in, so that no link is "
                f"offered more than it carries; the fullest is at {peak}",
                "bad",
            )
        return Line(f"not congested: no link is offered more than it carries; the fullest is at {peak}", "good")
    count = sum(entry.links_over_capacity for entry in over)
    return Line(
        f"CONGESTED: {count:,} link loads over capacity in {len(over)} of {len(result.routes)} phases; "
        f"worst {percent(worst.max_utilisation)} on {worst.hottest_link} in {worst.fabric} {worst.phase}",
        "bad",
    )


def _mark(entry: PhaseRoute) -> Mark:
    return "bad" if is_over(entry.max_utilisation) or entry.unreachable_pairs else ""


def _phases(result: RouteResult) -> Table:
    headers = (
        "fabric", "phase", "router?", ">max offered", ">links over", ">best possible", ">above best?", ">λ?", "solver?",
        ">time!",
    )  # fmt: skip
    rows = []
    for entry in result.routes:
        best = entry.best_possible.lower_bound
        rows.append(
            (
                entry.fabric,
                entry.phase,
                entry.router,
                reached(entry.max_utilisation, entry.partial and entry.objective is None),
                f"{entry.links_over_capacity:,}",
                f">= {percent(best)}",
                above(entry.max_utilisation, best),
                f"{entry.throughput:,.3f}" if entry.throughput is not None else "-",
                entry.solver or "-",
                format_seconds(entry.solve_time_s),
            )
        )
    return table("phases", headers, rows, marks=[_mark(entry) for entry in result.routes])


def reached(utilisation: float, partial: bool) -> str:
    """A utilisation; what a stopped solve reached is no optimum, and says so."""
    return f"<= {percent(utilisation)}" if partial else percent(utilisation)


def above(utilisation: float, best: float) -> str:
    """Relative distance to the bound, with enough digits to tell a small one from none; ``-`` where demand was cut.

    >>> above(1.07, 1.0), above(1.00002, 1.0), above(1.0, 1.0), above(1.0, 0.0)
    ('7.0 %', '0.00200 %', '0.0 %', '-')
    """
    return "-" if best <= 0 or utilisation < best * (1 - 1e-6) else excess(max(utilisation / best - 1, 0.0))


def _stopped(entry: PhaseRoute) -> list[str]:
    """Between what the optimum lies where a solve was stopped."""
    if not entry.partial or entry.objective is not None:
        return []
    best = entry.best_possible.lower_bound
    return [
        f"stopped before it was proven: the optimum lies between {percent(best)} (bound) and "
        f"{percent(entry.max_utilisation)} (this routing), gap {above(entry.max_utilisation, best)}"
    ]


def _objective(entry: PhaseRoute) -> list[str]:
    """What an objective other than least utilisation reached, and what no routing can pass."""
    proof = entry.objective
    if proof is None:
        return []
    gap = abs(proof.value / proof.bound - 1) if proof.bound else 0.0
    state = "stopped: " if entry.partial else ""
    return [
        f"{state}{proof.name} {proof.value:,.6g} {proof.unit}, bound {proof.bound:,.6g} (gap {excess(gap)}): "
        f"{proof.witness}"
    ]


def _remarks(result: RouteResult) -> list[Line]:
    """Phase by phase: objective, what a stopped solve is worth, what the router says; equal ones share a line."""
    words: dict[tuple[str, str, Mark], list[str]] = {}
    for entry in result.routes:
        for text in (*_objective(entry), *entry.notes):
            words.setdefault((entry.fabric, text, ""), []).append(entry.phase)
        for text in _stopped(entry):
            words.setdefault((entry.fabric, text, "warn"), []).append(entry.phase)
    return [Line(f"{fabric} {', '.join(phases)}: {text}", mark) for (fabric, text, mark), phases in words.items()]


def _luck(result: RouteResult) -> list[Table | Line]:
    """Percentiles over the draws of the hash seeds."""
    drawn = [(entry, entry.spread) for entry in result.routes if entry.spread is not None]
    if not drawn:
        return []
    headers = ("fabric", "phase", ">draws", ">p50", ">p95", ">p99", ">flow p50", ">flow p95?", ">flow p99")
    rows = [
        (
            entry.fabric,
            entry.phase,
            f"{spread.replicas:,}",
            *(percent(value) for value in (full.p50, full.p95, full.p99)),
            *(percent(value) for value in (rate.p50, rate.p95, rate.p99)),
        )
        for entry, spread in drawn
        for full, rate in [(spread.max_utilisation, spread.worst_rate)]
    ]
    return [table("luck of the hash: fullest link, and rate of the worst-off flow of what it offers", headers, rows)]


def _bottlenecks(result: RouteResult) -> list[Line]:
    """What holds every phase back, in words; phases that say the same share a line."""
    words: dict[tuple[str, str], list[str]] = {}
    for entry in result.routes:
        words.setdefault((entry.fabric, entry.bottleneck), []).append(entry.phase)
    return [Line(f"{fabric} {', '.join(phases)}: {text}") for (fabric, text), phases in words.items()]


def _unreachable(result: RouteResult) -> list[Line]:
    lines = []
    for entry in result.routes:
        if entry.unreachable_pairs:
            shown = ", ".join(f"{pair.src} -> {pair.dst}" for pair in entry.unreachable[:5])
            more = f" and {entry.unreachable_pairs - 5:,} more" if entry.unreachable_pairs > 5 else ""
            lines.append(
                Line(
                    f"UNREACHABLE: {entry.unreachable_pairs:,} pairs have no path in {entry.fabric} "
                    f"{entry.phase}: {shown}{more}",
                    "bad",
                )
            )
    return lines


def _tiers(result: RouteResult) -> Table:
    headers = ("fabric", "phase", "tier", "way", ">links?", ">p50", ">p99", ">max", ">over")
    listed = {(link.fabric, link.phase) for link in result.items}
    shown = [entry for entry in result.routes if not listed or (entry.fabric, entry.phase) in listed]
    rows = [
        (
            entry.fabric,
            entry.phase,
            tier.tier,
            tier.direction,
            f"{tier.links:,}",
            percent(tier.p50),
            percent(tier.p99),
            percent(tier.max),
            f"{tier.over_capacity:,}",
        )
        for entry in shown
        for tier in entry.tiers
    ]
    marks: list[Mark] = ["bad" if tier.over_capacity else "" for entry in shown for tier in entry.tiers]
    return table("offered load by tier", headers, rows, marks=marks)


def _hottest(result: RouteResult) -> Table:
    headers = ("link", ">offered", ">Gb/s", ">of Gb/s", "cause~", "phase?", "fabric?")
    rows = [
        (
            link.link,
            percent(link.utilisation if link.utilisation is not None else float("inf")),
            f"{link.offered_gbps:,.1f}",
            f"{link.capacity_gbps:,.0f}",
            _cause(link),
            link.phase,
            link.fabric,
        )
        for link in result.items
    ]
    marks: list[Mark] = ["bad" if is_over(link.utilisation) else "" for link in result.items]
    return table("hottest links", headers, rows, marks=marks)


def _cause(link: HotLink) -> str:
    shown = [f"{share.job} {share.phase} {percent(share.share, 0)}" for share in link.shares[:_SHOWN_SHARES]]
    more = len(link.shares) - _SHOWN_SHARES
    return ", ".join(shown) + (f", {more} more" if more > 0 else "")


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else format_seconds(seconds)


def _job(job: JobTime) -> Table:
    headers = ("phase", "fabric?", ">sent/rank?", ">ideal", ">here", ">exposed", ">stretch", "slowest link~")
    rows = []
    for phase in job.phases:
        inside = phase.fabric is None
        rows.append(
            (
                phase.name,
                phase.fabric or "NVLink",
                format_bytes(phase.bytes_per_rank),
                "in compute" if inside else format_seconds(phase.ideal_s),
                "in compute" if inside else _seconds(phase.predicted_s),
                "-" if inside or not phase.in_step else _seconds(phase.exposed_s),
                "-" if phase.stretch is None else f"{phase.stretch:.2f}x",
                phase.hottest_link or "-",
            )
        )
    if job.compute_s is not None:
        compute = format_seconds(job.compute_s)
        rows.append(("compute", "-", "-", compute, compute, compute, "1.00x", "-"))
    if job.step_time_ideal_s is not None:
        stretch = "-" if job.stretch is None else f"{job.stretch:.2f}x"
        rows.append(
            ("step", "-", "-", format_seconds(job.step_time_ideal_s), _seconds(job.step_time_s), "-", stretch, "-")
        )
    ranks = f", {job.ranks:,} ranks" if job.ranks else ""
    return table(f"{job.id}: {job.kind}{ranks}", headers, rows)


def _limits(result: RouteResult) -> Table:
    rows = []
    marks: list[Mark] = []
    for limit in result.limits:
        verdict, mark = {True: ("ok", "good"), False: ("FAIL", "bad"), None: ("open", "warn")}[limit.ok]
        rows.append((verdict, limit.text, measured_text(limit), limit_text(limit.max, limit.unit), limit.detail))
        marks.append(mark)  # type: ignore[arg-type]
    return table("limits", ("verdict", "limit", ">value", ">allowed", "detail~"), rows, marks=marks)


def _notes(result: RouteResult) -> list[Line]:
    lines = [Line(f"warning: {text}", "warn") for text in result.warnings]
    failed = sum(limit.ok is False for limit in result.limits)
    if failed:
        lines.append(Line(f"{failed} limit{'s' if failed > 1 else ''} failed", "bad"))
    if result.partial:
        lines.append(Line("partial: a limit stopped a solve; its bound and gap are above", "warn"))
    return lines
