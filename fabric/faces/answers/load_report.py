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
        "explanations": explanation_table(_reasons(result)).records(),
        "notes": list(result.notes),
    }


def load_document(result: LoadCheckResult) -> Document:
    """For people: the verdict, the sums, the links, the reasons."""
    known = sum(int(fabric.rates.known.sum()) for fabric in result.fabrics)
    off = sum(int(fabric.outside.sum()) for fabric in result.fabrics)
    down = sum(int((fabric.rates.down & fabric.plan.topology.up).sum()) for fabric in result.fabrics)
    span = f"; means over {format_seconds(result.measurement.span_s)}" if result.measurement.span_s else ""
    impossible = sum(int(fabric.impossible.sum()) for fabric in result.fabrics)
    ports = f", {impossible:,} above line rate" if impossible else ""
    ports += f", {down:,} of ports that are down" if down else ""
    verdict = f"{off:,} of {known:,} measured links are outside of their band{ports}"
    parts: list[Any] = [
        Line(f"{result.measurement.source}: {verdict}{span}", "good" if result.holds else "bad"),
        sums_table([one for fabric in result.fabrics for one in fabric.sums]),
        load_table(result).only(*LOADS.shown).first(LOADS.most or 20).as_rows(),
    ]
    reasons = _reasons(result)
    if reasons:
        parts.append(explanation_table(reasons))
        parts += _alike(reasons)
    elif result.explained and not result.holds:
        parts.append(Line("no single change of the plan explains a third of the difference", "warn"))
    return parts


def _reasons(result: LoadCheckResult) -> list[tuple[str, Explanation]]:
    return [(fabric.plan.fabric, one) for fabric in result.fabrics for one in fabric.explanations]


def _alike(reasons: list[tuple[str, Explanation]]) -> list[Line]:
    """That the first of them cannot be told apart, where that is so."""
    best = reasons[0][1].fit
    same = [one for _, one in reasons if best - one.fit < 0.02]
    if len(same) < 2:
        return []
    return [Line(f"the first {len(same)} explain it equally well: this measurement cannot tell them apart", "warn")]
