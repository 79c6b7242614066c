"""The hottest links, and the jobs and collectives that load them."""

from __future__ import annotations

from fabric.evaluation.severity import OVER
from fabric.faces.report.content import Block, Cell, Section, Words, as_table, number
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.output.document import Mark
from fabric.output.numbers import percent
from fabric.result import HotLink

_HOW = (
    "Links of highest offered load, for the phases that were asked for (the worst of every fabric unless --phase says "
    "otherwise); access links that are at most full come last. A cause is the part of the link's load that one "
    "collective of one job makes."
)
_SHOWN_SHARES = 3


def hottest_section(source: ReportSource) -> Section:
    """The listed links with their causes."""
    items = source.result.items
    heads = (
        ("link", "link"), (">offered", "utilisation"), (">offered, Gb/s", "offered_gbps"),
        (">capacity, Gb/s", "capacity_gbps"), ("cause", "cause"), ("ports", "ports"), ("tier", "tier"),
        ("phase", "phase"), ("fabric", "fabric"),
    )  # fmt: skip
    rows = [
        (
            link.link,
            number(percent(float("inf") if link.utilisation is None else link.utilisation), link.utilisation),
            number(f"{link.offered_gbps:,.1f}", link.offered_gbps),
            number(f"{link.capacity_gbps:,.0f}", link.capacity_gbps),
            _cause(link),
            f"{link.a_port} → {link.b_port}",
            link.tier,
            link.phase,
            link.fabric,
        )
        for link in items
    ]
    marks: list[Mark] = ["bad" if link.utilisation is None or link.utilisation > OVER else "" for link in items]
    blocks: list[Block] = [as_table("Hottest links", heads, rows, marks=marks)] if items else []
    return Section("hottest", "Hottest links", _HOW, tuple(blocks) or (Words("No link is offered anything."),))


def _cause(link: HotLink) -> Cell:
    shown = [f"{share.job} {share.phase} {percent(share.share, 0)}" for share in link.shares[:_SHOWN_SHARES]]
    more = len(link.shares) - _SHOWN_SHARES
    text = ", ".join(shown) + (f", {more} more" if more > 0 else "")
    return Cell(text, text)


SUMMARY = "the hottest links, and the jobs and collectives that load them"
ORDER = 50
SECTION = ReportSection(hottest_section)
