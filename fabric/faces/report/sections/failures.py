"""What failures do: limits in failure cases, the worst of them, links by their worst case, losses a month."""

from __future__ import annotations

from fabric.faces.report.content import BarsBlock, Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.failures import (
    CASES_SHOWN,
    WORST_LINKS_SHOWN,
    checkpoint_table,
    folded_case_table,
    folded_cases,
    folded_link_table,
    folded_links,
    harm_text,
    kind_harms,
    kind_table,
    loss_table,
    loss_text,
    losses,
    remedy_table,
    sweep_text,
    when_limit_table,
)
from fabric.faces.views.tornado import tornado
from fabric.failures.result import Expected, FailureResult
from fabric.output.table import Mark

_TITLE = "Failures: worst cases and criticality"
_MOST = 20  # rows of cases and of links
_HOW = (
    "Every case takes its parts away and all phases are routed again as the reaction says; demand and windows stay "
    "those of the intact fabric. Cases that differ in nothing but what fails share a row. A job stalls where demand of "
    "its own has no path; it is slowed where its step is longer than intact. A link's worst case is the case in which "
    "it is fullest, over all phases. GPU-hours lost a month are the mean over simulated months from failure rates and "
    "repair times, with the interval that nine months in ten fall into; causes add up to the mean."
)


def failures_section(source: ReportSource) -> Section | None:
    """The sweep; nothing where none was asked for."""
    failures = source.failures
    if failures is None:
        return None
    marked: Mark = "bad" if failures.by_state.get("stalled") or failures.cut_off else ""
    blocks: list[Block] = [Words(f"{sweep_text(failures)}."), Words(f"{harm_text(failures)}.", marked)]
    if failures.limits:
        availability = failures.expected.availability if failures.expected is not None else None
        blocks.append(
            when_limit_table(failures.limits, availability).without("id", "case").titled("Limits in failure cases")
        )
    if failures.failures:
        blocks += [BarsBlock(tornado(failures)), *_cases(failures)]
    if failures.links:
        table = folded_link_table(folded_links(failures.links))
        more = f", the {_MOST} fullest of {len(table):,} rows" if len(table) > _MOST else ""
        blocks.append(table.only(*WORST_LINKS_SHOWN).first(_MOST).titled(f"Links by their worst case{more}"))
    expected = losses(failures)
    blocks += _lost(expected) if expected is not None else []
    blocks += [remedy_table(failures.remedies).titled("What to add so that it holds")] if failures.remedies else []
    blocks += [Words(f"Warning: {text}", "warn") for text in failures.warnings]
    if failures.partial:
        blocks.append(Words("The sweep was stopped before the end: cases that are missing may be worse.", "warn"))
    return Section("failures", _TITLE, _HOW, tuple(blocks))


def _cases(failures: FailureResult) -> list[Block]:
    """The worst of every kind, and the worst cases."""
    groups = folded_cases(failures.failures)
    kept = sum(case.count for case in failures.failures)
    more = f", the worst {_MOST} of {len(groups):,} rows" if len(groups) > _MOST else ""
    shown = folded_case_table(groups[:_MOST])
    lost = [Words(f"Rows are of the worst {kept:,} cases.")] if kept < failures.cases else []
    return [
        *lost,
        kind_table(kind_harms(failures.failures)).titled("Worst failure of every kind"),
        shown.only(*CASES_SHOWN, "unreachable_pairs", "per_month").titled(f"Failure cases, worst first{more}"),
    ]


def _lost(expected: Expected) -> list[Block]:
    blocks: list[Block] = [Words(f"{loss_text(expected)}."), loss_table(expected).titled("GPU-hours lost a month")]
    if expected.checkpoints:
        blocks.append(checkpoint_table(expected.checkpoints).titled("Best time between checkpoints"))
    return blocks


SUMMARY = "what failures do: limits, worst cases, links, losses a month (with --failures)"
ORDER = 65
SECTION = ReportSection(failures_section, needs_failures=True)
