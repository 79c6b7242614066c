"""All-reduce by the switches of scale-up links inside hosts, and by double binary trees between them."""

from __future__ import annotations

from dataclasses import replace

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout, together
from traffic.formula import formula
from traffic.rings import inside_hosts
from traffic.trees import double_tree, most_neighbours, tree_edges


@COLLECTIVES.register("nvls-tree-all-reduce", example={"group_size": 8, "payload_bytes": 1e9})
def nvls_tree_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Inside a host S goes to the switches and a g-th part comes back as a sum; every rail has trees of S/g.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks; all on one if absent.

    References
    ----------
    NVIDIA, "NVLink SHARP" (Hot Chips 34); Sanders, Speck, Träff, Parallel Computing 2009.
    """
    layout = layout or GroupLayout.of(group_size, max(group_size, 1))
    table = layout.rails
    hosts, rails = table.shape
    sent = formula(
        "S * (g + 1) / g * v + S / (2 * g) * d",
        "NVIDIA, NVLink SHARP, Hot Chips 34; Sanders, Speck, Träff, Parallel Computing 2009",
        S=(payload_bytes, "buffer, bytes"),
        g=(rails, f"ranks of the group on one {layout.where}"),
        v=(1 if rails > 1 else 0, f"1 where several share a {layout.where}"),
        d=(most_neighbours(double_tree(hosts)), f"most tree neighbours of a {layout.where}, both trees"),
    )
    inside = inside_hosts(table, payload_bytes * (rails + 1) / rails, sent)
    return replace(together([inside, *tree_edges(table, payload_bytes, sent)], sent), reduced_by_switches=True)
