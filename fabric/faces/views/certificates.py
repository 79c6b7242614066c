"""Certificates: what was claimed and what was found, phase by phase."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.certificate_check import PhaseVerdict
from fabric.certificate_check.finding import Finding
from fabric.output.columns import fine_ratios, named
from fabric.output.table import Mark, Table


def certificate_mark(verdict: PhaseVerdict) -> Mark:
    """Bad where a claim is refuted, good where all were checked and hold."""
    return "bad" if verdict.refuted else "good" if not verdict.open else "warn"


def certificate_table(verdicts: Sequence[PhaseVerdict]) -> Table:
    """Claims beside findings."""
    columns = (
        named("fabric", "fabric", [each.fabric for each in verdicts]),
        named("phase", "phase", [each.phase for each in verdicts], width=18, flexible=True),
        named("router", "router", [each.router for each in verdicts], priority=1),
        fine_ratios("max_utilisation_claimed", "θ claimed", [each.claimed_utilisation for each in verdicts]),
        fine_ratios("max_utilisation_found", "θ found", [each.found_utilisation for each in verdicts]),
        named("hottest_link", "hottest link", [each.hottest_link for each in verdicts], priority=2),
        fine_ratios("lower_bound_claimed", "bound claimed", [each.claimed_bound for each in verdicts], width=13),
        fine_ratios("lower_bound_found", "bound found", [each.found_bound for each in verdicts], width=11),
        fine_ratios("gap_claimed", "gap claimed", [each.claimed_gap for each in verdicts], priority=2),
        fine_ratios("gap_found", "gap", [each.found_gap for each in verdicts]),
        named("verdict", "verdict", [each.verdict for each in verdicts]),
        named("refuted", "refuted", [_findings(each.refuted) for each in verdicts], priority=2, flexible=True),
        named("not_checked", "not checked", [_findings(each.open) for each in verdicts], priority=2, flexible=True),
    )
    return Table.of(columns, len(verdicts), marks=[certificate_mark(each) for each in verdicts])


def _findings(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{each.claim}: {each.words}" for each in findings)
