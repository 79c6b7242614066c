"""Point to point around a ring: what ring attention does with keys and values."""

from __future__ import annotations

from traffic.rings import ring_traffic
from traffic.workload import COLLECTIVES, CollectiveTraffic


@COLLECTIVES.register("ring-send-recv", example={"group_size": 4, "payload_bytes": 1e6})
def ring_send_recv(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S to the next one, the last to the first.

    Parameters
    ----------
    group_size : int
        Ranks of the ring.
    payload_bytes : float
        All that one rank passes on, bytes: with c ranks c−1 blocks.
    """
    return ring_traffic(group_size, payload_bytes)
