"""What differs from a base: verdicts, loads of phases, times of jobs, and the inputs that make the difference."""

from __future__ import annotations

from fabric.evaluation.limits import limit_text
from fabric.faces.report.content import Block, Cell, ReportTable, Section, Words, as_table, number, seconds
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.output.document import Mark
from fabric.output.numbers import percent
from fabric.result import JobTime, LimitVerdict, PhaseRoute
from topologies.units import format_seconds

_HOW = (
    "Both were routed by the same rules; rows are matched by name. The change is the value here minus that of the base,"
    " for loads in percentage points of capacity. “-” stands where one side has no such row or no value."
)
_WORDS = {True: "ok", False: "fail", None: "not decided"}
_EQUAL = 1e-9  # relative: below it two runs count as the same


def change_section(source: ReportSource) -> Section | None:
    """The comparison; nothing without a base."""
    base = source.base
    if base is None:
        return None
    blocks: list[Block] = [
        Words(f"Base: {base.loaded.scenario.name}, {base.given}, SHA-256 {base.loaded.sha256}."),
        _limits(base, source),
        _phases(base, source),
        _jobs(base, source),
    ]
    return Section("change", "Change against the base", _HOW, tuple(block for block in blocks if _says(block)))


def _says(block: Block) -> bool:
    return not isinstance(block, ReportTable) or bool(block.rows)


def _difference(before: float | None, here: float | None) -> float | None:
    """Here minus before; 0 where they agree to a relative 1e-9."""
    if before is None or here is None or float("inf") in (before, here):
        return None
    return 0.0 if abs(here - before) <= _EQUAL * max(abs(here), abs(before)) else here - before


def _mark(change: float | None) -> Mark:
    """More load, more time: worse."""
    return "" if not change else ("bad" if change > 0 else "good")


def _limits(base: ReportSource, here: ReportSource) -> ReportTable:
    old = {limit.text: limit for limit in base.result.limits}
    new = {limit.text: limit for limit in here.result.limits}
    heads = (
        ("limit", "text"), ("base", "base_ok"), ("here", "ok"), (">value, base", "base_value"),
        (">value, here", "value"), (">allowed, here", "max"),
    )  # fmt: skip
    rows, marks = [], []
    for text in dict.fromkeys([*new, *old]):
        before, after = old.get(text), new.get(text)
        allowed = after or before
        rows.append(
            (
                text,
                _judged(before),
                _judged(after),
                _measured(before),
                _measured(after),
                number(limit_text(allowed.max, allowed.unit), allowed.max) if allowed else Cell("-"),
            )
        )
        marks.append(_moved(before.ok if before else None, after.ok if after else None))
    return as_table("Limits", heads, rows, marks=marks)


def _judged(limit: LimitVerdict | None) -> Cell:
    return Cell("-") if limit is None else Cell(_WORDS[limit.ok], limit.ok)


def _measured(limit: LimitVerdict | None) -> Cell:
    return Cell("-") if limit is None else number(limit_text(limit.value, limit.unit), limit.value)


def _moved(before: bool | None, after: bool | None) -> Mark:
    if before == after:
        return ""
    return "bad" if after is False else ("good" if after and before is False else "")


def _phases(base: ReportSource, here: ReportSource) -> ReportTable:
    old = {(entry.fabric, entry.phase): entry for entry in base.result.routes}
    new = {(entry.fabric, entry.phase): entry for entry in here.result.routes}
    heads = (
        ("fabric", "fabric"), ("phase", "phase"), ("router, base", "base_router"), ("router, here", "router"),
        (">max offered, base", "base_max_utilisation"), (">here", "max_utilisation"), (">change", "change"),
        (">links over, base", "base_links_over"), (">here", "links_over"),
    )  # fmt: skip
    rows, marks = [], []
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key), new.get(key)
        change = _difference(_peak(before), _peak(after))
        rows.append(
            (
                *key,
                before.router if before else "-",
                after.router if after else "-",
                _load(before),
                _load(after),
                number("-" if change is None else f"{change * 100:+,.1f} points", change),
                _over(before),
                _over(after),
            )
        )
        marks.append(_mark(change))
    return as_table("Fullest link of every phase", heads, rows, marks=marks)


def _peak(entry: PhaseRoute | None) -> float | None:
    return None if entry is None else entry.max_utilisation


def _load(entry: PhaseRoute | None) -> Cell:
    return Cell("-") if entry is None else number(percent(entry.max_utilisation), entry.max_utilisation)


def _over(entry: PhaseRoute | None) -> Cell:
    return Cell("-") if entry is None else number(f"{entry.links_over_capacity:,}", entry.links_over_capacity)


def _jobs(base: ReportSource, here: ReportSource) -> ReportTable:
    old, new = _times(base.result.jobs), _times(here.result.jobs)
    heads = (
        ("job", "job"), ("time", "time"), (">base", "base_s"), (">here", "here_s"), (">change", "change_s"),
        (">relative", "relative"),
    )  # fmt: skip
    rows, marks = [], []
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key), new.get(key)
        change = _difference(before, after)
        relative = change / before if change is not None and before else None
        sign = "+" if change and change > 0 else ("-" if change and change < 0 else "")
        rows.append(
            (
                *key,
                number(seconds(before) if key in old else "-", before),
                number(seconds(after) if key in new else "-", after),
                number("-" if change is None else f"{sign}{format_seconds(abs(change))}", change),
                number("-" if relative is None else f"{relative * 100:+,.1f} %", relative),
            )
        )
        marks.append(_mark(change))
    return as_table("Times of jobs", heads, rows, marks=marks)


def _times(jobs: tuple[JobTime, ...]) -> dict[tuple[str, str], float | None]:
    """Step and checkpoint times, and that of every phase on a fabric."""
    found: dict[tuple[str, str], float | None] = {}
    for job in jobs:
        if job.step_time_ideal_s is not None:
            found[job.id, "step"] = job.step_time_s
        for phase in job.phases:
            if phase.fabric is not None:
                found[job.id, phase.name] = phase.predicted_s
    return found


SUMMARY = "what differs from the base of --base"
ORDER = 70
SECTION = ReportSection(change_section, needs_base=True)
