"""All pairs of failures of some first ones, where an engine routes pairs in bulk; and the GPUs that pairs cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Protocol, runtime_checkable

import numpy as np

from fabric.failures.cases import Damage
from fabric.failures.cut_off import GpuPlaces, Reach, cut_gpus, stays_whole
from fabric.failures.engine import LinkWorst, Outcomes
from topologies.columns import Bools, Ints, Longs


@runtime_checkable
class PairEngine(Protocol):
    """Routes pairs of cases without a step of Python for each."""

    def pairs(self, damage: Damage, first: int, last: int, worst: LinkWorst, number: int = 0) -> Outcomes:
        """Cases ``first`` to ``last`` of ``damage``, each together with every later one, in that order."""
        ...


@dataclass(frozen=True, eq=False)
class PairRows:
    """Pairs of the first failures ``first`` to ``last`` among ``count``: row by row both of them, and their number."""

    count: int
    first: int
    last: int
    one: Longs  # shape (R,)
    two: Longs

    @staticmethod
    def of(count: int, first: int, last: int) -> PairRows:
        """In order."""
        firsts = np.arange(first, last, dtype=np.int64)
        later = count - 1 - firsts
        one = np.repeat(firsts, later)
        starts = np.cumsum(later) - later
        two = np.arange(later.sum()) - np.repeat(starts, later) + one + 1
        return PairRows(count, first, last, one, two)

    @cached_property
    def number(self) -> Longs:
        """Among all pairs, in order, shape (R,)."""
        return pair_numbers(self.count, self.one, self.two)


def pair_numbers(count: int, one: Longs, two: Longs) -> Longs:
    """Of pairs among all pairs of ``count`` cases, in order.

    >>> pair_numbers(4, np.array([0, 0, 1, 2]), np.array([1, 3, 2, 3])).tolist()
    [0, 2, 3, 5]
    """
    return np.asarray(one * count - one * (one + 1) // 2 + two - one - 1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Singles:
    """Every case by itself in one phase."""

    outcomes: Outcomes
    worst: LinkWorst


def routed_pairs(
    rows: PairRows, engine: PairEngine | None, damage: Damage, intact: Outcomes, singles: Singles
) -> tuple[Outcomes, LinkWorst]:
    """Pairs in one phase: those of which both failures are on its fabric are routed, others are as one of them alone.

    Of pairs of which one failure does nothing to the fabric, ``LinkWorst`` takes in the first.
    """
    touched = np.asarray(damage.any)
    cases = np.flatnonzero(touched)
    result = Outcomes(
        **{
            name: np.where(_wide(touched[rows.one], values), values[rows.one], values[rows.two])
            for name, values in vars(singles.outcomes).items()
        }
    )
    neither = ~touched[rows.one] & ~touched[rows.two]
    for name, values in vars(intact).items():
        getattr(result, name)[neither] = values[0]
    links = len(singles.worst.case)
    worst = LinkWorst.empty(links)
    low, high = np.searchsorted(cases, [rows.first, rows.last]).tolist()
    if engine is not None and low < high and len(cases) > 1:
        routed = engine.pairs(damage.take(cases), low, high, worst)
        both = np.flatnonzero(touched[rows.one] & touched[rows.two])
        for name, values in vars(routed).items():
            getattr(result, name)[both] = values
        listed = worst.case >= 0
        worst.case[listed] = rows.number[both[worst.case[listed]]]
    return result, worst.merged(_alone(rows, touched, singles.worst))


def _wide(chosen: Bools, values: np.ndarray) -> Bools:
    """A choice of rows for columns of any width."""
    return chosen.reshape(-1, *(1,) * (values.ndim - 1))


def _alone(rows: PairRows, touched: Bools, worst: LinkWorst) -> LinkWorst:
    """What links meet in each case together with the first that does nothing to the fabric, where that is a row."""
    result = LinkWorst(worst.utilisation.copy(), worst.case.copy())
    others = np.flatnonzero(~touched)
    if not len(others):
        return LinkWorst.empty(len(worst.case))
    one, two = np.minimum(worst.case, others[0]), np.maximum(worst.case, others[0])
    here = (worst.case >= 0) & (one >= rows.first) & (one < rows.last)
    result.case[:] = np.where(here, pair_numbers(rows.count, one, two), -1)
    result.utilisation[:] = np.where(here, worst.utilisation, -1.0)
    return result.merged(LinkWorst.empty(len(worst.case)))


# ---- GPUs cut off ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CutOff:
    """GPUs that every case cuts off by itself, and how pairs differ from the sum of both.

    Where no two of the cases can part the switches of a fabric, what a pair cuts off is what either does, and endpoints
    that lose their last links to both.
    """

    count: Ints  # shape (N,)
    number: Longs  # shape (M,), of pairs, ascending
    change: Ints  # shape (M,), what they cut off more than both by themselves, or less

    def of(self, rows: PairRows) -> Ints:
        """GPUs that pairs cut off, shape (R,)."""
        total = self.count[rows.one] + self.count[rows.two]
        if len(total):
            base = int(rows.number[0])
            low, high = np.searchsorted(self.number, [base, base + len(total)]).tolist()
            total[self.number[low:high] - base] += self.change[low:high]
        return np.asarray(total, dtype=np.int32)


def pair_damage(damage: Damage, rows: PairRows) -> Damage:
    """What pairs do to a fabric together; links may stand twice."""
    one, two = damage.take(rows.one), damage.take(rows.two)
    dead = np.insert(two.dead, np.repeat(two.start[:-1], np.diff(one.start)), one.dead)
    return replace(two, start=two.start + one.start, dead=dead)


def cut_off_of(
    places: GpuPlaces, reach: Mapping[str, Reach], damage: Mapping[str, Damage], cases: int
) -> CutOff | None:
    """What every case cuts off; None where two cases together may part switches that neither parts alone."""
    reach = {fabric: each for fabric, each in reach.items() if damage[fabric].any.any()}
    if not all(stays_whole(each, damage[fabric]) for fabric, each in reach.items()):
        return None
    gone = [cut_gpus(places, reach, damage, case) for case in range(cases)]
    extra: dict[tuple[int, int], set[int]] = {}
    for fabric, each in reach.items():
        for pair, ends in each.lost_to_two(damage[fabric]).items():
            gpus = places.gpu[fabric][np.isin(places.endpoint[fabric], ends)].tolist()
            extra.setdefault(pair, set()).update(gpus)
    change: dict[tuple[int, int], int] = {}
    by_gpu: dict[int, list[int]] = {}
    for case, gpus in enumerate(gone):
        for gpu in gpus.tolist():
            by_gpu.setdefault(gpu, []).append(case)
    for some in by_gpu.values():
        for pair in combinations(some, 2):
            change[pair] = change.get(pair, 0) - 1
    for pair, lost in extra.items():
        change[pair] = change.get(pair, 0) + len(lost - {gpu for case in pair for gpu in gone[case].tolist()})
    pairs = np.array(sorted(change), dtype=np.int64).reshape(-1, 2)
    return CutOff(
        np.array([len(each) for each in gone], dtype=np.int32),
        pair_numbers(cases, pairs[:, 0], pairs[:, 1]),
        np.array([change[one, two] for one, two in pairs.tolist()], dtype=np.int32),
    )
