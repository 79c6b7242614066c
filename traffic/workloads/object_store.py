"""``object-store``: objects put and got through gateways, kept as copies or chunks behind them."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.registry import Injected
from topologies.units import Count, CountOrZero, RateGbps
from traffic.demands import Flows
from traffic.formula import formula
from traffic.storage.keys import check_replication, storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register(
    "object-store", example={"servers": "all", "clients": "all", "put": "80 Gb/s", "data_chunks": 8, "parity_chunks": 3}
)
def object_store(
    servers: str,
    clients: str,
    gateways: str | None = None,
    fabric: str | None = None,
    data_chunks: Count = 1,
    parity_chunks: CountOrZero = 2,
    put: RateGbps | None = None,
    get: RateGbps | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Gateways cut objects into chunks: a put leaves them (k+m)/k times, a get reaches them once.

    Parameters
    ----------
    servers, clients : str
        Node groups.
    gateways : str, optional
        Node group that clients talk to; the servers themselves if absent.
    fabric : str, optional
        Fabric it crosses; the one clients and servers have NICs on if absent.
    data_chunks, parity_chunks : int
        k and m; 1 and r−1 for r copies.
    put, get : float
        Traffic of all clients, Gbps.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``object.put`` and ``object.get`` between clients and gateways, ``object.store`` and
        ``object.fetch`` between gateways and servers.

    References
    ----------
    MinIO documentation, "Erasure Coding", for the shape; Ceph documentation, "RADOS Gateway".
    """
    inventory = context.inventory
    door = gateways or servers
    network = storage_fabric(inventory, fabric, clients, servers)
    inventory.check_group(door, where="gateways")
    nodes = inventory.host_endpoints(network, servers, where="servers")
    doors = inventory.host_endpoints(network, door, where="gateways")
    ends = inventory.host_endpoints(network, clients, where="clients")
    check_replication(data_chunks + parity_chunks, len(nodes), where="parity_chunks")

    def even(near: Ints, far: Ints, rate: float, *, reads: bool = False) -> Flows:
        return between(near, far, column(np.full(len(near), rate / len(near)), np.float64), reads=reads)

    written = formula(
        "W * (k + m) / k",
        "erasure coding, k data and m parity chunks",
        "Gbps",
        W=(put or 0.0, "clients' puts, Gbps"),
        k=(data_chunks, "data chunks"),
        m=(parity_chunks, "parity chunks"),
    )
    said = "put and get of the scenario"
    puts = formula("W", said, "Gbps", W=(put or 0.0, "clients' puts, Gbps; a client may be its own gateway"))
    gets = formula("R", said, "Gbps", R=(get or 0.0, "clients' gets, Gbps; a client may be its own gateway"))
    phases = (
        steady_phase("object.put", "write", network, len(doors), even(ends, doors, put or 0.0), puts),
        steady_phase("object.store", "replicate", network, len(nodes), even(doors, nodes, written.value), written),
        steady_phase("object.fetch", "read", network, len(nodes), even(doors, nodes, get or 0.0, reads=True), gets),
        steady_phase("object.get", "read", network, len(doors), even(ends, doors, get or 0.0, reads=True), gets),
    )
    return WorkloadTraffic(
        id=context.id,
        kind="object-store",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=("objects are spread evenly over gateways and servers",),
        warnings=() if put or get else (f"{context.id} has no rate: nothing is sent",),
    )
