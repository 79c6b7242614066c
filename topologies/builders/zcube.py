"""ZCube: groups of switches without a spine, every NIC with a port on each group, and groups cabled to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.builder import TOPOLOGIES, Hosts, check_nic_speed
from topologies.columns import Ints
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Parallel, Speed, cable, host_gbps
from topologies.hosts import AttachOrder, HostGroup
from topologies.node_names import names_inside, node_names
from topologies.placing import place_hosts
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count

Size = Annotated[int, Field(ge=2)]
Rails = Annotated[
    Literal["aligned", "shifted"],
    Field(
        description="`aligned`: NIC i of a host on the same switch of group 1 for every switch of group 0; `shifted`: "
        "one switch further for each, so that NICs of one rail reach each other over both groups"
    ),
]


def facts(
    dims: Sequence[int],
    speed: float,
    hosts_per_place: int = 1,
    nic_ports: int | None = None,
    parallel: int = 1,
    host_speed: float | None = None,
) -> Facts:
    """Closed form (Yan et al., SIGCOMM 2025, section 5): level l has Π dims / dims[l] switches; 2n or 3n ports each."""
    levels, places = len(dims), prod(dims)
    ports = nic_ports or levels
    cables = {
        "host-switch": places * hosts_per_place * ports,
        "switch-switch": places * (levels - 1) * parallel,
    }
    used = [
        size * ((hosts_per_place if level < ports else 0) + parallel * _neighbours(level, levels))
        for level, size in enumerate(dims)
    ]
    return Facts(
        endpoints=cables["host-switch"],
        switches=sum(places // size for size in dims),
        cables_by_tier=cables,
        tier_gbps={
            "host-switch": cables["host-switch"] * (host_speed or speed),
            "switch-switch": cables["switch-switch"] * speed,
        },
        ports_used_max=max(used),
        ports_per_endpoint=ports,
    )


def _neighbours(level: int, levels: int) -> int:
    """Levels that a level is cabled to."""
    return (level > 0) + (level < levels - 1)


@TOPOLOGIES.register("zcube", facts=facts, example={"dims": [4, 4], "speed": "200G"})
def zcube(
    dims: Annotated[
        tuple[Size, ...],
        Field(
            min_length=2,
            max_length=8,
            description="Sizes of the digits of a place; [n, n] is ZCube(n, 2), two groups of n switches",
            examples=[[16, 16]],
        ),
    ],
    speed: Speed,
    hosts_per_place: Annotated[
        Count, Field(description="NICs of a place: those on the same switch of every group")
    ] = 1,
    nic_ports: Annotated[
        Count | None,
        Field(description="Ports of a NIC, on the first groups; one on each group if absent. 2 of 3: ZCube-partial"),
    ] = None,
    parallel: Parallel = 1,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    rails: Rails = "aligned",
    hosts: Hosts = (),
) -> Topology:
    """ZCube: two groups of switches, fully meshed, without a spine; port l of a NIC on a switch of group l.

    A place is a string of digits, one for every group. A switch of group l has port l of the NICs whose places
    differ in digit l alone, and cables to the switches of groups l - 1 and l + 1 with which it shares a place:
    with two groups every switch of one to every switch of the other. Any two NICs are at most as many switches
    apart as there are groups. All NICs of a host are on one switch of group 0, and in turn on those of group 1,
    as rails are. NICs that share a switch of one group alone are nearest over that port; the paths of all others
    are equally long over both. ``hosts_per_place`` and ``parallel`` widen all of it: with as many of one as of
    the other, traffic that is even over all NICs fills no cable between switches above those to the hosts;
    traffic from the NICs of one switch to those of one switch of the next group crosses ``parallel`` cables.

    References
    ----------
    Yan et al., "From ATOP to ZCube: automated topology optimization pipeline and a highly cost-effective network
    topology for large model training", SIGCOMM 2025, section 5 and figures 8, 11 and 24.
    """
    levels, places = len(dims), prod(dims)
    ports = _nic_ports(nic_ports, levels)
    gbps = host_gbps(speed, host_speed, switch)
    radix = switch.ports if switch else 0
    net = assemble(f"zcube({'x'.join(map(str, dims))})", "zcube")
    groups: list[Ints] = []
    names: list[str] = []
    for level, size in enumerate(dims):
        named = node_names("switch", np.arange(places // size), group=np.full(places // size, level))
        names = names or named
        groups.append(net.switches("switch", named, level=1, radix=radix, plane=level))
    _attach(net, hosts, dims, groups[:ports], names, hosts_per_place, gbps, attach_order, rails)
    digits = _digits(np.arange(places, dtype=np.int32), dims)
    for level in range(levels - 1):
        # Every place joins one switch of a level and one of the next; no two places join the same two.
        lower, upper = (groups[side][_switch(digits, dims, side)] for side in (level, level + 1))
        cable(net, lower, upper, speed, tier="switch-switch", parallel=parallel, length=length)
    return net.freeze()


def _nic_ports(asked: int | None, levels: int) -> int:
    if asked is not None and not 2 <= asked <= levels:
        raise TopologyError(
            f"{asked} ports of a NIC do not go to {levels} groups of switches; each has a group of its own",
            where="nic_ports",
            hint=f"nic_ports: 2 to {levels}, or as many sizes in dims as NICs have ports",
            code="FP3028",
        )
    return asked or levels


def _digits(place: Ints, dims: Sequence[int]) -> list[Ints]:
    """Digits of places, the first the fastest."""
    digits = []
    for size in dims:
        place, digit = np.divmod(place, size)
        digits.append(digit)
    return digits


def _switch(digits: Sequence[Ints], dims: Sequence[int], level: int) -> Ints:
    """Position in its group of the switch of a level that a place is on: its other digits, the first the fastest."""
    position = np.zeros_like(digits[0])
    for digit, size in reversed([pair for at, pair in enumerate(zip(digits, dims, strict=True)) if at != level]):
        position = position * size + digit
    return position


def _slots(group: HostGroup, ports: int) -> HostGroup:
    """A group with the slots of group 0 that a host takes for its NICs: NICs of that many ports, or shared ports."""
    each = group.nics * group.ports
    alone = group.rail == "per-gpu" and group.nics > 1
    if (group.ports != ports) if alone else each % ports:
        raise TopologyError(
            f"{group.name} has {group.nics} {group.rail} NIC(s) of {group.ports} port(s) a node; a ZCube takes "
            f"{ports} ports of each, one for every group of switches",
            where="dims",
            hint=f"give the NICs of {group.name} ports: {ports}"
            + (f", or dims of {group.ports} sizes" if group.ports > 1 else ""),
            code="FP3028",
        )
    return replace(group, nics=each // ports, ports=1)


def _attach(
    net: Assembler,
    hosts: Sequence[HostGroup],
    dims: Sequence[int],
    groups: Sequence[Ints],
    names: Sequence[str],
    hosts_per_place: int,
    gbps: float,
    order: AttachOrder,
    rails: Rails,
) -> None:
    """Port l of every NIC on its switch of group l; the NICs of a host are neighbours on one switch of group 0."""
    room, ports = dims[0] * hosts_per_place, len(groups)
    if not hosts:
        count = len(groups[0])
        ids = net.hosts(names_inside(names, "host", room), nics=ports)
        switch, slot = (axis.ravel() for axis in np.indices((count, room), dtype=np.int32))
        _cable_nics(net, np.repeat(ids, ports), switch, slot, dims, groups, gbps)
        return
    for group in hosts:
        check_nic_speed(group, gbps, where="speed")
    written = {group.name: group for group in hosts}
    blocks = list(place_hosts([_slots(group, ports) for group in hosts], len(groups[0]), room, order))
    filled = np.zeros(len(groups[0]), dtype=np.int32)
    np.add.at(filled, [block.leaves[0] for block in blocks], [len(block.hosts) * block.group.nics for block in blocks])
    # Where switches are not full, one begins at the digit where the one before it ended, so that group 1 fills evenly.
    next_slot = (np.cumsum(filled, dtype=np.int32) - filled) % dims[0]
    if rails == "shifted":
        next_slot += np.where(filled % dims[0] == 0, np.arange(len(filled), dtype=np.int32), 0)
    for block in blocks:
        group, slots, (home, *_) = written[block.group.name], block.group.nics, block.leaves
        alone = group.rail == "per-gpu" and group.nics > 1
        endpoints = [group.nic_name(host, nic) for host in block.hosts for nic in range(group.nics if alone else 1)]
        rail = np.tile(np.arange(group.nics), len(block.hosts)) if alone else -1
        ids = net.hosts(endpoints, nics=ports if alone else slots * ports, rail=rail)
        slot = next_slot[home] + np.arange(len(block.hosts) * slots, dtype=np.int32)
        next_slot[home] += len(slot)
        ends = np.repeat(ids, len(slot) * ports // len(ids))
        _cable_nics(net, ends, np.full(len(slot), home, dtype=np.int32), slot, dims, groups, group.nic_gbps)


def _cable_nics(
    net: Assembler, ends: Ints, block: Ints, slot: Ints, dims: Sequence[int], groups: Sequence[Ints], gbps: float
) -> None:
    """Cables of NICs in slots of switches of group 0: ``ends`` has their endpoints, NIC by NIC and port by port."""
    digits = _digits(slot % dims[0] + dims[0] * block, dims)
    homes = np.stack([switches[_switch(digits, dims, level)] for level, switches in enumerate(groups)], axis=1)
    net.cables(ends, homes.ravel(), gbps)
