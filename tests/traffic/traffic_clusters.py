"""Small clusters that the traffic tests place jobs on.

gpu hosts n0 n1 ...   one endpoint per GPU on ``backend`` (n0.nic0 ...), one endpoint on ``storage`` (n0)
osd hosts osd0 ...    one endpoint on ``storage``
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from topologies.assemble import assemble
from topologies.hosts import HostGroup
from topologies.topology import Topology
from traffic.inventory import Inventory, NodeGroup
from traffic.workload import WORKLOADS, Phase, WorkloadContext, WorkloadTraffic


def star(endpoints: list[str], *, leaves: int = 1) -> Topology:
    """Endpoints dealt in blocks over leaves that meet in one spine."""
    net = assemble("star", "star")
    nodes = net.hosts(endpoints)
    leaf = net.switches("leaf", [f"leaf{i}" for i in range(leaves)], level=1)
    spine = net.switches("spine", ["spine0"], level=2)
    net.cables(nodes, leaf[np.arange(len(endpoints)) * leaves // len(endpoints)], 400.0)
    net.cables(leaf, spine[0], 400.0)
    return net.freeze()


def cluster(hosts: int, *, gpus: int = 8, servers: int = 4) -> Inventory:
    """GPU hosts with a rail fabric, and storage servers on a second fabric."""
    names = tuple(f"n{i}" for i in range(hosts))
    osds = tuple(f"osd{i}" for i in range(servers))
    backend = HostGroup("gpu", names, gpus, 400.0, rail="per-gpu")
    storage = HostGroup("gpu", names, 2, 200.0)
    ends = [backend.nic_name(host, nic) for host in names for nic in range(gpus)]
    return Inventory(
        groups={
            "gpu": NodeGroup("gpu", names, gpus, {"backend": backend, "storage": storage}),
            "ceph": NodeGroup("ceph", osds, 0, {"storage": HostGroup("ceph", osds, 4, 200.0)}),
        },
        topologies={"backend": star(ends), "storage": star([*names, *osds])},
    )


def plain(endpoints: int, *, leaves: int = 1) -> Inventory:
    """One fabric of endpoints that the scenario does not describe."""
    return Inventory(groups={}, topologies={"main": star([f"h{i}" for i in range(endpoints)], leaves=leaves)})


def context(inventory: Inventory, directory: Path = Path(), *, seed: int = 0) -> WorkloadContext:
    """What a workload is given besides its keys."""
    return WorkloadContext("job", inventory, np.random.default_rng(seed), directory)


def run(kind: str, inventory: Inventory, directory: Path = Path(), **keys: Any) -> WorkloadTraffic:
    """Validate keys as a scenario's and run the workload."""
    return WORKLOADS[kind]({"kind": kind, **keys}, context=context(inventory, directory))


def phase(traffic: WorkloadTraffic, name: str) -> Phase:
    """The phase called ``name``."""
    return next(found for found in traffic.phases if found.name == name)
