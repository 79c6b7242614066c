"""Host ranges as Slurm writes them: ``n[001-004,7],login``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

MOST_HOSTS = 1_000_000
_NUMBER = re.compile(r"(\d{1,18})")
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


def folded_hosts(names: Sequence[str]) -> str:
    """Host ranges that stand for names, in their order; names with several numbers are folded by all of them.

    >>> folded_hosts(["gpu00", "gpu01", "gpu02", "osd7", "login"])
    'gpu[00-02], osd7, login'
    >>> folded_hosts(["n8.nic0", "n8.nic1", "n9.nic0", "n9.nic1"])
    'n[8-9].nic[0-1]'
    """
    parts = [_NUMBER.split(name) for name in names]  # text, number, text, ..., text
    for back in range(max((len(part) // 2 for part in parts), default=0)):
        parts = _folded_once(parts, back)
    return ", ".join("".join(part) for part in parts)


def _folded_once(parts: list[list[str]], back: int) -> list[list[str]]:
    """Names that differ in one number alone, counted from the last, are one; in the order of the first of them."""
    alike: dict[tuple[str, ...], list[str]] = {}
    places: dict[tuple[str, ...], tuple[list[str], int]] = {}
    for part in parts:
        place = len(part) - 2 - 2 * back
        rest = (*part[:place], "", *part[place + 1 :]) if place > 0 else ("", *part)
        places.setdefault(rest, (part, place))
        alike.setdefault(rest, []).append(part[place] if place > 0 else "")
    folded = []
    for rest, numbers in alike.items():
        part, place = places[rest]
        if place <= 0:
            folded += [part] * len(numbers)
            continue
        ranges = _ranges(numbers)
        text = ranges[0] if len(numbers) == 1 else f"[{','.join(ranges)}]"
        folded.append([*part[:place], text, *part[place + 1 :]])
    return folded


def _ranges(numbers: Sequence[str]) -> list[str]:
    """Numbers one after another as ranges, in order; those with other leading zeros start a new one."""
    runs: list[list[str]] = []
    for number in numbers:
        if runs and number == str(int(runs[-1][-1]) + 1).zfill(len(runs[-1][0])):
            runs[-1].append(number)
        else:
            runs.append([number])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


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
