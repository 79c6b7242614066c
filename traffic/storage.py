"""Traffic between compute hosts and storage servers, spread evenly.

Objects are placed by a hash (Ceph's CRUSH, HDFS's and Lustre's striping come close): over many objects every client
exchanges the same with every server, and every server is the primary of the same share. A replicated write goes from
the client to the primary and from the primary to the r−1 replicas, which are other servers. Skew is not modelled.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from topologies.columns import Bools, Floats, Ints, column
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import Count, RateGbps, TimeS
from traffic.demands import Flows, UniformBlock, merge_flows
from traffic.inventory import Inventory
from traffic.workload import Phase


class CheckpointSpec(Spec):
    """Checkpoints of a training job: the whole training state, written by all hosts at once."""

    target: str = Field(description="Group of storage servers that take it")
    fabric: str | None = Field(
        default=None, description="Fabric it crosses; the one both groups have NICs on if absent"
    )
    replication: Count = Field(default=3, description="Copies the storage keeps; 1 for none")
    every: TimeS | None = Field(default=None, description="Time between checkpoints")
    deadline: TimeS | None = Field(default=None, description="Time a checkpoint may take")


class DatasetSpec(Spec):
    """Reading of training data, all the time."""

    read: RateGbps = Field(description="Rate of reading")
    per: Literal["gpu", "host", "total"] = Field(default="gpu", description="What the rate is counted by")
    source: str = Field(description="Group of storage servers it comes from")
    fabric: str | None = Field(
        default=None, description="Fabric it crosses; the one both groups have NICs on if absent"
    )


def storage_fabric(
    inventory: Inventory, name: str | None, clients: str, servers: str, *, servers_key: str = "servers"
) -> str:
    """The fabric between clients and servers: the one named, or the only one both have NICs on.

    Parameters
    ----------
    servers_key : str
        Key of the scenario that names the servers, for error messages.

    Raises
    ------
    TrafficError
        When a group or the name is unknown (FP4001, FP4002), or none or several are possible (FP4003).
    """
    inventory.check_group(clients, where="clients")
    inventory.check_group(servers, where=servers_key)
    if name is not None:
        return inventory.fabric(name)
    shared = [
        fabric
        for fabric in inventory.fabric_names()
        if all(group not in inventory.groups or fabric in inventory.groups[group].nics for group in (clients, servers))
    ]
    if len(shared) != 1:
        raise TrafficError(
            f"{clients!r} and {servers!r} share {len(shared)} fabrics"
            + (f": {', '.join(shared)}" if shared else "; nothing can be sent between them"),
            where="fabric",
            hint=f"add fabric: {shared[0]}" if shared else "give both groups NICs on one fabric",
            code="FP4003",
        )
    return shared[0]


def check_replication(copies: int, servers: int, *, where: str = "replication") -> None:
    """Raise unless there is a server for every copy."""
    if copies > servers:
        raise TrafficError(
            f"{copies} copies need as many servers; there are {servers}",
            where=where,
            hint=f"replication is at most {servers}",
            code="FP4050",
        )


def between(clients: Ints, servers: Ints, amount_per_client: Floats, *, reads: bool = False) -> Flows:
    """Every client exchanges its amount with all servers, in equal shares.

    Parameters
    ----------
    clients : ndarray of int, shape (C, a)
        Endpoint node ids of every client host.
    servers : ndarray of int, shape (S, b)
        Endpoint node ids of every server.
    amount_per_client : ndarray, shape (C,)
        Bytes or Gbps of each client host, spread evenly over its endpoints.
    reads : bool
        From servers to clients rather than back.

    Returns
    -------
    Flows
        What a host that is client and server exchanges with itself is left out.
    """
    share = np.repeat(amount_per_client / (clients.shape[1] * servers.size), clients.shape[1])
    near = np.repeat(clients.ravel(), servers.size)
    far = np.tile(servers.ravel(), clients.size)
    amount = np.where(_same_host(clients, servers), 0.0, share[:, None]).ravel()
    return Flows.of(far, near, amount) if reads else Flows.of(near, far, amount)


def replicas(servers: Ints, amount: float, copies: int) -> Flows:
    """Primaries pass ``copies - 1`` copies on to other servers, evenly.

    Parameters
    ----------
    servers : ndarray of int, shape (S, b)
        Endpoint node ids of every server.
    amount : float
        What clients write to all servers, bytes or Gbps.
    copies : int
        Size r of the pool; 1 for none.

    Returns
    -------
    Flows
        (r−1) times ``amount`` in all; one block where a server is one endpoint.
    """
    count, width = servers.shape
    if copies < 2 or count < 2 or amount == 0:
        return Flows.none()
    share = (copies - 1) * amount / (count * (count - 1) * width * width)
    if width == 1:
        empty = Flows.none()
        return Flows(
            empty.src, empty.dst, empty.amount, (UniformBlock(column(np.sort(servers[:, 0]), np.int32), share),)
        )
    nodes = servers.ravel()
    apart = ~_same_host(servers, servers)
    return Flows.of(np.repeat(nodes, len(nodes)), np.tile(nodes, len(nodes)), np.where(apart, share, 0.0).ravel())


def replicated_write(clients: Ints, servers: Ints, amount_per_client: Floats, copies: int) -> Flows:
    """Writes of all clients with their replicas; see :func:`between` and :func:`replicas`."""
    return merge_flows(
        [
            between(clients, servers, amount_per_client),
            replicas(servers, float(amount_per_client.sum()), copies),
        ]
    )


def _same_host(left: Ints, right: Ints) -> Bools:
    """Whether endpoint i of one side is in the same host as endpoint j of the other, shape (left, right)."""
    host_of = {int(node): row for row, nodes in enumerate(right.tolist()) for node in nodes}
    left_host = np.array([host_of.get(int(nodes[0]), -1) for nodes in left], dtype=np.int64).repeat(left.shape[1])
    right_host = np.arange(len(right)).repeat(right.shape[1])
    return np.asarray(left_host[:, None] == right_host[None, :])


# ---- phases ----------------------------------------------------------------------------------------------------------


def checkpoint_phase(
    fabric: str, clients: Ints, servers: Ints, bytes_per_client: Floats, ranks: int, copies: int
) -> Phase:
    """One checkpoint: every client host writes its share to all servers, which replicate it.

    Parameters
    ----------
    clients, servers : ndarray of int, shapes (C, a) and (S, b)
        Endpoint node ids on ``fabric``.
    bytes_per_client : ndarray, shape (C,)
        Bytes of each client host.
    ranks : int
        Ranks the state is sharded over; ``payload_bytes_per_rank`` is an equal share.
    copies : int
        Copies kept.
    """
    flows = replicated_write(clients, servers, bytes_per_client, copies)
    share = float(bytes_per_client.sum()) / ranks
    return Phase(
        name="checkpoint",
        collective="replicated-write",
        fabric=fabric,
        group_size=len(servers),
        payload_bytes_per_rank=share,
        sent_bytes_per_rank=share,
        total_bytes=flows.total,
        pairs=flows.pairs,
        flows=flows,
        every_step=False,
    )


def steady_phase(name: str, collective: str, fabric: str, group_size: int, flows: Flows) -> Phase:
    """A phase that goes on all the time; amounts of ``flows`` are Gbps."""
    return Phase(
        name=name,
        collective=collective,
        fabric=fabric,
        group_size=group_size,
        payload_bytes_per_rank=0.0,
        sent_bytes_per_rank=0.0,
        total_bytes=0.0,
        pairs=flows.pairs,
        flows=flows,
        steady=True,
        rate_gbps=flows.total,
    )


def dataset_phase(
    fabric: str,
    clients: Ints,
    servers: Ints,
    gpus_of_client: Ints,
    read_gbps: float,
    per: Literal["gpu", "host", "total"],
) -> Phase:
    """Reading of training data from all servers by all client hosts.

    Parameters
    ----------
    clients, servers : ndarray of int, shapes (C, a) and (S, b)
        Endpoint node ids on ``fabric``.
    gpus_of_client : ndarray of int, shape (C,)
        GPUs in use in each client host; with ``per`` total the rate is shared by GPU.
    read_gbps : float
        Rate of one GPU, one host or all, Gbps.
    """
    gpus = gpus_of_client.astype(np.float64)
    weight = {"gpu": gpus, "host": np.ones(len(gpus)), "total": gpus / gpus.sum()}[per]
    flows = between(clients, servers, column(read_gbps * weight, np.float64), reads=True)
    return steady_phase("dataset", "read", fabric, len(servers), flows)
