"""``tiering``: promotion and flush between a fast and a slow tier of storage."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.registry import Injected
from topologies.units import Count, RateGbps
from traffic.formula import formula
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between, replicas
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("tiering", example={"fast": "all", "slow": "all", "promote": "10 Gb/s", "flush": "20 Gb/s"})
def tiering(
    fast: str,
    slow: str,
    fabric: str | None = None,
    promote: RateGbps | None = None,
    flush: RateGbps | None = None,
    replication: Count = 1,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Data that is asked for moves from the slow tier to the fast one, data that is written moves back.

    Parameters
    ----------
    fast, slow : str
        Node groups, such as servers with SSDs and with disks.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    promote, flush : float
        Gbps before copies.
    replication : int
        Copies that the slow tier makes of what is flushed.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``tier.promote``, ``tier.flush`` and ``tier.replicate``.
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, fast, slow, servers_key="slow")
    near = inventory.host_endpoints(network, fast, where="fast")
    far = inventory.host_endpoints(network, slow, where="slow")
    up, down = (column(np.full(len(near), (rate or 0.0) / len(near)), np.float64) for rate in (promote, flush))
    copies = formula(
        "W * (r - 1)",
        "primary-copy replication",
        "Gbps",
        W=(flush or 0.0, "flushed, Gbps"),
        r=(replication, "copies"),
    )
    said = "promote and flush of the scenario"
    raised = formula("R", said, "Gbps", R=(promote or 0.0, "promoted, Gbps"))
    flushed = formula("W", said, "Gbps", W=(flush or 0.0, "flushed, Gbps"))
    phases = (
        steady_phase("tier.promote", "read", network, len(far), between(near, far, up, reads=True), raised),
        steady_phase("tier.flush", "write", network, len(far), between(near, far, down), flushed),
        steady_phase(
            "tier.replicate", "replicate", network, len(far), replicas(far, flush or 0.0, replication), copies
        ),
    )
    return WorkloadTraffic(
        id=context.id,
        kind="tiering",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=("data is spread evenly over the servers of both tiers",),
        warnings=() if promote or flush else (f"{context.id} has no rate: nothing is sent",),
    )
