"""What ``fabric route`` prints: phases, tiers, hottest links with their causes, jobs, limits."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.bill.energy import NetworkPower
from fabric.evaluation.severity import worst_phase
from fabric.faces.views.draws import draws_lines, peak_words
from fabric.faces.views.energy import energy_of
from fabric.faces.views.headline import STOPPED, congested_draws, limit_words, perfect_splits
from fabric.faces.views.jobs import shown_steps
from fabric.faces.views.limits import shown_limits
from fabric.faces.views.links import FOLDED_SHOWN, folded_link_table
from fabric.faces.views.memory import shown_memory
from fabric.faces.views.phases import above, shown_phases, spread_table
from fabric.faces.views.step_parts import job_parts_table
from fabric.faces.views.suggestions import suggestion_parts
from fabric.faces.views.tiers import tier_table
from fabric.output.document import Document, Line
from fabric.output.table import Mark, Table
from fabric.result import PhaseRoute, RouteResult
from fabric.scenario.load import LoadedScenario
from fabric.whatif.suggestions import Suggestion
from topologies.units import excess, format_bytes, percent


def route_document(
    loaded: LoadedScenario,
    result: RouteResult,
    suggestions: Sequence[Suggestion] = (),
    power: NetworkPower | None = None,
) -> Document:
    """The whole answer, most important first; with the power of the network, the energy of steps too."""
    scenario = loaded.scenario
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  offered load, may exceed 100 %")
    ]
    parts += [*_verdict(result), *_misfits(result), *_limits(result)]
    parts += perfect_splits(entry.router for entry in result.routes if entry.draws is None)
    parts += draws_lines(result.routes)
    parts.append(shown_phases(result.routes))
    parts += _bottlenecks(result)
    parts += _remarks(result)
    parts += _unreachable(result)
    tables = [
        spread_table(result.routes),
        tier_table(_listed(result)),
        _links(result),
        *(table for job in result.jobs for table in (shown_steps(job), job_parts_table(job))),
        shown_memory([(job.id, job.memory) for job in result.jobs]),
        *([] if power is None else [energy_of(result.jobs, power)]),
    ]
    parts += [table for table in tables if len(table)]
    parts += suggestion_parts(suggestions)
    return [*parts, *_notes(result)]


def _links(result: RouteResult) -> Table:
    """The hottest links of the phases that are listed, equal ones in one row, and how many there are in all."""
    links = sum(len(entry.topology.links) for entry in _listed(result))
    shown = sum(group.count for group in result.folded)
    title = f"hottest links, {shown:,} of {links:,}" if shown < links else "hottest links"
    return folded_link_table(result.folded).only(*FOLDED_SHOWN).titled(title).as_rows()


def _listed(result: RouteResult) -> list[PhaseRoute]:
    """The phases whose links are listed; all where none is."""
    listed = {(link.fabric, link.phase) for link in result.items}
    return [entry for entry in result.routes if not listed or (entry.fabric, entry.phase) in listed]


def _limits(result: RouteResult) -> list[Table | Line]:
    """How many limits hold, then each of them."""
    line = limit_words(result)
    return [] if line is None else [line, shown_limits(result.limits)]


def _verdict(result: RouteResult) -> list[Line]:
    over = [entry for entry in result.routes if entry.links_over_capacity]
    sometimes = [
        Line(f"{entry.fabric} {entry.phase}: not congested in the middle draw{text}", "warn")
        for entry in result.routes
        if (text := congested_draws(entry))
    ]
    worst = worst_phase(over)
    if worst is None:
        fullest = worst_phase(result.routes)
        peak = peak_words(fullest) if fullest is not None else percent(None)
        cut = sum(entry.is_cut for entry in result.routes)
        if cut:
            words = (
                f"DEMAND CUT: in {cut} of {len(result.routes)} phases not all demand is admitted, so that no link is "
                f"offered more than it carries; the fullest is at {peak}"
            )
            return [Line(words, "bad"), *sometimes]
        words = f"not congested: no link is offered more than it carries; the fullest is at {peak}"
        return [Line(words, "good"), *sometimes]
    count = sum(entry.links_over_capacity for entry in over)
    words = (
        f"CONGESTED: {count:,} link loads over capacity in {len(over)} of {len(result.routes)} phases; "
        f"worst {peak_words(worst)} on {_hottest(result, worst)} in {worst.fabric} {worst.phase}"
    )
    return [Line(words, "bad"), *sometimes]


def _misfits(result: RouteResult) -> list[Line]:
    """Jobs whose layout does not fit in the memory of their GPUs: no layout, however it is routed."""
    return [
        Line(
            f"DOES NOT FIT: {job.id} needs {format_bytes(job.memory.total)} of a GPU with "
            f"{format_bytes(job.memory.capacity or 0.0)}, of which {format_bytes(job.memory.reserved)} are kept free",
            "bad",
        )
        for job in result.jobs
        if job.memory is not None and job.memory.fits is False
    ]


def _hottest(result: RouteResult, worst: PhaseRoute) -> str:
    """The fullest link, and how many are as full."""
    for group in result.folded:
        if group.count > 1 and group.example.link == worst.hottest_link and group.example.phase == worst.phase:
            return f"{worst.hottest_link} (one of {group.name})"
    return worst.hottest_link


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


def _notes(result: RouteResult) -> list[Line]:
    lines = [Line(f"warning: {text}", "warn") for text in result.warnings]
    if result.partial:
        lines.append(Line(STOPPED, "warn"))
    return lines
