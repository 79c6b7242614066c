"""Leaf-spine: the two-tier folded Clos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts, check_even, even_spine_count, names_of
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import AttachOrder, HostGroup, fewest_leaves
from topologies.switches import (
    LeafSpec,
    SwitchSpec,
    agreed,
    check_breakout,
    check_leaf_ports,
    check_speed,
    leaf_host_ports,
    slowest_gbps,
)
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps

_LEAF_NAME, _SPINE_NAME = "leaf{index}", "spine{index}"


def facts(
    leaves: int | None,
    spines: int | None,
    hosts_per_leaf: int | None,
    host_speed: float | None,
    uplink_speed: float | None,
    leaf: LeafSpec | None = None,
    spine: SwitchSpec | None = None,
    attach_order: AttachOrder = "fill",
    hosts: Sequence[HostGroup] = (),
) -> Facts:
    """Closed form: a cable for every uplink of a leaf, in the short form one per spine; rates are one direction."""
    low, high = leaf or LeafSpec(), spine or SwitchSpec()
    ways, broken_gbps = low.host_links
    slots = _host_slots(low, hosts_per_leaf, ways, agreed("spine.count", high.count, "spines", spines))
    leaves = _leaf_count(low, leaves, slots, hosts, attach_order)
    spines = _spine_count(low, high, spines, leaves)
    ends, up = leaves * slots, low.up or spines
    uplink_gbps = _uplink_gbps(low, high, uplink_speed)
    return Facts(
        endpoints=ends,
        switches=leaves + spines,
        cables_by_tier={"host-leaf": ends, "leaf-spine": leaves * up},
        tier_gbps={
            "host-leaf": ends * (host_speed or broken_gbps or low.port_gbps or uplink_gbps),
            "leaf-spine": leaves * up * uplink_gbps,
        },
        ports_used_max=max(-(-slots // ways) + up, leaves * up // spines),
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
    leaves: Annotated[
        Count | None, Field(description="Short form: number of leaves; default: the fewest that take the nodes")
    ] = None,
    spines: Annotated[Count | None, Field(description="Short form: number of spines")] = None,
    hosts_per_leaf: Annotated[Count | None, Field(description="Short form: host ports per leaf")] = None,
    host_speed: Annotated[SpeedGbps | None, Field(description="Speed of a host port")] = None,
    uplink_speed: Annotated[SpeedGbps | None, Field(description="Speed of a leaf-spine link")] = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Two-tier folded Clos: every leaf has the same number of cables to every spine.

    Either ``leaf`` and ``spine`` describe the switches, or the short form gives counts and speeds and takes the
    radix as unlimited; what both say must agree. A leaf-spine link runs at the lesser of both ports' speeds, or at
    ``uplink_speed``, which may not exceed either. Without a number of leaves there are as many as the nodes need.
    Groups in ``dual_home`` are on pairs of leaves.
    """
    low, high = leaf or LeafSpec(), spine or SwitchSpec()
    check_breakout(low, where="leaf")
    check_breakout(high, where="spine")
    ways, broken_gbps = low.host_links
    gbps_up = _uplink_gbps(low, high, uplink_speed)
    slots = _host_slots(low, hosts_per_leaf, ways, agreed("spine.count", high.count, "spines", spines))
    leaf_count = _leaf_count(low, leaves, slots, hosts, attach_order)
    spine_count = _spine_count(low, high, spines, leaf_count)
    parallel = check_even(low.up or spine_count, spine_count, where="leaf.up" if low.up else "spine.count")
    check_leaf_ports(low, up=low.up or spine_count)
    check_speed("host_speed", host_speed, broken_gbps or low.port_gbps, port="the host ports of a leaf")
    gbps_down = host_speed or broken_gbps or low.port_gbps or (None if hosts else gbps_up)

    net = assemble(f"leaf-spine({leaf_count}x{spine_count})", "leaf-spine")
    leaf_names = names_of(low.name or _LEAF_NAME, leaf_count, where="leaf.name")
    leaf_ids = net.switches("leaf", leaf_names, level=1, radix=low.ports)
    spine_names = names_of(high.name or _SPINE_NAME, spine_count, where="spine.name")
    spine_ids = net.switches("spine", spine_names, level=2, radix=high.ports)
    attach_hosts(net, hosts, leaf_ids, leaf_names, slots, gbps_down, ports_per_slot=1 / ways, order=attach_order)
    net.full_mesh(leaf_ids, spine_ids, gbps_up, parallel=parallel, tier="leaf-spine")
    return net.freeze()


