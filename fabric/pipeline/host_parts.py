"""Hosts and NICs of a fabric by name: which nodes a host is, which links are of a NIC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Ints, column
from topologies.topology import Topology
from traffic.inventory import Inventory


@dataclass(frozen=True, eq=False)
class Nic:
    """A card: its links, one direction each, out of the host."""

    name: str
    host: str
    links: Ints


class LinksOfNodes:
    """Links of every node: those that leave it, reach it, or are patched through it; both directions, ascending."""

    def __init__(self, topology: Topology) -> None:
        links, count = topology.links, len(topology.nodes)
        node = [links.src, links.dst]
        ids = [np.arange(len(links))] * 2
        if topology.circuit is not None:
            through = np.flatnonzero(topology.circuit >= 0)
            node.append(topology.circuit[through])
            ids.append(through)
        pairs = np.unique(np.concatenate(node).astype(np.int64) * max(len(links), 1) + np.concatenate(ids))
        self._link = column(pairs % max(len(links), 1), np.int32)
        self._start = np.searchsorted(pairs // max(len(links), 1), np.arange(count + 1))

    def of(self, node: int) -> Ints:
        """Links of one node."""
        return self._link[int(self._start[node]) : int(self._start[node + 1])]

    def of_all(self, nodes: Sequence[int]) -> Ints:
        """Links of several nodes, each once."""
        if len(nodes) == 1:
            return self.of(nodes[0])
        every = [self.of(node) for node in nodes]
        return column(np.unique(np.concatenate([np.empty(0, dtype=np.int32), *every])), np.int32)


class HostsOfFabric:
    """Hosts of one fabric: listed in the scenario, in the file of the topology, or as its builder made them."""

    def __init__(self, fabric: str, inventory: Inventory) -> None:
        self.fabric = fabric
        self._inventory = inventory
        self.topology = inventory.topologies[fabric]

    @cached_property
    def nodes(self) -> Mapping[str, tuple[int, ...]]:
        """Endpoints of every host, by its name."""
        topology, hosts = self.topology, dict[str, tuple[int, ...]]()
        for group in self._inventory.groups.values():
            if self.fabric not in group.nics:
                continue
            rows = self._inventory.host_endpoints(self.fabric, group.name).tolist()
            hosts |= {host: tuple(dict.fromkeys(row)) for host, row in zip(group.hosts, rows, strict=True)}
        for host, names in self._inventory.endpoints.get(self.fabric, {}).items():
            hosts.setdefault(host, tuple(topology.node(name) for name in names if topology.has_node(name)))
        known = {node for nodes in hosts.values() for node in nodes}
        others: dict[str, list[int]] = {}
        for node in topology.endpoint_nodes.tolist():
            if node not in known:
                others.setdefault(topology.nodes.name[node].split(".nic", 1)[0], []).append(node)
        return hosts | {host: tuple(nodes) for host, nodes in others.items() if host not in hosts}

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        """Node group of every listed host."""
        return {host: group.name for group in self._inventory.groups.values() for host in group.hosts}

    @cached_property
    def nics(self) -> Mapping[str, Nic]:
        """Every NIC, by its name."""
        links = self.topology.links
        order = column(np.argsort(links.src, kind="stable"), np.int32)
        start = np.searchsorted(links.src[order], np.arange(len(self.topology.nodes) + 1))
        cards: dict[str, Nic] = {}
        for host, nodes in self.nodes.items():
            for number, node in enumerate(nodes):
                leaving = order[start[node] : start[node + 1]]
                own_cards: list[Ints] = self._cards(host, leaving) if len(nodes) == 1 else [leaving]
                for at, card in enumerate(own_cards):
                    name = f"{host}.nic{number + at}"
                    if len(nodes) > 1 or ".nic" in self.topology.nodes.name[node]:
                        name = self.topology.nodes.name[node]
                    cards[name] = Nic(name, host, column(card, np.int32))
        return cards

    def _cards(self, host: str, leaving: Ints) -> list[Ints]:
        """Links of each NIC of a host that is one endpoint: a port of a NIC leads to every plane, else each is one."""
        group = self._inventory.groups.get(self.group_of.get(host, ""))
        ports = group.nics[self.fabric].ports if group is not None and self.fabric in group.nics else 0
        plane = self.topology.nodes.plane[self.topology.links.dst[leaving]]
        if group is None and len(np.unique(plane)) > 1:
            ports = len(np.unique(plane))
        if ports <= 1 or len(leaving) % ports:
            return [leaving[at : at + 1] for at in range(len(leaving))]
        rank = np.empty(len(leaving), dtype=np.int64)
        by_plane = np.argsort(plane, kind="stable")
        first = np.searchsorted(plane[by_plane], plane[by_plane], side="left")
        rank[by_plane] = np.arange(len(leaving)) - first
        if (np.bincount(rank) != ports).any():  # its ports do not lead to planes
            rank = np.arange(len(leaving)) // ports
        return [leaving[rank == card] for card in range(len(leaving) // ports)]
