"""A report as Markdown: the same words and tables, heat maps by the worst of every row."""

from __future__ import annotations

import re

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
from fabric.output.table import Table
from topologies.printable import printable


def to_markdown(content: Content) -> str:
    """Headings, paragraphs and pipe tables."""
    parts = [f"# {escape(content.name)}: {escape(content.headline)}", content.made]
    for section in content.sections:
        parts += [f'<a id="{section.anchor}"></a>', f"## {escape(section.title)}"]
        parts += [_block(block) for block in section.blocks]
        parts.append(f"*How was this computed:* {escape(section.how)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Text that Markdown and the HTML inside it read as itself, on one line.

    >>> escape("a|b <i> *c*")
    'a\\\\|b &lt;i&gt; \\\\*c\\\\*'
    """
    plain = " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", printable(plain))


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return f"**{escape(block.text)}**" if block.mark == "bad" else escape(block.text)
    if isinstance(block, Commands):
        return "\n".join(f"    {printable(' '.join(line.splitlines()))}" for line in block.lines)
    if isinstance(block, Table | Folded):
        return _table(block if isinstance(block, Table) else block.table)
    if isinstance(block, TimelineBlock):
        return "\n".join(f"- {escape(text)}" for text in block.texts)
    if isinstance(block, BarsBlock):
        bars = [f"- {escape(bar.label)}: {escape(bar.text)}" for bar in block.tornado.bars]
        return "\n".join([f"**{escape(block.tornado.title)}**", "", *(bars or [escape(block.tornado.empty)])])
    return _heat(block)


def _table(table: Table) -> str:
    table = table.repeatable
    lines = [f"**{escape(table.title)}**", "", _row([escape(header) for header in table.headers])]
    lines.append("|" + "|".join("---:" if column.numeric else "---" for column in table.columns) + "|")
    for at, row in enumerate(table.texts()):
        cells = [escape(cell) for cell in row]
        if table.mark(at) == "bad" and cells[0]:
            cells[0] = f"**{cells[0]}**"
        lines.append(_row(cells))
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _heat(block: HeatBlock) -> str:
    return f"Heat maps of {escape(block.fabric)}: the worst cell of every row follows; the page has every cell."
