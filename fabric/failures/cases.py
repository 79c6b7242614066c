"""Failure cases as columns: which parts every case takes, and what that does to the links of a fabric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.failures.part import Part
from topologies.columns import Bools, Floats, Ints, Longs, column


@dataclass(frozen=True, eq=False)
class Cases:
    """Case c takes ``parts[part[i]]`` for i in ``start[c]:start[c + 1]``."""

    name: str  # of the set: N-1, N-2, or as the scenario says
    parts: tuple[Part, ...]
    start: Longs  # shape (N + 1,)
    part: Ints  # shape (sum of parts,)
    total: int  # cases that there are; more than N where they are sampled
    choose: int = 1  # parts a case takes; 0: as each case says

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def first_failures(self) -> bool:
        """Whether every row is a first failure, which every later part of ``parts`` follows: all pairs, unwritten."""
        return self.choose == 2 and len(self.part) == len(self)

    @property
    def is_sample(self) -> bool:
        """Whether only some of the cases are looked at."""
        return self.total > len(self) and not self.first_failures

    def parts_of(self, case: int) -> tuple[Part, ...]:
        """The parts of one case."""
        return tuple(self.parts[part] for part in self.part[self.start[case] : self.start[case + 1]].tolist())

    def slice(self, first: int, last: int) -> Cases:
        """Cases ``first`` to ``last`` of the same parts."""
        start = self.start[first : last + 1]
        part = self.part[int(start[0]) : int(start[-1])] if len(start) else self.part[:0]
        moved = column(start - (start[0] if len(start) else 0), np.int64)
        return Cases(self.name, self.parts, moved, part, last - first, self.choose)

    @staticmethod
    def single(parts: tuple[Part, ...], name: str = "N-1") -> Cases:
        """One case per part."""
        count = len(parts)
        return Cases(name, parts, column(np.arange(count + 1), np.int64), column(np.arange(count), np.int32), count)


@dataclass(frozen=True, eq=False)
class Damage:
    """What cases do to one fabric: case c takes down ``dead[start[c]:start[c + 1]]``, and slows others.

    Links of a case are ascending and each stands once; a link that is dead is not slowed.
    """

    start: Longs  # shape (N + 1,)
    dead: Ints  # directed links
    slow_start: Longs  # shape (N + 1,)
    slow: Ints
    left: Floats  # part of the capacity that is left, shape of ``slow``

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def any(self) -> Bools:
        """Whether a case does anything to the fabric, shape (N,)."""
        return np.asarray((np.diff(self.start) > 0) | (np.diff(self.slow_start) > 0))

    def take(self, cases: Longs) -> Damage:
        """Of these cases, in this order."""
        start, dead = _taken(self.start, cases)
        slow_start, slow = _taken(self.slow_start, cases)
        return Damage(start, self.dead[dead], slow_start, self.slow[slow], self.left[slow])

    def of(self, case: int) -> tuple[Ints, Ints, Floats]:
        """Dead links, slowed links and what is left of them."""
        slowed = slice(int(self.slow_start[case]), int(self.slow_start[case + 1]))
        return self.dead[int(self.start[case]) : int(self.start[case + 1])], self.slow[slowed], self.left[slowed]

    def slice(self, first: int, last: int) -> Damage:
        """What cases ``first`` to ``last`` do."""
        start, slow_start = self.start[first : last + 1], self.slow_start[first : last + 1]
        slowed = slice(int(slow_start[0]), int(slow_start[-1]))
        return Damage(
            column(start - start[0], np.int64),
            self.dead[int(start[0]) : int(start[-1])],
            column(slow_start - slow_start[0], np.int64),
            self.slow[slowed],
            self.left[slowed],
        )


def damage_of(cases: Cases, fabric: str) -> Damage:
    """What the cases do to a fabric."""
    none = np.empty(0, dtype=np.int32)
    dead: list[Ints] = []
    slow: list[Ints] = []
    left: list[Floats] = []
    for case in range(len(cases)):
        parts = cases.parts_of(case)
        down = [part.links[fabric] for part in parts if fabric in part.links]
        gone = down[0] if len(down) == 1 else np.unique(np.concatenate([none, *down]))
        dead.append(gone)
        slowed = [part.slowed[fabric] for part in parts if fabric in part.slowed]
        if not slowed:
            slow.append(none)
            left.append(np.empty(0))
            continue
        rows = np.concatenate([links for links, _ in slowed])
        each, where = np.unique(rows, return_inverse=True)
        factor = np.ones(len(each))
        np.multiply.at(factor, where, np.concatenate([part for _, part in slowed]))
        keep = ~np.isin(each, gone)
        slow.append(each[keep])
        left.append(factor[keep])
    return Damage(
        _starts(dead),
        column(np.concatenate([none, *dead]), np.int32),
        _starts(slow),
        column(np.concatenate([none, *slow]), np.int32),
        column(np.concatenate([np.empty(0), *left]), np.float64),
    )


def joined(damage: Damage, before: Damage) -> Damage:
    """What cases do on top of the one case of ``before``; capacities that both slow are left with both parts."""
    first_dead, first_slow, first_left = before.of(0)
    dead: list[Ints] = []
    slow: list[Ints] = []
    left: list[Floats] = []
    for case in range(len(damage)):
        more_dead, more_slow, more_left = damage.of(case)
        gone = np.union1d(first_dead, more_dead) if len(first_dead) else more_dead
        links = np.concatenate([first_slow, more_slow])
        if len(links):
            links, where = np.unique(links, return_inverse=True)
            part = np.ones(len(links))
            np.multiply.at(part, where, np.concatenate([first_left, more_left]))
            keep = ~np.isin(links, gone)
            links, more_left = links[keep], part[keep]
        dead.append(gone)
        slow.append(links)
        left.append(more_left)
    none = np.empty(0, dtype=np.int32)
    return Damage(
        _starts(dead),
        column(np.concatenate([none, *dead]), np.int32),
        _starts(slow),
        column(np.concatenate([none, *slow]), np.int32),
        column(np.concatenate([np.empty(0), *left]), np.float64),
    )


def _starts(pieces: list[Ints]) -> Longs:
    return column(np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]), np.int64)


def _taken(start: Longs, cases: Longs) -> tuple[Longs, Longs]:
    """Where the entries of some cases then start, and which they are."""
    count = np.diff(start)[cases]
    ends = np.cumsum(count)
    entries = np.arange(ends[-1] if len(ends) else 0) + np.repeat(start[:-1][cases] - (ends - count), count)
    return column(np.concatenate([[0], ends]), np.int64), np.asarray(entries, dtype=np.int64)
