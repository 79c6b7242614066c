"""Colours of cables, so that a hand in a tray knows what it holds: by rail, tier or fabric.

Names and values are those of NetBox, which imports them as they are.
"""

from __future__ import annotations

from typing import Literal

ColourBy = Literal["rail", "tier", "fabric"]

HEX: dict[str, str] = {
    "blue": "2196f3",
    "orange": "ff9800",
    "green": "4caf50",
    "purple": "9c27b0",
    "yellow": "ffeb3b",
    "teal": "009688",
    "pink": "e91e63",
    "brown": "795548",
    "light blue": "03a9f4",
    "red": "f44336",
    "lime": "cddc39",
    "indigo": "3f51b5",
    "amber": "ffc107",
    "dark green": "2f6a31",
    "grey": "9e9e9e",
    "cyan": "00bcd4",
}
"""Names of colours and their values, RGB in hexadecimal; the first are told apart most easily."""

_NAMES = tuple(HEX)


def colour_name(place: int) -> str:
    """The colour of the rail, tier or fabric of a number; after the last they begin again.

    >>> colour_name(0), colour_name(17)
    ('blue', 'orange')
    """
    return _NAMES[place % len(_NAMES)]


def hex_of(name: str) -> str:
    """Value of a colour of ours."""
    return HEX[name]
