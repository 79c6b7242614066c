"""All-to-all: every rank exchanges a share of its buffer with every other, directly."""

from __future__ import annotations

from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.exchange import direct_exchange


@COLLECTIVES.register("all-to-all", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("direct-all-to-all",))
def all_to_all(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S/n to every other, S·(n−1)/n in all.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S of one rank, bytes; the share S/n for itself stays.

    Returns
    -------
    CollectiveTraffic
        One block, without rows: n² of them would say no more.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    return direct_exchange(group_size, payload_bytes)
