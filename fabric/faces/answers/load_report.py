"""What ``fabric verify load`` prints: links that are off, tiers and jobs, and what explains the difference."""

from __future__ import annotations

from typing import Any

from fabric.faces.views.loads import explanation_table, load_table, sums_table
from fabric.faces.views.row_kinds import LOADS
from fabric.operate.load_check.result import Explanation, LoadCheckResult
from fabric.output.document import Document, Line
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from topologies.units import format_seconds


def load_record(loaded: LoadedScenario, result: LoadCheckResult) -> dict[str, Any]:
    """``LoadCheckResult``, but for its links."""
    return {
        **envelope("LoadCheckResult", loaded),
        "holds": result.holds,
        "measured": {"source": result.measurement.source, "span_s": result.measurement.span_s},
        "sums": sums_table([one for fabric in result.fabrics for one in fabric.sums]).records(),
        "explanations": explanation_table(reasons_of(result)).records(),
        "notes": list(result.notes),
    }


def load_verdict(result: LoadCheckResult, *, source: bool = True) -> Line:
    """How many of the measured links are off, in one line; ``source``: after where that was read."""
    known = sum(int(fabric.rates.known.sum()) for fabric in result.fabrics)
    off = sum(int(fabric.outside.sum()) for fabric in result.fabrics)
    down = sum(int((fabric.rates.down & fabric.plan.topology.up).sum()) for fabric in result.fabrics)
    span = f"; means over {format_seconds(result.measurement.span_s)}" if result.measurement.span_s else ""
    impossible = sum(int(fabric.impossible.sum()) for fabric in result.fabrics)
    ports = f", {impossible:,} above line rate" if impossible else ""
    ports += f", {down:,} of ports that are down" if down else ""
    verdict = f"{off:,} of {known:,} measured links are outside of their band{ports}"
    where = f"{result.measurement.source}: " if source else ""
    return Line(f"{where}{verdict}{span}", "good" if result.holds else "bad")


def load_document(result: LoadCheckResult) -> Document:
    """For people: the verdict, the sums, the links, the reasons."""
    parts: list[Any] = [
        load_verdict(result),
        sums_table([one for fabric in result.fabrics for one in fabric.sums]),
        load_table(result).only(*LOADS.shown).first(LOADS.most or 20).as_rows(),
    ]
    reasons = reasons_of(result)
    if reasons:
        parts.append(explanation_table(reasons))
    return [*parts, *unexplained(result)]


def reasons_of(result: LoadCheckResult) -> list[tuple[str, Explanation]]:
    """Explanations with their fabrics, best first."""
    return [(fabric.plan.fabric, one) for fabric in result.fabrics for one in fabric.explanations]


def unexplained(result: LoadCheckResult) -> list[Line]:
    """That nothing explains the difference, or several changes do equally."""
    reasons = reasons_of(result)
    if not reasons:
        words = "no single change of the plan explains a third of the difference"
        return [Line(words, "warn")] if result.explained and not result.holds else []
    best = reasons[0][1].fit
    same = [one for _, one in reasons if best - one.fit < 0.02]
    if len(same) < 2:
        return []
    return [Line(f"the first {len(same)} explain it equally well: this measurement cannot tell them apart", "warn")]
