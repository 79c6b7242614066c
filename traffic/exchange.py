"""The direct exchange of all with all, which every all-to-all is inside one host; alike, or by loads of experts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from topologies.columns import column
from traffic.collective import CollectiveTraffic, RankBlock
from traffic.expert_load import LayerLoad, uneven
from traffic.formula import formula

BY_LOAD = "visits of experts as counted (expert_load)"


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


def loaded_exchange(group_size: int, payload_bytes: float, load: LayerLoad) -> CollectiveTraffic:
    """Every rank sends S·f to the rank that has the part f of the visits; results come back the same way."""
    shares = load.rank_shares(group_size)
    share, n = shares.mean(axis=0), group_size
    src, dst = np.nonzero(~np.eye(n, dtype=np.bool_))
    terms = {"S": (payload_bytes, "all copies of a rank's tokens, bytes")}
    if load.back:
        sent = formula(
            "S * (n - 1) * f", BY_LOAD, n=(n, "ranks of the group"),
            f=(float(share.max()), "part of all visits that the busiest rank's experts have"), **terms,
        )  # fmt: skip
    else:
        sent = formula(
            "S * (1 - f)", BY_LOAD,
            f=(float(share.min()), "part of all visits that stay on the rank with the fewest"), **terms,
        )  # fmt: skip
    amount = payload_bytes * share[src if load.back else dst]
    traffic = CollectiveTraffic.of(src, dst, amount, sent)
    return replace(traffic, uneven=uneven(1 - shares, shares * (n - 1)))
