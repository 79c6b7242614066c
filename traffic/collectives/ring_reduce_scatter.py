"""Ring reduce-scatter: one trip around the ring, a reduced share stays on every rank."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.formula import formula
from traffic.rings import rail_rings, ring_traffic


@COLLECTIVES.register("ring-reduce-scatter", example={"group_size": 8, "payload_bytes": 1e9})
def ring_reduce_scatter(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every rank sends S·(n−1)/n around the ring.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S before the scatter, bytes; not the share each rank keeps.
    layout : GroupLayout, optional
        Hosts of the ranks. With it the ring is split over the rails as NCCL does; without, it follows the rank numbers.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    sent = formula(
        "S * (n - 1) / n",
        "nccl-tests, doc/PERFORMANCE.md",
        S=(payload_bytes, "full buffer, bytes"),
        n=(group_size, "ranks of the group"),
    )
    return ring_traffic(group_size, sent) if layout is None else rail_rings(layout, sent)
