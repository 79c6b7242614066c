"""An answer for people as lines and tables, before it is known where it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.output.table import Mark, Table


@dataclass(frozen=True)
class Line:
    """A line of text; ``is_rows`` where it says a row of the answer, or how many are not shown."""

    text: str
    mark: Mark = ""
    is_rows: bool = False


Document = Sequence[Table | Line]
