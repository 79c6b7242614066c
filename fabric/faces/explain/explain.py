"""Why: a link, a switch, a job, a phase or a limit, with what would cure it, each cure routed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabric.evaluation.hash_imbalance import Luck, luck_of
from fabric.evaluation.hottest import describe_link
from fabric.evaluation.limits import limit_text
from fabric.evaluation.link_flows import LinkFlows, link_flows
from fabric.faces.views.flow_tables import crossing_words
from fabric.faces.views.phase_tables import phase_table
from fabric.output.document import Document, Line, Table, table
from fabric.output.numbers import percent
from fabric.request import RouteRequest
from fabric.result import HotLink, PhaseRoute, RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.whatif.changes import ChangeSet, candidates, down
from fabric.whatif.effect import effect
from fabric.whatif.live import LiveRoutes
from fabric.whatif.suggestions import Suggestion, suggest
from topologies.errors import FabricError, RoutingError, nearest_hint
from topologies.units import format_seconds

MOST_PAIRS = 12


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
    pairs: tuple[dict[str, Any], ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


def find_target(result: RouteResult, text: str, *, fabric: str | None = None, phase: str = "worst") -> Target:
    """What a word of the command line names.

    Links are ``a->b``, ``a -> b #2``, ``a:b`` or ``switch:portN``; phases and jobs may have ``phase:`` and ``job:``
    before them.

    Raises
    ------
    RoutingError
        FP9003 with the nearest name.
    """
    entries = [entry for entry in result.routes if fabric in (None, entry.fabric)]
    kind, colon, rest = text.partition(":")
    if colon and kind in ("phase", "job", "limit", "switch", "link"):
        text = rest
    if kind not in ("job", "switch", "link", "limit"):
        for entry in entries:
            if text in (entry.phase, f"{entry.fabric} {entry.phase}"):
                return Target("phase", entry.phase, entry)
    if text in {job.id for job in result.jobs} and kind not in ("switch", "link", "limit"):
        return Target("job", text)
    if any(text in (limit.id, limit.text) for limit in result.limits):
        return Target("limit", text)
    for entry in _by_badness(entries, phase):
        link = _link(entry, text)
        if link is not None:
            return Target("link", entry.topology.link_name(link), entry, link=link)
        if entry.topology.has_node(text):
            return Target("switch", text, entry, node=entry.topology.node(text))
    raise _unknown(result, entries, text)


def _by_badness(entries: Sequence[PhaseRoute], phase: str) -> list[PhaseRoute]:
    """The phase asked for, else the worst first."""
    named = [entry for entry in entries if entry.phase == phase]
    return named or sorted(entries, key=lambda entry: -entry.max_utilisation)


def _link(entry: PhaseRoute, text: str) -> int | None:
    topology = entry.topology
    plain, _, ordinal = text.replace("→", "->").partition("#")
    for separator in ("->", ":"):
        a, found, b = (part.strip() for part in plain.partition(separator))
        if not found or not topology.has_node(a):
            continue
        src = topology.node(a)
        leaving = np.flatnonzero(topology.links.src == src)
        if b.startswith("port") and b[4:].isdigit():
            chosen = leaving[topology.src_port[leaving] == int(b[4:]) - 1]
        elif topology.has_node(b):
            chosen = leaving[topology.links.dst[leaving] == topology.node(b)]
        else:
            continue
        if ordinal.strip().isdigit():
            chosen = chosen[topology.parallel_ordinal[chosen] == int(ordinal) - 1]
        if len(chosen):
            return int(chosen[np.argmax(entry.utilisation[chosen])])
    return None


def _unknown(result: RouteResult, entries: Sequence[PhaseRoute], text: str) -> FabricError:
    names = [entry.phase for entry in entries] + [job.id for job in result.jobs] + [one.id for one in result.limits]
    for entry in entries[:1]:
        names += entry.topology.nodes.name[:20_000]
    return RoutingError(
        f"{text!r} is no link, switch, job, phase or limit of this scenario",
        hint=nearest_hint(text, names, otherwise="for example leaf0->spine1, spine1, phase:NAME, L1"),
        code="FP9003",
    )


def explain(
    loaded: LoadedScenario,
    request: RouteRequest,
    result: RouteResult,
    target: Target,
    *,
    progress: Reporter = silent,
) -> Explanation:
    """Explain a target; cures are routed one by one."""
    chosen = {"link": _explain_link, "switch": _explain_switch, "job": _explain_job, "phase": _explain_phase}
    found = chosen.get(target.kind, _explain_limit)(loaded, request, result, target)
    progress(Progress("looking for a cure"))
    fabrics = (
        [target.entry.fabric] if target.entry is not None else list(dict.fromkeys(e.fabric for e in result.routes))
    )
    cures = suggest(loaded, request, result, changes=candidates(loaded, fabrics), progress=progress)
    parts = [*found.document, *([_cures(cures)] if cures else [Line("no single change without new hardware helps")])]
    return replace(found, document=parts, suggestions=cures)


def _cures(cures: Sequence[Suggestion]) -> Table:
    heads = ("cheapest changes, each alone and routed", ">max offered", ">links over", ">step", "command?~")
    rows = [
        (
            cure.text,
            percent(cure.max_after),
            f"{cure.over_after:,}",
            "-" if cure.step_after_s is None else format_seconds(cure.step_after_s),
            cure.command,
        )
        for cure in cures
    ]
    return table("what would help", heads, rows)


# ---- a link -------------------------------------------------------------------------------------------------------


def _explain_link(_: LoadedScenario, __: RouteRequest, ___: RouteResult, target: Target) -> Explanation:
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
        "shares": [share.__dict__ for share in found.shares],
        "bound": {"lower_bound": entry.best_possible.lower_bound, "witness": entry.best_possible.witness},
    }
    pairs: tuple[dict[str, Any], ...] = ()
    try:
        flows = link_flows(entry, target.link)
    except FabricError as error:
        parts.append(Line(error.problems[0].message, "warn"))
    else:
        parts.append(Line(crossing_words(entry, flows)))
        luck = luck_of(entry, flows)
        facts["luck"] = None if luck is None else luck.__dict__
        parts += _luck_lines(entry, luck, found)
        pairs = tuple(_pair(entry, flows, row) for row in range(len(flows)))
        facts["pairs"], facts["subflows"] = flows.total_pairs, flows.total_subflows
        parts.append(_pairs(pairs, flows))
    parts.insert(1, _shares(found))
    parts.append(Line(f"whatever the routing: {entry.best_possible.witness}"))
    return Explanation(target, parts, facts, pairs)


def _headline(found: HotLink) -> Line:
    words = (
        f"{found.a} {found.a_port} -> {found.b} {found.b_port}  {found.fabric} {found.phase}: "
        f"{found.capacity_gbps:g} Gb/s, offered {found.offered_gbps:,.1f} Gb/s ({percent(found.utilisation)}), "
        f"carried {found.carried_gbps:,.1f} Gb/s"
    )
    return Line(words, "bad" if found.utilisation is None or found.utilisation > 1 else "")


def _shares(found: HotLink) -> Table:
    rows = [
        (share.job, share.phase, share.collective, f"{share.offered_gbps:,.1f}", percent(share.share))
        for share in found.shares
    ]
    return table("who loads it", ("job", "phase", "collective", ">Gb/s", ">share"), rows)


def _luck_lines(entry: PhaseRoute, luck: Luck | None, found: HotLink) -> list[Line]:
    if luck is None:
        words = "traffic divides like a fluid: no luck in it, the structure loads this link"
        if entry.router == "ecmp-hash":
            words = "the hash decided before this link: towards the hosts a leaf-spine has no choice left"
        return [Line(words)]
    lines = [
        Line(
            f"{luck.dealt:,} hashed flows onto {luck.choices} links: mean {luck.mean:.1f}, this one drew {luck.here}; "
            f"a fair hash gives a given link as many in {percent(luck.probability, 2)} of seeds, "
            f"one of {luck.like:,} in {percent(luck.any_probability)}"
        )
    ]
    per_flow = found.offered_gbps / luck.here if luck.here else 0.0
    structural = luck.mean * per_flow > found.capacity_gbps
    if structural:
        lines.append(Line("structure: the mean alone is over capacity, no seed helps", "warn"))
    elif luck.is_luck:
        lines.append(Line("luck: the mean would fit, some link draws this many in most or many seeds", "warn"))
    else:
        lines.append(Line("neither chance nor mean explains it: look at the pairs, they hash alike", "warn"))
    return lines


def _pair(entry: PhaseRoute, flows: LinkFlows, row: int) -> dict[str, Any]:
    names, of = entry.topology.nodes.name, entry.classes[int(flows.code[row])]
    return {
        "job": of.job,
        "phase": of.phase,
        "collective": of.collective,
        "src": names[int(flows.src[row])],
        "dst": names[int(flows.dst[row])],
        "pairs": int(flows.pairs[row]),
        "subflows": int(flows.subflows[row]),
        "offered_gbps": float(flows.gbps[row]),
    }


def _pairs(pairs: Sequence[dict[str, Any]], flows: LinkFlows) -> Table:
    rows = [
        (
            pair["collective"],
            pair["src"],
            pair["dst"],
            f"{pair['offered_gbps']:,.1f}",
            f"{pair['subflows']:,}" if pair["subflows"] else "-",
            f"{pair['pairs']:,}",
        )
        for pair in pairs[:MOST_PAIRS]
    ]
    more = f", the {MOST_PAIRS} largest of {len(flows):,} rows" if len(flows) > MOST_PAIRS else ""
    return table(f"pairs on it{more}", ("collective", "from", "to", ">Gb/s", ">sub-flows", ">pairs?"), rows)


# ---- a switch -----------------------------------------------------------------------------------------------------


def _explain_switch(loaded: LoadedScenario, request: RouteRequest, result: RouteResult, target: Target) -> Explanation:
    entry = target.entry
    assert entry is not None
    topology = entry.topology
    mine = np.flatnonzero((topology.links.src == target.node) | (topology.links.dst == target.node))
    order = mine[np.argsort(-entry.utilisation[mine], kind="stable")][:MOST_PAIRS]
    rows = [_link_row(entry, int(link)) for link in order]
    over = int((entry.utilisation[mine] > 1 + 1e-9).sum())
    parts: list[Table | Line] = [
        Line(f"{target.name}: {len(mine):,} directed links, {over:,} over capacity in {entry.fabric} {entry.phase}"),
        table("its fullest links", ("link", ">offered", ">Gb/s", "cause"), rows),
    ]
    gone = LiveRoutes(loaded, request, result).route(ChangeSet((down(target.name),)))
    changes = [row for row in effect(result, gone) if not row.is_equal]
    cells = [(row.metric, *row.texts) for row in changes]
    heads = ("", ">now", ">without it", ">difference", ">limit", "")
    parts.append(
        table(f"if {target.name} fails (routed)", heads, cells)
        if cells
        else Line(f"nothing changes if {target.name} fails")
    )
    facts = {
        "switch": target.name,
        "fabric": entry.fabric,
        "phase": entry.phase,
        "links": len(mine),
        "links_over_capacity": over,
        "max_utilisation": float(entry.utilisation[mine].max(initial=0.0)),
        "if_it_fails": [{"metric": row.metric, "before": row.base, "after": row.now} for row in changes],
    }
    return Explanation(target, parts, facts)


def _link_row(entry: PhaseRoute, link: int) -> tuple[str, str, str, str]:
    found = describe_link(entry, link)
    cause = ", ".join(f"{share.job} {share.collective} {percent(share.share, 0)}" for share in found.shares[:2])
    return found.link, percent(found.utilisation), f"{found.offered_gbps:,.1f}", cause


# ---- a job, a phase, a limit --------------------------------------------------------------------------------------


def _explain_job(_: LoadedScenario, __: RouteRequest, result: RouteResult, target: Target) -> Explanation:
    job = next(job for job in result.jobs if job.id == target.name)
    figures = phase_table(replace(result, jobs=(job,)))
    heads = [(">" if column.numeric else "") + column.header for column in figures.columns]
    cells = [figures.cells(at) for at in range(len(figures))]
    lost = [(phase.exposed_s or 0) - min(phase.exposed_s or 0, phase.ideal_s) for phase in job.phases if phase.in_step]
    words = f"{job.id}: {job.kind}, {job.ranks:,} ranks"
    if job.step_time_ideal_s is not None and job.step_time_s is not None:
        words += (
            f"; step {format_seconds(job.step_time_ideal_s)} without congestion, {format_seconds(job.step_time_s)} "
            f"here: {format_seconds(sum(lost))} of it is waiting for full links"
        )
    facts = {
        "job": job.id,
        "step_time_s": job.step_time_s,
        "step_time_ideal_s": job.step_time_ideal_s,
        "lost_s": sum(lost),
        "phases": [phase.__dict__ for phase in job.phases],
    }
    return Explanation(target, [Line(words), table("its phases", heads, cells)], facts)


def _explain_phase(_: LoadedScenario, __: RouteRequest, ___: RouteResult, target: Target) -> Explanation:
    entry = target.entry
    assert entry is not None
    order = np.argsort(-entry.utilisation, kind="stable")[:MOST_PAIRS]
    rows = [_link_row(entry, int(link)) for link in order if entry.utilisation[link] > 0]
    tiers = [
        (tier.tier, tier.direction, f"{tier.links:,}", percent(tier.p50), percent(tier.max), f"{tier.over_capacity:,}")
        for tier in entry.tiers
    ]
    best = entry.best_possible
    parts: list[Table | Line] = [
        Line(
            f"{entry.fabric} {entry.phase}: {entry.router}, max {percent(entry.max_utilisation)}, "
            f"{entry.links_over_capacity:,} links over capacity",
            "bad" if entry.links_over_capacity else "good",
        ),
        Line(f"no routing can do better than {percent(best.lower_bound)}: {best.witness}"),
        table("by tier", ("tier", "way", ">links", ">p50", ">max", ">over"), tiers),
        table("hottest links", ("link", ">offered", ">Gb/s", "cause"), rows),
    ]
    facts = {
        "phase": entry.phase,
        "fabric": entry.fabric,
        "router": entry.router,
        "max_utilisation": entry.max_utilisation,
        "links_over_capacity": entry.links_over_capacity,
        "bound": {"lower_bound": best.lower_bound, "witness": best.witness},
        "tiers": [tier.__dict__ for tier in entry.tiers],
    }
    return Explanation(target, parts, facts)


def _explain_limit(_: LoadedScenario, __: RouteRequest, result: RouteResult, target: Target) -> Explanation:
    limit = next(limit for limit in result.limits if target.name in (limit.id, limit.text))
    words = {True: "holds", False: "FAILS", None: "is open"}[limit.ok]
    value = limit_text(limit.value, limit.unit)
    line = Line(
        f"{limit.id} {limit.text} {words}: {value}, allowed {limit_text(limit.max, limit.unit)}"
        + (f" ({limit.detail})" if limit.detail else ""),
        "bad" if limit.ok is False else "good" if limit.ok else "",
    )
    facts = {"limit": limit.id, "text": limit.text, "ok": limit.ok, "value": limit.value, "max": limit.max}
    return Explanation(target, [line], facts)
