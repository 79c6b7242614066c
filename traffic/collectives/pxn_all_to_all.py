"""All-to-all that stays on its rail: data first moves over NVLink to the GPU on the receiver's rail."""

from __future__ import annotations

from dataclasses import replace

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

    Before that every rank gives each other rank of its host what it has for that rail, on whatever host.

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
        What crosses the fabric, and what is handed on inside the host before. Inside one host it is the direct
        exchange.

    References
    ----------
    NVIDIA, "Doubling all2all performance with NCCL 2.12", 2022 (PXN).
    """
    layout = layout or GroupLayout.of(group_size)
    table = layout.rails
    if len(table) == 1:
        return direct_exchange(group_size, payload_bytes)
    rails = table.shape[1]
    sent = formula(
        "S * (n - g) / n",
        "NVIDIA, Doubling all2all performance with NCCL 2.12 (PXN)",
        S=(payload_bytes, "full buffer, bytes"),
        n=(group_size, "ranks of the group"),
        g=(rails, f"ranks of the group on one {layout.where}"),
    )
    handed_on = formula(
        "S * (g - 1) / g",
        "NVIDIA, Doubling all2all performance with NCCL 2.12 (PXN)",
        S=(payload_bytes, "full buffer, bytes"),
        g=(rails, f"ranks of the group on one {layout.where}: all but its own rail's part changes the GPU"),
    )
    return replace(rail_blocks(table, rails * payload_bytes / group_size, sent), handed_on=handed_on)
