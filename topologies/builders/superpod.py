"""NVIDIA SuperPOD: rail-optimised scalable units of equal switches, with two or three tiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.builder import TOPOLOGIES, Hosts, even_spine_count
from topologies.clos_ports import TierPorts
from topologies.columns import Ints
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import HostGroup
from topologies.node_names import node_names
from topologies.rail_tiers import UpperTiers, plan_upper, spine_ports, uneven_pods
from topologies.rails import RailSpeeds, attach_nodes, cable_pods, rail_count_of
from topologies.switches import Switch, SwitchPorts, SwitchSpec, switch_ports
from topologies.topology import Topology
from topologies.units import Count, CountOrZero, SpeedGbps


def facts(
    scalable_units: int | None,
    nodes_per_unit: int,
    gpus_per_node: int,
    radix: int | None,
    speed: float | None,
    reserved_nodes: int = 0,
    management_links: int = 0,
    tiers: int | None = None,
    switch: SwitchPorts | None = None,
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Counts: N NIC ports, U uplinks; in two tiers spines are the smallest divisor of a leaf's uplinks ≥ U/R."""
    ports, speed = _ports(switch, radix, speed)
    units = _units(scalable_units, nodes_per_unit, reserved_nodes, sum(len(group.hosts) for group in hosts))
    nodes, leaves = units * nodes_per_unit - reserved_nodes, units * gpus_per_node
    cables = {"host-leaf": nodes * gpus_per_node, "leaf-spine": leaves * nodes_per_unit}
    if (tiers or (2 if leaves <= ports else 3)) == 2:
        least = leaves * nodes_per_unit / ports
        above = next((count for count in divisors(nodes_per_unit) if count >= least), nodes_per_unit)
    else:
        upper = _upper(units, gpus_per_node, nodes_per_unit, ports, at_least=True)
        above, cables["spine-core"] = upper.switches, upper.cables
    if management_links:
        cables["management-leaf"] = management_links
    return Facts(
        endpoints=nodes * gpus_per_node,
        switches=leaves + above,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        other_nodes=management_links,
    )


