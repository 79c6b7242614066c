"""The k-ary fat tree."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch, SwitchPorts, switch_ports
from topologies.topology import Topology
from topologies.units import Count, SpeedGbps


def facts(radix: int | None, speed: float | None, switch: SwitchPorts | None = None) -> Facts:
    """Closed form (Al-Fares, SIGCOMM 2008, section 3); every tier has k³/4 cables."""
    k, speed = switch_ports(switch, radix, speed)
    cables = k**3 // 4
    tiers = ("host-edge", "edge-aggregation", "aggregation-core")
    return Facts(
        endpoints=cables,
        switches=5 * k**2 // 4,
        cables_by_tier=dict.fromkeys(tiers, cables),
        tier_gbps=dict.fromkeys(tiers, cables * speed),
        ports_used_max=k,
    )


@TOPOLOGIES.register("fat-tree", facts=facts, example={"radix": 8, "speed": "400G"})
def fat_tree(
    radix: Annotated[Count | None, Field(description="Ports per switch, k; even", examples=[48])] = None,
    speed: Annotated[SpeedGbps | None, Field(description="Speed of every link", examples=["400G"])] = None,
    switch: Switch = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Three-tier k-ary fat tree of equal switches: k pods, k/2 hosts per edge switch, full bisection.

    References
    ----------
    Al-Fares, Loukissas, Vahdat, "A scalable, commodity data center network architecture", SIGCOMM 2008, section 3.
    """
    k, gbps = switch_ports(switch, radix, speed)
    half = k // 2
    if k % 2 or k < 2:
        smaller, larger = max(k - 1, 2), k + 1
        raise TopologyError(
            f"radix {k} is odd; a fat-tree points half its ports up and half down",
            where="radix",
            hint=f"radix {smaller} gives {smaller**3 // 4:,} hosts, radix {larger} gives {larger**3 // 4:,}",
            code="FP3001",
        )
    net = assemble(f"fat-tree(k={k})", "fat-tree")
    pod, position = np.divmod(np.arange(k * half), half)
    edge_names = node_names("edge", position, pod=pod)
    edge = net.switches("edge", edge_names, level=1, radix=k, pod=pod)
    aggregation_names = node_names("aggregation", position, pod=pod)
    aggregation = net.switches("aggregation", aggregation_names, level=2, radix=k, pod=pod)
    core = net.switches("core", node_names("core", range(half * half)), level=3, radix=k)
    attach_hosts(net, hosts, edge, edge_names, half, gbps, order=attach_order)

    lower = np.repeat(edge, half)
    upper = np.repeat(aggregation.reshape(k, half), half, axis=0).ravel()
    net.cables(lower, upper, gbps, tier="edge-aggregation")
    # Aggregation switch i of every pod reaches the i-th block of k/2 cores.
    net.cables(np.repeat(aggregation, half), np.tile(core, k), gbps, tier="aggregation-core")
    return net.freeze()
