"""All-to-all: every rank exchanges a share of its buffer with every other, directly."""

from __future__ import annotations

import numpy as np

from traffic.workload import COLLECTIVES, CollectiveTraffic


@COLLECTIVES.register("all-to-all", example={"group_size": 8, "payload_bytes": 1e9})
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
        ``dense``, without rows: n² of them would say no more.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    empty = np.empty(0)
    sent = payload_bytes * (group_size - 1) / group_size
    return CollectiveTraffic(empty.astype(np.int32), empty.astype(np.int32), empty, sent, dense=True)
