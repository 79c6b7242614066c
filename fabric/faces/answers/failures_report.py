"""What ``fabric failures`` prints: the verdicts, cases worst first, links by their worst case, what is lost a month."""

from __future__ import annotations

from fabric.faces.views.failures import (
    CASES_SHOWN,
    WORST_LINKS_SHOWN,
    checkpoint_table,
    folded_case_table,
    folded_cases,
    folded_link_table,
    folded_links,
    harm_text,
    loss_table,
    loss_text,
    remedy_table,
    sweep_text,
    when_limit_table,
)
from fabric.failures.result import FailureResult, JobState
from fabric.output.document import Document, Line
from fabric.output.table import Mark, Table
from fabric.scenario.load import LoadedScenario
from topologies.units import format_bytes, format_seconds, percent

_PROVEN = 1e-3  # gap below which a routing is the best that there is
_EXACT = 1e-9  # gap that is rounding


def failures_document(loaded: LoadedScenario, result: FailureResult, *, rows: str, top: int) -> Document:
    """The whole answer, most important first; the table of ``rows`` is the one that row flags change."""
    scenario = loaded.scenario
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  offered load, may exceed 100 %"),
        Line(f"{sweep_text(result)}: {harm_text(result)}", _mark(result)),
        Line(f"without a failure: {_intact(result)}"),
        *_limits(result),
    ]
    tables = {"failures": _cases(result, top), "links": _links(result, top)}
    for name, table in tables.items():
        parts += [table.as_rows() if name == rows else table] if len(table) else []
    parts += _lost(result)
    parts += _best(result)
    parts += _expected(result)
    if result.remedies:
        parts.append(remedy_table(result.remedies))
    parts += [Line(f"assumed: {entry.text}") for entry in result.assumptions if entry.override.startswith("failures")]
    parts += [Line(f"warning: {text}", "warn") for text in result.warnings]
    if result.partial:
        parts.append(Line(f"partial: stopped after {result.cases:,} of {result.total:,} cases", "warn"))
    return parts


def _mark(result: FailureResult) -> Mark:
    if result.by_state.get("stalled") or result.cut_off:
        return "bad"
    return "warn" if result.by_state.get("slowed") or result.over_capacity else "good"


def _intact(result: FailureResult) -> str:
    """The state that failures are held against."""
    peak = f"the fullest link is at {percent(result.intact_max_utilisation)}"
    return ", ".join([peak, *(f"{job.id} {_step(job)}" for job in result.intact)])


def _step(job: JobState) -> str:
    if job.state == "stalled":
        return "cannot finish"
    return "has no step" if job.step_time_s is None else f"step {format_seconds(job.step_time_s)}"


def _limits(result: FailureResult) -> list[Table | Line]:
    """How many limits hold in all cases of their sets, then each of them."""
    if not result.limits:
        return []
    count = len(result.limits)
    failed = sum(limit.verdict.ok is False for limit in result.limits)
    still = sum(limit.verdict.ok is None for limit in result.limits)
    rest = f", {still} open" if still else ""
    words = f"{failed} of {count} limits FAIL in a failure case{rest}"
    if not failed:
        words = f"{count - still} of {count} limits hold in every failure case{rest}"
    return [Line(words, "bad" if failed else "warn" if still else "good"), when_limit_table(result.limits)]


def _cases(result: FailureResult, top: int) -> Table:
    groups = folded_cases(result.failures)
    table = folded_case_table(groups).only(*CASES_SHOWN).first(top)
    listed = sum(group.count for group in groups[:top])
    return table.titled(
        f"worst failures, {listed:,} of {result.cases:,} cases" if listed < result.cases else "failures"
    )


def _links(result: FailureResult, top: int) -> Table:
    groups = folded_links(result.links)
    table = folded_link_table(groups).only(*WORST_LINKS_SHOWN).first(top)
    count, listed = len(result.links), sum(len(group.links) for group in groups[:top])
    return table.titled(f"{table.title}, {listed:,} of {count:,}" if listed < count else table.title)


def _lost(result: FailureResult) -> list[Table | Line]:
    """What is lost before anybody notices, in the case that loses most."""
    if result.detection_s is None:
        return []
    lost = [(sum(hit.lost_bytes for hit in case.hits), case) for case in result.failures]
    most, case = max(lost, key=lambda entry: entry[0], default=(0.0, None))
    until = f"before a failure is noticed ({format_seconds(result.detection_s)})"
    if case is None or not most:
        return [Line(f"{until} nothing is lost", "good")]
    jobs = ", ".join(dict.fromkeys(hit.job for hit in case.hits))
    at_most = "at most " if any(hit.at_most for hit in case.hits) else ""
    words = f"{until} {at_most}{format_bytes(most)} are lost in the worst case, {' and '.join(case.parts)}: of {jobs}"
    return [Line(words, "warn")]


def _best(result: FailureResult) -> list[Table | Line]:
    """How far a case can be from the best there is, where it was looked for."""
    gaps = [(case.gap, case) for case in result.failures if case.gap is not None]
    if not gaps:
        return []
    gap, case = max(gaps, key=lambda entry: entry[0])
    if gap < _PROVEN:
        least = f"to {gap:.1e} or better" if gap > _EXACT else "exactly"
        return [Line(f"no routing has a lower fullest link in any of these cases: proven {least}", "good")]
    return [Line(f"proven to within {percent(gap)} of the best; least of all {' and '.join(case.parts)}")]


def _expected(result: FailureResult) -> list[Table | Line]:
    if result.expected is None:
        return []
    tables = [loss_table(result.expected), checkpoint_table(result.expected.checkpoints)]
    return [Line(loss_text(result.expected)), *(table for table in tables if len(table))]
