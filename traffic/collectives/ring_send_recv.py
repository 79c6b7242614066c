"""Point to point around a ring: what ring attention does with keys and values."""

from __future__ import annotations

from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.formula import formula
from traffic.rings import ring_traffic


@COLLECTIVES.register("ring-send-recv", example={"group_size": 4, "payload_bytes": 1e6})
def ring_send_recv(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S to the next one, the last to the first.

    Parameters
    ----------
    group_size : int
        Ranks.
    payload_bytes : float
        All that one rank passes on, bytes: with c ranks c−1 blocks.
    """
    sent = formula(
        "S * w",
        "point to point",
        S=(payload_bytes, "message, bytes"),
        w=(1 if group_size > 1 else 0, "1 where there is somebody to send to"),
    )
    return ring_traffic(group_size, sent)
