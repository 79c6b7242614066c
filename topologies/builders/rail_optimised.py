"""Rail-optimised scalable units: NIC i of every node of a unit on leaf i of that unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.builder import (
    TOPOLOGIES,
    Hosts,
    LeafSpec,
    SwitchSpec,
    check_even,
    check_leaf_ports,
    check_nic_speed,
    check_speed,
    even_spine_count,
    leaf_host_ports,
    names_of,
    slowest_gbps,
)
from topologies.columns import Ints
from topologies.errors import Problem, TopologyError
from topologies.facts import Facts
from topologies.folded_clos import core_plane, smallest_divisor
from topologies.hosts import HostGroup
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps

_LEAF_NAME, _SPINE_NAME, _CORE_NAME = "su{unit}-r{rail}-leaf", "spine{index:02d}", "core{index:03d}"
_GROUP_SPINE_NAME = "pod{pod}-r{rail}-spine{index:02d}"


def facts(
    units: int, rails: int, nodes_per_unit: int, speed: float, leaf: dict[str, int], spine: dict[str, int]
) -> Facts:
    """Closed form of the two-tier design without listed nodes; rates are one direction."""
    hosts, uplinks = units * nodes_per_unit * rails, units * rails * leaf["up"]
    return Facts(
        endpoints=hosts,
        switches=units * rails + spine["count"],
        cables_by_tier={"host-leaf": hosts, "leaf-spine": uplinks},
        tier_gbps={"host-leaf": hosts * speed, "leaf-spine": uplinks * speed},
        ports_used_max=max(nodes_per_unit + leaf["up"], uplinks // spine["count"]),
    )


@TOPOLOGIES.register(
    "rail-optimised",
    facts=facts,
    example={
        "units": 2,
        "rails": 4,
        "nodes_per_unit": 4,
        "speed": "400G",
        "leaf": {"radix": 8, "up": 4},
        "spine": {"radix": 8, "count": 4},
    },
)
def rail_optimised(
    nodes_per_unit: Annotated[Count, Field(description="Nodes in a scalable unit", examples=[32])],
    leaf: Annotated[LeafSpec, Field(description="Leaf switches, one per unit and rail")],
    spine: Annotated[SwitchSpec | None, Field(description="Spine switches")] = None,
    core: Annotated[SwitchSpec | None, Field(description="Core switches, with three tiers")] = None,
    tiers: Annotated[int, Field(ge=2, le=3, description="2 or 3")] = 2,
    units: Annotated[Count | None, Field(description="Scalable units; default: as many as the nodes need")] = None,
    rails: Annotated[Count | None, Field(description="NICs per node; default: those of the nodes, or 8")] = None,
    units_per_pod: Annotated[Count | None, Field(description="Units under one set of spines, with three tiers")] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link, where no model says")] = None,
    hosts: Hosts = (),
) -> Topology:
    """Rail-optimised fabric: a leaf per unit and rail; leaves meet at spines, and with three tiers spines at cores.

    With two tiers every leaf reaches every spine. With three, the leaves of one rail in one pod of
    ``units_per_pod`` units share a group of spines, half of whose ports point up, and spine ``i`` of every group
    meets the others in core plane ``i``. A link runs at the lesser of both ports' speeds, and at most at ``speed``.
    Keys that change nothing are refused: those of cores and pods with two tiers, a breakout of leaf ports with any.

    References
    ----------
    NVIDIA DGX SuperPOD reference architecture (H100), sections on the compute fabric.
    """
    high = spine or SwitchSpec(radix=leaf.ports or None)
    top = core or SwitchSpec(radix=high.ports or None)
    check_speed("speed", speed, leaf.port_gbps, port="the ports of a leaf")
    speeds = _speeds(leaf, high, top, speed)
    rail_count = _rails(rails, hosts)
    nodes = sum(len(group.hosts) for group in hosts)
    unit_count = units or -(-nodes // nodes_per_unit) or 1
    if nodes > unit_count * nodes_per_unit:
        raise TopologyError(
            f"{nodes:,} nodes do not fit {unit_count} units of {nodes_per_unit}",
            where="units",
            hint=f"{-(-nodes // nodes_per_unit)} units would take them",
            code="FP3022",
        )
    _check_idle_keys(leaf, core, units_per_pod, tiers, unit_count, rail_count)
    down = leaf_host_ports(leaf) or nodes_per_unit
    if nodes_per_unit > down:
        raise TopologyError(
            f"{nodes_per_unit} nodes per unit need as many host ports on each leaf; it has {down}",
            where="leaf.down",
            hint=f"set down: {nodes_per_unit}, or nodes_per_unit: {down}",
            code="FP3022",
        )
    up = leaf.up or (leaf.ports - down if leaf.ports else nodes_per_unit)
    if up < 1:
        raise TopologyError(
            f"{down} host ports leave no port of {leaf.ports} for uplinks", where="leaf.down", hint="add leaf.up"
        )
    check_leaf_ports(leaf, up=up)

    net = assemble(f"rail-optimised({unit_count} units x {rail_count} rails)", "rail-optimised")
    unit = np.repeat(np.arange(unit_count), rail_count)
    rail = np.tile(np.arange(rail_count), unit_count)
    pods = _pods(unit_count, units_per_pod, high.ports, tiers)
    leaf_names = names_of(leaf.name or _LEAF_NAME, len(unit), where="leaf.name", unit=unit.tolist(), rail=rail.tolist())
    leaf_ids = net.switches(
        "leaf",
        leaf_names,
        level=1,
        radix=leaf.ports,
        unit=unit,
        rail=rail,
        pod=unit // pods.units if tiers == 3 else -1,
    )
    _hang_nodes(net, hosts, leaf_ids.reshape(unit_count, rail_count), nodes_per_unit, speeds.host)
    if tiers == 2:
        count = high.count or even_spine_count(up, len(leaf_ids), high.ports, where="spine")
        parallel = check_even(up, count, where="leaf.up")
        names = names_of(high.name or _SPINE_NAME, count, where="spine.name")
        net.full_mesh(
            leaf_ids, net.switches("spine", names, level=2, radix=high.ports), speeds.spine, parallel=parallel
        )
    else:
        _cable_pods(net, leaf_ids.reshape(unit_count, rail_count), up, pods, high, top, speeds)
    return net.freeze()


@dataclass(frozen=True)
class _Speeds:
    """Gbps of the links below the leaves, the spines and the cores."""

    host: float
    spine: float
    core: float


def _speeds(leaf: LeafSpec, spine: SwitchSpec, core: SwitchSpec, speed: float | None) -> _Speeds:
    """The lesser of both ports' speeds in each tier; a switch of unknown speed has that of the tier below."""
    low = slowest_gbps(speed, leaf.port_gbps)
    if low is None:
        raise TopologyError(
            "the speed of the leaves is not known", where="leaf", hint="give leaf.model, or speed", code="FP3035"
        )
    high = slowest_gbps(speed, spine.port_gbps) or low
    top = slowest_gbps(speed, core.port_gbps) or high
    return _Speeds(low, min(low, high), min(high, top))


