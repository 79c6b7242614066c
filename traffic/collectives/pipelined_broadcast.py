"""Broadcast down a chain, in pieces that follow each other."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.chains import rail_chain
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.formula import formula
from traffic.rings import ring_traffic


@COLLECTIVES.register(
    "pipelined-broadcast", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("ring-broadcast",)
)
def pipelined_broadcast(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Rank 0 sends S to the next one, which passes it on; the last has nobody to send to.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S, bytes.
    layout : GroupLayout, optional
        Hosts of the ranks. With it the chain is split over the rails as NCCL does; without, it follows the ranks.

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
    return ring_traffic(group_size, sent, closed=False) if layout is None else rail_chain(layout, sent)
