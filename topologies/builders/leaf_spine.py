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
    check_even,
    check_leaf_ports,
    even_spine_count,
    names_of,
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
    leaf_count = _one_of(low.count, leaves, "leaf.count", "leaves")
    ways, broken_gbps = low.breakout
    gbps_up = uplink_speed or low.port_gbps or high.port_gbps
    if gbps_up is None:
        raise TopologyError("the speed of the uplinks is not known", where="leaf", hint="give a model, or uplink_speed")
    slots = _host_slots(low, hosts_per_leaf, ways)
    spine_count = high.count or spines
    if spine_count is None:
        spine_count = even_spine_count(low.up or 1, leaf_count, high.ports, where="spine")
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


def _one_of(long: int | None, short: int | None, long_key: str, short_key: str) -> int:
    """The value that was given; both or none is an error."""
    if long is not None and short is not None and long != short:
        raise TopologyError(
            f"{long_key} is {long} but {short_key} is {short}", where=short_key, hint="give one of them"
        )
    value = long if long is not None else short
    if value is None:
        raise TopologyError(f"neither {long_key} nor {short_key} is given", hint=f"add {long_key} or {short_key}")
    return value


def _host_slots(leaf: LeafSpec, hosts_per_leaf: int | None, ways: int) -> int:
    """Host links a leaf has room for."""
    if leaf.down_ports is not None:
        return leaf.down_ports * ways
    if leaf.down is not None:
        return leaf.down * ways
    if hosts_per_leaf is not None:
        return hosts_per_leaf
    if leaf.ports and leaf.up:
        return (leaf.ports - leaf.up) * ways
    raise TopologyError("the number of host ports per leaf is not known", where="leaf", hint="add leaf.down")
