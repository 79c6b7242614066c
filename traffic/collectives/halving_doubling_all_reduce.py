"""All-reduce by recursive halving, then doubling (Rabenseifner's)."""

from __future__ import annotations

import numpy as np

from traffic.collective import COLLECTIVES, CollectiveTraffic, together
from traffic.formula import formula
from traffic.halving import exchanges, power_below


@COLLECTIVES.register("halving-doubling-all-reduce", example={"group_size": 8, "payload_bytes": 1e9})
def halving_doubling_all_reduce(group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Every rank exchanges S with its neighbour in all, S/2 at distance 2, and so on: 2·S·(n−1)/n.

    Ranks beyond a power of two m give their buffer to a partner first, and get the result from it.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.

    References
    ----------
    Thakur et al., IJHPCA 2005, section 4.4.
    """
    core = power_below(group_size)
    extra = group_size - core
    sent = formula(
        "2 * S * (m - 1) / m + S * x",
        "Thakur et al., IJHPCA 2005, section 4.4",
        S=(payload_bytes, "buffer, bytes"),
        m=(core, "ranks that take part: the largest power of two"),
        x=(1 if extra else 0, "1 where ranks beyond it get the result"),
    )
    late = np.arange(core, group_size)
    folded = CollectiveTraffic.of(late, late - core, payload_bytes, sent)
    back = CollectiveTraffic.of(late - core, late, payload_bytes, sent)
    return together([exchanges(core, payload_bytes, sent), folded, back], sent)
