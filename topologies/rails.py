"""Rails: nodes whose NIC i is attached to leaf i of their unit, and the spines and cores that join units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topologies.assemble import Assembler
from topologies.builder import check_even, check_nic_speed, names_of
from topologies.columns import Ints
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.folded_clos import core_plane, smallest_divisor
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.switches import SwitchSpec


@dataclass(frozen=True)
class RailSpeeds:
    """Gbps of the links below the leaves, the spines and the cores."""

    host: float
    spine: float
    core: float


@dataclass(frozen=True)
class RailPods:
    """Pods of units that share spines."""

    count: int
    units: int  # units per pod; the last pod may have fewer


def rail_pods(units: int, units_per_pod: int | None, spine_ports: int, tiers: int) -> RailPods:
    """Pods of equal size, as few as half the spine's ports allow."""
    if tiers == 2:
        return RailPods(1, units)
    most = units_per_pod or max((spine_ports or 2 * units) // 2, 1)
    count = -(-units // most)
    size = units_per_pod or -(-units // count)
    return RailPods(-(-units // size), size)


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
    net: Assembler, hosts: Sequence[HostGroup], leaves: Ints, nodes_per_unit: int, gbps: float, *, left_out: int = 0
) -> None:
    """Cable NIC i of the nodes of a unit to leaf i of the unit; every NIC is an endpoint of its own.

    Nodes whose NICs are shared are one endpoint with a link to every rail's leaf. Without listed nodes every unit is
    full, but for the last ``left_out`` nodes.
    """
    units, rails = leaves.shape
    first = 0
    for group in hosts or (HostGroup("node", (), rails, gbps, "per-gpu"),):
        check_nic_speed(group, gbps, where="leaf")
        names = group.hosts
        if not hosts:
            unit, node = np.divmod(np.arange(units * nodes_per_unit - left_out), nodes_per_unit)
            names = tuple(node_names("host", node, unit=unit))
        unit = (first + np.arange(len(names))) // nodes_per_unit
        first += len(names)
        homes = leaves[unit].ravel()
        if group.rail == "per-gpu" or rails == 1:
            ends = [group.nic_name(name, nic) for name in names for nic in range(rails)]
            ids = net.hosts(ends, unit=np.repeat(unit, rails), rail=np.tile(np.arange(rails), len(names)))
            net.cables(ids, homes, group.nic_gbps)
        else:
            ids = net.hosts(names, nics=rails, unit=unit)
            net.cables(np.repeat(ids, rails), homes, group.nic_gbps)


@dataclass(frozen=True)
class UpperCounts:
    """Switches above the leaves of three tiers, and the cables between them."""

    spines: int
    cores: int
    cables: int


def upper_counts(rails: int, up: int, pods: RailPods, spine: SwitchSpec, core: SwitchSpec) -> UpperCounts:
    """What ``cable_pods`` makes, or would at least make where its spines exceed the ports of a core.

    Every spine of a group has what its pod's uplinks come to, on the cores of its plane.
    """
    groups, half = pods.count * rails, spine.ports // 2
    each = spine.count or smallest_divisor(up, pods.units * up / half if half else 1) or up
    spine_up = pods.units * up // each
    plane = smallest_divisor(spine_up, groups * spine_up / core.ports if core.ports else 1) or spine_up
    cores = core.count or each * plane
    return UpperCounts(groups * each, cores, groups * each * spine_up)


def cable_pods(
    net: Assembler, leaves: Ints, up: int, pods: RailPods, spine: SwitchSpec, core: SwitchSpec, speeds: RailSpeeds
) -> None:
    """Spine groups per pod and rail, and the core planes above them."""
    units, rails = leaves.shape
    half = spine.ports // 2
    per_group = spine.count or smallest_divisor(up, pods.units * up / half if half else 1)
    if per_group is None:
        raise TopologyError(
            f"a pod of {pods.units} units needs {pods.units} ports down on each spine; half of {spine.ports} is {half}",
            where="units_per_pod",
            hint=f"units_per_pod: {half} is the most",
            code="FP3026",
        )
    parallel = check_even(up, per_group, where="leaf.up")
    groups = pods.count * rails
    pod = np.repeat(np.arange(pods.count), rails * per_group)
    rail = np.tile(np.repeat(np.arange(rails), per_group), pods.count)
    index = np.tile(np.arange(per_group), groups)
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
    net.cables(
        np.repeat(leaves.ravel(), per_group), targets.ravel(), speeds.spine, parallel=parallel, tier="leaf-spine"
    )

    spine_up = pods.units * up // per_group
    plane = core_plane(groups, spine_up, core.ports, where="core")
    if core.count is not None:
        if core.count % per_group:
            raise TopologyError(
                f"{core.count} cores do not split into {per_group} planes, one per spine of a group",
                where="core.count",
                hint=f"{plane.cores * per_group} cores suffice",
                code="FP3024",
            )
        plane = type(plane)(core.count // per_group, check_even(spine_up, core.count // per_group, where="core.count"))
    total = plane.cores * per_group
    planes, position = np.divmod(np.arange(total), plane.cores)
    core_names = (
        names_of(core.name, total, where="core.name") if core.name else node_names("core", position, plane=planes)
    )
    core_ids = net.switches("core", core_names, level=3, radix=core.ports, plane=planes).reshape(per_group, plane.cores)
    lower = np.repeat(by_group.reshape(groups, per_group), plane.cores, axis=1).ravel()
    net.cables(lower, np.tile(core_ids.ravel(), groups), speeds.core, parallel=plane.parallel, tier="spine-core")
