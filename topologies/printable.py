"""Names and texts of others where people and programs read them: nothing in them acts.

Names come from devices and files. A terminal acts on escape sequences, a row on line breaks, a spreadsheet on formulas.
Every face passes what it shows through one of these functions, at its border; inside, names stay as they are.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, marks that turn the reading direction, halves, line ends
_FORMULA = ("=", "+", "-", "@")
_GUARDED = re.compile(r"'+[=+\-@]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(%|[A-Za-z/ ]{1,8})?")
_RAW_CONTROLS = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """One line of text that a terminal shows and does not act on.

    >>> printable("leaf\\x1b[31m0"), printable("a\\nb"), printable("Zürich–1")
    ('leaf\ufffd[31m0', 'a\ufffdb', 'Zürich–1')
    """
    if text.isprintable():
        return text
    return "".join(REPLACEMENT if unicodedata.category(char) in _ACTING else char for char in text)


def spreadsheet_cell(text: str) -> str:
    """Text of a CSV cell that no spreadsheet computes: an apostrophe goes before what would be a formula.

    >>> spreadsheet_cell("=cmd|' /C calc'!A0"), spreadsheet_cell("-1.5"), spreadsheet_cell("leaf0")
    ("'=cmd|' /C calc'!A0", '-1.5', 'leaf0')
    """
    text = printable(text)
    formula = text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if formula or _GUARDED.match(text) else text


def from_spreadsheet_cell(text: str) -> str:
    """What was given to :func:`spreadsheet_cell`, but for characters that it replaced.

    >>> from_spreadsheet_cell(spreadsheet_cell("'=1")), from_spreadsheet_cell("'quoted'")
    ("'=1", "'quoted'")
    """
    return text[1:] if _GUARDED.match(text) else text


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in which letters stay as they are and control characters are written as escapes.

    >>> json_text({"name": "Zürich\\x9b1"})
    '{"name": "Zürich\\\\u009b1"}'
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return _RAW_CONTROLS.sub(lambda char: f"\\u{ord(char.group()):04x}", text)
