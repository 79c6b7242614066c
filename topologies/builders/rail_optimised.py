"""Rail-optimised scalable units: NIC i of every node of a unit on leaf i of that unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts, check_even, even_spine_count, names_of
from topologies.clos_ports import TierPorts
from topologies.errors import Problem, TopologyError
from topologies.facts import Facts
from topologies.folded_clos import smallest_divisor
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.oversubscription import AskedOversubscription
from topologies.rail_tiers import UNLIMITED, UpperTiers, plan_upper, spine_ports, uneven_pods
from topologies.rails import RailSpeeds, attach_nodes, cable_pods, check_rails_per_switch, rail_count_of
from topologies.switches import (
    LeafSpec,
    SpineSpec,
    SwitchSpec,
    check_breakout,
    check_leaf_ports,
    check_speed,
    leaf_host_ports,
    slowest_gbps,
)
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps, to_one


@dataclass(frozen=True)
class _Plan:
    """What the keys come to, before anything is built."""

    spine: SpineSpec
    core: SwitchSpec
    speeds: RailSpeeds
    units: int
    rails: int
    up: int  # uplinks of a leaf
    spine_ports: TierPorts
    upper: UpperTiers | None  # with three tiers


def _plan(
    nodes_per_unit: int,
    leaf: LeafSpec,
    spine: SpineSpec | None,
    core: SwitchSpec | None,
    tiers: int,
    counts: tuple[int | None, int | None, int | None],
    rails_per_switch: int,
    speed: float | None,
    asked: AskedOversubscription,
    hosts: Sequence[HostGroup],
    *,
    at_least: bool = False,
) -> _Plan:
    """Counts and speeds of all tiers; ``counts`` are units, rails, and units of a pod, where they are asked for."""
    high = spine or SpineSpec(radix=leaf.ports or None)
    top = core or SwitchSpec(radix=high.ports or None)
    speeds = _speeds(leaf, high, top, speed)
    units = counts[0] or -(-sum(len(group.hosts) for group in hosts) // nodes_per_unit) or 1
    rails = rail_count_of(counts[1], hosts)
    check_rails_per_switch(rails_per_switch, rails)
    up = _uplinks(leaf, nodes_per_unit * rails_per_switch, asked, speeds, hosts)
    ports = spine_ports(high, high.up, asked.spine, at_most=asked.at_most, down_gbps=speeds.spine, up_gbps=speeds.core)
    upper = None
    if tiers == 3:
        upper = plan_upper(
            units,
            rails // rails_per_switch,
            up,
            ports,
            top,
            units_per_pod=counts[2],
            spines=high.count,
            at_least=at_least,
        )
    return _Plan(high, top, speeds, units, rails, up, ports, upper)


def facts(
    units: int | None,
    rails: int | None,
    nodes_per_unit: int,
    speed: float | None,
    leaf: LeafSpec,
    spine: SpineSpec | None,
    core: SwitchSpec | None = None,
    tiers: int = 2,
    units_per_pod: int | None = None,
    rails_per_switch: int = 1,
    oversubscription: AskedOversubscription = AskedOversubscription(),
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Closed form: a leaf per unit and rails that share it, with as many cables as uplinks; rates are one direction."""
    asked = (units, rails, units_per_pod)
    plan = _plan(
        nodes_per_unit, leaf, spine, core, tiers, asked, rails_per_switch, speed, oversubscription, hosts, at_least=True
    )
    leaves, ends = plan.units * plan.rails // rails_per_switch, plan.units * nodes_per_unit * plan.rails
    cables = {"host-leaf": ends, "leaf-spine": leaves * plan.up}
    ports = plan.spine.ports
    if plan.upper is None:
        above = plan.spine.count or smallest_divisor(plan.up, leaves * plan.up / ports if ports else 1) or plan.up
    else:
        above, cables["spine-core"] = plan.upper.switches, plan.upper.cables
    speeds = {"host-leaf": plan.speeds.host, "leaf-spine": plan.speeds.spine, "spine-core": plan.speeds.core}
    widest = max(nodes_per_unit * rails_per_switch + plan.up, leaves * plan.up // above)
    return Facts(
        endpoints=ends,
        switches=leaves + above,
        cables_by_tier=cables,
        tier_gbps={tier: count * speeds[tier] for tier, count in cables.items()},
        ports_used_max=widest if plan.upper is None else None,
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
    leaf: Annotated[LeafSpec, Field(description="Leaf switches, one per unit and rail, or rails that share it")],
    spine: Annotated[
        SpineSpec | None, Field(description="Spine switches; with three tiers count is that of a pod and rail")
    ] = None,
    core: Annotated[SwitchSpec | None, Field(description="Core switches, with three tiers")] = None,
    tiers: Annotated[int, Field(ge=2, le=3, description="2 or 3")] = 2,
    units: Annotated[Count | None, Field(description="Scalable units; default: as many as the nodes need")] = None,
    rails: Annotated[Count | None, Field(description="NICs per node; default: those of the nodes, or 8")] = None,
    units_per_pod: Annotated[Count | None, Field(description="Units under one set of spines, with three tiers")] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link, where no model says")] = None,
    rails_per_switch: Annotated[
        Count, Field(description="Neighbouring rails that share a leaf, and the spines above it", examples=[2])
    ] = 1,
    oversubscription: Annotated[
        AskedOversubscription, Field(description="By tier, above or below 1; default: by the ports up, 1:1 of spines")
    ] = AskedOversubscription(),
    hosts: Hosts = (),
) -> Topology:
    """Rail-optimised fabric: a leaf per unit and rail; leaves meet at spines, and with three tiers spines at cores.

    With two tiers every leaf reaches every spine. With three, the leaves of one rail in one pod of
    ``units_per_pod`` units share a group of spines, which point up as many ports as down, or as ``spine.up`` or
    ``oversubscription`` says; spine ``i`` of every group meets the others in core plane ``i``. With
    ``rails_per_switch`` neighbouring rails share a leaf, which is numbered after the first of them. A link runs at the
    lesser of both ports' speeds, and at most at ``speed``.
    Keys that change nothing are refused: those of cores and pods with two tiers, a breakout of leaf ports with any.

    References
    ----------
    NVIDIA DGX SuperPOD reference architecture (H100), sections on the compute fabric.
    """
    check_speed("speed", speed, leaf.port_gbps, port="the ports of a leaf")
    for key, switch in (("leaf", leaf), ("spine", spine), ("core", core)):
        if switch is not None:
            check_breakout(switch, where=key)
    _check_idle_keys(leaf, spine, core, units_per_pod, tiers, oversubscription)
    asked = (units, rails, units_per_pod)
    plan = _plan(nodes_per_unit, leaf, spine, core, tiers, asked, rails_per_switch, speed, oversubscription, hosts)
    nodes = sum(len(group.hosts) for group in hosts)
    if nodes > plan.units * nodes_per_unit:
        raise TopologyError(
            f"{nodes:,} nodes do not fit {plan.units} units of {nodes_per_unit}",
            where="units",
            hint=f"{-(-nodes // nodes_per_unit)} units would take them",
            code="FP3022",
        )
    columns, upper = plan.rails // rails_per_switch, plan.upper
    _check_leaf_count(leaf, plan.units, columns)

    net = assemble(f"rail-optimised({plan.units} units x {plan.rails} rails)", "rail-optimised")
    unit = np.repeat(np.arange(plan.units), columns)
    rail = np.tile(np.arange(columns) * rails_per_switch, plan.units)
    names = node_names("leaf", rail, unit=unit)
    if leaf.name:
        names = names_of(leaf.name, len(unit), where="leaf.name", unit=unit.tolist(), rail=rail.tolist())
    pod = unit // upper.pods.units if upper else -1
    leaves = net.switches("leaf", names, level=1, radix=leaf.ports, unit=unit, rail=rail, pod=pod)
    table = leaves.reshape(plan.units, columns)
    attach_nodes(net, hosts, table, nodes_per_unit, plan.speeds.host, rails_per_switch=rails_per_switch)
    if upper is None:
        count = plan.spine.count or even_spine_count(plan.up, len(leaves), plan.spine.ports, where="spine")
        parallel = check_even(plan.up, count, where="leaf.up")
        spines = names_of(plan.spine.name or "spine{index}", count, where="spine.name")
        ids = net.switches("spine", spines, level=2, radix=plan.spine.ports)
        net.full_mesh(leaves, ids, plan.speeds.spine, parallel=parallel)
    else:
        cable_pods(net, table, upper, plan.spine, plan.core, plan.speeds, rails_per_switch=rails_per_switch)
        net.say(*uneven_pods(upper, plan.units, plan.spine_ports))
    return net.freeze()


def _uplinks(
    leaf: LeafSpec, wanted: int, asked: AskedOversubscription, speeds: RailSpeeds, hosts: Sequence[HostGroup]
) -> int:
    """Uplinks of a leaf with ``wanted`` host ports in use: as asked, or the ports that hosts leave; all exist."""
    down = leaf_host_ports(leaf) or wanted
    if wanted > down:
        raise TopologyError(
            f"{wanted} nodes per unit need as many host ports on each leaf; it has {down}",
            where="leaf.down",
            hint=f"set down: {wanted}, or nodes_per_unit: {down}",
            code="FP3022",
        )
    if asked.leaf is not None:
        nics = {group.nic_gbps for group in hosts}
        host_gbps = min(*nics, speeds.host) if len(nics) == 1 else speeds.host
        ports = TierPorts("leaf", leaf.ports or UNLIMITED, host_gbps, speeds.spine, asked.leaf, asked.at_most, leaf.up)
        fitting = ports.up_for(wanted)
        if fitting is None:
            raise ports.refusal(ports.near(wanted), f"with {wanted} host ports")
        up = fitting
    else:
        up = leaf.up or (leaf.ports - down if leaf.ports else wanted)
    if up < 1:
        raise TopologyError(
            f"{down} host ports leave no port of {leaf.ports} for uplinks",
            where="leaf.down",
            hint=f"set down: {down - 1} or less, or a leaf with more ports",
            code="FP3011",
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
    leaf: LeafSpec,
    spine: SpineSpec | None,
    core: SwitchSpec | None,
    units_per_pod: int | None,
    tiers: int,
    asked: AskedOversubscription,
) -> None:
    """Refuse keys that would change nothing, all at once."""
    found: list[Problem] = []

    def idle(message: str, where: tuple[str, ...], hint: str) -> None:
        found.append(Problem(message, code="FP3033", where=where, hint=hint, on_key=True))

    if tiers == 2 and core is not None:
        idle("two tiers have no cores; leaves meet at the spines", ("core",), "set tiers: 3, or leave core out")
    if tiers == 2 and units_per_pod is not None:
        message = f"units_per_pod is {units_per_pod} but two tiers have no pods; every leaf meets every spine"
        idle(message, ("units_per_pod",), "set tiers: 3, or leave units_per_pod out")
    if tiers == 2 and spine is not None and spine.up is not None:
        message = f"spine.up is {spine.up} but with two tiers nothing is above a spine"
        idle(message, ("spine", "up"), "set tiers: 3, or leave spine.up out")
    if tiers == 2 and asked.spine is not None:
        message = f"{to_one(asked.spine)} is asked of spines but with two tiers nothing is above them"
        idle(message, ("oversubscription", "spine"), "set tiers: 3, or leave it out")
    if leaf.down_breakout is not None:
        message = f"{leaf.down_breakout} is not applied: a node has one NIC, and one port, on each leaf of its unit"
        idle(message, ("leaf", "down_breakout"), "leave down_breakout out, or use a leaf-spine")
    if found:
        raise TopologyError(found)


def _check_leaf_count(leaf: LeafSpec, units: int, columns: int) -> None:
    """The number of leaves, where it is given, is the one that units and rails make."""
    if leaf.count is not None and leaf.count != units * columns:
        raise TopologyError(
            f"leaf.count is {leaf.count} but {units} units x {columns} rails have {units * columns} leaves",
            where="leaf.count",
            hint=f"leave leaf.count out, or set it to {units * columns}",
            code="FP3032",
        )
