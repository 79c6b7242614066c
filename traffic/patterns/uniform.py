"""Uniform: every place spreads its traffic evenly over all places, as random destinations do on average."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.demands import Flows
from traffic.synthetic import Places, uniform_blocks
from traffic.workload import PATTERNS


@PATTERNS.register("uniform", example={})
def uniform(places: Injected[Places], amount: Injected[float]) -> Flows:
    """Every place picks each of the n places, itself included, with the same probability: S/n to every other.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        What one place generates, S, bytes or Gbps.

    References
    ----------
    Dally and Towles, "Principles and Practices of Interconnection Networks", 2004, section 3.2.
    """
    return uniform_blocks(places, amount / len(places))
