"""Printing documents: boxes and colour on a terminal, tab-separated when piped, Markdown."""

from __future__ import annotations

from typing import TextIO

from fabric.export.document import Document, Line

_STYLE = {"good": "green", "bad": "bold red", "warn": "yellow", "": ""}


def to_plain(document: Document) -> str:
    """No boxes: cells separated by tabs, numbers unpadded, a blank line between parts."""
    parts: list[str] = []
    for part in document:
        if isinstance(part, Line):
            parts.append(part.text)
        else:
            lines = [part.title] if part.title else []
            lines.append("\t".join(column.header for column in part.columns))
            lines += ["\t".join(row) for row in part.rows]
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts).rstrip("\n") + "\n"


def to_markdown(document: Document) -> str:
    """Pipe tables and paragraphs."""
    parts: list[str] = []
    for part in document:
        if isinstance(part, Line):
            parts.append(_escape(part.text))
            continue
        lines = [f"**{part.title}**", ""] if part.title else []
        lines.append("| " + " | ".join(_escape(column.header) for column in part.columns) + " |")
        lines.append("|" + "|".join("---:" if column.numeric else "---" for column in part.columns) + "|")
        lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in part.rows]
        parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def print_rich(document: Document, stream: TextIO, *, color: bool | None, ascii_only: bool = False) -> None:
    """Tables with alignment, cut to the terminal's width.

    Parameters
    ----------
    color : bool or None
        None decides by the terminal and ``NO_COLOR``.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=stream, force_terminal=color, no_color=color is False or None, highlight=False)
    for part in document:
        if isinstance(part, Line):
            console.print(Text(part.text, style=_STYLE[part.mark]), soft_wrap=False)
            continue
        grid = RichTable(
            title=part.title or None,
            title_justify="left",
            title_style="bold",
            box=box.ASCII if ascii_only else box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for column in part.columns:
            grid.add_column(
                column.header,
                justify="right" if column.numeric else "left",
                no_wrap=not column.flexible,
                overflow="fold" if column.flexible else "ellipsis",
                min_width=min(len(column.header), 24) if column.flexible else None,
            )
        for index, row in enumerate(part.rows):
            grid.add_row(*(Text(cell) for cell in row), style=_STYLE[part.mark(index)])
        console.print(grid)
