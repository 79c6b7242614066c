"""What stands in racks: hosts and switches with their height, power and depth, and the cables between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from fabric.scenario.load import LoadedScenario
from fabric.scenario.racks import node_units
from fabric.site.site_plan import device_key
from topologies.builder import names_of
from topologies.catalogue import SwitchModel
from topologies.columns import Floats, Ints, column
from topologies.registry import Spec
from topologies.switches import SwitchPorts, SwitchSpec, switch_of_role
from topologies.topology import Topology, role_nodes

SWITCH_UNITS = 2  # of a switch that has no model
_SEPARATORS = ".: _/-"  # between the name of a host and its adapter


@dataclass(frozen=True)
class Device:
    """A host or switch."""

    name: str
    fabric: str | None  # of a switch
    level: int  # above the hosts, 0 of hosts
    model: str | None
    units: int
    power_w: float | None
    depth_m: float | None
    where: tuple[str | int, ...]  # key of the scenario it is described at

    @property
    def key(self) -> str:
        """As ``SitePlan.by_device`` knows it."""
        return device_key(self.name, self.fabric)


@dataclass(frozen=True, eq=False)
class Equipment:
    """All devices, and the cables between them.

    Attributes
    ----------
    ends : ndarray, shape (E, 2)
        Devices that are joined, each pair once, the lower first.
    cables : ndarray, shape (E,)
        Cables between them.
    node_device : mapping
        By fabric: device of every node, -1 of none, shape (N,).
    """

    devices: tuple[Device, ...]
    ends: Ints
    cables: Floats
    node_device: Mapping[str, Ints]
    unplaced: Mapping[str, int]  # by fabric: nodes that are neither a switch nor of a listed host


def equipment(loaded: LoadedScenario, topologies: Mapping[str, Topology]) -> Equipment:
    """Hosts and switches of a scenario."""
    devices: list[Device] = []
    hosts: dict[str, int] = {}
    for index, node in enumerate(loaded.scenario.nodes):
        row = node.row
        power = (row.max_w if row.max_w is not None else row.typical_w) if row else None
        depth = row.depth if row else None
        for host in node.host_names():
            hosts[host] = len(devices)
            devices.append(Device(host, None, 0, node.model, node_units(node), power, depth, ("nodes", index)))
    node_device: dict[str, Ints] = {}
    unplaced: dict[str, int] = {}
    for fabric, topology in topologies.items():
        of_node = np.full(len(topology.nodes), -1, dtype=np.int32)
        rows = switch_rows(topology, loaded.scenario.fabrics[fabric].topology)
        for node, name in enumerate(topology.nodes.name):
            host = host_of(name, hosts)
            if host is not None and (topology.nodes.nics[node] > 0 or not topology.is_switch[node]):
                of_node[node] = hosts[host]
            elif topology.is_switch[node]:
                of_node[node] = len(devices)
                devices.append(_switch(name, fabric, int(topology.nodes.level[node]), rows.get(node)))
        node_device[fabric] = column(of_node, np.int32)
        unplaced[fabric] = int(np.count_nonzero(of_node < 0))
    ends, cables = _cables(topologies, node_device, len(devices))
    return Equipment(tuple(devices), ends, cables, node_device, unplaced)


def _switch(name: str, fabric: str, level: int, row: SwitchModel | None) -> Device:
    where = ("fabrics", fabric, "topology")
    if row is None:
        return Device(name, fabric, level, None, SWITCH_UNITS, None, None, where)
    power = row.max_w if row.max_w is not None else row.typical_w
    return Device(name, fabric, level, row.model, row.rack_units, power, row.depth, where)


def host_of(node: str, hosts: Mapping[str, Any]) -> str | None:
    """The host that a node is, or an adapter of.

    >>> host_of("n1.nic3", {"n1": 0}), host_of("n1 mlx5_0", {"n1": 0}), host_of("n12", {"n1": 0})
    ('n1', 'n1', None)
    """
    if node in hosts:
        return node
    at = len(node)
    while at > 0:
        at = max(node.rfind(mark, 0, at) for mark in _SEPARATORS)
        if at > 0 and node[:at] in hosts:
            return node[:at]
    return None


def switch_rows(topology: Topology, spec: BaseModel) -> dict[int, SwitchModel]:
    """Catalogue row of every switch whose model the scenario names, by node."""
    rows: dict[int, SwitchModel] = {}
    described: list[Any] = [spec]
    described += [inner for name in type(spec).model_fields if isinstance(inner := getattr(spec, name), Spec)]
    for role in topology.roles:
        switches = [switch for one in described if (switch := switch_of_role(one, role)) is not None]
        row = next((switch.row for switch in switches if switch.row), None)
        if row is not None:
            rows |= {node: row for node in role_nodes(topology, role).tolist() if topology.is_switch[node]}
    listed = getattr(spec, "switches", ())
    for switch in listed if isinstance(listed, tuple) else ():
        if isinstance(switch, SwitchPorts) and switch.row is not None:
            rows |= {topology.node(name): switch.row for name in _listed_names(switch) if topology.has_node(name)}
    return rows


def _listed_names(switch: SwitchPorts) -> list[str]:
    """Names of switches that are listed one by one."""
    if not isinstance(switch, SwitchSpec) or not switch.name:
        return []
    count = switch.count or 1
    return list(names_of(switch.name, count, where="switches")) if count > 1 else [switch.name]


def cable_ends(topology: Topology, node_device: Ints) -> tuple[Ints, Ints, Ints]:
    """Device at both ends of every stretch of cable, and the link it is of; two stretches through an optical switch."""
    links = np.flatnonzero(topology.is_cable)
    src, dst = topology.links.src[links], topology.links.dst[links]
    if topology.circuit is None or not (topology.circuit[links] >= 0).any():
        return node_device[src], node_device[dst], column(links, np.int32)
    middle = topology.circuit[links]
    through = middle >= 0
    ones = np.concatenate([src[~through], src[through], middle[through]])
    others = np.concatenate([dst[~through], middle[through], dst[through]])
    of_link = np.concatenate([links[~through], links[through], links[through]])
    return node_device[ones], node_device[others], column(of_link, np.int32)


def _cables(topologies: Mapping[str, Topology], node_device: Mapping[str, Ints], count: int) -> tuple[Ints, Floats]:
    """Pairs of devices that cables join, each once, and how many do."""
    pairs: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
    for fabric, topology in topologies.items():
        one, other, _ = cable_ends(topology, node_device[fabric])
        known = (one >= 0) & (other >= 0) & (one != other)
        low, high = np.minimum(one, other)[known], np.maximum(one, other)[known]
        pairs.append(low.astype(np.int64) * max(count, 1) + high)
    codes, cables = np.unique(np.concatenate(pairs), return_counts=True)
    ends = np.stack([codes // max(count, 1), codes % max(count, 1)], axis=1)
    return column(ends, np.int32), column(cables, np.float64)
