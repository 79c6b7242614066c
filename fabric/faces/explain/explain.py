"""Why: a link, a switch, a job, a phase or a limit, with the changes that help, each of them routed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabric.evaluation.hash_imbalance import HashImbalance, hash_imbalance_of
from fabric.evaluation.hottest import by_heat, describe_link
from fabric.evaluation.limits import limit_text, measured_text
from fabric.evaluation.link_flows import link_flows
from fabric.evaluation.severity import by_severity
from fabric.faces.answers.draw_records import band_record, draws_record, spread_record
from fabric.faces.views.differences import effect_table
from fabric.faces.views.draws import ONE_DRAW, band_text, peak_words, shown_draw_words, step_band_words
from fabric.faces.views.failures import cause_table, sweep_text
from fabric.faces.views.flows import crossing_words, link_flow_table, no_flows, share_table
from fabric.faces.views.jobs import job_phase_records, shown_steps
from fabric.faces.views.limits import limit_mark
from fabric.faces.views.links import hot_link_table, link_mark
from fabric.faces.views.row_kinds import PAIRS, PAIRS_SHOWN
from fabric.faces.views.suggestions import suggestion_parts
from fabric.faces.views.tiers import tier_records, tier_table
from fabric.failures.result import FailureResult
from fabric.output.document import Document, Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.pipeline.run import Run
from fabric.result import HotLink, LimitVerdict, PhaseRoute, RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.routing.router import router_label, routing_basis
from fabric.routing.utilisation import descending, highest, over_capacity
from fabric.whatif.changes import ChangeSet, candidates, down
from fabric.whatif.live import LiveRoutes
from fabric.whatif.suggestions import Suggestion, cures, suggest
from topologies.columns import Longs
from topologies.errors import FabricError, RoutingError
from topologies.named_parts import find_link, hint_for, select
from topologies.units import format_gbps, format_seconds, percent

_LINKS_SHOWN = ("link", "utilisation", "p5", "p95", "offered_gbps", "cause")


@dataclass(frozen=True)
class Target:
    """What is explained."""

    kind: str  # link, switch, job, phase, limit
    name: str
    entry: PhaseRoute | None = None
    link: int = -1
    node: int = -1


@dataclass(frozen=True)
class Explanation:
    """The answer as a document, as facts for machines, and the pairs on a link as rows."""

    target: Target
    document: Document
    facts: dict[str, Any]
    pairs: Table
    suggestions: tuple[Suggestion, ...] = ()


def find_target(result: RouteResult, text: str, *, fabric: str | None = None, phase: str = "worst") -> Target:
    """What a word of the command line names.

    Links and switches are as `topologies.named_parts` reads them; phases and jobs may have ``phase:`` and ``job:``
    before them.

    Raises
    ------
    RoutingError
        FP9003 with the nearest name.
    """
    entries = [entry for entry in result.routes if fabric in (None, entry.fabric)]
    kind, colon, rest = text.partition(":")
    if colon and kind in ("phase", "job", "limit", "switch", "link"):
        if any(_link(entry, text) is not None for entry in entries):
            kind = "link"  # a node has the name of a kind
        else:
            text = rest
    if kind not in ("job", "switch", "link", "limit"):
        for entry in by_severity(entries):
            if text in (entry.phase, f"{entry.fabric} {entry.phase}"):
                return Target("phase", entry.phase, entry)
    if text in {job.id for job in result.jobs} and kind not in ("switch", "link", "limit"):
        return Target("job", text)
    if any(text in (limit.id, limit.text) for limit in result.limits):
        return Target("limit", text)
    for entry in _worst_first(entries, phase):
        link = _link(entry, text)
        if link is not None:
            return Target("link", entry.topology.link_name(link), entry, link=link)
        nodes, _ = select(entry.topology, entry.fabric, text)
        if len(nodes) == 1:
            return Target("switch", entry.topology.nodes.name[nodes[0]], entry, node=nodes[0])
    raise _unknown(result, entries, text)


def _worst_first(entries: Sequence[PhaseRoute], phase: str) -> list[PhaseRoute]:
    """The phase asked for, else all; the worst first."""
    order = by_severity(entries)
    return [entry for entry in order if entry.phase == phase] or order


def _link(entry: PhaseRoute, text: str) -> int | None:
    """The fullest of the links that a text names."""
    chosen = find_link(entry.topology, text, fabric=entry.fabric)
    return int(chosen[highest(entry.utilisation[chosen])]) if len(chosen) else None


def _unknown(result: RouteResult, entries: Sequence[PhaseRoute], text: str) -> FabricError:
    names = [entry.phase for entry in entries] + [job.id for job in result.jobs] + [one.id for one in result.limits]
    fabrics = {entry.fabric: entry.topology for entry in entries}
    return RoutingError(
        f"{text!r} is not a link, switch, job, phase or limit of this scenario",
        hint=hint_for(fabrics.values(), text, names) or "for example leaf0->spine1, spine1, phase:NAME, L1",
        code="FP9003",
    )


def explain(
    run: Run,
    target: Target,
    *,
    progress: Reporter = silent,
) -> Explanation:
    """Explain a target; changes that help are routed one by one."""
    return with_fixes(run, describe(run, target), progress=progress)


def describe(run: Run, target: Target) -> Explanation:
    """What loads a target, without the changes that help."""
    chosen = {"link": _explain_link, "switch": _explain_switch, "job": _explain_job, "phase": _explain_phase}
    return chosen.get(target.kind, _explain_limit)(run, target)


def with_fixes(run: Run, found: Explanation, *, progress: Reporter = silent) -> Explanation:
    """The same explanation with the changes that help, routed one by one."""
    target = found.target
    progress(Progress("looking for a change that helps"))
    fabrics = (
        [target.entry.fabric] if target.entry is not None else list(dict.fromkeys(e.fabric for e in run.result.routes))
    )
    own = target.entry.fabric if target.entry is not None else None
    fixes = suggest(run, changes=candidates(run.loaded, fabrics), fabric=own, progress=progress)
    parts = [
        *found.document,
        *([] if cures(fixes) else [Line("no single change without new hardware helps")]),
        *suggestion_parts(fixes, title="what would help"),
    ]
    return replace(found, document=parts, suggestions=fixes)


def with_failures(found: Explanation, failures: FailureResult) -> Explanation:
    """The same explanation of a link with the failures that fill it most."""
    target = found.target
    assert target.entry is not None
    key = (target.entry.fabric, target.name)
    link = next((link for link in failures.links if (link.fabric, link.link) == key), None)
    if link is None or not link.causes:
        full = "it carries nothing" if link is None else f"it is at most {percent(link.worst_utilisation)} full"
        parts: list[Table | Line] = [Line(f"no failure fills it more than it is intact: {full} in any case")]
    else:
        text = (
            f"intact {percent(link.intact_utilisation)}, at worst {percent(link.worst_utilisation)} in {link.phase}: "
            f"{sweep_text(failures)}"
        )
        parts = [Line(text, link_mark(link.worst_utilisation)), cause_table(link)]
    facts = {
        "worst_utilisation": None if link is None else finite(link.worst_utilisation),
        "causes": [] if link is None else cause_table(link).records(),
    }
    return replace(found, document=[*found.document, *parts], facts={**found.facts, "failures": facts})


# ---- a link -------------------------------------------------------------------------------------------------------


def _explain_link(_: Run, target: Target) -> Explanation:
    entry = target.entry
    assert entry is not None
    found = describe_link(entry, target.link)
    parts: list[Table | Line] = [_headline(found)]
    facts: dict[str, Any] = {
        "link": found.link,
        "fabric": entry.fabric,
        "phase": entry.phase,
        "capacity_gbps": found.capacity_gbps,
        "offered_gbps": found.offered_gbps,
        "utilisation": found.utilisation,
        "carried_gbps": found.carried_gbps,
        "p5": found.p5,
        "p95": found.p95,
        "draws": draws_record(entry.draws),
        "shares": share_table(found).records(),
        "bound": {"lower_bound": entry.best_possible.lower_bound, "witness": entry.best_possible.witness},
    }
    pairs = no_flows()
    try:
        flows = link_flows(entry, target.link)
    except FabricError as error:
        parts.append(Line(error.problems[0].message, "warn"))
    else:
        parts.append(Line(crossing_words(entry, flows)))
        imbalance = hash_imbalance_of(entry, flows)
        facts["luck"] = None if imbalance is None else imbalance.__dict__
        parts += _imbalance_lines(entry, imbalance, found)
        pairs = link_flow_table(entry, flows)
        facts["pairs"], facts["subflows"] = flows.total_pairs, flows.total_subflows
        parts.append(_largest(pairs))
    parts[1:1] = _draw_lines(entry, found)
    parts.insert(1, share_table(found))
    parts.append(Line(f"whatever the routing: {entry.best_possible.witness}"))
    return Explanation(target, parts, facts, pairs)


def _headline(found: HotLink) -> Line:
    words = (
        f"{found.a} {found.a_port} -> {found.b} {found.b_port}  {found.fabric} {found.phase}: "
        f"{format_gbps(found.capacity_gbps)}, offered {format_gbps(found.offered_gbps)} "
        f"({percent(found.utilisation)}), carried {format_gbps(found.carried_gbps)}"
    )
    return Line(words, link_mark(found.utilisation))


def _draw_lines(entry: PhaseRoute, found: HotLink | None = None) -> list[Line]:
    """Which draw of the hash a link's load is of, and what other draws put on this link."""
    if entry.draws is None:
        return []
    text = shown_draw_words(entry)
    if found is not None and found.p5 is not None:
        text += f", this link alone {percent(found.p5)} to {percent(found.p95)}"
    return [Line(text)]


