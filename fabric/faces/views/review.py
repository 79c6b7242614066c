"""Findings of a review as a table."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.views.row_kinds import REVIEWED
from fabric.output.columns import named
from fabric.output.table import Mark, Table
from fabric.review.finding import Finding, Severity

_MARKS: dict[Severity, Mark] = {"contradiction": "bad", "warning": "warn", "note": ""}


def finding_table(findings: Sequence[Finding]) -> Table:
    """One row a finding, worst first; contradictions are marked bad."""
    columns = {
        "severity": named("severity", "severity", [row.severity for row in findings], width=13),
        "kind": named("kind", "about", [row.kind for row in findings], width=12),
        "subject": named("subject", "of", [row.subject for row in findings], width=24, priority=3, flexible=True),
        "text": named("text", "finding", [row.text for row in findings], width=50, flexible=True),
        "arithmetic": named(
            "arithmetic", "arithmetic", ["; ".join(row.arithmetic) or None for row in findings], width=40, priority=2,
            flexible=True,
        ),
        "fix": named("fix", "way out", [row.fix or None for row in findings], width=40, priority=1, flexible=True),
        "fabric": named("fabric", "fabric", [row.fabric for row in findings], width=8, priority=2),
    }  # fmt: skip
    marks = [_MARKS[row.severity] for row in findings]
    return Table.of([columns[name] for name in REVIEWED.columns], len(findings), title="findings", marks=marks)
