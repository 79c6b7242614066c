"""Hierarchical reduce-scatter: inside the hosts over NVLink, and between hosts along each rail."""

from __future__ import annotations

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.formula import formula
from traffic.rings import rail_rings, two_levels


@COLLECTIVES.register("hierarchical-reduce-scatter", example={"group_size": 8, "payload_bytes": 1e9})
def hierarchical_reduce_scatter(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """With g ranks on each of m hosts, S/g crosses the fabric along every rail; the rest stays in the hosts.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Full buffer S before the scatter, bytes; not the share each rank keeps.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent, which makes it the plain ring.

    References
    ----------
    Thakur et al., IJHPCA 2005, for the parts; NCCL's rail-aligned rings for their order.
    """
    layout = layout or GroupLayout.of(group_size)
    table = layout.rails
    hosts, rails = table.shape
    sent = formula(
        "S * (g - 1) / g + S / g * (m - 1) / m",
        "ring inside the host and ring between hosts; nccl-tests, doc/PERFORMANCE.md",
        S=(payload_bytes, "full buffer, bytes"),
        g=(rails, f"ranks of the group on one {layout.where}"),
        m=(hosts, f"{layout.where}s"),
    )
    return rail_rings(layout, sent) if layout.uneven else two_levels(table, payload_bytes, 1, sent)
