"""The servers of a storage workload: in which rack and pod each stands, what its disks hold, and how data is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.pipeline.prepared import PreparedScenario
from fabric.scenario.racks import hosts_by_rack
from fabric.scenario.workload_schema import Workload
from fabric.share.schedulers.export import scheduler_plan
from fabric.share.schedulers.node_labels import host_labels, level_keys
from topologies.errors import ScenarioError, nearest_hint
from topologies.topology import Topology

KIND = "storage"
RACKED = (KIND, "hdfs")  # kinds whose servers have racks that are exported


@dataclass(frozen=True)
class Devices:
    """OSDs of one class in every server."""

    device_class: str
    count: int
    size_bytes: float


@dataclass(frozen=True)
class StorageCluster:
    """Servers of one workload in the order of the scenario.

    Attributes
    ----------
    racks, pods : tuple of str
        Of every server; empty where none is known, or pods and racks cross.
    labels : tuple of mapping
        Of every server: the label of its Kubernetes node that says its place among the first switches.
    data, parity : int
        1 and copies less one, or k and m.
    """

    id: str
    fabric: str
    hosts: tuple[str, ...]
    racks: tuple[str, ...]
    pods: tuple[str, ...]
    labels: tuple[Mapping[str, str], ...]
    devices: tuple[Devices, ...]
    data: int
    parity: int
    erasure: bool
    stored_bytes: float | None

    def check_devices(self, what: str) -> None:
        """Refuse a workload that does not say what its servers have to store on (FP9763)."""
        if not self.devices:
            raise ScenarioError(
                f"{self.id} does not say which {what} its servers have",
                where=("workloads",),
                hint="devices: [{class: nvme, count: 24, size: 7.68 TB}]",
                code="FP9763",
            )

    @property
    def members(self) -> int:
        """Servers that keep a part of an object."""
        return self.data + self.parity

    @cached_property
    def rack_sizes(self) -> dict[str, int]:
        """Servers of every rack that has one."""
        return {name: self.racks.count(name) for name in dict.fromkeys(self.racks) if name}

    def filled(self, devices: Devices) -> float | None:
        """Part of the devices of a class that data and copies fill; None where nothing says how much it is."""
        if self.stored_bytes is None:
            return None
        whole = len(self.hosts) * devices.count * devices.size_bytes
        return self.stored_bytes * self.members / self.data / whole


def storage_workload(workloads: Sequence[Workload], name: str | None, kinds: Sequence[str] = (KIND,)) -> Workload:
    """The storage workload of that name, or the only one.

    Raises
    ------
    ScenarioError
        When there is none, or several and none is named (FP9760).
    """
    own = [one for one in workloads if one.kind in kinds]
    found = [one for one in own if name is None or one.id == name]
    if len(found) == 1:
        return found[0]
    if not own:
        message, hint = (
            f"the scenario has no workload of kind {_words(kinds)}",
            "add one: servers, clients, read, stored",
        )
    elif name is None:
        message, hint = f"{len(own)} workloads are of kind {_words(kinds)}", f"--workload {own[0].id}"
    else:
        message = f"--workload {name!r} is not a workload of kind {_words(kinds)}"
        hint = nearest_hint(name, [one.id for one in own], "storage workloads")
    raise ScenarioError(message, where=("workloads",), hint=hint, code="FP9760")


def _words(kinds: Sequence[str]) -> str:
    return " or ".join(kinds)


def cluster_of(run: PreparedScenario, workload: Workload) -> StorageCluster:
    """The servers of a workload, as the scenario and its network have them."""
    spec = workload.spec
    servers, inventory = getattr(spec, "servers", ""), run.network.inventory
    (traffic,) = [one for one in run.traffic if one.id == workload.id]
    fabric = next((phase.fabric for phase in traffic.phases if phase.fabric), None) or getattr(spec, "fabric", None)
    if fabric is None:
        raise ScenarioError(
            f"{workload.id} sends nothing, so that no layout is better than another",
            where=("workloads",),
            hint="add read: or write:",
            code="FP9760",
        )
    topology = run.network.topologies[fabric]
    hosts = inventory.host_names(fabric, servers)
    of_host = {host: rack for rack, standing in hosts_by_rack(run.loaded.scenario).items() for host in standing}
    racks = tuple(of_host.get(host, "") for host in hosts)
    first = [_first_switch(topology, ends.tolist()) for ends in inventory.host_endpoints(fabric, servers)]
    erasure, copies = getattr(spec, "erasure", None), getattr(spec, "replication", None) or 3
    return StorageCluster(
        id=workload.id,
        fabric=fabric,
        hosts=hosts,
        racks=racks if all(racks) else ("",) * len(hosts),
        pods=_pods(topology, first, racks),
        labels=_labels(run, fabric, hosts),
        devices=tuple(Devices(one.device_class, one.count, one.size) for one in getattr(spec, "devices", ())),
        data=erasure.k if erasure else 1,
        parity=erasure.m if erasure else copies - 1,
        erasure=erasure is not None,
        stored_bytes=getattr(spec, "stored", None),
    )


def _labels(run: PreparedScenario, fabric: str, hosts: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    """Of every host the label of its lowest group, as the export of labels writes it."""
    plan = scheduler_plan(run.loaded, run.network, fabric=fabric)
    tree, keys = plan.trees[fabric], plan.labels
    lowest = level_keys(tree, keys)[0] if keys is not None and len(tree.levels) else ""
    own = host_labels(plan, tree) if lowest else {}
    return tuple({key: value for key, value in own.get(host, {}).items() if key == lowest} for host in hosts)


def _first_switch(topology: Topology, ends: list[int]) -> int | None:
    """The only switch that a host is cabled to; None where there are several."""
    found = np.unique(topology.links.dst[np.isin(topology.links.src, ends)])
    return int(found[0]) if len(found) == 1 else None


def _pods(topology: Topology, first: list[int | None], racks: tuple[str, ...]) -> tuple[str, ...]:
    """Pod of every server, where each has one and no rack is in two."""
    numbers = [-1 if one is None else int(topology.nodes.pod[one]) for one in first]
    crossing = len(set(zip(racks, numbers, strict=True))) > len(set(racks))
    if min(numbers, default=-1) < 0 or crossing or len(set(numbers)) < 2:
        return ("",) * len(numbers)
    return tuple(f"pod{number}" for number in numbers)
