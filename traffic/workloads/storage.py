"""``storage``: background traffic of a storage cluster, its clients' reads and writes and its own replication."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from topologies.columns import column
from topologies.registry import Injected, Spec
from topologies.units import Count, RateGbps
from traffic.storage import between, check_replication, replicas, steady_phase, storage_fabric
from traffic.workload import WORKLOADS, Phase, WorkloadContext, WorkloadTraffic


class RecoverySpec(Spec):
    """Rebuilding after a failure; accepted, not modelled yet."""

    rate: RateGbps = Field(description="Rate of recovery over the whole cluster")
    when: str = Field(description="Failure it follows, such as osd-loss")


@WORKLOADS.register(
    "storage",
    example={"servers": "all", "clients": "all", "replication": 3, "write": "80 Gb/s", "read": "10 GB/s"},
    aliases=("ceph",),
)
def storage(
    servers: str,
    clients: str,
    system: Literal["ceph"] = "ceph",
    fabric: str | None = None,
    replication: Count = 3,
    write: RateGbps | None = None,
    read: RateGbps | None = None,
    recovery: RecoverySpec | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Steady reads and writes of a replicated storage cluster.

    Parameters
    ----------
    servers, clients : str
        Node groups.
    system : {'ceph'}
        How replicas are made: the primary sends the r−1 copies.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    replication : int
        Copies of every object, r.
    write, read : float
        Client traffic over all clients, Gbps, before replication.
    recovery : RecoverySpec, optional
        Not modelled yet.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``ceph.write`` (client to primary), ``ceph.replicate`` ((r−1) times that among servers),
        ``ceph.read`` (primary to client).

    References
    ----------
    Weil et al., "Ceph", OSDI 2006, section 5.1 (primary-copy replication).
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, servers)
    server_nodes = inventory.host_endpoints(network, servers, where="servers")
    client_nodes = inventory.host_endpoints(network, clients, where="clients")
    check_replication(replication, len(server_nodes))
    phases: list[Phase] = []

    def add(name: str, collective: str, flows_of: Literal["write", "replicate", "read"], gbps: float) -> None:
        share = column(np.full(len(client_nodes), gbps / len(client_nodes)), np.float64)
        flows = (
            replicas(server_nodes, gbps, replication)
            if flows_of == "replicate"
            else between(client_nodes, server_nodes, share, reads=flows_of == "read")
        )
        if flows.pairs:
            phases.append(steady_phase(name, collective, network, len(server_nodes), flows))

    add(f"{system}.write", "write", "write", write or 0.0)
    add(f"{system}.replicate", "replicate", "replicate", write or 0.0)
    add(f"{system}.read", "read", "read", read or 0.0)
    return WorkloadTraffic(
        id=context.id,
        kind="storage",
        phases=tuple(phases),
        assumptions=("objects are spread evenly: every client exchanges the same with every server",),
        warnings=() if phases else (f"{context.id} has no write and no read rate: nothing is sent",),
        not_modelled=("recovery",) if recovery is not None else (),
    )
