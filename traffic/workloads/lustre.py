"""``lustre``: files striped over object storage targets, without copies."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count, CountOrZero, RateGbps
from traffic.formula import formula
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between_hosts
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("lustre", example={"servers": "all", "clients": "all", "write": "80 Gb/s", "stripe_count": 4})
def lustre(
    servers: str,
    clients: str,
    fabric: str | None = None,
    stripe_count: Count = 1,
    targets_per_server: Count = 1,
    files_per_client: Count = 1,
    write: RateGbps | None = None,
    read: RateGbps | None = None,
    seed: CountOrZero | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Every client has files of its own, each over ``stripe_count`` neighbouring targets from a random first one.

    Parameters
    ----------
    servers, clients : str
        Node groups; servers are the object storage servers.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    stripe_count : int
        Targets of a file.
    targets_per_server : int
        Object storage targets of every server; targets are numbered round the servers.
    files_per_client : int
        Files that a client works on at a time; few make some servers hotter than others.
    write, read : float
        Traffic of all clients, Gbps.
    seed : int, optional
        Seed of the first targets; without one the scenario's seed decides.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``lustre.write`` and ``lustre.read``.

    References
    ----------
    Lustre Operations Manual, chapter "Managing File Layout (Striping) and Free Space".
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, servers)
    nodes = inventory.host_endpoints(network, servers, where="servers")
    ends = inventory.host_endpoints(network, clients, where="clients")
    targets = len(nodes) * targets_per_server
    if stripe_count > targets:
        raise TrafficError(
            f"a file over {stripe_count} targets, but there are {targets}",
            where="stripe_count",
            hint=f"stripe_count is at most {targets}, or targets_per_server more",
            code="FP4056",
        )
    rng = context.rng if seed is None else np.random.default_rng(seed)
    first = rng.integers(0, targets, (len(ends), files_per_client))
    server = (first[:, :, None] + np.arange(stripe_count)) % targets % len(nodes)
    share = np.zeros((len(ends), len(nodes)))
    np.add.at(share, (np.arange(len(ends))[:, None, None], server), 1 / server.size)
    phases = []
    for name, rate, ends_of in (("write", write, (ends, nodes)), ("read", read, (nodes, ends))):
        amount = column((share if name == "write" else share.T) * (rate or 0.0), np.float64)
        rate_formula = formula(
            "W", "Lustre Operations Manual: no copies", "Gbps", W=(rate or 0.0, "clients' rate, Gbps")
        )
        phases.append(
            steady_phase(f"lustre.{name}", name, network, len(nodes), between_hosts(*ends_of, amount), rate_formula)
        )
    fullest = share.sum(axis=0).max() * len(nodes)
    return WorkloadTraffic(
        id=context.id,
        kind="lustre",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=(f"first targets are drawn at random: the busiest server has {fullest:.2f} of the mean (seed)",),
        warnings=() if write or read else (f"{context.id} has no rate: nothing is sent",),
    )
