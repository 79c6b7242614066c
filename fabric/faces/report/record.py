"""A report as plain records: the machine contract, with the same tables as values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fabric.faces.answers.records import route_record
from fabric.faces.report.content import (
    BarsBlock,
    Block,
    Commands,
    Content,
    Folded,
    HeatBlock,
    TimelineBlock,
    Words,
)
from fabric.faces.report.source import ReportSource
from fabric.faces.views.links import hot_link_table
from fabric.faces.views.row_kinds import LINKS
from fabric.output.table import Table
from fabric.scenario.provenance import envelope


def report_record(source: ReportSource, content: Content) -> dict[str, Any]:
    """``Report``: the sections, and the route result under ``route``, with the hottest links as its items."""
    hottest = hot_link_table(source.result.items).only(*LINKS.columns)
    route = {**route_record(source.loaded, source.result, power=source.run.power), "items": hottest.records()}
    sections = [
        {
            "anchor": part.anchor,
            "title": part.title,
            "how": part.how,
            "blocks": [block_record(block) for block in part.blocks],
        }
        for part in content.sections
    ]
    head = envelope("Report", source.loaded)
    return {**head, "headline": content.headline, "met": content.met, "sections": sections, "route": route}


def block_record(block: Block) -> dict[str, Any]:
    """One part of a section; tables as rows of values."""
    if isinstance(block, Words):
        return {"kind": "words", "text": block.text, "mark": block.mark}
    if isinstance(block, Commands):
        return {"kind": "commands", "lines": list(block.lines)}
    if isinstance(block, Table | Folded):
        table = (block if isinstance(block, Table) else block.table).repeatable
        return {"kind": "table", "caption": table.title, "columns": list(table.names), "rows": table.records()}
    if isinstance(block, TimelineBlock):
        return {"kind": "timeline", "job": block.timeline.job, "bars": [asdict(bar) for bar in block.timeline.bars]}
    if isinstance(block, BarsBlock):
        return {"kind": "bars", "title": block.tornado.title, "bars": [asdict(bar) for bar in block.tornado.bars]}
    return _heat(block)


def _heat(block: HeatBlock) -> dict[str, Any]:
    pictures = [{"kind": one.kind, "direction": one.direction, "title": one.title} for one in block.pictures]
    return {"kind": "heat", "fabric": block.fabric, "phases": list(block.phases), "pictures": pictures}
