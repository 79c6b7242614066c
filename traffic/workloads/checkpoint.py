"""``checkpoint``: a given volume written to replicated storage by all hosts of a group at once."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.registry import Injected
from topologies.units import Count, TimeS, VolumeBytes
from traffic.formula import formula
from traffic.storage.keys import check_replication, storage_fabric
from traffic.storage.phases import checkpoint_limits, checkpoint_phase
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("checkpoint", example={"clients": "all", "target": "all", "size": "988 GB", "replication": 3})
def checkpoint(
    clients: str,
    target: str,
    size: VolumeBytes,
    fabric: str | None = None,
    replication: Count = 3,
    every: TimeS | None = None,
    deadline: TimeS | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Checkpoints of a known size, spread evenly over clients and servers.

    Parameters
    ----------
    clients, target : str
        Node groups: who writes, and the servers that take it.
    size : float
        One copy of the checkpoint over all clients, bytes.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    replication : int
        Copies the storage keeps.
    every, deadline : float, optional
        Time between checkpoints and time one may take, s: limits of its own, judged like those of the scenario.

    Returns
    -------
    WorkloadTraffic
        One phase ``checkpoint``; ``payload_bytes_per_rank`` is per client host.
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, target, servers_key="target")
    servers = inventory.host_endpoints(network, target, where="target")
    writers = inventory.host_endpoints(network, clients, where="clients")
    check_replication(replication, len(servers))
    share = column(np.full(len(writers), size / len(writers)), np.float64)
    volume = formula(
        "D / n",
        "size of the scenario, spread evenly",
        D=(size, "one copy of the checkpoint, bytes"),
        n=(len(writers), "hosts that write"),
    )
    phase = checkpoint_phase(network, writers, servers, share, len(writers), replication, formula=volume)
    return WorkloadTraffic(
        id=context.id,
        kind="checkpoint",
        phases=(phase,) if phase.pairs else (),
        checkpoint_bytes=size,
        assumptions=("objects are spread evenly: every client writes the same to every server",),
        warnings=() if phase.pairs else (f"{context.id} has size 0: nothing is sent",),
        time_limits=checkpoint_limits(network, every, deadline),
    )