def _imbalance_lines(entry: PhaseRoute, imbalance: HashImbalance | None, found: HotLink) -> list[Line]:
    if imbalance is None:
        words = f"{router_label(entry.router)}: no hash decides, the structure loads this link"
        if entry.draws is not None:
            words = "the hash decided before this link: towards the hosts a leaf-spine has no choice left"
        return [Line(words)]
    lines = [
        Line(
            f"{imbalance.dealt:,} hashed flows onto {imbalance.choices} links: mean {imbalance.mean:.1f}, "
            f"this one drew {imbalance.here}; "
            f"a fair hash gives a given link as many in {percent(imbalance.probability, 2)} of seeds, "
            f"one of {imbalance.like:,} in {percent(imbalance.any_probability)}"
        )
    ]
    per_flow = found.offered_gbps / imbalance.here if imbalance.here else 0.0
    structural = imbalance.mean * per_flow > found.capacity_gbps
    if structural:
        lines.append(Line("structure: the mean alone is over capacity, no seed helps", "warn"))
    elif imbalance.is_likely:
        lines.append(
            Line("hash imbalance: the mean would fit, some link draws this many in most or many seeds", "warn")
        )
    else:
        lines.append(Line("neither chance nor mean explains it: look at the pairs, they hash alike", "warn"))
    return lines


