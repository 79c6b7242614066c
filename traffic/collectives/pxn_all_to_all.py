"""All-to-all that stays on its rail: data first moves over NVLink to the GPU on the receiver's rail."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.exchange import direct_exchange
from traffic.formula import formula
from traffic.rings import rail_blocks


@COLLECTIVES.register("pxn-all-to-all", example={"group_size": 8, "payload_bytes": 1e9})
def pxn_all_to_all(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """On every rail, a host's NIC sends g·S/n to each other host: what all its g ranks have for that rail.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S of one rank, bytes.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent, which makes it the direct all-to-all.

    Returns
    -------
    CollectiveTraffic
        What crosses the fabric; the first hop over NVLink is not listed. Inside one host it is the direct exchange.

    References
    ----------
    NVIDIA, "Doubling all2all performance with NCCL 2.12", 2022 (PXN).
    """
    table = (layout or GroupLayout.of(group_size)).rails
    if len(table) == 1:
        return direct_exchange(group_size, payload_bytes)
    rails = table.shape[1]
    sent = formula(
        "S * (n - g) / n",
        "NVIDIA, Doubling all2all performance with NCCL 2.12 (PXN)",
        S=(payload_bytes, "full buffer, bytes"),
        n=(group_size, "ranks of the group"),
        g=(rails, "ranks of the group on one host"),
    )
    return rail_blocks(table, rails * payload_bytes / group_size, sent)
