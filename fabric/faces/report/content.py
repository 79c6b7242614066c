"""What a report says, before it is known in which form: sections of words, tables, heat maps, time lines, commands.

Tables are those of ``fabric.faces.views``, with values and the texts that people read; the forms only place them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fabric.faces.views.draws import shown_draw_words
from fabric.faces.views.timeline import JobTimeline
from fabric.faces.views.tornado import Tornado
from fabric.output.table import Mark, Table
from fabric.result import PhaseRoute


@dataclass(frozen=True, eq=False)
class Folded:
    """A table of which a page shows the title alone until it is opened."""

    table: Table


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


@dataclass(frozen=True)
class BarsBlock:
    """Causes as bars, the longest first."""

    tornado: Tornado


Block = Words | Table | Folded | Commands | HeatBlock | TimelineBlock | BarsBlock


@dataclass(frozen=True)
class Section:
    """A part of the report, with an anchor and how its numbers were made."""

    anchor: str
    title: str
    how: str
    blocks: tuple[Block, ...]


def not_said(anchor: str, title: str, how: str, why: str) -> Section:
    """A section of what cannot be said, with the reason."""
    return Section(anchor, title, how, (Words(f"There is none: {why}.", "warn"),))


def shown_draws(routes: Iterable[PhaseRoute]) -> list[Words]:
    """Which draw of the hash the links of every phase are of; phases that say the same share a line."""
    phases: dict[str, list[str]] = {}
    for entry in routes:
        if entry.draws is not None:
            phases.setdefault(f"{entry.fabric}: {shown_draw_words(entry)}", []).append(entry.phase)
    return [Words(f"Links of {', '.join(names)} on {text}.") for text, names in phases.items()]


@dataclass(frozen=True)
class Content:
    """The whole report. ``met`` is None where no limit was decided."""

    name: str
    headline: str
    met: bool | None
    created: str | None  # a date, where SOURCE_DATE_EPOCH gives one
    tool: str
    sections: tuple[Section, ...]

    @property
    def made(self) -> str:
        """With what it was made, and when."""
        return self.tool if self.created is None else f"{self.tool}, {self.created}"
