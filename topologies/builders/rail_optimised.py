"""Rail-optimised scalable units: NIC i of every node of a unit on leaf i of that unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts, check_even, even_spine_count, names_of
from topologies.errors import Problem, TopologyError
from topologies.facts import Facts
from topologies.folded_clos import smallest_divisor
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.rails import RailSpeeds, attach_nodes, cable_pods, rail_count_of, rail_pods, upper_counts
from topologies.switches import LeafSpec, SwitchSpec, check_leaf_ports, check_speed, leaf_host_ports, slowest_gbps
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(
    units: int | None,
    rails: int | None,
    nodes_per_unit: int,
    speed: float | None,
    leaf: LeafSpec,
    spine: SwitchSpec | None,
    core: SwitchSpec | None = None,
    tiers: int = 2,
    units_per_pod: int | None = None,
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Closed form: a leaf per unit and rail, with as many cables as uplinks; rates are one direction."""
    high = spine or SwitchSpec(radix=leaf.ports or None)
    top = core or SwitchSpec(radix=high.ports or None)
    gbps = _speeds(leaf, high, top, speed)
    units = units or -(-sum(len(group.hosts) for group in hosts) // nodes_per_unit) or 1
    rails, up = rail_count_of(rails, hosts), _uplinks(leaf, nodes_per_unit)
    leaves, ends = units * rails, units * nodes_per_unit * rails
    cables = {"host-leaf": ends, "leaf-spine": leaves * up}
    above = high.count or 0
    if tiers == 2:
        above = above or smallest_divisor(up, leaves * up / high.ports if high.ports else 1) or up
    else:
        upper = upper_counts(rails, up, rail_pods(units, units_per_pod, high.ports, tiers), high, top)
        above, cables["spine-core"] = upper.spines + upper.cores, upper.cables
    speeds = {"host-leaf": gbps.host, "leaf-spine": gbps.spine, "spine-core": gbps.core}
    return Facts(
        endpoints=ends,
        switches=leaves + above,
        cables_by_tier=cables,
        tier_gbps={tier: count * speeds[tier] for tier, count in cables.items()},
        ports_used_max=max(nodes_per_unit + up, leaves * up // above) if tiers == 2 else None,
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
    rail_count = rail_count_of(rails, hosts)
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
    up = _uplinks(leaf, nodes_per_unit)

    net = assemble(f"rail-optimised({unit_count} units x {rail_count} rails)", "rail-optimised")
    unit = np.repeat(np.arange(unit_count), rail_count)
    rail = np.tile(np.arange(rail_count), unit_count)
    pods = rail_pods(unit_count, units_per_pod, high.ports, tiers)
    leaf_names = node_names("leaf", rail, unit=unit)
    if leaf.name:
        leaf_names = names_of(leaf.name, len(unit), where="leaf.name", unit=unit.tolist(), rail=rail.tolist())
    leaf_ids = net.switches(
        "leaf",
        leaf_names,
        level=1,
        radix=leaf.ports,
        unit=unit,
        rail=rail,
        pod=unit // pods.units if tiers == 3 else -1,
    )
    attach_nodes(net, hosts, leaf_ids.reshape(unit_count, rail_count), nodes_per_unit, speeds.host)
    if tiers == 2:
        count = high.count or even_spine_count(up, len(leaf_ids), high.ports, where="spine")
        parallel = check_even(up, count, where="leaf.up")
        names = names_of(high.name or "spine{index}", count, where="spine.name")
        net.full_mesh(
            leaf_ids, net.switches("spine", names, level=2, radix=high.ports), speeds.spine, parallel=parallel
        )
    else:
        cable_pods(net, leaf_ids.reshape(unit_count, rail_count), up, pods, high, top, speeds)
    return net.freeze()


def _uplinks(leaf: LeafSpec, nodes_per_unit: int) -> int:
    """Uplinks of a leaf: as asked, or the ports that the nodes of a unit leave; all of them exist."""
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
    return up


def _speeds(leaf: LeafSpec, spine: SwitchSpec, core: SwitchSpec, speed: float | None) -> RailSpeeds:
    """The lesser of both ports' speeds in each tier; a switch of unknown speed has that of the tier below."""
    low = slowest_gbps(speed, leaf.port_gbps)
    if low is None:
        raise TopologyError(
            "the speed of the leaves is not known", where="leaf", hint="give leaf.model, or speed", code="FP3035"
        )
    high = slowest_gbps(speed, spine.port_gbps) or low
    top = slowest_gbps(speed, core.port_gbps) or high
    return RailSpeeds(low, min(low, high), min(high, top))


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
