"""Ring all-gather: one trip around the ring, the full buffer ends on every rank."""

from __future__ import annotations

from traffic.rings import ring_traffic
from traffic.workload import COLLECTIVES, CollectiveTraffic


@COLLECTIVES.register("ring-all-gather", example={"group_size": 8, "payload_bytes": 1e9})
def ring_all_gather(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S·(n−1)/n to the next one of the ring.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S after the gather, bytes; not the share each rank starts with.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    return ring_traffic(group_size, payload_bytes * (group_size - 1) / group_size)