def _largest(pairs: Table) -> Table:
    """The pairs that load a link most."""
    more = f", the {PAIRS_SHOWN} largest of {len(pairs):,} rows" if len(pairs) > PAIRS_SHOWN else ""
    return pairs.only(*PAIRS.shown).first(PAIRS_SHOWN).titled(f"{pairs.title}{more}").as_rows()


# ---- a switch -----------------------------------------------------------------------------------------------------


def _explain_switch(run: Run, target: Target) -> Explanation:
    entry = target.entry
    assert entry is not None
    topology = entry.topology
    mine = np.flatnonzero((topology.links.src == target.node) | (topology.links.dst == target.node))
    order = mine[descending(entry.utilisation[mine])][:PAIRS_SHOWN]
    over = int(over_capacity(entry.utilisation[mine]).sum())
    parts: list[Table | Line] = [
        Line(f"{target.name}: {len(mine):,} directed links, {over:,} over capacity in {entry.fabric} {entry.phase}"),
        *_draw_lines(entry),
        _links(entry, order).titled("its fullest links"),
    ]
    gone = LiveRoutes(run).route(ChangeSet((down(target.name),)))
    changes = effect_table(run.result, gone, changed_only=True)
    parts.append(
        changes.titled(f"if {target.name} fails (routed)")
        if len(changes)
        else Line(f"nothing changes if {target.name} fails")
    )
    facts = {
        "switch": target.name,
        "fabric": entry.fabric,
        "phase": entry.phase,
        "links": len(mine),
        "links_over_capacity": over,
        "max_utilisation": float(entry.utilisation[mine].max(initial=0.0)),
        "draws": draws_record(entry.draws),
        "if_it_fails": [{"metric": row["what"], "before": row["a"], "after": row["b"]} for row in changes.records()],
    }
    return Explanation(target, parts, facts, no_flows())


