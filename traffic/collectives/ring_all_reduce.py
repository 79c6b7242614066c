"""Ring all-reduce: a reduce-scatter and an all-gather around the same ring."""

from __future__ import annotations

from traffic.rings import ring_traffic
from traffic.workload import COLLECTIVES, CollectiveTraffic


@COLLECTIVES.register("ring-all-reduce", example={"group_size": 8, "payload_bytes": 1e9})
def ring_all_reduce(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends 2·S·(n−1)/n to the next one of the ring.

    Parameters
    ----------
    group_size : int
        Ranks n; positions on the ring are positions in the group.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.

    Returns
    -------
    CollectiveTraffic
        One row per rank; nothing for a group of one.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    return ring_traffic(group_size, 2 * payload_bytes * (group_size - 1) / group_size)
