"""All-to-all: every place sends the same to every other."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.demands import Flows
from traffic.synthetic import Places, uniform_blocks
from traffic.workload import PATTERNS


@PATTERNS.register("all-to-all", example={}, aliases=("alltoall",))
def all_to_all(places: Injected[Places], amount: Injected[float]) -> Flows:
    """Every place sends S/n to every other one, S·(n−1)/n in all.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S of one place, bytes or Gbps; the share for itself stays.

    Returns
    -------
    Flows
        One block per turn, never n² rows.
    """
    return uniform_blocks(places, amount / len(places))
