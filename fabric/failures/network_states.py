"""States of the network with several parts down at once, by how many they are; what jobs come to in each is routed.

A part is down for its load / (1 + load) of the time, so that the chance of k parts at once is an elementary symmetric
polynomial of the loads, and a set of k of them is as likely as the product of its loads. Single failures are all known.
Sets of two and more are drawn, as many of each size as makes rare sizes count, or all of them where they are few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from fabric.failures.outages import Outages
from topologies.columns import Bools, Floats, Ints

Sets = Sequence[tuple[int, ...]]
Evaluate = Callable[[Sets], tuple[Floats, Bools]]
"""Stretch of every job and whether every limit holds, in sets of parts: shapes (N, J) and (N, L)."""

_DRAWN = {2: 200, 3: 100}  # sets of a size
_DRAWN_MORE = 50
_MOST_AT_ONCE = 8
_RARE = 1e-6  # chance of more parts at once that are taken as the largest number that is looked at


@dataclass(frozen=True, eq=False)
class Stratum:
    """States with the same number of parts down."""

    parts: int
    chance: float
    sets: tuple[tuple[int, ...], ...]
    weight: Floats  # shape (N,), adds up to 1
    stretch: Floats  # shape (N, J)
    blame: Floats  # shape (N, J, C)
    holds: Bools  # shape (N, L)


@dataclass(frozen=True, eq=False)
class NetworkStates:
    """All strata: none down, one, two, and so on."""

    strata: tuple[Stratum, ...]
    most: int = _MOST_AT_ONCE  # parts at once that there are strata for at most

    def lost_share(self) -> Floats:
        """Mean part of the time of a job that runs which a slower network takes, shape (J, C)."""
        return np.asarray(
            sum(
                each.chance * np.einsum("n,nj,njc->jc", each.weight, 1 - 1 / each.stretch, each.blame)
                for each in self.strata
            )
        )

    def availability(self) -> Floats:
        """Part of the time that every limit holds, shape (L,)."""
        return np.asarray(sum(each.chance * (each.weight @ each.holds) for each in self.strata))

    def history(self, outages: Outages, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """The network in a history: times, shape (S,), stretch of jobs, shape (S, J), blame, shape (S, J, C).

        With several parts down, the state is one of those of its stratum, drawn by their weights.
        """
        time = np.concatenate([outages.start, outages.end])
        step = np.concatenate([np.ones(len(outages), np.int64), -np.ones(len(outages), np.int64)])
        order = np.argsort(time, kind="stable")
        time, step = np.concatenate([[0.0], time[order]]), step[order]
        count = np.concatenate([[0], np.cumsum(step)])
        total = np.concatenate([[0], np.cumsum(step * np.tile(outages.part.astype(np.int64), 2)[order])])
        which = np.minimum(count, len(self.strata) - 1)
        row = np.where(count == 1, total, 0)
        for parts, stratum in enumerate(self.strata[2:], start=2):
            here = np.flatnonzero(which == parts)
            edge = np.cumsum(stratum.weight)
            row[here] = np.minimum(np.searchsorted(edge, rng.random(len(here)) * edge[-1], side="right"), len(edge) - 1)
        first = np.cumsum([0, *(len(each.weight) for each in self.strata)])
        at = first[which] + row
        stretch = np.concatenate([each.stretch for each in self.strata])
        blame = np.concatenate([each.blame for each in self.strata])
        return time, stretch[at], blame[at]


def network_states(
    load: Floats,
    stretch: Floats,
    holds: Bools,
    intact: Bools,
    cause: Ints,
    causes: int,
    evaluate: Evaluate,
    *,
    rng: np.random.Generator,
) -> NetworkStates:
    """Strata of states, those of several parts routed.

    Parameters
    ----------
    load : ndarray, shape (P,)
        Mean time down over mean time up of every part.
    stretch, holds : ndarray, shapes (P, J) and (P, L)
        With one part down alone.
    intact : ndarray of bool, shape (L,)
        Whether limits hold with nothing down.
    cause : ndarray of int, shape (P,)
    """
    parts, jobs = stretch.shape
    chance = chance_of_sizes(load, _MOST_AT_ONCE)
    beyond = 1 - np.cumsum(chance)
    enough = int(np.argmax(beyond < _RARE)) if (beyond < _RARE).any() else _MOST_AT_ONCE
    largest = min(max(enough, 2), parts)
    chance[largest] += max(1 - chance[: largest + 1].sum(), 0.0)
    nothing = Stratum(0, chance[0], ((),), np.ones(1), np.ones((1, jobs)), np.zeros((1, jobs, causes)), intact[None])
    strata = [nothing]
    for size in range(1, largest + 1):
        most = _DRAWN.get(size, _DRAWN_MORE)
        sets, weight = (
            ([(part,) for part in range(parts)], load / load.sum()) if size == 1 else _sets(load, size, most, rng)
        )
        stretched, held = (stretch, holds) if size == 1 else evaluate(sets)
        blame = (
            _single_blame(cause, jobs, causes)
            if size == 1
            else np.array([_blame(members, stretch, cause, causes) for members in sets])
        )
        strata.append(Stratum(size, chance[size], tuple(sets), weight, np.maximum(stretched, 1.0), blame, held))
    return NetworkStates(tuple(strata))


def chance_of_sizes(load: Floats, most: int) -> Floats:
    """Chance that so many parts are down at once, shape (most + 1,)."""
    chance = np.zeros(most + 1)
    chance[0] = 1.0
    for each, count in zip(*np.unique(load, return_counts=True), strict=True):
        down = each / (1 + each)
        own = np.array(
            [comb(int(count), k) * down**k * (1 - down) ** (int(count) - k) for k in range(min(int(count), most) + 1)]
        )
        chance = np.convolve(chance, own)[: most + 1]
    return chance


def _sets(load: Floats, size: int, most: int, rng: np.random.Generator) -> tuple[list[tuple[int, ...]], Floats]:
    """Sets of a size with their weights: all of them where there are few, else drawn as likely as they are."""
    if comb(len(load), size) <= most:
        sets = list(combinations(range(len(load)), size))
        weight = np.array([np.prod(load[list(members)]) for members in sets])
        return sets, weight / weight.sum()
    edge = np.cumsum(load)
    rows: list[tuple[int, ...]] = []
    while len(rows) < most:
        members = np.minimum(
            np.searchsorted(edge, rng.random((2 * most, size)) * edge[-1], side="right"), len(load) - 1
        )
        members.sort(axis=1)
        rows += [tuple(row) for row in members[(np.diff(members, axis=1) > 0).all(axis=1)].tolist()]
    return rows[:most], np.full(most, 1 / most)


def _blame(members: Sequence[int], stretch: Floats, cause: Ints, causes: int) -> Floats:
    """Shares of the causes in what a set does, shape (J, C): as what each part does alone, or equal parts."""
    own = np.array(list(members))
    alone = 1 - 1 / np.maximum(stretch[own], 1.0)
    weight = np.where(alone.sum(axis=0) > 0, alone, 1.0)
    shares = np.zeros((stretch.shape[1], causes))
    for part, row in zip(own.tolist(), weight / weight.sum(axis=0), strict=True):
        shares[:, cause[part]] += row
    return shares


def _single_blame(cause: Ints, jobs: int, causes: int) -> Floats:
    """All of what each part does alone is its own cause's, shape (P, J, C)."""
    return np.repeat((cause[:, None] == np.arange(causes))[:, None, :].astype(np.float64), jobs, axis=1)
