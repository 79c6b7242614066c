"""Text that is safe to draw: names come from files, a terminal obeys control characters."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


def safe(text: str) -> str:
    """Control characters and marks that turn the reading direction become a replacement character.

    >>> safe("leaf\\x1b[2J1")
    'leaf\ufffd[2J1'
    """
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


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
