"""``hdfs``: writes through rack-aware pipelines and reads from the nearest copy."""

from __future__ import annotations

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.registry import Injected
from topologies.units import Count, RateGbps
from traffic.files import read_beside
from traffic.formula import formula
from traffic.storage.hdfs_topology import read_racks
from traffic.storage.keys import check_replication, storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between_hosts
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic

_SOURCE = "Apache Hadoop, HDFS Architecture, Replica Placement"


@WORKLOADS.register("hdfs", example={"servers": "all", "clients": "all", "write": "80 Gb/s", "topology": "racks.txt"})
def hdfs(
    servers: str,
    clients: str,
    fabric: str | None = None,
    replication: Count = 3,
    write: RateGbps | None = None,
    read: RateGbps | None = None,
    topology: str | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Steady writes and reads of HDFS.

    The first copy is on the writer's own server where it is one, else on any; the second in another rack, the third in
    that rack too, more anywhere. Each server passes the block on to the next. A reader takes the nearest copy: its own,
    one in its rack, or any.

    Parameters
    ----------
    servers, clients : str
        Node groups; the same where jobs run on the data nodes.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    replication : int
        Copies of a block.
    write, read : float
        Traffic of all clients, Gbps.
    topology : str, optional
        Output of ``hdfs dfsadmin -printTopology``; without it racks are the node group's ``per_rack``.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``hdfs.write`` (client to first copy), ``hdfs.pipeline`` (copy to copy), ``hdfs.read``.

    References
    ----------
    Apache Hadoop, HDFS Architecture, "Replica Placement: The First Baby Steps".
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, servers)
    nodes = inventory.host_endpoints(network, servers, where="servers")
    ends = inventory.host_endpoints(network, clients, where="clients")
    check_replication(replication, len(nodes))
    names = inventory.host_names(network, servers)
    if topology is not None:
        rack = read_racks(read_beside(context.directory, topology, "topology"), topology, names)
    else:
        rack = inventory.racks(servers, len(nodes))
    same = clients == servers
    first, hops = _pipeline(rack, replication)
    others = column(np.full((len(ends), len(nodes)), 1 / (len(ends) * len(nodes))), np.float64)
    own = column(np.eye(len(nodes)) / len(nodes), np.float64)
    phases = []
    said = "write and read of the scenario"
    if write:
        rate_formula = formula(
            "W * (r - 1)", _SOURCE, "Gbps", W=(write, "clients' rate, Gbps"), r=(replication, "copies")
        )
        start = between_hosts(ends, nodes, column((own if same else others) * write, np.float64))
        along = between_hosts(nodes, nodes, column(hops * (first * write), np.float64))
        written = formula("W", said, "Gbps", W=(write, "their rate, Gbps; a data node keeps the first copy"))
        phases.append(steady_phase("hdfs.write", "write", network, len(nodes), start, written))
        phases.append(steady_phase("hdfs.pipeline", "pipeline", network, len(nodes), along, rate_formula))
    if read:
        nearest = _reads(rack, replication) if same else others.T
        flows = between_hosts(nodes, ends, column(nearest * read, np.float64))
        asked = {"R": (read, "clients' rate, Gbps")}
        fetched = formula("R", said, "Gbps", **asked)
        if same:
            own_share = min(replication / len(nodes), 1.0)
            fetched = formula("R * (1 - l)", _SOURCE, "Gbps", **asked, l=(own_share, "share that a reader has itself"))
        phases.append(steady_phase("hdfs.read", "read", network, len(nodes), flows, fetched))
    return WorkloadTraffic(
        id=context.id,
        kind="hdfs",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=(
            "blocks are spread evenly over servers",
            "jobs run on the data nodes" if same else "jobs run elsewhere",
        ),
        warnings=() if phases else (f"{context.id} has no rate: nothing is sent",),
    )


def _pipeline(rack: Ints, copies: int) -> tuple[float, Floats]:
    """Share of every server as first copy, and what servers pass on per first copy, shape (n, n)."""
    servers = len(rack)
    other = rack[:, None] != rack[None, :]
    if not other.any():  # one rack: any other server
        other = ~np.eye(servers, dtype=np.bool_)
        mates = other
    else:
        mates = ~other & ~np.eye(servers, dtype=np.bool_)
    away = _chosen(other)
    total = np.zeros((servers, servers))
    place = np.eye(servers)  # row: first copy, column: where the block is now
    for step in range(1, copies):
        anywhere = _chosen(~np.eye(servers, dtype=np.bool_))
        choice = away if step == 1 else np.where(mates.any(axis=1, keepdims=True), _chosen(mates), anywhere)
        choice = anywhere if step > 2 else choice
        total += place.sum(axis=0)[:, None] * choice
        place = place @ choice
    return 1 / servers, column(total, np.float64)


def _chosen(allowed: np.ndarray) -> np.ndarray:
    """Even choice among the allowed of every row."""
    return np.asarray(allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1))


def _reads(rack: Ints, copies: int) -> Floats:
    """Traffic from server to reader per byte read; what is not local comes from the nearest copy."""
    servers = len(rack)
    same = (rack[:, None] == rack[None, :]) & ~np.eye(servers, dtype=np.bool_)
    racks = len(np.unique(rack))
    local = copies / servers
    # One rack has the first copy, another the next two; a reader's rack holds one of them by chance.
    near = max(min(min(copies, 2) / racks, 1.0) - local, 0.0) if racks > 1 else 1 - local
    far = max(1 - local - near, 0.0)
    apart = ~same & ~np.eye(servers, dtype=np.bool_)
    amount = (_chosen(same) * near + _chosen(apart) * far) / servers
    return column(amount.T, np.float64)
