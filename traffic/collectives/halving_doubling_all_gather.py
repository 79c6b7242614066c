"""All-gather by recursive doubling."""

from __future__ import annotations

from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.formula import formula
from traffic.halving import check_power, exchanges


@COLLECTIVES.register("halving-doubling-all-gather", example={"group_size": 8, "payload_bytes": 1e9})
def halving_doubling_all_gather(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank exchanges S/2 with its neighbour, S/4 at distance 2, and so on: S·(n−1)/n in log2(n) steps.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S after the gather, bytes.

    Raises
    ------
    TrafficError
        When n is not a power of two (FP4017).

    References
    ----------
    Thakur et al., IJHPCA 2005, sections 4.1 and 4.2.
    """
    check_power(group_size, "all-gather")
    sent = formula(
        "S * (n - 1) / n",
        "Thakur et al., IJHPCA 2005",
        S=(payload_bytes, "full buffer, bytes"),
        n=(group_size, "ranks of the group"),
    )
    return exchanges(group_size, payload_bytes / 2, sent)
