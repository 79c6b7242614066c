"""What error codes mean: the tables of ``errors.md``, the page that ``docs`` links to."""

from __future__ import annotations

import re
from importlib import resources

_ROW = re.compile(r"^\| (FP\d{4}) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def meaning(code: str) -> tuple[str, str] | None:
    """What a code means and what to do; None for one that does not exist."""
    found = {row[0]: (row[1], row[2]) for row in _ROW.findall(_text())}
    return found.get(code)


def _text() -> str:
    return resources.files("fabric.faces.explain").joinpath("errors.md").read_text(encoding="utf-8")
