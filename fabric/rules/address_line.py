"""Tables as functions of the destination: intervals on one line of numbers for the addresses of both IP versions.

IPv4 comes first, IPv6 from bit 130. The rule of the highest priority decides, whatever priorities follow; rules for
single flows are left out, since they do not depend on the destination alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from fabric.rules.table import Match, Rule

_FAMILY_BIT = 130
END = 1 << (_FAMILY_BIT + 1)

T = TypeVar("T")
U = TypeVar("U")


class Line(Generic[T]):
    """A function of the address: ``values[i]`` from ``starts[i]`` on; ``starts`` ascend from 0."""

    def __init__(self, starts: list[int], values: list[T]) -> None:
        self.starts = starts
        self.values = values

    def at(self, number: int) -> T:
        """Value at a number of the line."""
        return self.values[bisect_right(self.starts, number) - 1]

    def spans(self) -> Iterator[tuple[int, int, T]]:
        """First number, the one after the last, and the value of every interval."""
        yield from zip(self.starts, [*self.starts[1:], END], self.values, strict=True)


def on_line(family: int, address: int) -> int:
    """Number of an address on the line.

    >>> on_line(4, 10), on_line(6, 10) == (1 << 130) + 10
    (10, True)
    """
    return (family == 6) << _FAMILY_BIT | address


def line_span(match: Match) -> tuple[int, int]:
    """First number of a match's destination prefix, and the one after its last; everything for family 0."""
    if not match.family:
        return 0, END
    first = on_line(match.family, match.dst)
    return first, first + (1 << ((32 if match.family == 4 else 128) - match.dst_bits))


def line_prefixes(first: int, last: int) -> Iterator[Match]:
    """Fewest prefixes of the addresses from ``first`` to before ``last``.

    >>> [match.dst_text for match in line_prefixes(1, 8)]
    ['0.0.0.1/32', '0.0.0.2/31', '0.0.0.4/30']
    """
    for family, width in ((4, 32), (6, 128)):
        base = on_line(family, 0)
        low, high = max(first - base, 0), min(last - base, 1 << width)
        while low < high:
            aligned = (low & -low).bit_length() - 1 if low else width
            bits = min(aligned, (high - low).bit_length() - 1)
            yield Match(family, low, width - bits)  # type: ignore[arg-type]
            low += 1 << bits


def flatten(layers: Iterable[tuple[tuple[int, int], T]]) -> Line[T | None]:
    """Spans laid over each other, later ones on top; None where there is none."""
    laid = list(layers)
    starts = sorted({0, *(edge for span, _ in laid for edge in span if edge < END)})
    place = {start: index for index, start in enumerate(starts)}
    place[END] = len(starts)
    cells: list[T | None] = [None] * len(starts)
    for (first, last), value in laid:
        low, high = place[first], place[last]
        cells[low:high] = [value] * (high - low)
    return Line(starts, cells)


def deciding_rules(rules: Sequence[Rule]) -> Line[Rule | None]:
    """The rule that decides for every address, single flows left out; None where none matches."""
    plain = sorted((rule for rule in rules if not rule.match.is_flow), key=lambda rule: rule.priority)
    return flatten((line_span(rule.match), rule) for rule in plain)


def side_by_side(one: Line[T], two: Line[U]) -> Iterator[tuple[int, int, T, U]]:
    """Common intervals of two functions, with both values."""
    starts = sorted({*one.starts, *two.starts})
    left = right = 0
    for start, last in zip(starts, [*starts[1:], END], strict=True):
        while left + 1 < len(one.starts) and one.starts[left + 1] <= start:
            left += 1
        while right + 1 < len(two.starts) and two.starts[right + 1] <= start:
            right += 1
        yield start, last, one.values[left], two.values[right]
