"""What a technician calls the nodes of a topology: devices, and the ports of hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fabric.scenario.load import LoadedScenario
from topologies.columns import Ints
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class Devices:
    """Devices of a fabric, node by node.

    Attributes
    ----------
    name : tuple of str
        The device that every node is in: NICs of a GPU are in their host.
    nic : tuple of int
        Which NIC of its host a node is; -1 where a node has all of them.
    ports : tuple of int
        Ports of each NIC.
    """

    fabric: str
    name: tuple[str, ...]
    nic: tuple[int, ...]
    ports: tuple[int, ...]
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
            each, own = self.ports[host], self.nic[host]
            nic, place = (own, at) if own >= 0 else divmod(at, each)
            text = f"nic{nic}p{place + 1}" if each > 1 else f"nic{nic}"
            named.append(f"{self.fabric}-{text}" if self.name[host] in self.shared else text)
        return named


def devices_of(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> dict[str, Devices]:
    """Devices of all fabrics."""
    hosts = {fabric: _hosts(topology) for fabric, topology in topologies.items()}
    on = Counter(name for fabric, topology in topologies.items() for name in _host_names(topology, hosts[fabric]))
    shared = frozenset(name for name, fabrics in on.items() if fabrics > 1)
    made: dict[str, Devices] = {}
    for fabric, topology in topologies.items():
        names, nics = zip(*hosts[fabric], strict=True) if hosts[fabric] else ((), ())
        made[fabric] = Devices(fabric, names, nics, _nic_ports(loaded, fabric, topology, names, nics), shared)
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


def _nic_ports(
    loaded: LoadedScenario, fabric: str, topology: Topology, names: tuple[str, ...], nics: tuple[int, ...]
) -> tuple[int, ...]:
    """Ports of each NIC of every node: as the scenario says, else all links of a node that is one NIC."""
    known = {
        host: group.nics[fabric].ports_per_nic
        for group in loaded.scenario.nodes
        if fabric in group.nics
        for host in group.host_names()
    }
    ends = topology.nodes.nics.tolist()
    return tuple(
        known.get(name, 1) if nic < 0 else max(known.get(name, 1), end)
        for name, nic, end in zip(names, nics, ends, strict=True)
    )
