"""All-to-all: every rank exchanges a share of its buffer with every other, directly."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic
from traffic.exchange import direct_exchange, loaded_exchange
from traffic.expert_load import LayerLoad


@COLLECTIVES.register("all-to-all", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("direct-all-to-all",))
def all_to_all(group_size: int, payload_bytes: float, load: Injected[LayerLoad | None] = None) -> CollectiveTraffic:
    """Every rank sends S/n to every other, S·(n−1)/n in all.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S of one rank, bytes; the share S/n for itself stays.
    load : LayerLoad, optional
        How much of it is for each rank's experts; all alike if absent.

    Returns
    -------
    CollectiveTraffic
        One block, without rows: n² of them would say no more; rows where the loads of experts differ.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    return loaded_exchange(group_size, payload_bytes, load) if load else direct_exchange(group_size, payload_bytes)