def _leaf_count(leaf: LeafSpec, leaves: int | None, slots: int, hosts: Sequence[HostGroup], order: AttachOrder) -> int:
    """Number of leaves, by the long or the short key, or the fewest that take the hosts."""
    count = agreed("leaf.count", leaf.count, "leaves", leaves)
    if count is not None:
        return count
    if not hosts:
        raise TopologyError(
            "neither leaf.count nor leaves is given, and no nodes are listed that would say how many are needed",
            hint="add leaf.count or leaves, or nodes with NICs on this fabric",
            code="FP3035",
        )
    count = fewest_leaves(hosts, slots, order=order)
    if count is None:
        widest = max(hosts, key=lambda group: group.leaf_ports)
        raise TopologyError(
            f"a host of {widest.name} needs {widest.leaf_ports} ports on one leaf, which has {slots} for hosts",
            where="leaf",
            hint="use leaves with more host ports, or fewer NICs per host on this fabric",
            code="FP3022",
        )
    return count


def _spine_count(leaf: LeafSpec, spine: SwitchSpec, spines: int | None, leaves: int) -> int:
    """Number of spines that is given, or the fewest that share the uplinks evenly."""
    count = agreed("spine.count", spine.count, "spines", spines)
    if count is not None:
        return count
    if leaf.up is None:
        raise TopologyError(
            "neither the spines nor the uplinks of a leaf are counted; one of them sets the bandwidth between leaves",
            where="spine",
            hint="add spine.count (or spines), or leaf.up for the fewest spines that take the uplinks",
            code="FP3035",
        )
    return even_spine_count(leaf.up, leaves, spine.ports, where="spine")


def _uplink_gbps(leaf: LeafSpec, spine: SwitchSpec, uplink_speed: float | None) -> float:
    """Speed of a leaf-spine link: as asked, or that of the slower port."""
    for port, switch in (("the ports of a leaf", leaf), ("the ports of a spine", spine)):
        check_speed("uplink_speed", uplink_speed, switch.port_gbps, port=port)
    gbps = uplink_speed or slowest_gbps(leaf.port_gbps, spine.port_gbps)
    if gbps is None:
        raise TopologyError(
            "the speed of the uplinks is not known", where="leaf", hint="give a model, or uplink_speed", code="FP3035"
        )
    return gbps


def _host_slots(leaf: LeafSpec, hosts_per_leaf: int | None, ways: int, spines: int | None) -> int:
    """Host links a leaf has room for: as described, or what the uplinks leave, by default one to each spine."""
    ports = leaf_host_ports(leaf)
    if ports is not None:
        key = "leaf.down_ports" if leaf.down_ports is not None else "leaf.down"
        each = f" x {ways}" if ways > 1 else ""
        agreed(key + each, ports * ways, "hosts_per_leaf", hosts_per_leaf)
        return ports * ways
    if hosts_per_leaf is not None:
        return hosts_per_leaf
    up = leaf.up or spines
    if leaf.ports and up:
        if up >= leaf.ports:
            raise TopologyError(
                f"{up} uplinks leave no port of {leaf.ports} for hosts",
                where="leaf.up" if leaf.up else "leaf",
                hint=f"at most {leaf.ports - 1} uplinks leave one; half of the ports up is 1:1",
                code="FP3011",
            )
        return (leaf.ports - up) * ways
    raise TopologyError(
        "the number of host ports per leaf is not known",
        where="leaf",
        hint="add leaf.down (or hosts_per_leaf), or the leaf's model and its uplinks",
        code="FP3035",
    )
