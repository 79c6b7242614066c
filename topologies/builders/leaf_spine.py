"""Leaf-spine: the two-tier folded Clos."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import (
    TOPOLOGIES,
    Hosts,
    LeafSpec,
    SwitchSpec,
    check_breakout,
    check_even,
    check_leaf_ports,
    check_port_speed,
    even_spine_count,
    names_of,
    one_of,
    slower,
)
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hang import hang_hosts
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps

_LEAF_NAME, _SPINE_NAME = "leaf{index}", "spine{index}"


def facts(leaves: int, spines: int, hosts_per_leaf: int, host_speed: float, uplink_speed: float) -> Facts:
    """Closed form of the short form, one cable per leaf-spine pair; rates are one direction."""
    return Facts(
        endpoints=leaves * hosts_per_leaf,
        switches=leaves + spines,
        cables_by_tier={"host-leaf": leaves * hosts_per_leaf, "leaf-spine": leaves * spines},
        tier_gbps={
            "host-leaf": leaves * hosts_per_leaf * host_speed,
            "leaf-spine": leaves * spines * uplink_speed,
        },
        ports_used_max=max(hosts_per_leaf + spines, leaves),
    )


@TOPOLOGIES.register(
    "leaf-spine",
    facts=facts,
    example={"leaves": 4, "spines": 2, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "400G"},
)
def leaf_spine(
    leaf: Annotated[LeafSpec | None, Field(description="Leaf switches")] = None,
    spine: Annotated[SwitchSpec | None, Field(description="Spine switches")] = None,
    dual_home: Annotated[tuple[str, ...], Field(description="Node groups cabled to a pair of leaves")] = (),
    leaves: Annotated[Count | None, Field(description="Short form: number of leaves")] = None,
    spines: Annotated[Count | None, Field(description="Short form: number of spines")] = None,
    hosts_per_leaf: Annotated[Count | None, Field(description="Short form: host ports per leaf")] = None,
    host_speed: Annotated[SpeedGbps | None, Field(description="Speed of a host port")] = None,
    uplink_speed: Annotated[SpeedGbps | None, Field(description="Speed of a leaf-spine link")] = None,
    hosts: Hosts = (),
) -> Topology:
    """Two-tier folded Clos: every leaf has the same number of cables to every spine.

    Either ``leaf`` and ``spine`` describe the switches, or the short form gives counts and speeds and takes the
    radix as unlimited. Hosts fill the leaves in even blocks; groups in ``dual_home`` hang on pairs of leaves.
    """
    low, high = leaf or LeafSpec(), spine or SwitchSpec()
    leaf_count = one_of(low.count, leaves, "leaf.count", "leaves")
    if leaf_count is None:
        raise TopologyError("neither leaf.count nor leaves is given", hint="add leaf.count or leaves", code="FP3030")
    check_breakout(low)
    check_port_speed(uplink_speed, slower(low.port_gbps, high.port_gbps), where="uplink_speed")
    check_port_speed(host_speed, low.port_gbps, where="host_speed")
    ways, broken_gbps = low.breakout
    gbps_up = uplink_speed or slower(low.port_gbps, high.port_gbps)
    if gbps_up is None:
        raise TopologyError(
            "the speed of the uplinks is not known",
            where="leaf",
            hint="give a model, or uplink_speed",
            code="FP3030",
        )
    slots = _host_slots(low, hosts_per_leaf, ways)
    spine_count = _spine_count(low, high, spines, leaf_count)
    parallel = check_even(low.up or spine_count, spine_count, where="leaf.up" if low.up else "spine.count")
    check_leaf_ports(low, up=low.up or spine_count)
    gbps_down = host_speed or broken_gbps or low.port_gbps or (None if hosts else gbps_up)

    net = assemble(f"leaf-spine({leaf_count}x{spine_count})", "leaf-spine")
    leaf_names = names_of(low.name or _LEAF_NAME, leaf_count, where="leaf.name")
    leaf_ids = net.switches("leaf", leaf_names, level=1, radix=low.ports)
    spine_names = names_of(high.name or _SPINE_NAME, spine_count, where="spine.name")
    spine_ids = net.switches("spine", spine_names, level=2, radix=high.ports)
    hang_hosts(net, hosts, leaf_ids, leaf_names, slots, gbps_down, ports_per_slot=1 / ways)
    net.full_mesh(leaf_ids, spine_ids, gbps_up, parallel=parallel, tier="leaf-spine")
    return net.freeze()


def _spine_count(leaf: LeafSpec, spine: SwitchSpec, spines: int | None, leaves: int) -> int:
    """Spines as given, or the fewest that take the leaves' uplinks evenly."""
    given = one_of(spine.count, spines, "spine.count", "spines")
    if given is not None:
        return given
    if leaf.up is None:
        raise TopologyError(
            "neither the number of spines nor that of uplinks is known",
            where="spine",
            hint="add spine.count (or spines), or leaf.up",
            code="FP3030",
        )
    return even_spine_count(leaf.up, leaves, spine.ports, where="spine")


def _host_slots(leaf: LeafSpec, hosts_per_leaf: int | None, ways: int) -> int:
    """Host links a leaf has room for."""
    ports = one_of(leaf.down_ports, leaf.down, "leaf.down_ports", "leaf.down")
    slots = one_of(None if ports is None else ports * ways, hosts_per_leaf, "leaf.down", "hosts_per_leaf")
    if slots is not None:
        return slots
    if leaf.ports and leaf.up:
        return (leaf.ports - leaf.up) * ways
    raise TopologyError(
        "the number of host ports per leaf is not known", where="leaf", hint="add leaf.down", code="FP3030"
    )
