"""Where the ranks of a job sit, and the phases their collectives make from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from traffic.demands import Flows, merge_flows
from traffic.expand import expand, group_bytes, group_pairs
from traffic.inventory import Inventory
from traffic.workload import COLLECTIVES, CollectiveTraffic, Phase


@dataclass(frozen=True, eq=False)
class Seats:
    """Endpoint and host of every rank on one fabric."""

    fabric: str
    endpoints: Ints  # shape (ranks,), node ids
    hosts: Ints  # shape (ranks,), host numbers in the group


def seats_of(inventory: Inventory, fabric: str, group: str, placed: Ints) -> Seats:
    """Seats of ranks on the GPUs of a group.

    Parameters
    ----------
    placed : ndarray of int, shape (ranks, 2)
        Host and GPU of every rank, as a placement gives them.
    """
    nodes = inventory.gpu_endpoints(fabric, group, where="placement.group")
    host, gpu = placed[:, 0], placed[:, 1]
    return Seats(fabric, column(nodes[host, gpu], nodes.dtype), column(host, host.dtype))


def host_names(inventory: Inventory, fabric: str, group: str) -> tuple[str, ...]:
    """Names of a group's hosts; the endpoints of the fabric where the scenario lists no nodes."""
    if group in inventory.groups:
        return inventory.groups[group].hosts
    topology = inventory.topologies[fabric]
    members = inventory.host_endpoints(fabric, group, where="placement.group")
    return tuple(topology.nodes.name[int(node)] for node in members[:, 0])


def collective(algorithm: str, operation: str, group_size: int, payload_bytes: float) -> tuple[str, CollectiveTraffic]:
    """Name and traffic of an operation by an algorithm, such as ``ring`` and ``all-reduce``.

    Raises
    ------
    TrafficError
        When no registered collective does this (FP4015).
    """
    name = f"{algorithm}-{operation}"
    if not COLLECTIVES.known(name):
        known = sorted(
            known.removesuffix(f"-{operation}") for known in COLLECTIVES.names() if known.endswith(operation)
        )
        raise TrafficError(
            f"there is no {operation} by the algorithm {algorithm!r}",
            where="collectives.algorithm",
            hint=f"algorithms: {', '.join(known)}",
            code="FP4015",
        )
    return name, run(name, group_size, payload_bytes)


def run(name: str, group_size: int, payload_bytes: float) -> CollectiveTraffic:
    """Traffic of the registered collective ``name`` inside one group."""
    return COLLECTIVES[name].function(group_size=group_size, payload_bytes=payload_bytes)


def collective_phase(
    name: str,
    collective_name: str,
    seats: Seats,
    parts: Sequence[tuple[CollectiveTraffic, Ints]],
    *,
    payload_bytes: float,
    sent_bytes: float,
    overlaps_compute: bool = False,
) -> Phase:
    """Phase of one collective over all groups of a dimension.

    Parameters
    ----------
    parts : sequence of (CollectiveTraffic, ndarray of int, shape (count, n))
        Traffic inside a group, and the ranks of the groups. Two parts where data moves both ways.
    payload_bytes, sent_bytes : float
        Of the busiest rank, per step.

    Returns
    -------
    Phase
        With ``fabric`` None, and bytes and pairs counted between GPUs, when no host is ever left.
    """
    flows = merge_flows([expand(traffic, seats.endpoints[ranks], seats.hosts[ranks]) for traffic, ranks in parts])
    size = parts[0][1].shape[1]
    inside = flows.pairs == 0
    return Phase(
        name=name,
        collective=collective_name,
        fabric=None if inside else seats.fabric,
        group_size=size,
        payload_bytes_per_rank=payload_bytes,
        sent_bytes_per_rank=sent_bytes,
        total_bytes=sum(len(ranks) * group_bytes(traffic, size) for traffic, ranks in parts) if inside else flows.total,
        pairs=sum(len(ranks) * group_pairs(traffic, size) for traffic, ranks in parts) if inside else flows.pairs,
        flows=Flows.none() if inside else flows,
        overlaps_compute=overlaps_compute,
    )
