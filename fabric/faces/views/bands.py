"""The one scale of utilisation: colour, glyph, ASCII digit and words for every band.

Colour runs from light grey to blue up to 100 % and is red only above. Luminance falls by a fifth and more from band to
band, so that the order survives print and colour-blind eyes. One scale for light and dark grounds: the lightest band
has a contrast of 1.4 to white, the darkest of 3 to the dark ground, and black is readable on all of them; a light ink
would make the fullest cells the brightest again. Glyphs stand where there is no colour, never on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabric.routing.utilisation import is_over


@dataclass(frozen=True)
class Band:
    """A range of utilisation.

    ``colour`` is its fill, ``ink`` what is readable on it, both hexadecimal RGB; ``glyph`` stands for the colour where
    there is none, ``mark`` may stand on it.
    """

    text: str
    colour: str
    ink: str
    glyph: str
    mark: str = ""


IDLE = Band("idle", "#d4d6d7", "#000000", "·")
TENTH = Band("<10 %", "#a5c4dd", "#000000", "·")
HALF = Band("<50 %", "#7eb0da", "#000000", "░")
BUSY = Band("<90 %", "#5c9ed9", "#000000", "▒")
FULL = Band("≤100 %", "#398adc", "#000000", "▓")
HOT = Band(">100 %", "#df361c", "#000000", "█", "!")
DOUBLE = Band("≥200 %", "#c91438", "#000000", "‼", "‼")
DOWN = Band("down", "#777777", "#ffffff", "×", "×")
NONE = Band("no link", "#ffffff", "#777777", " ")
BANDS = (IDLE, TENTH, HALF, BUSY, FULL, HOT, DOUBLE)


def band(utilisation: float) -> Band:
    """The band a utilisation (offered over capacity) falls in; nan is where there is no link.

    >>> band(0.0).text, band(0.1).text, band(1.0).text, band(2.25).text, band(math.nan).text
    ('idle', '<50 %', '≤100 %', '≥200 %', 'no link')
    """
    if math.isnan(utilisation):
        return NONE
    if utilisation <= 0:
        return IDLE
    for limit, entry in ((0.1, TENTH), (0.5, HALF), (0.9, BUSY)):
        if utilisation < limit:
            return entry
    if not is_over(utilisation):
        return FULL
    return HOT if utilisation < 2 else DOUBLE


def digit(utilisation: float) -> str:
    """One ASCII character: tens of percent; ``A`` is 100 %, ``X`` above, ``#`` from 200 %, ``.`` below 5 %.

    >>> "".join(digit(value) for value in (0, 0.04, 0.05, 0.25, 0.96, 1.0, 1.5, 2.0))
    '..13AAX#'
    """
    if math.isnan(utilisation):
        return " "
    if is_over(utilisation):
        return "X" if utilisation < 2 else "#"
    if utilisation < 0.05:
        return "."
    tens = int(utilisation * 10 + 0.5)
    return "A" if tens >= 10 else str(tens)
