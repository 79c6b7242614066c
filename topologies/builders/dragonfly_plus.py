"""Dragonfly+: groups of leaves and spines, whose spines are cabled to all other groups."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Parallel, Speed, between_groups, cable, host_gbps, said_of_groups
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count


def facts(groups: int, leaves: int, spines: int, p: int, global_links: int, speed: float, parallel: int = 1) -> Facts:
    """Closed form (Shpiner et al., HiPINEB 2017): leaves·spines cables in a group, spines·global_links out of it."""
    cables = {
        "host-leaf": groups * leaves * p,
        "leaf-spine": groups * leaves * spines * parallel,
        "global": groups * spines * global_links // 2,
    }
    return Facts(
        endpoints=groups * leaves * p,
        switches=groups * (leaves + spines),
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=max(p + spines * parallel, leaves * parallel + global_links),
    )


@TOPOLOGIES.register(
    "dragonfly-plus",
    facts=facts,
    example={"groups": 5, "leaves": 4, "spines": 4, "p": 4, "global_links": 4, "speed": "200G"},
)
def dragonfly_plus(
    groups: Annotated[Count, Field(description="Groups")],
    leaves: Annotated[Count, Field(description="Leaves of a group")],
    spines: Annotated[Count, Field(description="Spines of a group")],
    p: Annotated[Count, Field(description="Hosts of a leaf")],
    global_links: Annotated[Count, Field(description="Global ports of a spine")],
    speed: Speed,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    parallel: Parallel = 1,
    local_length: Length = None,
    global_length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Dragonfly+: every leaf to every spine of its group, and every two groups joined through their spines.

    ``parallel`` counts cables between a leaf and a spine. Global ports beyond one per peer are spread evenly, as in a
    dragonfly.

    References
    ----------
    Shpiner et al., "Dragonfly+: low cost topology for scaling datacenters", HiPINEB 2017.
    """
    rows = between_groups(groups, spines * global_links)
    gbps = host_gbps(speed, host_speed, switch)
    radix = switch.ports if switch else 0
    net = assemble(f"dragonfly-plus({groups} groups of {leaves}x{spines})", "dragonfly-plus")
    group, position = np.divmod(np.arange(groups * leaves), leaves)
    leaf_names = node_names("leaf", position, group=group)
    leaf = net.switches("leaf", leaf_names, level=1, radix=radix, pod=group)
    group, position = np.divmod(np.arange(groups * spines), spines)
    spine = net.switches("spine", node_names("spine", position, group=group), level=2, radix=radix, pod=group)
    attach_hosts(net, hosts, leaf, leaf_names, p, gbps, order=attach_order)
    low = np.repeat(leaf, spines)
    high = np.repeat(spine.reshape(groups, spines), leaves, axis=0).ravel()
    cable(net, low, high, speed, tier="leaf-spine", parallel=parallel, length=local_length)
    table = spine.reshape(groups, spines)
    near = table[rows[:, 0], rows[:, 1] // global_links]
    far = table[rows[:, 2], rows[:, 3] // global_links]
    cable(net, near, far, speed, tier="global", length=global_length)
    net.say(*said_of_groups(groups, spines * global_links))
    return net.freeze()
