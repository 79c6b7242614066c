"""Printing documents: aligned and coloured on a terminal, tab-separated when piped, Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TextIO

from fabric.output.document import Document, Line
from fabric.output.table import Table
from topologies.printable import printable

_STYLE = {"good": "green", "bad": "bold red", "warn": "yellow", "": ""}
_GAP = 2  # blanks between columns
_LEAST_FLEXIBLE = 18  # cells a column that may be cut keeps


def to_plain(document: Document) -> str:
    """No boxes: cells separated by tabs, numbers unpadded, a blank line between parts."""
    parts: list[str] = []
    after_table = False
    for part in document:
        if isinstance(part, Line):
            text = printable(part.text)
            parts += ["", text] if after_table else [text]
        else:
            part = part.repeatable
            lines = ["", printable(part.title)] if part.title else [""]
            lines.append("\t".join(part.headers))
            lines += ["\t".join(row) for row in part.texts()]
            parts.append("\n".join(lines))
        after_table = not isinstance(part, Line)
    return "\n".join(parts).strip("\n") + "\n"


def to_markdown(document: Document) -> str:
    """Pipe tables and paragraphs."""
    parts: list[str] = []
    for part in document:
        if isinstance(part, Line):
            parts.append(_escape(part.text))
            continue
        part = part.repeatable
        lines = [f"**{_escape(part.title)}**", ""] if part.title else []
        lines.append("| " + " | ".join(_escape(header) for header in part.headers) + " |")
        lines.append("|" + "|".join("---:" if column.numeric else "---" for column in part.columns) + "|")
        lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in part.texts()]
        parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_columns(document: Document, width: int = 92) -> str:
    """Aligned tables without colours; where space is short, columns of high priority go first, then texts are cut."""
    lines: list[str] = []
    for part in document:
        if isinstance(part, Line):
            lines += textwrap.wrap(printable(part.text), width) or [""]
            continue
        part = part.repeatable
        rows = list(part.texts())
        widths = _widths(part, rows, width)
        lines += ["", printable(part.title), _cells(part.headers, part, widths, False)]
        lines += [_cells(row, part, widths, False) for row in rows]
        lines.append("")
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Text in Markdown: neither a cell's end nor a tag of a page."""
    for mark, shown in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("\n", " ")):
        text = text.replace(mark, shown)
    return printable(text)


def print_terminal(
    document: Document, stream: TextIO, *, color: bool | None, ascii_only: bool = False, live: bool = True
) -> None:
    """Aligned tables that fit the terminal: columns of high priority go first, then flexible ones are cut.

    Parameters
    ----------
    color : bool or None
        None decides by the terminal and ``NO_COLOR``.
    live : bool
        Whether columns that differ between two equal runs, such as times, are shown.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=color, no_color=color is False or None, highlight=False)
    before = False
    for part in document:
        if isinstance(part, Line):
            if before:
                console.print()
            console.print(Text(printable(part.text), style=_STYLE[part.mark]))
            before = False
            continue
        part = part if live else part.repeatable
        console.print()
        if part.title:
            console.print(Text(printable(part.title), style="bold"))
        rows = list(part.texts())
        widths = _widths(part, rows, console.width)
        header = _cells(part.headers, part, widths, ascii_only)
        console.print(Text(header, style="underline" if not ascii_only else ""), no_wrap=True, crop=True)
        for index, row in enumerate(rows):
            console.print(
                Text(_cells(row, part, widths, ascii_only), style=_STYLE[part.mark(index)]), no_wrap=True, crop=True
            )
        before = True


def _widths(part: Table, rows: Sequence[tuple[str, ...]], available: int) -> list[int]:
    """Width of every column; 0 for those left out."""
    from rich.cells import cell_len

    texts = [[header, *(row[at] for row in rows)] for at, header in enumerate(part.headers)]
    full = [max(map(cell_len, column)) for column in texts]
    least = [
        min(width, _LEAST_FLEXIBLE) if column.flexible else width
        for width, column in zip(full, part.columns, strict=True)
    ]
    shown = list(range(len(full)))

    def needed(widths: list[int]) -> int:
        return sum(widths[at] for at in shown) + _GAP * (len(shown) - 1)

    for at in sorted(shown, key=lambda at: (-part.columns[at].priority, -at)):
        if part.columns[at].priority and needed(least) > available:
            shown.remove(at)
    for at in reversed(range(len(full))):
        if at in shown and part.columns[at].flexible and needed(least) > available:
            shown.remove(at)
    room = available - needed(least)
    result = [0] * len(full)
    for at in shown:
        extra = min(full[at] - least[at], max(room, 0))
        result[at] = least[at] + extra
        room -= extra
    return result


def _cells(row: tuple[str, ...], part: Table, widths: list[int], ascii_only: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    cells = []
    for text, column, width in zip(row, part.columns, widths, strict=True):
        if not width:
            continue
        if cell_len(text) > width:
            text = set_cell_size(text, width - 1) + ("~" if ascii_only else "…")
        pad = " " * (width - cell_len(text))
        cells.append(pad + text if column.numeric else text + pad)
    return (" " * _GAP).join(cells).rstrip()
