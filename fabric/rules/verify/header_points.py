"""All header values of packets, cut into points that no table tells apart.

A point stands for a set of packets: an interval of destination addresses, and a cell of source, protocol and ports. The
interval ends wherever a rule of any switch begins or ends. Inside of it, cells are distinguished by which of the rules
that ask for more than a destination they match: the sets are intersected field by field, and those that come out alike
are one cell. So every packet is in exactly one cell, and every rule takes a point whole or not at all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from fabric.rules.errors import RuleError
from fabric.rules.packet import Packet
from fabric.rules.table import ROCE_PORT, UDP, Match
from topologies.columns import Longs, column

MOST_POINTS = 4_000_000
_NO_PROTOCOL = 253  # for experiments (RFC 3692); rules may name it, then another one is taken
_WIDTH = {0: 0, 4: 32, 6: 128}

Cell = tuple[int, int, int, int]  # source, protocol, source port, destination port


class _Extra(NamedTuple):
    """What a rule asks for besides the destination and the port."""

    src: int
    src_bits: int
    protocol: int
    src_port: int
    dst_port: int


class HeaderPoints:
    """Points of one family of packets; family 0 are frames that are not IP.

    Parameters
    ----------
    matches : iterable of Match
        Of all rules of all switches, in any order.
    """

    def __init__(self, family: int, matches: Iterable[Match]) -> None:
        self.family = family
        width = _WIDTH[family]
        asked = {match.anywhere for match in matches if match.family in (0, family)}
        spans = {match: self._span(match) for match in asked}
        self._starts = sorted({0, *(edge for span in spans.values() for edge in span if edge < 1 << width)})
        self._spans = spans
        extras = [match for match in asked if match.is_flow]
        by_atom: dict[int, list[Match]] = {}
        for match in extras:
            low, high = self._atoms(match)
            for atom in range(low, high):
                by_atom.setdefault(atom, []).append(match)
        counts = np.ones(len(self._starts), dtype=np.int64)
        self._cells: dict[int, list[tuple[int, Cell]]] = {}
        members: dict[Match, list[tuple[int, int]]] = {}
        for atom, those in by_atom.items():
            cells = _cells(those, width)
            self._cells[atom] = cells
            counts[atom] = len(cells)
            for place, (mask, _) in enumerate(cells):
                for bit, match in enumerate(those):
                    if mask >> bit & 1:
                        members.setdefault(match, []).append((atom, place))
        self.first: Longs = column(np.concatenate([[0], np.cumsum(counts)]), np.int64)
        if len(self) > MOST_POINTS:
            raise RuleError(
                f"the tables distinguish {len(self):,} sets of packets; {MOST_POINTS:,} can be followed",
                hint="fewer single flows: a router without pinned paths",
                code="FP8064",
            )
        self._members = {
            match: np.array([self.first[atom] + place for atom, place in those], dtype=np.int64)
            for match, those in members.items()
        }

    def __len__(self) -> int:
        return int(self.first[-1])

    def _span(self, match: Match) -> tuple[int, int]:
        if not match.family:
            return 0, 1 << _WIDTH[self.family]
        return match.dst, match.dst + (1 << (_WIDTH[self.family] - match.dst_bits))

    def _atoms(self, match: Match) -> tuple[int, int]:
        first, last = self._spans[match]
        return bisect_left(self._starts, first), bisect_left(self._starts, last)

    def taken(self, match: Match) -> slice | Longs | None:
        """Points that a match takes, whatever port they come in by; None: no packet of this family."""
        if match.family not in (0, self.family):
            return None
        plain = match.anywhere
        if plain.is_flow:
            return self._members.get(plain, np.empty(0, dtype=np.int64))
        low, high = self._atoms(plain)
        return slice(int(self.first[low]), int(self.first[high]))

    def atom_of(self, point: int) -> int:
        """Interval of destinations that a point is in."""
        return int(np.searchsorted(self.first, point, side="right") - 1)

    def at(self, address: int) -> range:
        """Points of an address."""
        atom = bisect_left(self._starts, address + 1) - 1
        return range(int(self.first[atom]), int(self.first[atom + 1]))

    def packet(self, point: int, dst: int | None = None) -> Packet:
        """A packet of a point, to ``dst`` where that is in it."""
        atom = self.atom_of(point)
        start = self._starts[atom]
        end = self._starts[atom + 1] if atom + 1 < len(self._starts) else 1 << _WIDTH[self.family]
        to = dst if dst is not None and start <= dst < end else start
        cells = self._cells.get(atom)
        src, protocol, src_port, dst_port = (
            cells[point - int(self.first[atom])][1] if cells else (0, UDP, 49_152, ROCE_PORT)
        )
        return Packet(self.family, src, to, protocol, src_port, dst_port)  # type: ignore[arg-type]


def _cells(matches: Sequence[Match], width: int) -> list[tuple[int, Cell]]:
    """Which of some matches hold at once, as bits of a number, each with a packet for which just these hold.

    >>> from fabric.rules.table import UDP
    >>> pinned = [Match(4, 9, 32, src, 32, UDP, 49152, 4791) for src in (1, 2)]
    >>> sorted(mask for mask, _ in _cells(pinned, 32))
    [0, 1, 2]
    """
    extras = [_Extra(match.src, match.src_bits, match.protocol, match.src_port, match.dst_port) for match in matches]
    found: dict[int, list[int]] = {(1 << len(extras)) - 1: []}
    fields = (
        _masks_of_sources(extras, width),
        _masks_of_values([extra.protocol for extra in extras], _NO_PROTOCOL, 255),
        _masks_of_values([extra.src_port for extra in extras], 1, 65_535),
        _masks_of_values([extra.dst_port for extra in extras], 1, 65_535),
    )
    for field in fields:
        joined: dict[int, list[int]] = {}
        for mask, values in found.items():
            for other, value in field.items():
                joined.setdefault(mask & other, [*values, value])
        found = joined
        if len(found) > MOST_POINTS:
            raise RuleError(
                f"the rules for one destination distinguish more than {MOST_POINTS:,} sets of packets",
                hint="fewer single flows: a router without pinned paths",
                code="FP8064",
            )
    return [(mask, (values[0], values[1], values[2], values[3])) for mask, values in found.items()]


def _masks_of_sources(extras: Sequence[_Extra], width: int) -> dict[int, int]:
    """Sets of matches by their source prefixes, each with an address."""
    edges: dict[int, int] = {0: 0}
    for bit, extra in enumerate(extras):
        first, last = extra.src, extra.src + (1 << (width - extra.src_bits))
        edges[first] = edges.get(first, 0) ^ 1 << bit
        if last < 1 << width:
            edges[last] = edges.get(last, 0) ^ 1 << bit
    found: dict[int, int] = {}
    holds = 0
    for address in sorted(edges):
        holds ^= edges[address]
        found.setdefault(holds, address)
    return found


def _masks_of_values(asked: Sequence[int], other: int, most: int) -> dict[int, int]:
    """Sets of matches by a field whose 0 takes anything, each with a value; one that none asks for is among them."""
    free = next((value for value in (other, *range(1, most + 1)) if value not in asked), None)
    found: dict[int, int] = {}
    for value in [*([free] if free is not None else []), *sorted({value for value in asked if value})]:
        mask = sum(1 << bit for bit, wanted in enumerate(asked) if wanted in (0, value))
        found.setdefault(mask, value)
    return found
