"""Host ranges as Slurm writes them: ``n[001-004,7],login``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

MOST_HOSTS = 1_000_000
_PIECE = re.compile(r"\[([^\[\]]*)\]")


def expand_hosts(text: str) -> list[str]:
    """Names behind a list of host ranges.

    Raises
    ------
    ValueError
        With the part that is not a range.

    Examples
    --------
    >>> expand_hosts("n[08-10],r[0-1]x[1,3],login")
    ['n08', 'n09', 'n10', 'r0x1', 'r0x3', 'r1x1', 'r1x3', 'login']
    """
    return [name for part in _top_level(text) for name in _names(part)]


def chosen_hosts(nodes: str | list[str]) -> list[str]:
    """Names that a key of the scenario lists: ranges in one text, or a list of them.

    Raises
    ------
    ValueError
        With the part that is not a range, or when there is none.
    """
    names = [name for text in ([nodes] if isinstance(nodes, str) else nodes) for name in expand_hosts(text)]
    if not names:
        raise ValueError("no node is named")
    return [name.strip() for name in names]


def _top_level(text: str) -> Iterator[str]:
    """Parts between commas that stand outside brackets."""
    depth, start = 0, 0
    for place, letter in enumerate(f"{text},"):
        depth += (letter == "[") - (letter == "]")
        if depth < 0 or depth > 1:
            raise ValueError(f"brackets of {text!r} do not match")
        if letter == "," and depth == 0:
            if text[start:place]:
                yield text[start:place]
            start = place + 1
    if depth:
        raise ValueError(f"brackets of {text!r} do not match")


def _names(part: str) -> Iterator[str]:
    pieces = _PIECE.split(part)  # fixed, range, fixed, range, ..., fixed
    choices = [[piece] if place % 2 == 0 else _numbers(piece) for place, piece in enumerate(pieces)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST_HOSTS:
        raise ValueError(f"{part!r} is {count:,} hosts; {MOST_HOSTS:,} are the most")
    return ("".join(chosen) for chosen in product(*choices))


def _numbers(text: str) -> list[str]:
    """Numbers of one bracket, with the leading zeros of the first."""
    found: list[str] = []
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        if not first.isdigit() or (dash and (not last.isdigit() or int(last) < int(first))):
            raise ValueError(f"{piece!r} is neither a number nor a range")
        if dash and int(last) - int(first) >= MOST_HOSTS:
            raise ValueError(f"{piece!r} has more than {MOST_HOSTS:,} numbers")
        numbers = range(int(first), int(last) + 1) if dash else [int(first)]
        found += [str(number).zfill(len(first)) for number in numbers]
    return found
