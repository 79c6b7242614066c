"""Point to point along a chain: what a pipeline does at its stage boundaries, one way."""

from __future__ import annotations

from traffic.rings import ring_traffic
from traffic.workload import COLLECTIVES, CollectiveTraffic


@COLLECTIVES.register("send-recv", example={"group_size": 4, "payload_bytes": 1e6})
def send_recv(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank but the last sends S to the next one.

    Parameters
    ----------
    group_size : int
        Ranks of the chain.
    payload_bytes : float
        Message S, bytes. The other way is the same on the reversed group.
    """
    return ring_traffic(group_size, payload_bytes, closed=False)
