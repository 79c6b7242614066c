"""What ``fabric review`` prints: every finding with its arithmetic, and what can be built instead."""

from __future__ import annotations

from typing import Any

from fabric.output.document import Line
from fabric.output.table import Mark, Table
from fabric.review.finding import Finding, ReviewResult
from topologies.budget import counted

_MARKS: dict[str, Mark] = {"contradiction": "bad", "warning": "warn", "note": ""}


def review_document(result: ReviewResult) -> list[Table | Line]:
    """Findings one after another, each with its steps below it."""
    lines: list[Table | Line] = [Line(f"{result.subject}: {_verdict(result)}")]
    for finding in result.findings:
        lines += _lines(finding)
    if result.derived:
        lines.append(Line("what follows from the counts that agree", is_rows=False))
        lines += [Line(f"  {value}{f'   ({step})' if step else ''}") for _, value, step in result.derived]
    lines += _buildable(result)
    lines += [Line(f"taken for granted: {text}") for text in result.assumptions]
    return lines


def _verdict(result: ReviewResult) -> str:
    counts = [
        counted(sum(row.severity == severity for row in result.findings), f"{severity}s")
        for severity in ("contradiction", "warning", "note")
        if any(row.severity == severity for row in result.findings)
    ]
    return ", ".join(counts) or "nothing found"


def _lines(finding: Finding) -> list[Line]:
    where = f"{finding.fabric}: " if finding.fabric else ""
    lines = [Line(f"{finding.severity}: {where}{finding.text}", _MARKS[finding.severity], is_rows=True)]
    lines += [Line(f"    {step}", is_rows=True) for step in finding.arithmetic]
    if finding.fix:
        lines.append(Line(f"  -> {finding.fix}", is_rows=True))
    return lines


def _buildable(result: ReviewResult) -> list[Line]:
    offer = result.buildable
    if offer is None:
        return [Line(f"nothing is built: {result.unbuildable}")] if result.unbuildable else []
    instead = "; ".join(offer.changed) if offer.changed else "with all counts as they are"
    lines = [Line(f"what can be built: {instead}", "good")]
    lines.append(Line("  " + ", ".join(f"{name} {value}" for name, value in offer.counts)))
    return lines


def review_record(result: ReviewResult, envelope: dict[str, Any]) -> dict[str, Any]:
    """``ReviewResult``, but for its findings."""
    offer = result.buildable
    return {
        **envelope,
        "subject": result.subject,
        "of": result.of,
        "worst": result.worst,
        "derived": [{"name": name, "value": value, "step": step or None} for name, value, step in result.derived],
        "buildable": None if offer is None else {
            "changed": list(offer.changed), "counts": dict(offer.counts), "scenario": offer.text,
        },
        "unbuildable": result.unbuildable or None,
        "assumptions": list(result.assumptions),
    }  # fmt: skip


def finding_record(finding: Finding) -> dict[str, Any]:
    """All of a finding."""
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "subject": finding.subject,
        "text": finding.text,
        "arithmetic": list(finding.arithmetic),
        "fix": finding.fix or None,
        "fabric": finding.fabric,
    }
