"""What a report says, before it is known in which form: sections of words, tables, heat maps, time lines, commands.

Every number is made here once, as a value and as the text that people read; the forms only place them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.faces.views.timeline import JobTimeline
from fabric.output.document import Mark
from topologies.units import format_seconds

Value = str | float | int | bool | None


@dataclass(frozen=True)
class Cell:
    """A text for people, and the value it stands for; None sorts last."""

    text: str
    value: Value = None


@dataclass(frozen=True)
class Head:
    """A column: its header, the key of its values in JSON, and whether numbers stand in it."""

    text: str
    key: str
    numeric: bool = False


@dataclass(frozen=True)
class ReportTable:
    """Rows of cells under a caption; ``marks`` is empty or has one mark per row."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marks: tuple[Mark, ...] = ()
    folded: bool = False  # whether a page shows the caption alone until it is opened

    def mark(self, row: int) -> Mark:
        """Mark of a row."""
        return self.marks[row] if self.marks else ""


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Commands:
    """Command lines, as they are typed into a shell."""

    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Layer:
    """One matrix of texts: ``texts[code]`` for every cell, and the band (index into the scale) of every text."""

    codes: NDArray[np.uint16]  # shape (R, C)
    texts: tuple[str, ...]
    bands: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class HeatPicture:
    """A heat map in one direction: a layer of utilisation per phase, and one of what every cell stands for."""

    title: str
    kind: str
    direction: str
    row_title: str
    column_title: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    phases: tuple[Layer, ...]  # in the order of the block's phases
    cells: Layer  # links of every cell, in words


@dataclass(frozen=True, eq=False)
class HeatBlock:
    """The heat maps of one fabric; ``shown`` is the phase a page opens with."""

    fabric: str
    phases: tuple[str, ...]
    shown: int
    pictures: tuple[HeatPicture, ...]


@dataclass(frozen=True)
class TimelineBlock:
    """The step of a job as bars; ``texts`` says every bar in words."""

    timeline: JobTimeline
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]  # seconds, and the text under them


Block = Words | ReportTable | Commands | HeatBlock | TimelineBlock


@dataclass(frozen=True)
class Section:
    """A part of the report, with an anchor and how its numbers were made."""

    anchor: str
    title: str
    how: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Content:
    """The whole report. ``met`` is None where no limit was decided."""

    name: str
    headline: str
    met: bool | None
    created: str
    tool: str
    sections: tuple[Section, ...]


def as_table(
    caption: str,
    heads: Iterable[tuple[str, str]],
    rows: Iterable[Sequence[Cell | str]],
    *,
    marks: Iterable[Mark] = (),
    folded: bool = False,
) -> ReportTable:
    """A table; a header that starts with ``>`` is numeric, and a text that is no cell is its own value."""
    columns = tuple(Head(text.lstrip(">"), key, text.startswith(">")) for text, key in heads)
    cells = tuple(tuple(Cell(cell, cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    return ReportTable(caption, columns, cells, tuple(marks), folded)


def number(text: str, value: float | None) -> Cell:
    """A cell with a number; infinity and NaN have no value, as in every record."""
    return Cell(text, value if value is not None and math.isfinite(value) else None)


def count(value: int) -> Cell:
    """A cell with a whole number.

    >>> count(2048)
    Cell(text='2,048', value=2048)
    """
    return Cell(f"{value:,}", value)


def seconds(value: float | None) -> str:
    """A time, or that it never ends."""
    return "never" if value is None else format_seconds(value)