def _links(entry: PhaseRoute, links: Longs) -> Table:
    """Links with what loads them."""
    table = hot_link_table([describe_link(entry, link) for link in links.tolist()])
    return table.only(*_LINKS_SHOWN).without_empty("p5", "p95")


# ---- a job, a phase, a limit --------------------------------------------------------------------------------------


def _explain_job(run: Run, target: Target) -> Explanation:
    job = next(job for job in run.result.jobs if job.id == target.name)
    lost = [(phase.exposed_s or 0) - min(phase.exposed_s or 0, phase.ideal_s) for phase in job.phases if phase.in_step]
    words = f"{job.id}: {job.kind}, {job.ranks:,} ranks"
    if job.step_time_ideal_s is not None and job.step_time_s is not None:
        words += (
            f"; step {format_seconds(job.step_time_ideal_s)} without congestion, {format_seconds(job.step_time_s)} "
            f"here{step_band_words(job.draws)}: {format_seconds(sum(lost))} of it is waiting for full links"
        )
    facts = {
        "job": job.id,
        "step_time_s": job.step_time_s,
        "step_time_ideal_s": job.step_time_ideal_s,
        "lost_s": sum(lost),
        "draws": band_record(job.draws),
        "phases": job_phase_records(job),
    }
    return Explanation(target, [Line(words), shown_steps(job).titled("its phases")], facts, no_flows())


def _explain_phase(_: Run, target: Target) -> Explanation:
    entry = target.entry
    assert entry is not None
    order = by_heat(entry)[:PAIRS_SHOWN]
    tiers = tier_table([entry]).without("fabric", "phase")
    best = entry.best_possible
    parts: list[Table | Line] = [
        Line(
            f"{entry.fabric} {entry.phase}: {router_label(entry.router, drawn=entry.draws is not None)}, "
            f"max {peak_words(entry)}, {entry.links_over_capacity:,} links over capacity",
            "bad" if entry.links_over_capacity else "good",
        ),
        Line(f"no routing can do better than {percent(best.lower_bound)}: {best.witness}"),
        tiers,
        _links(entry, order[entry.utilisation[order] > 0]),
    ]
    facts = {
        "phase": entry.phase,
        "fabric": entry.fabric,
        "router": entry.router,
        "routing_basis": routing_basis(entry.router, drawn=entry.draws is not None),
        "max_utilisation": entry.max_utilisation,
        "draws": draws_record(entry.draws),
        "spread": spread_record(entry.spread),
        "links_over_capacity": entry.links_over_capacity,
        "bound": {"lower_bound": best.lower_bound, "witness": best.witness},
        "tiers": tier_records(entry),
    }
    return Explanation(target, parts, facts, no_flows())


def _explain_limit(run: Run, target: Target) -> Explanation:
    limit = next(limit for limit in run.result.limits if target.name in (limit.id, limit.text))
    words = {True: "holds", False: "FAILS", None: "is open"}[limit.ok]
    value = measured_text(limit) + _limit_draws(limit)
    line = Line(
        f"{limit.id} {limit.text} {words}: {value}, allowed {limit_text(limit.max, limit.unit)}"
        + (f" ({limit.detail})" if limit.detail else ""),
        limit_mark(limit.ok),
    )
    facts: dict[str, Any] = {
        "limit": limit.id,
        "text": limit.text,
        "ok": limit.ok,
        "value": limit.value,
        "max": limit.max,
    }
    facts |= {"at": limit.at, "draws": band_record(limit.draws), "failed_part": limit.failed_part}
    return Explanation(target, [line], facts, no_flows())


def _limit_draws(limit: LimitVerdict) -> str:
    """What of the draws was judged, and what nine in ten come to; empty where nothing is drawn."""
    if limit.draws is None:
        return ""
    if len(limit.draws) < 2:
        return f" ({ONE_DRAW})"
    band = band_text(limit.draws, lambda value: limit_text(value, limit.unit))
    return f" ({limit.at} of {len(limit.draws):,} draws, p5 to p95 {band}, fails in {percent(limit.failed_part, 0)})"
