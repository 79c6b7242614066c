"""The direct exchange of all with all, which every all-to-all is inside one host."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from traffic.collective import CollectiveTraffic, RankBlock
from traffic.formula import formula


def direct_exchange(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank sends S/n to every other: one block, without rows.

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
