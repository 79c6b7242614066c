"""What a technician calls the nodes of a topology: devices, and the ports of hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from fabric.scenario.load import LoadedScenario
from topologies.columns import Ints
from topologies.topology import Topology

_EXACT = 1e-9  # speeds that agree


@dataclass(frozen=True)
class NicCages:
    """How the ports of a host's NICs share cages: neighbouring NICs, and the parts that a port is split into."""

    ports: int = 1  # of each NIC
    nics: int = 1  # that share a cage
    parts: int = 1  # ports that are parts of one


@dataclass(frozen=True, eq=False)
class Devices:
    """Devices of a fabric, node by node.

    Attributes
    ----------
    name : tuple of str
        The device that every node is in: NICs of a GPU are in their host.
    nic : tuple of int
        Which NIC of its host a node is; -1 where a node has all of them.
    cages : tuple
        Ports of each NIC, and how they share cages.
    """

    fabric: str
    name: tuple[str, ...]
    nic: tuple[int, ...]
    cages: tuple[NicCages, ...]
    shared: frozenset[str]  # hosts that are on another fabric as well

    def host_ports(self, node: Ints, port: Ints) -> list[str]:
        """Names of ports of hosts: ``nic2``, ``nic2p1`` where NICs have several, with the fabric where hosts have many.

        Parameters
        ----------
        node, port : ndarray
            Nodes, and their ports from 0.
        """
        named: list[str] = []
        for host, at in zip(node.tolist(), port.tolist(), strict=True):
            nic, place = self._nic_port(host, at)
            each = self.cages[host].ports
            text = f"nic{nic}p{place + 1}" if each > 1 else f"nic{nic}"
            named.append(f"{self.fabric}-{text}" if self.name[host] in self.shared else text)
        return named

    def _nic_port(self, node: int, port: int) -> tuple[int, int]:
        """NIC and its port, from 0, of a port of a node."""
        own = self.nic[node]
        return (own, port) if own >= 0 else divmod(port, self.cages[node].ports)

    def host_cages(self, node: Ints, port: Ints) -> tuple[list[int], list[int], list[int]]:
        """What holds the cage of a port of a host, the number of the cage in it, and the links that it has room for.

        NICs of one host that share a cage are held by the first of its nodes.
        """
        holders: list[int] = []
        numbers: list[int] = []
        rooms: list[int] = []
        for host, at in zip(node.tolist(), port.tolist(), strict=True):
            (nic, place), cages = self._nic_port(host, at), self.cages[host]
            shares = cages.nics > 1
            holders.append(self._first[self.name[host]] if shares else host)
            numbers.append(
                (nic // cages.nics * cages.ports if shares or self.nic[host] < 0 else 0) + place // cages.parts
            )
            rooms.append(cages.nics * cages.parts)
        return holders, numbers, rooms

    @cached_property
    def _first(self) -> dict[str, int]:
        """First node of every device."""
        return {name: node for node, name in reversed(list(enumerate(self.name)))}


def devices_of(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> dict[str, Devices]:
    """Devices of all fabrics."""
    hosts = {fabric: _hosts(topology) for fabric, topology in topologies.items()}
    on = Counter(name for fabric, topology in topologies.items() for name in _host_names(topology, hosts[fabric]))
    shared = frozenset(name for name, fabrics in on.items() if fabrics > 1)
    made: dict[str, Devices] = {}
    for fabric, topology in topologies.items():
        names, nics = zip(*hosts[fabric], strict=True) if hosts[fabric] else ((), ())
        known = _nic_cages(loaded, fabric)
        ends = topology.nodes.nics.tolist()
        cages = (_with_ports(known.get(name), nic, end) for name, nic, end in zip(names, nics, ends, strict=True))
        made[fabric] = Devices(fabric, names, nics, tuple(cages), shared)
    return made


def _hosts(topology: Topology) -> list[tuple[str, int]]:
    """Device and NIC of every node: endpoints called ``host.nic3`` on rail 3 are NICs of one host."""
    rails, nics = topology.nodes.rail.tolist(), topology.nodes.nics.tolist()
    devices: list[tuple[str, int]] = []
    for name, rail, ends in zip(topology.nodes.name, rails, nics, strict=True):
        suffix = f".nic{rail}"
        is_nic = ends > 0 and rail >= 0 and name.endswith(suffix)
        devices.append((name[: -len(suffix)], rail) if is_nic else (name, -1))
    return devices


def _host_names(topology: Topology, devices: list[tuple[str, int]]) -> set[str]:
    """Hosts of a fabric."""
    switch = topology.is_switch.tolist()
    return {name for (name, _), is_switch in zip(devices, switch, strict=True) if not is_switch}


def _with_ports(known: NicCages | None, nic: int, links: int) -> NicCages:
    """Of a node: as the scenario says, else a node that is one NIC has as many ports as links."""
    return known if known is not None else NicCages(max(links, 1)) if nic >= 0 else NicCages()


def _nic_cages(loaded: LoadedScenario, fabric: str) -> dict[str, NicCages]:
    """By host, as the scenario and the model of the NIC say."""
    cages: dict[str, NicCages] = {}
    for group in loaded.scenario.nodes:
        nic = group.nics.get(fabric)
        if nic is None:
            continue
        row = loaded.catalogue.nics.get(nic.model or "")
        parts = nic.ports_per_nic // row.ports if row and nic.ports_per_nic % row.ports == 0 else 1
        if row is None or parts * nic.gbps > row.speed * (1 + _EXACT):
            parts = 1
        cages |= dict.fromkeys(group.host_names(), NicCages(nic.ports_per_nic, row.nics_per_cage if row else 1, parts))
    return cages
