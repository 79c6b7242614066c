"""NVLS tree all-reduce: scale-up switches add up inside hosts, and a double tree joins hosts on every rail."""

from __future__ import annotations

from dataclasses import replace

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.double_tree import tree_traffic
from traffic.formula import formula


@COLLECTIVES.register("nvls-tree-all-reduce", example={"group_size": 8, "payload_bytes": 1e9})
def nvls_tree_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every GPU is the head of S/g: it reads their sum, sends it through its trees, and spreads the result.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent.

    References
    ----------
    NCCL 2.30, ``src/device/all_reduce.h`` (``NCCL_ALGO_NVLS_TREE``): inside a host each GPU's part of the buffer is
    read by all heads, S, and its own result goes out once to all, S/g.
    """
    layout = layout or GroupLayout.of(group_size)
    table = layout.rails
    rails = table.shape[1]
    share = 1 if rails > 1 else 0
    traffic = tree_traffic(
        table,
        payload_bytes,
        share * payload_bytes * (1 + 1 / rails),
        lambda degree: formula(
            "k * S * (1 + 1 / g) + S / (2 * g) * d",
            "NCCL, NVLS tree; Sanders, Speck, Träff, Parallel Computing 2009",
            k=(share, f"1 where a {layout.where} has several ranks"),
            S=(payload_bytes, "buffer, bytes"),
            g=(rails, f"ranks of the group on one {layout.where}"),
            d=(degree, f"most tree neighbours of a {layout.where}, both trees"),
        ),
    )
    return replace(traffic, reduced_by_switches=True)
