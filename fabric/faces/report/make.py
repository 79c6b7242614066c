"""A report put together from its sections, in the order people ask: is it met, of what, how full, why, since when."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.faces.report.content import Content
from fabric.faces.report.section import SECTIONS
from fabric.faces.report.source import ReportSource
from fabric.scenario.provenance import envelope
from topologies.errors import ScenarioError, nearest_hint


def make_report(source: ReportSource, sections: Sequence[str] | None = None) -> Content:
    """The content of a report.

    Parameters
    ----------
    sections : sequence of str, optional
        Anchors of the sections wanted, in any order; default: all that have something to say.

    Raises
    ------
    ScenarioError
        When a section does not exist, or needs a base that was not given.
    """
    wanted = (
        list(SECTIONS)
        if sections is None
        else check_sections(
            sections,
            based=source.base is not None,
            swept=source.failures is not None,
            designed=source.design is not None,
            measured=source.load_check is not None,
        )
    )
    made = [section.make(source) for anchor, section in SECTIONS.items() if anchor in wanted]
    head = envelope("Report", source.loaded)
    headline, met = _headline(source)
    return Content(
        name=source.loaded.scenario.name,
        headline=headline,
        met=met,
        created=head["created"],
        tool=f"{head['tool']['name']} {head['tool']['version']}",
        sections=tuple(section for section in made if section is not None),
    )


def check_sections(sections: Sequence[str], *, based: bool, swept: bool, designed: bool, measured: bool) -> list[str]:
    """The sections asked for, all of which exist."""
    for anchor in sections:
        if anchor not in SECTIONS:
            hint = nearest_hint(anchor, SECTIONS, "sections")
            raise ScenarioError(f"--sections: a report has no section {anchor!r}", hint=hint, code="FP9200")
        if SECTIONS[anchor].needs_base and not based:
            raise ScenarioError(
                f"--sections {anchor} says what differs from a base, and none is given",
                hint="name it with --base SCENARIO or --base RESULT",
                code="FP9201",
            )
        if SECTIONS[anchor].needs_failures and not swept:
            raise ScenarioError(
                f"--sections {anchor} says what failures do, and no sweep is asked for",
                hint="--failures sweeps single failures; --failures-from FILE reads what fabric failures --json wrote",
                code="FP9202",
            )
        if SECTIONS[anchor].needs_design and not designed:
            raise ScenarioError(
                f"--sections {anchor} says what a design was chosen from, and no design is given",
                hint="--design FILE reads what fabric design --json wrote",
                code="FP9203",
            )
        if SECTIONS[anchor].needs_measured and not measured:
            raise ScenarioError(
                f"--sections {anchor} holds measurements against the plan, and none are given",
                hint="--measured csv:FILE or prometheus:URL; or --measured scenario for those that it names",
                code="FP9204",
            )
    return list(sections)


def _headline(source: ReportSource) -> tuple[str, bool | None]:
    """The verdict in a few words, and whether the limits are met."""
    result = source.result
    decided = [limit for limit in result.limits if limit.ok is not None]
    missed = sum(not limit.ok for limit in decided)
    lost = f"; {result.unreachable_pairs:,} pairs without a path" if result.unreachable_pairs else ""
    if missed:
        return f"NOT MET ({missed} of {_limits(len(result.limits))}{lost})", False
    if not decided:
        if source.idle:
            return "NOT JUDGED (nothing is sent)", None
        left = f"{_limits(len(result.limits))}, none decided" if result.limits else "no limits given"
        return f"NOT JUDGED ({left}{lost})", False if lost else None
    undecided = len(result.limits) - len(decided)
    rest = f", {undecided} not decided" if undecided else ""
    met = f"{len(decided)} of {_limits(len(result.limits))}{rest}{lost}"
    return (f"NOT MET ({met})" if lost else f"MET ({met})"), not lost


def _limits(count: int) -> str:
    return f"{count} limit{'' if count == 1 else 's'}"