def _check_idle_keys(
    leaf: LeafSpec, core: SwitchSpec | None, units_per_pod: int | None, tiers: int, units: int, rails: int
) -> None:
    """Refuse keys that would change nothing, all at once."""
    found: list[Problem] = []

    def idle(message: str, where: tuple[str, ...], hint: str, code: str = "FP3033") -> None:
        found.append(Problem(message, code=code, where=where, hint=hint, on_key=True))

    if tiers == 2 and core is not None:
        idle("two tiers have no cores; leaves meet at the spines", ("core",), "set tiers: 3, or leave core out")
    if tiers == 2 and units_per_pod is not None:
        message = f"units_per_pod is {units_per_pod} but two tiers have no pods; every leaf meets every spine"
        idle(message, ("units_per_pod",), "set tiers: 3, or leave units_per_pod out")
    if leaf.down_breakout is not None:
        message = f"{leaf.down_breakout} is not applied: a node has one NIC, and one port, on each leaf of its unit"
        idle(message, ("leaf", "down_breakout"), "leave down_breakout out, or use a leaf-spine")
    if leaf.count is not None and leaf.count != units * rails:
        message = f"leaf.count is {leaf.count} but {units} units x {rails} rails have {units * rails} leaves"
        idle(message, ("leaf", "count"), f"leave leaf.count out, or set it to {units * rails}", "FP3032")
    if found:
        raise TopologyError(found)


@dataclass(frozen=True)
class _Pods:
    count: int
    units: int  # units per pod; the last pod may have fewer


def _pods(units: int, units_per_pod: int | None, spine_ports: int, tiers: int) -> _Pods:
    """Pods of equal size, as few as half the spine's ports allow."""
    if tiers == 2:
        return _Pods(1, units)
    most = units_per_pod or max((spine_ports or 2 * units) // 2, 1)
    count = -(-units // most)
    size = units_per_pod or -(-units // count)
    return _Pods(-(-units // size), size)


def _rails(rails: int | None, hosts: Sequence[HostGroup]) -> int:
    """Rails: NICs of the nodes, which must agree with each other and with ``rails``."""
    counts = {group.nics for group in hosts}
    if len(counts) > 1:
        raise TopologyError(
            f"node groups with {', '.join(map(str, sorted(counts)))} NICs share a rail-optimised fabric",
            where="rails",
            hint="attach groups with equal NIC counts, or use a leaf-spine",
            code="FP3028",
        )
    count = counts.pop() if counts else (rails or 8)
    if rails is not None and count != rails:
        raise TopologyError(
            f"rails is {rails} but the nodes have {count} NICs on this fabric",
            where="rails",
            hint=f"set rails: {count}",
            code="FP3028",
        )
    return count


def _hang_nodes(net: Assembler, hosts: Sequence[HostGroup], leaves: Ints, nodes_per_unit: int, gbps: float) -> None:
    """Cable NIC i of the nodes of a unit to leaf i of the unit; every NIC is an endpoint of its own.

    Nodes whose NICs are shared are one endpoint with a link to every rail's leaf.
    """
    units, rails = leaves.shape
    first = 0
    for group in hosts or (HostGroup("node", (), rails, gbps, "per-gpu"),):
        check_nic_speed(group, gbps, where="leaf")
        names = group.hosts
        if not hosts:
            names = tuple(f"su{unit}/n{node}" for unit in range(units) for node in range(nodes_per_unit))
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


def _cable_pods(
    net: Assembler, leaves: Ints, up: int, pods: _Pods, spine: SwitchSpec, core: SwitchSpec, speeds: _Speeds
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
    names = names_of(
        spine.name or _GROUP_SPINE_NAME,
        len(pod),
        where="spine.name",
        pod=pod.tolist(),
        rail=rail.tolist(),
        **({} if spine.name and "{pod" not in spine.name else {"index": index.tolist()}),
    )
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
    core_names = names_of(core.name or _CORE_NAME, total, where="core.name")
    planes = np.repeat(np.arange(per_group), plane.cores)
    core_ids = net.switches("core", core_names, level=3, radix=core.ports, plane=planes).reshape(per_group, plane.cores)
    lower = np.repeat(by_group.reshape(groups, per_group), plane.cores, axis=1).ravel()
    net.cables(lower, np.tile(core_ids.ravel(), groups), speeds.core, parallel=plane.parallel, tier="spine-core")
