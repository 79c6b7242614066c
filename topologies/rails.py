"""Rails: nodes whose NIC i is attached to leaf i of their unit, and the spines and cores that join units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topologies.assemble import Assembler
from topologies.builder import check_nic_speed, names_of
from topologies.columns import Ints
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.rail_tiers import UpperTiers
from topologies.switches import SwitchSpec


@dataclass(frozen=True)
class RailSpeeds:
    """Gbps of the links below the leaves, the spines and the cores."""

    host: float
    spine: float
    core: float


def rail_count_of(rails: int | None, hosts: Sequence[HostGroup], *, key: str = "rails") -> int:
    """Rails: NICs of the nodes, which must agree with each other and with ``rails`` (the scenario's ``key``)."""
    counts = {group.nics for group in hosts}
    if len(counts) > 1:
        raise TopologyError(
            f"node groups with {', '.join(map(str, sorted(counts)))} NICs share a rail-optimised fabric",
            where=key,
            hint="attach groups with equal NIC counts, or use a leaf-spine",
            code="FP3028",
        )
    count = counts.pop() if counts else (rails or 8)
    if rails is not None and count != rails:
        raise TopologyError(
            f"{key} is {rails} but the nodes have {count} NICs on this fabric",
            where=key,
            hint=f"set {key}: {count}",
            code="FP3028",
        )
    return count


def check_rails_per_switch(count: int, rails: int, *, key: str = "rails") -> None:
    """Rails that share a switch divide the rails (the scenario's ``key``), so that all switches are alike.

    Raises
    ------
    TopologyError
        When some switch would have fewer rails than the others (FP3028).
    """
    if rails % count:
        raise TopologyError(
            f"{rails} rails do not split into switches of {count} rails each",
            where="rails_per_switch",
            hint=f"rails_per_switch: {', '.join(map(str, divisors(rails)))} divide {key}: {rails}",
            code="FP3028",
        )


def attach_nodes(
    net: Assembler,
    hosts: Sequence[HostGroup],
    leaves: Ints,
    nodes_per_unit: int,
    gbps: float,
    *,
    rails_per_switch: int = 1,
    left_out: int = 0,
) -> None:
    """Cable NIC i of the nodes of a unit to leaf i of the unit; every NIC is an endpoint of its own.

    Where rails share switches, NICs that are neighbours share a leaf: NIC i is on leaf ⌊i / rails_per_switch⌋.

    Nodes whose NICs are shared are one endpoint with a link to every rail's leaf. Without listed nodes every unit is
    full, but for the last ``left_out`` nodes.
    """
    units, rails = len(leaves), leaves.shape[1] * rails_per_switch
    first = 0
    for group in hosts or (HostGroup("node", (), rails, gbps, "per-gpu"),):
        check_nic_speed(group, gbps, where="leaf")
        names = group.hosts
        if not hosts:
            unit, node = np.divmod(np.arange(units * nodes_per_unit - left_out), nodes_per_unit)
            names = tuple(node_names("host", node, unit=unit))
        unit = (first + np.arange(len(names))) // nodes_per_unit
        first += len(names)
        homes = np.repeat(leaves[unit], rails_per_switch, axis=1).ravel()
        if group.rail == "per-gpu" or rails == 1:
            ends = [group.nic_name(name, nic) for name in names for nic in range(rails)]
            ids = net.hosts(ends, unit=np.repeat(unit, rails), rail=np.tile(np.arange(rails), len(names)))
            net.cables(ids, homes, group.nic_gbps)
        else:
            ids = net.hosts(names, nics=rails, unit=unit)
            net.cables(np.repeat(ids, rails), homes, group.nic_gbps)


def cable_pods(
    net: Assembler,
    leaves: Ints,
    upper: UpperTiers,
    spine: SwitchSpec,
    core: SwitchSpec,
    speeds: RailSpeeds,
    *,
    rails_per_switch: int = 1,
) -> None:
    """Spine groups per pod and rail, and the core planes above them."""
    units, rails = leaves.shape
    pods, per_group, plane = upper.pods, upper.spines, upper.plane
    pod = np.repeat(np.arange(pods.count), rails * per_group)
    rail = np.tile(np.repeat(np.arange(rails) * rails_per_switch, per_group), pods.count)
    index = np.tile(np.arange(per_group), upper.groups)
    names = node_names("spine", index, pod=pod, rail=rail)
    if spine.name:
        places = {"pod": pod.tolist(), "rail": rail.tolist()} | (
            {"index": index.tolist()} if "{pod" in spine.name else {}
        )
        names = names_of(spine.name, len(pod), where="spine.name", **places)
    spine_ids = net.switches("spine", names, level=2, radix=spine.ports, pod=pod, rail=rail, plane=index)
    by_group = spine_ids.reshape(pods.count, rails, per_group)
    unit_of, rail_of = np.divmod(np.arange(units * rails), rails)
    targets = by_group[unit_of // pods.units, rail_of]
    lower = np.repeat(leaves.ravel(), per_group)
    net.cables(lower, targets.ravel(), speeds.spine, parallel=upper.parallel, tier="leaf-spine")

    total = plane.cores * per_group
    planes, position = np.divmod(np.arange(total), plane.cores)
    core_names = (
        names_of(core.name, total, where="core.name") if core.name else node_names("core", position, plane=planes)
    )
    core_ids = net.switches("core", core_names, level=3, radix=core.ports, plane=planes)
    lower = np.repeat(by_group.reshape(upper.groups, per_group), plane.cores, axis=1).ravel()
    net.cables(lower, np.tile(core_ids, upper.groups), speeds.core, parallel=plane.parallel, tier="spine-core")
