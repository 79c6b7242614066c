"""Bit complement: every place sends to its mirror image."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from traffic.demands import Flows
from traffic.synthetic import Places, matched
from traffic.workload import PATTERNS


@PATTERNS.register("bit-complement", example={})
def bit_complement(places: Injected[Places], amount: Injected[float]) -> Flows:
    """Place i sends S to place n − 1 − i: with a power of two of places, all bits of its number turned.

    Parameters
    ----------
    places : Places
        n places; of an odd number the middle one sends nothing.
    amount : float
        Size S of one place, bytes or Gbps.

    References
    ----------
    Dally and Towles, Principles and Practices of Interconnection Networks, 2004, table 3.1.
    """
    return matched(places, np.arange(len(places))[::-1], amount)
