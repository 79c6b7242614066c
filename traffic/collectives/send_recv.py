"""Point to point along a chain: what a pipeline does at its stage boundaries, one way."""

from __future__ import annotations

from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.formula import formula
from traffic.rings import ring_traffic


@COLLECTIVES.register("send-recv", example={"group_size": 4, "payload_bytes": 1e6}, aliases=("direct-send-recv",))
def send_recv(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank but the last sends S to the next one.

    Parameters
    ----------
    group_size : int
        Ranks.
    payload_bytes : float
        Message S, bytes. The other way is the same on the reversed group.
    """
    sent = formula(
        "S * w",
        "point to point",
        S=(payload_bytes, "message, bytes"),
        w=(1 if group_size > 1 else 0, "1 where there is somebody to send to"),
    )
    return ring_traffic(group_size, sent, closed=False)
