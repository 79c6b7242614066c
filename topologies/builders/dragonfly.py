"""Dragonfly: groups of routers, all cabled to all inside, and groups cabled to all other groups."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Speed, all_pairs, between_groups, cable, host_gbps, said_of_groups
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count


def facts(p: int, a: int, h: int, groups: int | None, speed: float) -> Facts:
    """Closed form (Kim et al., ISCA 2008, section 3.1); a·h·g/2 global cables, all ports used."""
    groups = groups or a * h + 1
    cables = {"host-router": a * p * groups, "local": groups * a * (a - 1) // 2, "global": groups * a * h // 2}
    return Facts(
        endpoints=a * p * groups,
        switches=a * groups,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=p + a - 1 + h,
    )


@TOPOLOGIES.register("dragonfly", facts=facts, example={"p": 2, "a": 4, "h": 2, "groups": 9, "speed": "200G"})
def dragonfly(
    p: Annotated[Count, Field(description="Hosts of a router")],
    a: Annotated[Count, Field(description="Routers of a group")],
    h: Annotated[Count, Field(description="Global ports of a router")],
    speed: Speed,
    groups: Annotated[Count | None, Field(description="Groups; a·h + 1 if absent, the most there can be")] = None,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    local_length: Length = None,
    global_length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Dragonfly: a complete graph inside every group, and every two groups joined by one or more cables.

    With fewer groups than global ports, what is left of the ports is spread as second cables between groups at equal
    distances; only where groups x a x h is odd does one port stay free. Balanced is a = 2p = 2h.

    References
    ----------
    Kim, Dally, Scott, Abts, "Technology-driven, highly-scalable dragonfly topology", ISCA 2008, section 3.1.
    """
    count = a * h + 1 if groups is None else groups
    rows = between_groups(count, a * h)
    gbps = host_gbps(speed, host_speed, switch)
    net = assemble(f"dragonfly(p={p}, a={a}, h={h}, g={count})", "dragonfly")
    group, position = np.divmod(np.arange(count * a), a)
    names = node_names("router", position, group=group)
    ids = net.switches("router", names, level=1, radix=switch.ports if switch else 0, pod=group)
    attach_hosts(net, hosts, ids, names, p, gbps, order=attach_order)
    table = ids.reshape(count, a)
    one, other = all_pairs(a)
    cable(net, table[:, one].ravel(), table[:, other].ravel(), speed, tier="local", length=local_length)
    near, far = table[rows[:, 0], rows[:, 1] // h], table[rows[:, 2], rows[:, 3] // h]
    cable(net, near, far, speed, tier="global", length=global_length)
    net.say(*said_of_groups(count, a * h))
    return net.freeze()
