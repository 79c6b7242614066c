"""What ranks and storage are placed on: hosts, their GPUs, and the endpoint each uses on every fabric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from topologies.catalogue import GpuModel, ScaleUpModel
from topologies.columns import Ints, column
from topologies.errors import TrafficError, nearest_hint
from topologies.hosts import HostGroup
from topologies.topology import Topology

ALL = "all"  # names every endpoint of a fabric
IMPLICIT = "hosts"  # group name of the hosts a builder made up because the scenario lists none


@dataclass(frozen=True)
class NodeGroup:
    """Hosts of one kind, and their NICs by fabric."""

    name: str
    hosts: tuple[str, ...]
    gpus_per_host: int
    nics: Mapping[str, HostGroup]
    per_rack: int | None = None  # hosts of a rack, where the scenario says
    racks: tuple[int, ...] | None = None  # of every host, where they do not fill racks in order
    gpu: GpuModel | None = None  # what the node model or the scenario says of them
    scale_up: ScaleUpModel | None = None
    resources: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of every host, by kind; see resources.py


@dataclass(frozen=True, eq=False)
class Inventory:
    """All hosts of a scenario and the topologies they are cabled to."""

    groups: Mapping[str, NodeGroup]
    topologies: Mapping[str, Topology]
    endpoints: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By fabric, for hosts that a file names: names of a host's endpoints, NIC by NIC."""

    def fabric_names(self) -> list[str]:
        """Names of the fabrics."""
        return list(self.topologies)

    def group(self, name: str, *, where: str = "group") -> NodeGroup:
        """The node group called ``name``."""
        if name not in self.groups:
            raise TrafficError(
                f"unknown node group {name!r}",
                where=where,
                hint=nearest_hint(name, self.groups, "node groups"),
                code="FP4001",
            )
        return self.groups[name]

    def check_group(self, name: str, *, where: str = "group") -> None:
        """Raise unless ``name`` is a node group or stands for all endpoints of a fabric."""
        if name != ALL and (name != IMPLICIT or self.groups):
            self.group(name, where=where)

    def fabric(self, name: str | None, *, group: str | None = None, where: str = "fabric") -> str:
        """The fabric called ``name``; None means the only one that fits ``group``.

        Among several, a fabric on which the group has one NIC per GPU is the one for collectives.
        """
        if name is not None:
            if name not in self.topologies:
                raise TrafficError(
                    f"unknown fabric {name!r}",
                    where=where,
                    hint=nearest_hint(name, self.topologies, "fabrics"),
                    code="FP4002",
                )
            return name
        candidates = list(self.topologies)
        if group is not None and group in self.groups:
            attached = [fabric for fabric in self.groups[group].nics if fabric in self.topologies]
            candidates = attached or candidates
            rails = [fabric for fabric in attached if self.groups[group].nics[fabric].rail == "per-gpu"]
            candidates = rails if len(rails) == 1 else candidates
        if len(candidates) != 1:
            raise TrafficError(
                f"which fabric does this use? {', '.join(candidates)} are possible",
                where=where,
                hint=f"add fabric: {candidates[0]}" if candidates else "attach the group to a fabric",
                code="FP4003",
            )
        return candidates[0]

    def members(self, fabric: str, group: str, *, where: str = "members") -> Ints:
        """Endpoint node ids of a group on a fabric, in host order, NIC by NIC.

        ``all`` (and ``hosts`` where the scenario lists no nodes) means every endpoint of the fabric.
        """
        topology = self.topologies[fabric]
        if group not in self.groups and (group == ALL or (group == IMPLICIT and not self.groups)):
            return topology.endpoint_nodes
        return column(np.unique(self.host_endpoints(fabric, group, where=where)), np.int32)

    def host_endpoints(self, fabric: str, group: str, *, where: str = "group") -> Ints:
        """Endpoint node ids, shape (hosts, NIC endpoints per host); one column where NICs are shared."""
        if group not in self.groups and (group == ALL or (group == IMPLICIT and not self.groups)):
            return column(self.topologies[fabric].endpoint_nodes[:, None], np.int32)
        entry = self.group(group, where=where)
        nics = entry.nics.get(fabric)
        if nics is None:
            raise TrafficError(
                f"{group!r} has no NIC on fabric {fabric!r}",
                where=where,
                hint=f"it has NICs on: {', '.join(entry.nics) or 'none'}",
                code="FP4004",
            )
        topology = self.topologies[fabric]
        per_host = nics.nics if nics.rail == "per-gpu" else 1
        listed = self.endpoints.get(fabric, {})
        names = [
            listed[host][nic] if host in listed else nics.nic_name(host, nic)
            for host in entry.hosts
            for nic in range(per_host)
        ]
        return column(_ids(topology, names).reshape(len(entry.hosts), per_host), np.int32)

    def host_names(self, fabric: str, group: str) -> tuple[str, ...]:
        """Names of a group's hosts; the endpoints of the fabric where the scenario lists no nodes."""
        if group in self.groups:
            return self.groups[group].hosts
        members = self.host_endpoints(fabric, group)
        return tuple(self.topologies[fabric].nodes.name[int(node)] for node in members[:, 0])

    def racks(self, group: str, hosts: int) -> Ints:
        """Rack of every host of a group, -1 where the scenario does not say, shape (hosts,)."""
        stated = self.groups[group].racks if group in self.groups else None
        if stated is not None:
            return column(stated, np.int32)
        per_rack = self.groups[group].per_rack if group in self.groups else None
        return column(np.arange(hosts) // per_rack if per_rack else np.full(hosts, -1), np.int32)

    def gpus_per_host(self, group: str, *, where: str = "group") -> int:
        """GPUs in each host of a group; 1 for hosts that the scenario does not describe."""
        return self.group(group, where=where).gpus_per_host if group in self.groups else 1

    def scale_up(self, group: str) -> ScaleUpModel | None:
        """What joins the GPUs of a group beside the NICs, where the scenario or its node model says."""
        return self.groups[group].scale_up if group in self.groups else None

    def resources(self, group: str) -> Mapping[str, tuple[int, ...]]:
        """Processors, memory and storage of every host of a group, where the scenario says."""
        return self.groups[group].resources if group in self.groups else {}

    def gpu_endpoints(self, fabric: str, group: str, *, where: str = "group") -> Ints:
        """Endpoint each GPU sends from, shape (hosts, GPUs per host): its own NIC, or the one it shares."""
        endpoints = self.host_endpoints(fabric, group, where=where)
        gpus = max(self.gpus_per_host(group, where=where), 1)
        nic_of_gpu = np.arange(gpus) * endpoints.shape[1] // gpus
        return column(endpoints[:, nic_of_gpu], np.int32)


def _ids(topology: Topology, names: list[str]) -> Ints:
    """Node ids of names, shape (names,); builders list endpoints in a row, which needs no look-up name by name."""
    listed = topology.nodes.name
    if names and names[0] in listed:
        first = listed.index(names[0])
        if listed[first : first + len(names)] == tuple(names):
            return column(np.arange(first, first + len(names)), np.int32)
    return column([topology.node(name) for name in names], np.int32)
