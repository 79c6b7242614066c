"""Reduce up a chain, in pieces that follow each other."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from traffic.chains import rail_chain
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.formula import formula


@COLLECTIVES.register("pipelined-reduce", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("ring-reduce",))
def pipelined_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """The last rank sends S to the one before, which adds its own and passes it on, up to rank 0.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks. With it the chain is split over the rails as NCCL does; without, it follows the ranks.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md (reduce).
    """
    sent = formula(
        "S * w",
        "nccl-tests, doc/PERFORMANCE.md",
        S=(payload_bytes, "buffer, bytes"),
        w=(1 if group_size > 1 else 0, "1 where there is somebody to send to"),
    )
    if layout is not None:
        return rail_chain(layout, sent, upwards=True)
    sender = np.arange(1, group_size)
    return CollectiveTraffic.of(sender, sender - 1, sent.value, sent)
