"""All-to-all that stays on its rail: data first moves over NVLink to the GPU on the receiver's rail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from topologies.columns import Ints
from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.exchange import BY_LOAD, direct_exchange, loaded_exchange
from traffic.expert_load import LayerLoad, uneven
from traffic.formula import formula
from traffic.rings import rail_blocks, rail_rows


@COLLECTIVES.register("pxn-all-to-all", example={"group_size": 8, "payload_bytes": 1e9})
def pxn_all_to_all(
    group_size: int,
    payload_bytes: float,
    layout: Injected[GroupLayout | None] = None,
    load: Injected[LayerLoad | None] = None,
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
    load : LayerLoad, optional
        How much of the buffer is for each rank's experts; all alike if absent.

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
    if load is not None:
        return _loaded(table, payload_bytes, load, layout.where)
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


def _loaded(table: Ints, payload_bytes: float, load: LayerLoad, where: str) -> CollectiveTraffic:
    """Tokens go to their expert's rail, g·S·f of a host's g ranks; results to their token's, S·F of a host."""
    hosts, rails = table.shape
    if hosts == 1:
        return loaded_exchange(rails, payload_bytes, load)
    by_rank = load.rank_shares(table.size)[:, table]  # (layers, hosts, rails)
    if load.back:
        by_host = np.broadcast_to(by_rank.sum(axis=2, keepdims=True), by_rank.shape)
        sent_by, received_by, amount = by_host * (hosts - 1), 1 - by_host, by_host.mean(axis=0)
        turned = table.size * float(by_rank.mean(axis=0).max()) * (rails - 1) / rails
        what = "part of all visits that the busiest host's experts have"
        sent = formula("S * (m - 1) * f", BY_LOAD, S=(payload_bytes, "all copies of a rank's tokens, bytes"),
                       m=(hosts, f"{where}s of the group"), f=(float(amount.max()), what))  # fmt: skip
    else:
        sent_by, received_by = (by_rank.sum(axis=1, keepdims=True) - by_rank) * rails, by_rank * rails * (hosts - 1)
        amount = by_rank.mean(axis=0) * rails
        of_rail = by_rank.mean(axis=0).sum(axis=0)
        turned = max(1 - float(of_rail.min()), (rails - 1) * float(of_rail.max()))
        what = "part of all visits that are on the busiest rail of other hosts"
        sent = formula("S * g * f", BY_LOAD, S=(payload_bytes, "all copies of a rank's tokens, bytes"),
                       g=(rails, f"ranks of the group on one {where}"),
                       f=(float(sent_by.mean(axis=0).max()) / rails, what))  # fmt: skip
    traffic = rail_rows(table, payload_bytes * amount, sent, back=load.back)
    flat = (-1, table.size)
    handed_on = formula("S * d", BY_LOAD, S=(payload_bytes, "all copies of a rank's tokens, bytes"),
                        d=(turned, f"of it that the busiest GPU of a {where} passes on or is passed"))  # fmt: skip
    return replace(traffic, handed_on=handed_on, uneven=uneven(sent_by.reshape(flat), received_by.reshape(flat)))