@TOPOLOGIES.register(
    "superpod",
    facts=facts,
    example={
        "scalable_units": 3,
        "nodes_per_unit": 4,
        "gpus_per_node": 2,
        "radix": 8,
        "speed": "400G",
        "reserved_nodes": 1,
        "management_links": 2,
    },
)
def superpod(
    scalable_units: Annotated[
        Count | None, Field(description="Scalable units; default: as many as the nodes need")
    ] = None,
    nodes_per_unit: Annotated[
        Count, Field(description="Nodes of a full unit, and uplinks of a leaf", examples=[32])
    ] = 32,
    gpus_per_node: Annotated[Count, Field(description="GPUs of a node, each with a NIC; the rails", examples=[8])] = 8,
    radix: Annotated[Count | None, Field(description="Ports per switch; 64 unless a model says", examples=[64])] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link; 400G unless a model says")] = None,
    switch: Switch = None,
    tiers: Annotated[int | None, Field(ge=2, le=3, description="2 or 3; default: the fewest that reach")] = None,
    reserved_nodes: Annotated[CountOrZero, Field(description="Nodes left out of the last unit")] = 0,
    management_links: Annotated[
        CountOrZero, Field(description="Cables from management hosts to leaves of the last unit, on ports left free")
    ] = 0,
    hosts: Hosts = (),
) -> Topology:
    """NVIDIA SuperPOD: NIC i of the nodes of a unit on leaf i of the unit, as many uplinks as nodes in a full unit.

    With two tiers every leaf reaches every spine; spines are the smallest count that has the ports and divides a leaf's
    uplinks. With three, half of a spine's ports point up: leaves of one rail share spines, which meet at cores.
    Management hosts, such as fabric managers, have a cable each and take no part in the traffic.

    References
    ----------
    NVIDIA DGX SuperPOD reference architectures for DGX H100 and B200, tables of component counts.
    """
    ports, gbps = _ports(switch, radix, speed)
    rails = rail_count_of(gpus_per_node, hosts, key="gpus_per_node")
    units = _units(scalable_units, nodes_per_unit, reserved_nodes, sum(len(group.hosts) for group in hosts))
    if 2 * nodes_per_unit > ports:
        raise TopologyError(
            f"{nodes_per_unit} nodes per unit need {2 * nodes_per_unit} ports on a leaf, half up; it has {ports}",
            where="nodes_per_unit",
            hint=f"nodes_per_unit: {ports // 2} is the most",
            code="FP3011",
        )
    levels = tiers or (2 if units * rails <= ports else 3)
    net = assemble(f"superpod({units} units of {nodes_per_unit} nodes)", "superpod")
    unit, rail = np.divmod(np.arange(units * rails), rails)
    upper = _upper(units, rails, nodes_per_unit, ports) if levels == 3 else None
    names = node_names("leaf", rail, unit=unit)
    pod = unit // upper.pods.units if upper else -1
    leaves = net.switches("leaf", names, level=1, radix=ports, unit=unit, rail=rail, pod=pod).reshape(units, rails)
    attach_nodes(net, hosts, leaves, nodes_per_unit, gbps, left_out=reserved_nodes)
    if upper is None:
        count = even_spine_count(nodes_per_unit, units * rails, ports, where="scalable_units")
        spine = net.switches("spine", node_names("spine", range(count)), level=2, radix=ports)
        net.full_mesh(leaves.ravel(), spine, gbps, parallel=nodes_per_unit // count)
    else:
        spec = SwitchSpec(radix=ports)
        cable_pods(net, leaves, upper, spec, spec, RailSpeeds(gbps, gbps, gbps))
        net.say(*uneven_pods(upper, units, _spine(ports)))
    nodes = sum(len(group.hosts) for group in hosts) or units * nodes_per_unit - reserved_nodes
    _hang_management(net, leaves, management_links, nodes - (units - 1) * nodes_per_unit, ports - nodes_per_unit, gbps)
    return net.freeze()


def _spine(ports: int) -> TierPorts:
    """A spine of three tiers, half of whose ports point up."""
    return spine_ports(SwitchSpec(radix=ports), None, None, at_most=False, down_gbps=1.0, up_gbps=1.0)


def _upper(units: int, rails: int, up: int, ports: int, *, at_least: bool = False) -> UpperTiers:
    """Spines and cores of three tiers."""
    return plan_upper(units, rails, up, _spine(ports), SwitchSpec(radix=ports), at_least=at_least)


def _ports(switch: SwitchPorts | None, radix: int | None, speed: float | None) -> tuple[int, float]:
    """Ports of a switch and the speed of the links on them, Gbps; 64 of 400G unless something says."""
    if switch is None or not switch.ports:
        radix = radix or 64
    if switch is None or switch.port_gbps is None:
        speed = speed or 400.0
    return switch_ports(switch, radix, speed)


def _units(units: int | None, per_unit: int, reserved: int, nodes: int) -> int:
    """Scalable units: as asked, or as many as the nodes need."""
    count = units or -(-(nodes + reserved) // per_unit) or 1
    if reserved >= per_unit:
        raise TopologyError(
            f"{reserved} reserved nodes leave no node in a unit of {per_unit}",
            where="reserved_nodes",
            hint=f"at most {per_unit - 1}, or fewer scalable_units",
            code="FP3047",
        )
    if nodes > count * per_unit - reserved:
        raise TopologyError(
            f"{nodes:,} nodes do not fit {count} units of {per_unit}" + (f" less {reserved}" if reserved else ""),
            where="scalable_units",
            hint=f"{-(-(nodes + reserved) // per_unit)} units would take them",
            code="FP3022",
        )
    return count


def _hang_management(net: Assembler, leaves: Ints, links: int, nodes: int, down: int, gbps: float) -> None:
    """One cable from each management host to the leaves of the last unit in turn."""
    rails = leaves.shape[1]
    room = rails * (down - max(nodes, 0))
    if links > room:
        raise TopologyError(
            f"{links} management links need as many free host ports in the last unit, which has {room}",
            where="management_links",
            hint=f"at most {room}; each reserved node frees {rails} more",
            code="FP3047",
        )
    if not links:
        return
    ids = net.nodes("management", node_names("management", range(links)), level=0, forwards=False)
    net.cables(ids, leaves[-1][np.arange(links) % rails], gbps, tier="management-leaf")
