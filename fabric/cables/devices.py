"""What a technician calls the nodes of a topology: devices, and the ports of hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.scenario.load import LoadedScenario
from fabric.site.devices import host_of
from fabric.site.site_plan import device_key
from topologies.columns import Bools, Ints, Longs
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
        The device that every node is in: NICs of a GPU are in their host. Switches of two fabrics that share a name
        have that of their fabric before it.
    key : tuple of str
        The same as a site plan knows it.
    nic : tuple of int
        Which NIC of its host a node is; -1 where a node has all of them.
    cages : tuple
        Ports of each NIC, and how they share cages.
    """

    fabric: str
    name: tuple[str, ...]
    key: tuple[str, ...]
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
        nic, place = self._nic_ports(node, port)
        each, _, _ = self._cage_columns
        key = label_codes([nic, place, each[node] > 1, self._is_shared[node]])
        _, first, number = np.unique(key, return_index=True, return_inverse=True)
        labels = zip(nic[first].tolist(), place[first].tolist(), node[first].tolist(), strict=True)
        named = np.array([self._port_name(*label) for label in labels], dtype=object)
        texts: list[str] = named[number].tolist()
        return texts

    def _port_name(self, nic: int, place: int, host: int) -> str:
        text = f"nic{nic}p{place + 1}" if self.cages[host].ports > 1 else f"nic{nic}"
        return f"{self.fabric}-{text}" if self.name[host] in self.shared else text

    def _nic_ports(self, node: Ints, port: Ints) -> tuple[Longs, Longs]:
        """NIC and its port, from 0, of ports of nodes."""
        own, (each, _, _) = self._nic_column[node], self._cage_columns
        nic, place = np.divmod(port.astype(np.int64), each[node])
        return np.where(own >= 0, own, nic), np.where(own >= 0, port, place)

    @cached_property
    def _nic_column(self) -> Longs:
        return np.array(self.nic, dtype=np.int64)

    @cached_property
    def _cage_columns(self) -> tuple[Longs, Longs, Longs]:
        """Ports, NICs and parts of the cages of every node."""
        kinds = {cages: number for number, cages in enumerate(dict.fromkeys(self.cages))}
        code = np.array([kinds[cages] for cages in self.cages], dtype=np.int64)
        ports, nics, parts = (
            np.array([getattr(cages, key) for cages in kinds], dtype=np.int64)[code]
            for key in ("ports", "nics", "parts")
        )
        return ports, nics, parts

    @cached_property
    def _is_shared(self) -> Bools:
        """Whether the host of every node is on another fabric as well."""
        if not self.shared:
            return np.zeros(len(self.name), dtype=np.bool_)
        return np.array([name in self.shared for name in self.name], dtype=np.bool_)

    def host_cages(self, node: Ints, port: Ints) -> tuple[Longs, Longs, Longs]:
        """What holds the cage of a port of a host, the number of the cage in it, and the links that it has room for.

        NICs of one host that share a cage are held by the first of its nodes.
        """
        nic, place = self._nic_ports(node, port)
        ports, nics, parts = (values[node] for values in self._cage_columns)
        shares = nics > 1
        holder = node.astype(np.int64)
        sharing = np.flatnonzero(shares)
        holder[sharing] = [self._first[self.name[host]] for host in node[sharing].tolist()]
        before = np.where(shares | (self._nic_column[node] < 0), nic // nics * ports, 0)
        return holder, before + place // parts, nics * parts

    @cached_property
    def _first(self) -> dict[str, int]:
        """First node of every device."""
        return {name: node for node, name in reversed(list(enumerate(self.name)))}


def label_codes(columns: Sequence[np.ndarray]) -> Longs:
    """A number for every row of some columns of small numbers, the same for equal rows only."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for values in columns:
        least = int(values.min(initial=0))
        code = code * (int(values.max(initial=0)) - least + 1) + values - least
    return code


def devices_of(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> dict[str, Devices]:
    """Devices of all fabrics."""
    listed = {host: 0 for group in loaded.scenario.nodes for host in group.host_names()}
    hosts = {fabric: _hosts(topology, listed) for fabric, topology in topologies.items()}
    on = Counter(name for fabric, topology in topologies.items() for name in _host_names(topology, hosts[fabric]))
    shared = frozenset(name for name, fabrics in on.items() if fabrics > 1)
    often = Counter(name for net in topologies.values() for name in _switch_names(net))
    made: dict[str, Devices] = {}
    for fabric, topology in topologies.items():
        names, nics = zip(*hosts[fabric], strict=True) if hosts[fabric] else ((), ())
        known = _nic_cages(loaded, fabric)
        ends = topology.nodes.nics.tolist()
        cages = (_with_ports(known.get(name), nic, end) for name, nic, end in zip(names, nics, ends, strict=True))
        switch = topology.is_switch.tolist()
        keys = tuple(
            device_key(name, fabric if is_switch else None) for name, is_switch in zip(names, switch, strict=True)
        )
        shown = (
            key if is_switch and often[name] > 1 else name
            for name, key, is_switch in zip(names, keys, switch, strict=True)
        )
        made[fabric] = Devices(fabric, tuple(shown), keys, nics, tuple(cages), shared)
    return made


def _hosts(topology: Topology, known: Mapping[str, int]) -> list[tuple[str, int]]:
    """Device and NIC of every node: endpoints called ``host.nic3`` on rail 3 are NICs of one host.

    Adapters that a file names, such as ``host mlx5_0``, are in the ``known`` host that their names begin with.
    """
    rails, nics, switch = (values.tolist() for values in (topology.nodes.rail, topology.nodes.nics, topology.is_switch))
    devices: list[tuple[str, int]] = []
    for name, rail, ends, is_switch in zip(topology.nodes.name, rails, nics, switch, strict=True):
        suffix = f".nic{rail}"
        is_nic = ends > 0 and rail >= 0 and name.endswith(suffix)
        host = None if is_nic or is_switch else host_of(name, known)
        devices.append((name[: -len(suffix)], rail) if is_nic else (name if host is None else host, -1))
    return devices


def _host_names(topology: Topology, devices: list[tuple[str, int]]) -> set[str]:
    """Hosts of a fabric."""
    switch = topology.is_switch.tolist()
    return {name for (name, _), is_switch in zip(devices, switch, strict=True) if not is_switch}


def _switch_names(topology: Topology) -> list[str]:
    """Switches of a fabric."""
    switch = topology.is_switch.tolist()
    return [name for name, is_switch in zip(topology.nodes.name, switch, strict=True) if is_switch]


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
