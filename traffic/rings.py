"""Rings and chains: the shape most collectives share."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from traffic.workload import CollectiveTraffic


def ring_traffic(group_size: int, sent_bytes: float, *, closed: bool = True) -> CollectiveTraffic:
    """Every rank sends ``sent_bytes`` to its successor; in an open chain the last rank has none.

    >>> ring_traffic(3, 10.0).dst.tolist()
    [1, 2, 0]
    """
    senders = group_size if closed else group_size - 1
    src = np.arange(senders if group_size > 1 else 0)
    sent = sent_bytes if group_size > 1 else 0.0
    return CollectiveTraffic(
        src=column(src, np.int32),
        dst=column((src + 1) % max(group_size, 1), np.int32),
        sent_bytes=column(np.full(len(src), sent), np.float64),
        sent_bytes_per_rank=sent,
    )
