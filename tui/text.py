"""Text that is safe to draw: names come from files, a terminal obeys control characters."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from topologies.printable import printable


def safe(text: str) -> str:
    """Control characters and marks that turn the reading direction become a replacement character.

    >>> safe("leaf\\x1b[2J1")
    'leaf\ufffd[2J1'
    """
    return printable(text)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Exactly ``width`` cells: cut with an ellipsis, or padded.

    >>> fitted("su6-r1-leaf", 6), fitted("7", 3, right=True)
    ('su6-r…', '  7')
    """
    text = safe(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)
