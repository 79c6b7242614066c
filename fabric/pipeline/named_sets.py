"""What a scenario has names for beside nodes and links: hosts, NICs, racks, risk groups, single failure cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.pipeline.line_cards import line_cards
from fabric.scenario.racks import hosts_by_rack
from fabric.scenario.schema import Scenario
from topologies.columns import Ints, column
from topologies.errors import TopologyError
from topologies.named_parts import find_link, select
from topologies.topology import Topology
from traffic.inventory import Inventory

Chosen = tuple[Ints, Ints]  # nodes and links of one fabric


class ScenarioSets:
    """Hosts, NICs, racks and groups of a scenario on its fabrics; ``topologies.named_parts.NamedSets``."""

    def __init__(self, scenario: Scenario, inventory: Inventory) -> None:
        self.scenario = scenario
        self.topologies: Mapping[str, Topology] = inventory.topologies
        self.hosts_of = {fabric: HostsOfFabric(fabric, inventory) for fabric in inventory.topologies}
        self._cards: dict[str, Mapping[str, Ints]] = {}
        self._open: list[str] = []  # groups whose members are being looked up

    @cached_property
    def racks(self) -> Mapping[str, tuple[str, ...]]:
        """Hosts of every rack."""
        return hosts_by_rack(self.scenario)

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Members of every risk group, and of every failure that is one case."""
        cases = {
            entry.name: (*(entry.down or ()), *(entry.drain or ()))
            for entry in self.scenario.failures
            if entry.down or entry.drain
        }
        return cases | {group.name: group.members for group in self.scenario.risk_groups}

    def cards_of(self, fabric: str) -> Mapping[str, Ints]:
        """Links of every line card of a fabric."""
        if fabric not in self._cards:
            self._cards[fabric] = line_cards(self.topologies[fabric], self.scenario.fabrics[fabric])
        return self._cards[fabric]

    def named(self, fabric: str, key: str, name: str) -> Chosen | None:
        """Nodes and links on one fabric of what ``key=name`` says; None where it is not known there."""
        if not name:
            return None
        if key in ("", "host"):
            return self._hosts(fabric, (name,))
        if key == "nic":
            card = self.hosts_of[fabric].nics.get(name)
            return None if card is None else (_none(), card.links)
        if key in ("nic-port", "cable", "switch"):
            return self._part(fabric, key, name)
        if key == "line-card" and name in self.cards_of(fabric):
            return _none(), self.cards_of(fabric)[name]
        kinds = [group.kind for group in self.scenario.risk_groups if group.name == name]
        if key == "rack" and (name in self.racks or "rack" in kinds):
            return self._rack(fabric, name)
        if (key == "group" and name in self.groups) or key in kinds:
            return self._group(fabric, name)
        return None

    def _part(self, fabric: str, key: str, name: str) -> Chosen | None:
        topology = self.topologies[fabric]
        if key == "switch":
            nodes = [topology.node(name)] if topology.has_node(name) else []
            return (column(nodes, np.int32), _none()) if nodes else None
        links = find_link(topology, name, fabric=fabric)
        return (_none(), links) if len(links) else None

    def _hosts(self, fabric: str, hosts: Iterable[str]) -> Chosen | None:
        of_host = self.hosts_of[fabric].nodes
        nodes = [node for host in hosts for node in of_host.get(host, ())]
        return (column(sorted(set(nodes)), np.int32), _none()) if nodes else None

    def _rack(self, fabric: str, name: str) -> Chosen | None:
        standing = self._hosts(fabric, self.racks.get(name, ()))
        added = self._group(fabric, name) if any(group.name == name for group in self.scenario.risk_groups) else None
        if standing is None or added is None:
            return standing or added
        return _both(standing, added)

    def _group(self, fabric: str, name: str) -> Chosen | None:
        """All members of a group on a fabric.

        Raises
        ------
        TopologyError
            When the group is a member of itself (FP3105).
        """
        if name in self._open:
            way = " -> ".join([*self._open[self._open.index(name) :], name])
            raise TopologyError(
                f"group {name!r} is a member of itself: {way}", hint="take it out of its own members", code="FP3105"
            )
        self._open.append(name)
        try:
            chosen = (_none(), _none())
            for member in self.groups[name]:
                nodes, links = select(self.topologies[fabric], fabric, member, self)
                chosen = _both(chosen, (column(nodes, np.int32), column(links, np.int32)))
        finally:
            self._open.pop()
        return chosen if len(chosen[0]) or len(chosen[1]) else None

    def names(self) -> Iterable[str]:
        """What texts may have meant, for hints."""
        for hosts in self.hosts_of.values():
            yield from hosts.nodes
        yield from (f"rack={rack}" for rack in self.racks)
        yield from (f"group={group}" for group in self.groups)


def _none() -> Ints:
    return column([], np.int32)


def _both(one: Chosen, other: Chosen) -> Chosen:
    nodes, links = (np.union1d(a, b) for a, b in zip(one, other, strict=True))
    return column(nodes, np.int32), column(links, np.int32)
