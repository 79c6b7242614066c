"""Works divided into windows at the least cost: exactly over all divisions where they are few, by local search else.

Works are bits of an integer by position. A division is one set for every window, in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from topologies.columns import Floats, Longs

EXACT = 12  # works up to which all divisions are looked at: 3^12 pairs of a set and a part of it
_SAME = 1e-9


class Cost(NamedTuple):
    """What sets cost, compared in this order: works in windows that stop a job, that break a limit, loss, peaks."""

    stalled: int
    broken: int
    lost: float
    peak: float

    def plus(self, other: Cost) -> Cost:
        """Both windows."""
        return Cost(
            self.stalled + other.stalled, self.broken + other.broken, self.lost + other.lost, self.peak + other.peak
        )

    def is_less(self, other: Cost) -> bool:
        """Whether it is less by more than rounding."""
        for mine, theirs in zip(self, other, strict=True):
            if abs(mine - theirs) > _SAME * max(abs(mine), abs(theirs)):
                return mine < theirs
        return False


FREE = Cost(0, 0, 0.0, 0.0)
Price = Callable[[Sequence[int]], list[Cost]]  # of every set


@dataclass(frozen=True)
class Rules:
    """What a division has to keep.

    Attributes
    ----------
    works : int
        How many there are.
    before : tuple of int
        For every work the set that has to be done in windows before its own.
    at_most : int
        Works in one window.
    """

    works: int
    before: tuple[int, ...]
    at_most: int

    @property
    def all(self) -> int:
        """Every work."""
        return (1 << self.works) - 1

    def fits(self, division: Sequence[int]) -> bool:
        """Whether a division keeps them."""
        done = 0
        for each in division:
            if each.bit_count() > self.at_most or any(self.before[place] & ~done for place in members(each)):
                return False
            done |= each
        return done == self.all

    @property
    def least_windows(self) -> int:
        """Windows that every division has: by their size, and by the longest chain of works one after another."""
        return max(-(-self.works // self.at_most), 1 + max(self.behind, default=0))

    @property
    def behind(self) -> list[int]:
        """For every work the longest chain of works that wait for it: so many windows come after its own."""
        longest = [0] * self.works
        for place in reversed(self.in_order()):
            for each in members(self.before[place]):
                longest[each] = max(longest[each], longest[place] + 1)
        return longest

    def open_windows(self, division: Sequence[int], place: int, behind: int) -> list[int]:
        """Windows of a division in the making that a work may go to: after what it waits for, before what waits for it.

        Raises
        ------
        ValueError
            Where there is none; its argument is the work.
        """
        first = 1 + max((window_of(division, each) for each in members(self.before[place])), default=-1)
        found = [
            number for number in range(first, len(division) - behind) if division[number].bit_count() < self.at_most
        ]
        if not found:
            raise ValueError(place)
        return found

    def in_order(self) -> list[int]:
        """Works so that each follows what has to be done before it.

        Raises
        ------
        ValueError
            Where works wait for each other in a circle; its argument is a work in it.
        """
        order, done = list[int](), 0
        while len(order) < self.works:
            ready = [place for place in range(self.works) if not done >> place & 1 and not self.before[place] & ~done]
            if not ready:
                raise ValueError(next(place for place in range(self.works) if not done >> place & 1))
            order += ready
            done |= sum(1 << place for place in ready)
        return order


def members(works: int) -> list[int]:
    """Positions in a set, ascending.

    >>> members(0b1101)
    [0, 2, 3]
    """
    return [place for place in range(works.bit_length()) if works >> place & 1]


def cost_of(division: Sequence[int], price: Price) -> Cost:
    """Of all windows together."""
    total = FREE
    for each in price([each for each in division if each]):
        total = total.plus(each)
    return total


# ---- all divisions -------------------------------------------------------------------------------------------------


def best_divisions(rules: Rules, price: Price, most: int) -> dict[int, list[int]]:
    """For every number of windows up to ``most`` the cheapest division into exactly so many; none where there is none.

    A dynamic programme over sets that are done: the last window is any allowed part of them.
    """
    size = 1 << rules.works
    allowed = np.array([bits.bit_count() <= rules.at_most for bits in range(size)])
    allowed[0] = False
    sets = np.flatnonzero(allowed).tolist()
    single = np.full(size, inf)
    single[sets] = _one_number(price(sets), rules.works)
    needs = np.zeros(size, dtype=np.int64)  # what has to be done before any work of a set
    for place, before in enumerate(rules.before):
        needs[np.arange(size) >> place & 1 == 1] |= before
    parts = [_parts(bits) for bits in range(size)]
    cheapest = np.full((most + 1, size), inf)
    last = np.zeros((most + 1, size), dtype=np.int64)
    cheapest[0, 0] = 0.0
    for windows in range(1, most + 1):
        for bits in range(1, size):
            part = parts[bits]
            rest = bits ^ part
            values = cheapest[windows - 1, rest] + np.where(needs[part] & ~rest == 0, single[part], inf)
            at = int(values.argmin())
            cheapest[windows, bits], last[windows, bits] = values[at], part[at]
    found: dict[int, list[int]] = {}
    for windows in range(1, most + 1):
        bits, division = size - 1, list[int]()
        if cheapest[windows, bits] == inf:
            continue
        for number in range(windows, 0, -1):
            division.append(int(last[number, bits]))
            bits ^= division[-1]
        found[windows] = division[::-1]
    return found


def _parts(bits: int) -> Longs:
    """All sets in a set but the empty one."""
    found, places = np.zeros(1, dtype=np.int64), members(bits)
    for place in places:
        found = np.concatenate([found, found | (1 << place)])
    return found[1:]


def _one_number(costs: Sequence[Cost], works: int) -> Floats:
    """Costs as numbers whose sums over a division compare as the costs do."""
    lost = np.array([each.lost for each in costs])
    peak = np.array([each.peak for each in costs])
    broken = np.array([each.broken for each in costs], dtype=np.float64)
    most = max(float(lost.max(initial=0.0)), 1e-300) * works
    last = 1e-7 * peak / (max(float(peak.max(initial=0.0)), 1e-300) * works)  # of windows of equal loss
    stalled = np.array([each.stalled for each in costs], dtype=np.float64)
    return np.asarray((stalled * (works + 1) + broken) * 4 + lost / most + last)


# ---- local search --------------------------------------------------------------------------------------------------


def improved(rules: Rules, division: Sequence[int], price: Price, until: float, seed: int = 0) -> list[int]:
    """A division with no cheaper one a move or a swap away, or the best until the time (``time.monotonic``) is up.

    Works are tried in random order: to every other window, and in exchange with every work of another window.
    """
    random, now = np.random.default_rng(seed), list(division)
    while True:
        better = False
        for place in random.permutation(rules.works).tolist():
            if time.monotonic() > until:
                return now
            own = next(number for number, each in enumerate(now) if each >> place & 1)
            tried = [each for each in _neighbours(now, own, place) if rules.fits(each)]
            if not tried:
                continue
            price(list({each for one in tried for each in one if each}))  # all at once
            costs = [(cost_of(one, price), one) for one in tried]
            least, best = costs[0]
            for cost, one in costs[1:]:
                if cost.is_less(least):
                    least, best = cost, one
            if least.is_less(cost_of(now, price)):
                now, better = best, True
        if not better:
            return now


def _neighbours(division: Sequence[int], own: int, place: int) -> list[list[int]]:
    """Divisions with one work in another window, or changed for one of another window."""
    found, bit = [], 1 << place
    for other, there in enumerate(division):
        if other == own:
            continue
        moved = list(division)
        moved[own] ^= bit
        moved[other] |= bit
        found.append(moved)
        for each in members(there):
            swapped = list(moved)
            swapped[other] ^= 1 << each
            swapped[own] |= 1 << each
            found.append(swapped)
    return found


def one_by_one(rules: Rules, price: Price, windows: int) -> list[int]:
    """Every work in the window where it costs least, the costliest first; those that wait after what they wait for.

    Raises
    ------
    ValueError
        Where the windows do not hold all works.
    """
    alone, behind = price([1 << place for place in range(rules.works)]), rules.behind
    division = [0] * windows
    order = rules.in_order()
    if not any(rules.before):
        order.sort(key=lambda place: tuple(-figure for figure in alone[place]))
    for place in order:
        open_now = rules.open_windows(division, place, behind[place])
        sets = [division[number] | 1 << place for number in open_now]
        added, known = price(sets), price([division[number] or 1 << place for number in open_now])
        best = min(
            range(len(open_now)),
            key=lambda at: (
                added[at].stalled - (known[at].stalled if division[open_now[at]] else 0),
                added[at].broken - (known[at].broken if division[open_now[at]] else 0),
                added[at].lost - (known[at].lost if division[open_now[at]] else 0.0),
                division[open_now[at]].bit_count(),
            ),
        )
        division[open_now[best]] |= 1 << place
    return [each for each in division if each]


def window_of(division: Sequence[int], place: int) -> int:
    """The window that a work is in."""
    return next(number for number, each in enumerate(division) if each >> place & 1)
