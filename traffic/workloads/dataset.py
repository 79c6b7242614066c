"""``dataset``: steady reading of training data from storage servers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import RateGbps
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import dataset_phase
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("dataset", example={"clients": "all", "source": "all", "read": "2 MB/s"})
def dataset(
    clients: str,
    source: str,
    read: RateGbps,
    per: Literal["gpu", "host", "total"] = "gpu",
    fabric: str | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Reading of training data, every client from every server evenly.

    Parameters
    ----------
    clients, source : str
        Node groups: who reads, and the servers it comes from.
    read : float
        Rate, Gbps, counted per GPU, per host or in total as ``per`` says.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.

    Returns
    -------
    WorkloadTraffic
        One steady phase ``dataset``.

    Raises
    ------
    TrafficError
        When the rate is per GPU and the clients have none (FP4051).
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, source, servers_key="source")
    servers = inventory.host_endpoints(network, source, where="source")
    readers = inventory.host_endpoints(network, clients, where="clients")
    gpus = inventory.gpus_per_host(clients, where="clients")
    if per == "gpu" and gpus == 0:
        raise TrafficError(
            f"the rate is per GPU, but hosts of {clients!r} have none",
            where="per",
            hint="say per: host, or per: total",
            code="FP4051",
        )
    gpus_of_host = column(np.full(len(readers), max(gpus, 1)), np.int32)
    phase = dataset_phase(network, readers, servers, gpus_of_host, read, per)
    return WorkloadTraffic(
        id=context.id,
        kind="dataset",
        phases=(phase,) if phase.pairs else (),
        assumptions=("objects are spread evenly: every client reads the same from every server",),
        warnings=() if phase.pairs else (f"{context.id} reads nothing: nothing is sent",),
    )
