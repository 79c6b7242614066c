"""``north-south``: traffic between the cluster and the world outside, through border leaves."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.registry import Injected
from topologies.units import RateGbps
from traffic.formula import formula
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register(
    "north-south", example={"members": "all", "border": "all", "inward": "10 Gb/s", "outward": "40 Gb/s"}
)
def north_south(
    members: str,
    border: str,
    fabric: str | None = None,
    inward: RateGbps | None = None,
    outward: RateGbps | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Clients outside talk to members evenly; their traffic enters and leaves at the border hosts.

    Parameters
    ----------
    members : str
        Node group that serves.
    border : str
        Node group that stands for the world outside: gateways, or routers, on border leaves.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    inward, outward : float
        Gbps in all.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``north-south.in`` and ``north-south.out``.
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, members, border, servers_key="border")
    inner = inventory.host_endpoints(network, members, where="members")
    edge = inventory.host_endpoints(network, border, where="border")
    into, out = (column(np.full(len(inner), (rate or 0.0) / len(inner)), np.float64) for rate in (inward, outward))
    said = "inward and outward of the scenario"
    comes = formula("W", said, "Gbps", W=(inward or 0.0, "from outside, Gbps"))
    goes = formula("W", said, "Gbps", W=(outward or 0.0, "to outside, Gbps"))
    phases = (
        steady_phase("north-south.in", "clients", network, len(inner), between(inner, edge, into, reads=True), comes),
        steady_phase("north-south.out", "clients", network, len(inner), between(inner, edge, out), goes),
    )
    return WorkloadTraffic(
        id=context.id,
        kind="north-south",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=("traffic is spread evenly over members and border hosts",),
        warnings=() if inward or outward else (f"{context.id} has no rate: nothing is sent",),
    )
