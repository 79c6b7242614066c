"""What differs from a base: verdicts, loads of phases, times of jobs, and the inputs that make the difference."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.differences import limits_since, phases_since, times_since

_HOW = (
    "Both were routed by the same rules; rows are matched by name. The change is the value now minus that of the base,"
    " for loads in percentage points of capacity. “-” stands where one side has no such row or no value."
    " Hashed flows are compared draw by draw: “within noise” is a change that one draw in twenty or more turns round."
)


def change_section(source: ReportSource) -> Section | None:
    """The comparison; nothing without a base."""
    base = source.base
    if base is None:
        return None
    tables = (
        limits_since(base.result.limits, source.result.limits).titled("Limits"),
        phases_since(base.result.routes, source.result.routes).titled("Fullest link of every phase"),
        times_since(base.result.jobs, source.result.jobs).titled("Times of jobs"),
    )
    blocks: list[Block] = [
        Words(f"Base: {base.loaded.scenario.name}, {base.given}, SHA-256 {base.loaded.sha256}."),
        *(table for table in tables if len(table)),
        *_unsaid(source, base),
    ]
    return Section("change", "Change against the base", _HOW, tuple(blocks))


def _unsaid(source: ReportSource, base: ReportSource) -> list[Words]:
    """That a side sends nothing."""
    sides = [name for name, side in (("this design", source), ("the base", base)) if side.idle]
    if not sides:
        return []
    text = " and ".join(sides)
    return [
        Words(f"Nothing is sent in {text}: no load and no time is compared. fabric compare compares networks.", "warn")
    ]


SUMMARY = "what differs from the base of --base"
ORDER = 70
SECTION = ReportSection(change_section, needs_base=True)
