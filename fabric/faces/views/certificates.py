"""Certificates: what was claimed and what was found, phase by phase."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fabric.certificate_check import PhaseVerdict
from fabric.certificate_check.finding import REFUTED, Finding
from fabric.certificate_check.objective import Figures
from fabric.output.columns import amounts, fine_ratios, named, ratio_text
from fabric.output.table import Column, Mark, Table

OBJECTIVE_CLAIMS = {"objective": "value", "objective_bound": "bound", "levels": "levels"}  # claim -> in words


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
        named("objective", "objective", [each.objective for each in verdicts], priority=3, flexible=True),
        *_objective_columns([each.figures for each in verdicts]),
    )
    return Table.of(columns, len(verdicts), marks=[certificate_mark(each) for each in verdicts])


def _objective_columns(figures: Sequence[Figures]) -> tuple[Column, ...]:
    """Of objectives other than least utilisation; values have the unit of their row."""
    value = partial(amounts, text=_value, priority=3)
    ratio = partial(fine_ratios, priority=3)
    return (
        named("objective_unit", "unit", [each.unit for each in figures], priority=3),
        value("objective_value_claimed", "value claimed", [each.value_claimed for each in figures]),
        value("objective_value_found", "value found", [each.value_found for each in figures]),
        value("objective_bound_claimed", "bound claimed", [each.bound_claimed for each in figures]),
        value("objective_bound_found", "bound found", [each.bound_found for each in figures]),
        ratio("objective_target", "target", [each.target for each in figures]),
        ratio("levels_gap_claimed", "levels gap claimed", [each.levels_gap_claimed for each in figures]),
        ratio("levels_gap_found", "levels gap", [each.levels_gap_found for each in figures]),
    )


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:,.7g}"


def objective_words(verdict: PhaseVerdict) -> str:
    """Value, bound and what became of them, of an objective other than least utilisation; empty of that."""
    figures = verdict.figures
    if figures.value_claimed is None:
        return ""
    about = [found for found in verdict.findings if found.claim in OBJECTIVE_CLAIMS]
    claims = {found.claim: found.verdict for found in about}
    claims |= {found.claim: found.verdict for found in about if found.verdict == REFUTED}
    parts = [
        f"{figures.figure} {_value(figures.value_claimed)} {figures.unit} claimed, {_value(figures.value_found)} found",
        f"bound {_value(figures.bound_claimed)} claimed, {_value(figures.bound_found)} proven",
    ]
    if figures.target is not None:
        parts.append(f"no link above {ratio_text(figures.target, 4)}")
    if figures.levels_gap_found is not None:
        parts.append(
            f"no level can rise by more than {ratio_text(figures.levels_gap_found, 4)}, "
            f"{ratio_text(figures.levels_gap_claimed, 4)} claimed"
        )
    parts.append(", ".join(f"{OBJECTIVE_CLAIMS[claim]}: {word}" for claim, word in claims.items()))
    return f"{verdict.objective}: {'; '.join(parts)}"


def _findings(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{each.claim}: {each.words}" for each in findings)
