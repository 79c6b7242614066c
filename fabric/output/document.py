"""An answer for people as lines and tables, before it is known where it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.output.table import Mark, Table


@dataclass(frozen=True)
class Line:
    """A line of text."""

    text: str
    mark: Mark = ""


Document = Sequence[Table | Line]
