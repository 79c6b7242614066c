"""Which cages the cables of a built network plug into: the devices at both ends, and how many links share a cage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

from fabric.scenario.node_schema import NicSpec, NodeSpec
from fabric.scenario.schema import FabricSpec
from topologies.catalogue import Catalogue
from topologies.columns import Bools, Floats, Longs
from topologies.switches import SwitchPorts, switch_of_role
from topologies.topology import Topology

_EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class CableEnds:
    """Columns over the cables of a topology; both ends of each, the first that of its source.

    Attributes
    ----------
    link : ndarray of int, shape (C,)
        A directed link of the topology for each cable.
    device : ndarray of int, shape (C, 2)
        What an end is plugged into: a node's id; NICs of one host that share cages have the id of the first of them.
    cage_links : ndarray of int, shape (C, 2)
        Links of the cable's speed that its cage holds.
    room_w : ndarray, shape (N,)
        By node: watts of what is plugged in that a switch's largest power has in it, above its typical power.
    cages : ndarray of int, shape (N,)
        Cages that a switch has; -1: not known.
    """

    link: Longs
    device: Longs
    cage_links: Longs
    gbps: Floats  # shape (C,), the faster direction
    tier: Longs  # shape (C,)
    length_m: Floats  # shape (C,), nan: not known
    patched: Bools  # shape (C,), whether it goes through an optical switch
    room_w: Floats
    cages: Longs


def ways_of(switch: SwitchPorts | None) -> int:
    """Links that every port of a switch is broken out into."""
    if switch is None or switch.breakout is None:
        return 1
    return max(switch.ports // max(switch.row.ports if switch.row else (switch.radix or 1), 1), 1)


def nic_ways(nic: NicSpec, catalogue: Catalogue) -> int:
    """Links that share the cage of a NIC: ports of the scenario that are parts of one port of the model."""
    row = catalogue.nics.get(nic.model or "")
    if row is None:
        return 1
    split = nic.ports_per_nic // row.ports if nic.ports_per_nic % row.ports == 0 else 1
    fits = split * nic.gbps <= row.speed * (1 + _EXACT)
    return max(split if fits else 1, 1) * row.nics_per_cage


def cable_ends(
    topology: Topology, spec: FabricSpec, groups: Sequence[tuple[NodeSpec, NicSpec]], catalogue: Catalogue
) -> CableEnds:
    """Ends of all cables of a fabric.

    Parameters
    ----------
    groups : sequence of pairs
        Node groups on the fabric, with their NICs.
    """
    links = topology.links
    cable = np.flatnonzero(topology.is_cable).astype(np.int64)
    back = links.reverse[cable]
    other = np.where(back >= 0, back, cable)
    ends = np.stack([links.src[cable], links.dst[cable]], axis=1)
    ports = np.stack([links.src_ports[cable], links.src_ports[other]], axis=1)
    of_node, room_w, cages = _node_cages(topology, spec.topology)
    share = np.maximum(np.rint(1 / np.clip(ports, _EXACT, None)), 1)
    device = ends.astype(np.int64)
    cage = of_node[ends] * np.where(of_node[ends] > 0, share, 1)
    host_cage, first = _host_cages(topology, groups, catalogue)
    on_host = of_node[ends] == 0
    cage = np.where(on_host, host_cage[ends], cage)
    device = np.where(on_host, first[ends], device)
    circuit = topology.circuit
    return CableEnds(
        cable,
        device,
        cage.astype(np.int64),
        np.maximum(links.capacity_gbps[cable], links.capacity_gbps[other]),
        links.tier[cable].astype(np.int64),
        links.length_m[cable],
        np.zeros(len(cable), np.bool_) if circuit is None else circuit[cable] >= 0,
        room_w,
        cages,
    )


def _node_cages(topology: Topology, spec: BaseModel) -> tuple[Longs, Floats, Longs]:
    """By node: links that a cage of a switch holds where a link takes a whole port (0: a host), its room, its cages."""
    per_role = np.ones(len(topology.roles), np.int64)
    room_w = np.zeros(len(topology.roles))
    cages = np.full(len(topology.roles), -1, np.int64)
    for code, role in enumerate(topology.roles):
        switch = switch_of_role(spec, role)
        row = switch.row if switch else None
        per_role[code] = ways_of(switch) * (row.ports_per_cage if row else 1)
        if row is None:
            continue
        cages[code] = -(-row.ports // row.ports_per_cage)
        if row.max_w is not None and row.optics_in_max_w:
            room_w[code] = np.inf if row.typical_w is None else max(row.max_w - row.typical_w, 0.0)
    of_node, on = topology.nodes.role, topology.is_switch
    return np.where(on, per_role[of_node], 0), np.where(on, room_w[of_node], 0.0), np.where(on, cages[of_node], -1)


def _host_cages(
    topology: Topology, groups: Sequence[tuple[NodeSpec, NicSpec]], catalogue: Catalogue
) -> tuple[Longs, Longs]:
    """By node: links that a cage of a host holds, and the endpoint that its cages are counted with."""
    cage = np.ones(len(topology.nodes), np.int64)
    first = np.arange(len(topology.nodes), dtype=np.int64)
    for node, nic in groups:
        links = nic_ways(nic, catalogue)
        if links == 1:
            continue
        shared = catalogue.nics[nic.model or ""].nics_per_cage
        for host in node.host_names():
            known = [topology.node(name) for name in _endpoints(host, nic) if topology.has_node(name)]
            for index, endpoint in enumerate(known):
                cage[endpoint], first[endpoint] = links, known[index - index % shared]
    return cage, first


def _endpoints(host: str, nic: NicSpec) -> list[str]:
    """Names of a host's endpoints on a fabric, in NIC order, as builders name them."""
    if nic.rail == "per-gpu" and nic.count > 1:
        return [f"{host}.nic{index}" for index in range(nic.count)]
    return [host]


def groups_of(attached: Sequence[NodeSpec], fabric: str) -> list[tuple[NodeSpec, NicSpec]]:
    """Node groups with their NICs on a fabric."""
    return [(node, node.nics[fabric]) for node in attached]


def roles_by_name(topology: Topology) -> Mapping[str, Longs]:
    """Ids of the switches of every role."""
    codes = enumerate(topology.roles)
    roles = {role: np.flatnonzero((topology.nodes.role == code) & topology.is_switch) for code, role in codes}
    return {role: ids.astype(np.int64) for role, ids in roles.items() if len(ids)}
