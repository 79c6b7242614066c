"""Double binary tree all-reduce: half of the buffer up and down each of two trees."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.double_tree import tree_traffic
from traffic.formula import formula


@COLLECTIVES.register(
    "tree-all-reduce",
    example={"group_size": 8, "payload_bytes": 1e9},
    aliases=("double-binary-tree-all-reduce",),
)
def tree_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every host is inside one tree and a leaf of the other, and sends S/2 to each of at most four tree neighbours.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent. With g ranks a host, every rail has trees of S/g, and chains
        inside the host reduce before and spread after.

    References
    ----------
    Sanders, Speck, Träff, Parallel Computing 2009; NCCL 2.4 release notes.
    """
    layout = layout or GroupLayout.of(group_size)
    table = layout.rails
    rails = table.shape[1]
    return tree_traffic(
        table,
        payload_bytes,
        2 * payload_bytes * (rails - 1) / rails,
        lambda degree: formula(
            "2 * S * (g - 1) / g + S / (2 * g) * d",
            "Sanders, Speck, Träff, Parallel Computing 2009",
            S=(payload_bytes, "buffer, bytes"),
            g=(rails, f"ranks of the group on one {layout.where}"),
            d=(degree, f"most tree neighbours of a {layout.where}, both trees"),
        ),
    )
