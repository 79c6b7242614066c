"""Split fractions as small integer weights, within a stated oversubscription.

A group whose weights are w instead of fractions f sends to its worst bucket max(wᵢ / Σw / fᵢ) times what it should: the
*oversubscription* of J. Zhou et al., "WCMP: weighted cost multipathing for improved fairness in data centers", EuroSys
2014, section 4. For a given sum of weights the highest-averages method of D'Hondt makes it least: every next unit goes
to the bucket where (w + 1) / f is smallest. Of the sums that a carrier can realise exactly we take the smallest that
keeps within the tolerance. Carriers:

``slots``
    Open vSwitch distributes buckets into n = 16 to 256 slots, a power of two: sums are powers of two.
``exact``
    Parts are weights over their sum, as Linux and switch ASICs (which repeat a member by its weight) have it: any sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np
from numpy.typing import NDArray

from fabric.routing.compiled import compiled
from fabric.routing.table_options import TOLERANCE, Carrier
from topologies.columns import Floats, Ints, Longs

LEAST_SLOTS, MOST_SLOTS = 16, 256
LADDER = (TOLERANCE, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 3.0)  # tried in turn until a table fits


@compiled
def _apportion(fraction: Floats, total: int, turn: int, weight: Longs) -> float:
    """Fill ``weight`` with sum ``total``, of equals those from ``turn`` on first; returns the oversubscription."""
    left = total
    for index in range(len(fraction)):
        weight[index] = np.int64(fraction[index] * total * (1 + 1e-12))
        left -= weight[index]
    while left > 0:
        best, least = 0, np.inf
        for step in range(len(fraction)):
            index = (turn + step) % len(fraction)
            average = (weight[index] + 1) / fraction[index]
            if average < least * (1 - 1e-12):
                best, least = index, average
        weight[best] += 1
        left -= 1
    worst = 0.0
    for index in range(len(fraction)):
        worst = max(worst, weight[index] / (fraction[index] * total))
    return worst


@compiled
def _quantise(start: Longs, fraction: Floats, powers: bool, tolerance: Floats, turn: int, found: Ints) -> None:
    """Weights of all decisions; ``tolerance`` of each."""
    longest = 1
    for row in range(len(start) - 1):
        longest = max(longest, start[row + 1] - start[row])
    weight, best_weight = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    for row in range(len(start) - 1):
        width = start[row + 1] - start[row]
        part = fraction[start[row] : start[row + 1]]
        if width == 1 or width > MOST_SLOTS:
            # Beyond the slots a switch falls back to a hash that is fair for equal weights only.
            found[start[row] : start[row + 1]] = 1
            continue
        best = np.inf
        total = LEAST_SLOTS if powers else width
        while total <= MOST_SLOTS:
            worst = _apportion(part, total, turn + row, weight[:width])
            if worst < best - 1e-9:
                best = worst
                best_weight[:width] = weight[:width]
            if best <= 1 + tolerance[row] + 1e-9:
                break
            total = total * 2 if powers else total + 1
        shared = np.int64(0)
        for index in range(width):
            shared = np.gcd(shared, best_weight[index])
        for index in range(width):
            found[start[row] + index] = best_weight[index] // shared


def quantise(
    start: Longs, fraction: Floats, carrier: Carrier, tolerance: float | NDArray[np.float64], *, turn: int = 0
) -> Ints:
    """Weights of decisions in the columns of ``Decisions``; 0 where a bucket is too small to have one.

    Parameters
    ----------
    start : ndarray, shape (K + 1,)
    fraction : ndarray, shape (nnz,)
        Above 0; those of one decision sum to 1.
    tolerance : float or ndarray, shape (K,)
        Oversubscription above 1 that is allowed; where 256 units do not reach it, the best of them.
    turn : int
        Number of the first decision. Units that do not go round go to other buckets in every decision, so that equal
        switches do not burden the same neighbours.

    Examples
    --------
    >>> quantise(np.array([0, 3]), np.array([1 / 3, 1 / 3, 1 / 3]), "exact", 0.01).tolist()
    [1, 1, 1]
    >>> quantise(np.array([0, 3]), np.array([1 / 3, 1 / 3, 1 / 3]), "slots", 0.01).tolist()
    [43, 43, 42]
    """
    found = np.zeros(len(fraction), dtype=np.int32)
    each = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), (len(start) - 1,)).copy()
    starts, parts = np.asarray(start, dtype=np.int64), np.asarray(fraction, dtype=np.float64)
    _quantise(starts, parts, carrier == "slots", each, turn, found)
    return found


def weight_parts(start: Longs, weight: Ints) -> Floats:
    """Part of every bucket: its weight over the sum of its decision's, shape (nnz,)."""
    total = np.add.reduceat(weight.astype(np.float64), start[:-1]) if len(start) > 1 else np.empty(0)
    return np.asarray(weight / np.repeat(total, np.diff(start)))


def slot_weights(weights: Sequence[int]) -> list[tuple[int, int]]:
    """Buckets as (index, weight) that make Open vSwitch's slots hit weights whose sum is a power of two.

    The switch sizes its slots by sum / smallest weight. Where that is less than the sum, one unit of the largest bucket
    becomes a bucket of its own.

    Examples
    --------
    >>> slot_weights([3, 1])
    [(0, 3), (1, 1)]
    >>> slot_weights([22, 21, 21])
    [(0, 21), (0, 1), (1, 21), (2, 21)]
    """
    total, least = sum(weights), min(weights)
    shared = gcd(*weights)
    slots = max(LEAST_SLOTS, 1 << (-(-total // least) - 1).bit_length())
    if slots % (total // shared) == 0 or len(weights) > MOST_SLOTS:
        return list(enumerate(weights))
    largest = max(range(len(weights)), key=lambda index: weights[index])
    return [
        part
        for index, weight in enumerate(weights)
        for part in ([(index, weight - 1), (index, 1)] if index == largest else [(index, weight)])
    ]
