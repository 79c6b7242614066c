"""The hottest links, and the jobs and collectives that load them."""

from __future__ import annotations

from fabric.faces.report.content import Block, Section, Words, not_said
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.links import FOLDED_SHOWN, folded_link_table

_SHOWN = (*FOLDED_SHOWN[:8], "ports", "tier", *FOLDED_SHOWN[8:])
_TITLE = "Hottest links"
_HOW = (
    "Links of highest offered load, for the phases that were asked for (the worst of every fabric unless --phase says "
    "otherwise). Links of one tier and direction that are equally loaded by the same causes share a row, with the "
    "first of them as the example. A cause is the part of the link's load that one collective of one job makes."
)


def hottest_section(source: ReportSource) -> Section:
    """The listed links with their causes."""
    if source.idle:
        return not_said("hottest", _TITLE, _HOW, source.idle)
    groups = source.result.folded
    blocks: list[Block] = [folded_link_table(groups).only(*_SHOWN).titled(_TITLE)] if groups else []
    return Section("hottest", _TITLE, _HOW, tuple(blocks) or (Words("No link is offered anything."),))


SUMMARY = "the hottest links, and the jobs and collectives that load them"
ORDER = 50
SECTION = ReportSection(hottest_section)
