"""What groups do when switches hash alike: the way that every value of the one hash takes at every switch.

Switches with one hash function and one seed see the same hash of a flow. The flows that a switch receives are those
that chose it, so that they choose alike again (polarisation). The hash of many flows is taken as uniform, and its
values are followed one by one: at each, all switches that hash alike choose a definite way, and loads are the mean over
the values. This is the limit of many flows; few flows scatter about it. Which way a value takes is the carrier's:

``slots``
    Open vSwitch: bucket of slot ``value mod n``, n = 16 to 256 a power of two.
``exact``
    Linux: the buckets share the range of the hash in their order, each in proportion to its weight.

Switches whose seeds differ hash independently. Where several sets of switches hash alike, each within itself, every set
runs through all values in an order of its own: exact for what one set does, a sample of ``SAMPLED`` for what they do
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import gcd, lcm

import numpy as np

from fabric.routing.table_options import Carrier
from fabric.routing.tables.slot_table import slots
from topologies.columns import Ints, Longs, column

MOST_VALUES = 2048  # of an exact carrier; beyond, parts are off by less than 1 / MOST_VALUES
SAMPLED = 1024  # values where several sets of switches hash alike
OWN = -1  # set of a switch that hashes by itself

Ways = Sequence[int]  # way by value of the hash; empty: split evenly anew, whatever the hash


@cache
def buckets_by_hash(weights: tuple[int, ...], carrier: Carrier) -> tuple[int, ...]:
    """Bucket that every value of the hash takes; empty where the switch has no slots for the weights.

    Examples
    --------
    >>> buckets_by_hash((1, 1), "slots")[:4]
    (0, 1, 0, 1)
    >>> buckets_by_hash((2, 4), "exact")
    (0, 1, 1)
    """
    if carrier == "slots":
        return slots(weights) or ()
    shared = max(gcd(*weights), 1)
    total = sum(weights) // shared
    values = min(total, MOST_VALUES)
    ends = np.cumsum([weight / shared for weight in weights])
    return tuple(np.searchsorted(ends, (np.arange(values) + 0.5) * total / max(values, 1), side="right").tolist())


def hash_values(ways: Sequence[Ways], carrier: Carrier) -> int:
    """How many values of the hash tell all ways apart, at least 1."""
    lengths = {len(one) for one in ways if len(one)}
    if carrier == "slots":
        return max(lengths, default=1)
    return min(lcm(*lengths), MOST_VALUES) if lengths else 1


def _taken(way: Ways, values: int, carrier: Carrier) -> Ints:
    """Way of every value, shape (values,)."""
    value = np.arange(values)
    at = value % len(way) if carrier == "slots" else (2 * value + 1) * len(way) // (2 * values)
    return column(np.asarray(way)[at], np.int32)


def choices_by_hash(start: Longs, ways: Sequence[Ways], alike: Sequence[int], carrier: Carrier) -> Ints:
    """Column of the decision that every value of the hash takes.

    Parameters
    ----------
    start : ndarray, shape (K + 1,)
        Columns of decision k are ``start[k]:start[k + 1]``.
    ways : sequence, shape (K,)
        Of every decision: place among its columns by value of the hash; empty where it does not choose.
    alike : sequence of int, shape (K,)
        Number of the set of switches that hash alike, ``OWN`` for none.

    Returns
    -------
    ndarray, shape (K, H)
        -1 where a decision splits by a hash of its own; H is 0 where all do.

    Examples
    --------
    Two switches with two equal ways each: every second value takes the first way of both.

    >>> choices_by_hash(np.array([0, 2, 4]), [(0, 1), (0, 1)], [0, 0], "exact").tolist()
    [[0, 1], [2, 3]]
    """
    chosen = [k for k in range(len(ways)) if alike[k] != OWN and len(set(ways[k])) > 1]
    sets = sorted({alike[k] for k in chosen})
    if not chosen:
        return column(np.empty((len(ways), 0)), np.int32)
    values = hash_values([ways[k] for k in chosen], carrier)
    if len(sets) > 1:
        values *= -(-SAMPLED // values)
    rng = np.random.default_rng(0)
    order = {one: rng.permutation(values) if number else np.arange(values) for number, one in enumerate(sets)}
    found = np.full((len(ways), values), -1, dtype=np.int32)
    known: dict[tuple[int, ...], Ints] = {}
    for k in chosen:
        way = tuple(ways[k])
        if way not in known:
            known[way] = _taken(way, values, carrier)
        found[k] = int(start[k]) + known[way][order[alike[k]]]
    return column(found, np.int32)


def sets_alike(seeds: Sequence[int | None]) -> list[int]:
    """Number of the set of every switch with a seed, where another has the same; ``OWN`` for the rest.

    >>> sets_alike([7, 8, 7, None])
    [0, -1, 0, -1]
    """
    count: dict[int, int] = {}
    for seed in seeds:
        if seed is not None:
            count[seed] = count.get(seed, 0) + 1
    number: dict[int, int] = {}
    return [OWN if seed is None or count[seed] < 2 else number.setdefault(seed, len(number)) for seed in seeds]
