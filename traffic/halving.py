"""Recursive halving and doubling: exchanges with partners at distances 1, 2, 4, ..."""

from __future__ import annotations

import numpy as np

from topologies.errors import TrafficError
from traffic.collective import CollectiveTraffic, together
from traffic.formula import Formula


def power_below(number: int) -> int:
    """Largest power of two not above ``number``.

    >>> power_below(12)
    8
    """
    return 1 << (number.bit_length() - 1)


def exchanges(ranks: int, half_bytes: float, sent: Formula) -> CollectiveTraffic:
    """Every rank sends ``half_bytes`` to the partner at distance 1, half of it to the one at distance 2, and so on.

    The largest message goes to the nearest rank, which is most often in the same host.
    """
    parts = [CollectiveTraffic.of([], [], [], sent)]
    rank, distance, amount = np.arange(ranks), 1, half_bytes
    while distance < ranks:
        parts.append(CollectiveTraffic.of(rank, rank ^ distance, amount, sent))
        distance, amount = 2 * distance, amount / 2
    return together(parts, sent)


def check_power(ranks: int, operation: str) -> None:
    """Raise unless the ranks are a power of two (FP4017)."""
    if ranks != power_below(ranks):
        raise TrafficError(
            f"halving-doubling {operation} is among a power of two of ranks; there are {ranks}",
            where="collectives.algorithm",
            hint=f"algorithm: ring, or {power_below(ranks)} or {2 * power_below(ranks)} ranks",
            code="FP4017",
        )
