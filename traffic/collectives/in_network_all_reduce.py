"""In-network all-reduce: switches add up what passes, as SHARP does."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout, together
from traffic.formula import formula
from traffic.rings import inside_hosts


@COLLECTIVES.register(
    "in-network-all-reduce", example={"group_size": 8, "payload_bytes": 1e9}, aliases=("sharp-all-reduce",)
)
def in_network_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every host sends S up the tree once and receives S once.

    Demand goes between endpoints, so the switch's part is laid as a ring over the hosts with S a hop: the load of
    access links is that of the tree, and where neighbours share a leaf a leaf's uplinks carry S each way, as its one
    partial sum does.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks. With g ranks a host, each rail carries S/g, after a reduce-scatter inside the host.

    References
    ----------
    Graham et al., "SHARP", COMHPC 2016.
    """
    layout = layout or GroupLayout.of(group_size)
    table = layout.rails
    hosts, rails = table.shape
    sent = formula(
        "2 * S * (g - 1) / g + S / g * w",
        "Graham et al., SHARP, COMHPC 2016",
        S=(payload_bytes, "buffer, bytes"),
        g=(rails, f"ranks of the group on one {layout.where}"),
        w=(1 if hosts > 1 else 0, f"1 where the group leaves the {layout.where}"),
    )
    around = CollectiveTraffic.of(table, np.roll(table, -1, axis=0), payload_bytes / rails, sent)
    return together([inside_hosts(table, 2 * payload_bytes * (rails - 1) / rails, sent), around], sent)
