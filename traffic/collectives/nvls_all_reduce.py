"""All-reduce by the switches of scale-up links: they add up what GPUs hold, and spread the sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from topologies.registry import Injected
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout, together
from traffic.formula import formula
from traffic.rings import inside_hosts


@COLLECTIVES.register("nvls-all-reduce", example={"group_size": 8, "payload_bytes": 1e9})
def nvls_all_reduce(
    group_size: int, payload_bytes: float, layout: Injected[GroupLayout | None] = None
) -> CollectiveTraffic:
    """Every rank gives the switches all of S, takes the sum of its g-th part, and gives that back to be spread.

    Between hosts the switches of the fabric add up, as SHARP does: every rail carries S/g.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        Buffer S that is reduced, bytes; the same on every rank.
    layout : GroupLayout, optional
        Hosts of the ranks; all on one if absent.

    Returns
    -------
    CollectiveTraffic
        What goes to the switches of the scale-up links is laid as a ring, with the bytes of each GPU's own links.

    References
    ----------
    NVIDIA, "NVLink SHARP" (Hot Chips 34, NVSwitch 3): reading a part reduced costs every GPU that part once, writing a
    part to all costs its owner once; NCCL, ``src/device/all_reduce.h``.
    """
    layout = layout or GroupLayout.of(group_size, max(group_size, 1))
    table = layout.rails
    hosts, rails = table.shape
    sent = formula(
        "S * (g + 1) / g * v + S / g * w",
        "NVIDIA, NVLink SHARP, Hot Chips 34; Graham et al., SHARP, COMHPC 2016",
        S=(payload_bytes, "buffer, bytes"),
        g=(rails, f"ranks of the group on one {layout.where}"),
        v=(1 if rails > 1 else 0, f"1 where several share a {layout.where}"),
        w=(1 if hosts > 1 else 0, f"1 where the group leaves the {layout.where}"),
    )
    inside = inside_hosts(table, payload_bytes * (rails + 1) / rails, sent)
    around = CollectiveTraffic.of(table, np.roll(table, -1, axis=0), payload_bytes / rails, sent)
    return replace(together([inside, around], sent), reduced_by_switches=True)
