"""All-to-all: every rank exchanges a share of its buffer with every other, directly."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from traffic.collective import COLLECTIVES, CollectiveTraffic, RankBlock
from traffic.formula import formula


@COLLECTIVES.register("all-to-all", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("direct-all-to-all",))
def all_to_all(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S/n to every other, S·(n−1)/n in all.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S of one rank, bytes; the share S/n for itself stays.

    Returns
    -------
    CollectiveTraffic
        One block, without rows: n² of them would say no more.

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
    none = CollectiveTraffic.of([], [], [], sent)
    block = RankBlock(column(np.arange(group_size), np.int32), payload_bytes / group_size)
    return CollectiveTraffic(none.src, none.dst, none.sent_bytes, sent, (block,) if group_size > 1 else ())
