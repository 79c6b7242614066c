"""Comparing utilisations: which is highest, which are equal, and what is over capacity.

Values that differ only in the last bits of their arithmetic are equal: those less than ``SAME`` below the highest of
them share a rank, and the first of them, in the scenario or by link id, stands for all.
"""

from __future__ import annotations

import numpy as np

from topologies.columns import Bools, Floats, Longs

SAME = 1e-9  # relative difference up to which two utilisations are equal
FULL = 1e-6  # relative: what a programme's tolerances leave above a link that its optimum fills
OVER = 1 + FULL  # utilisation above this is over capacity; a full link is not


def is_over(utilisation: float | None) -> bool:
    """Whether a link is over its capacity; None stands for load on a link without capacity.

    >>> is_over(1.0), is_over(1 + 3e-8), is_over(1.00001), is_over(None)
    (False, False, True, True)
    """
    return utilisation is None or utilisation > OVER


def over_capacity(utilisation: Floats) -> Bools:
    """Which links are over their capacity, shape as given."""
    return np.asarray(utilisation > OVER)


def ranks(values: Floats) -> Longs:
    """Rank of every value that is not negative, 0 for the highest, shape (N,); equal values share a rank.

    Every rank is at most ``SAME`` wide: a chain of near-equal values is cut where it leaves its highest behind.

    >>> ranks(np.array([0.5, 1.0, 1.0000000000000002, np.inf])).tolist()
    [2, 1, 1, 0]
    >>> ranks(1 - np.arange(4) * 0.7e-9).tolist()
    [0, 0, 1, 1]
    """
    if not len(values):
        return np.empty(0, dtype=np.int64)
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    first = np.ones(len(values), dtype=np.bool_)  # of its rank
    first[1:] = falling[1:] < falling[:-1] * (1 - SAME)
    starts = np.flatnonzero(first)
    stops = np.append(starts[1:], len(values))
    chained = falling[stops - 1] < falling[starts] * (1 - SAME)
    for start, stop in zip(starts[chained].tolist(), stops[chained].tolist(), strict=True):
        while start < stop:
            first[start] = True
            start += int(np.searchsorted(-falling[start:stop], -falling[start] * (1 - SAME), side="right"))
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.cumsum(first) - 1
    return rank


def descending(values: Floats) -> Longs:
    """Positions from the highest value to the lowest, equal ones in their order, shape (N,).

    >>> descending(np.array([0.5, 1.0, 1.0000000000000002])).tolist()
    [1, 2, 0]
    """
    return np.argsort(ranks(values), kind="stable")


def highest(values: Floats) -> int:
    """Position of the highest value, the first of equals; of negative values, which stand for none, the first highest.

    >>> highest(np.array([0.5, 1.0, 1.0000000000000002]))
    1
    """
    top = values.max()
    return int(np.argmax(values >= top * (1 - SAME) if top > 0 else values == top))


def fullest(utilisation: Floats) -> int | None:
    """The link of highest utilisation, the first of equals; None where nothing is offered."""
    return highest(utilisation) if len(utilisation) and utilisation.max() > 0 else None
