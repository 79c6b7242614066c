"""Broadcast down a chain, in pieces that follow each other."""

from __future__ import annotations

from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.formula import formula
from traffic.rings import ring_traffic


@COLLECTIVES.register(
    "pipelined-broadcast", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("ring-broadcast",)
)
def pipelined_broadcast(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Rank 0 sends S to the next one, which passes it on; the last has nobody to send to.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S, bytes.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md (broadcast).
    """
    sent = formula(
        "S * w",
        "nccl-tests, doc/PERFORMANCE.md",
        S=(payload_bytes, "buffer, bytes"),
        w=(1 if group_size > 1 else 0, "1 where there is somebody to send to"),
    )
    return ring_traffic(group_size, sent, closed=False)
