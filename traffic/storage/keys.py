"""Keys about storage that several workloads share, and the fabric that clients and servers meet on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import Count, RateGbps, TimeS
from traffic.inventory import Inventory


class CheckpointSpec(Spec):
    """Checkpoints of a training job: the whole training state, written by all hosts at once."""

    target: str = Field(description="Group of storage servers that take it")
    fabric: str | None = Field(
        default=None, description="Fabric it crosses; the one both groups have NICs on if absent"
    )
    replication: Count = Field(default=3, description="Copies the storage keeps; 1 for none")
    every: TimeS | None = Field(
        default=None, description="Time between checkpoints; a limit where no deadline is tighter"
    )
    deadline: TimeS | None = Field(
        default=None, description="Time a checkpoint may take: a limit, judged like those of limits"
    )
    mode: Literal["synchronous", "asynchronous"] = Field(
        default="synchronous", description="Asynchronous: written while training goes on"
    )
    writers: Literal["all", "first-replica"] = Field(
        default="all", description="All ranks write a share each, or the ranks of the first data-parallel replica"
    )
    restore: bool = Field(default=False, description="Also the reading of a checkpoint when the job starts again")


class DatasetSpec(Spec):
    """Reading of training data, all the time."""

    read: RateGbps = Field(description="Rate of reading")
    per: Literal["gpu", "host", "total"] = Field(default="gpu", description="What the rate is counted by")
    source: str = Field(description="Group of storage servers it comes from")
    shuffle: RateGbps | None = Field(default=None, description="Exchange of samples between hosts, counted likewise")
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
