"""Counts of a built topology by role and tier, read off its columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Bools, Ints, column
from topologies.topology import Topology

GLOBAL_TIER = "global"  # of cables between groups of a dragonfly


@dataclass(frozen=True)
class TopologySummary:
    """What an architect checks first; rates are one direction, failures left out of account."""

    topology_kind: str
    endpoints: int
    switches: int
    cables: int
    gpus: int | None  # where the builder or the scenario says which endpoints are theirs
    planes: int  # that meet nowhere below the core; 1 for ordinary networks
    pods: int
    groups: int  # as of a dragonfly or a ZCube: sets of switches that cables of one level join
    nodes_by_role: dict[str, int]
    cables_by_tier: dict[str, int]
    capacity_gbps_by_tier: dict[str, float]
    ports_used_max_by_role: dict[str, int]
    ports_available_by_role: dict[str, int | None]
    oversubscription_by_role: dict[str, float | None]
    port_gbps_by_tier: dict[str, float]


def summarise(topology: Topology, gpus: int | None = None) -> TopologySummary:
    """Count nodes, cables, Gbps and ports of a topology.

    ``gpus`` is what the scenario's nodes have; without it, endpoints on rails are the NICs of GPUs. Oversubscription is
    the bandwidth of a switch's links down over that of its links up, the worst switch of the role; None for roles
    without links up (or down). Links to spare and management hosts, which end no traffic, count in none.
    """
    nodes, links = topology.nodes, topology.links
    switch = topology.is_switch
    cables = topology.is_cable
    role_count = np.bincount(nodes.role, minlength=len(topology.roles))
    tier_cables = np.bincount(links.tier[cables], minlength=len(topology.tiers))
    tier_gbps = np.bincount(links.tier[cables], links.capacity_gbps[cables], len(topology.tiers))
    optical = ~nodes.forwards & (nodes.level > 0)
    has_ports = switch | optical
    by_role = {role: np.flatnonzero((nodes.role == code) & has_ports) for code, role in enumerate(topology.roles)}
    by_role = {role: members for role, members in by_role.items() if len(members)}

    rising = topology.direction > 0
    idle = (nodes.nics == 0) & ~nodes.forwards
    falling = (topology.direction < 0) & ~idle[links.dst]
    up_gbps = np.bincount(links.src[rising], links.capacity_gbps[rising], len(nodes))
    down_gbps = np.bincount(links.src[falling], links.capacity_gbps[falling], len(nodes))

    def oversubscription(members: np.ndarray) -> float | None:
        both = members[(up_gbps[members] > 0) & (down_gbps[members] > 0)]
        return float((down_gbps[both] / up_gbps[both]).max()) if len(both) else None

    def available(members: np.ndarray) -> int | None:
        radix = int(nodes.radix[members].max())
        return radix or None

    on_rails = int(((nodes.nics > 0) & (nodes.rail >= 0) & ~nodes.forwards).sum())
    global_cables = GLOBAL_TIER in topology.tiers
    pods = _distinct(nodes.pod[switch])
    planes = _distinct(nodes.plane[switch & (nodes.level == 1)])
    meeting = bool(_between_planes(topology).any())
    return TopologySummary(
        topology_kind=topology.kind,
        endpoints=int(nodes.nics.sum()),
        switches=int(switch.sum()),
        cables=int(cables.sum()),
        gpus=on_rails or None if gpus is None else gpus,
        planes=1 if meeting else max(planes, 1),
        pods=0 if global_cables else pods,
        groups=pods if global_cables else planes if meeting else 0,
        nodes_by_role={role: int(role_count[code]) for code, role in enumerate(topology.roles)},
        cables_by_tier={tier: int(tier_cables[code]) for code, tier in enumerate(topology.tiers)},
        capacity_gbps_by_tier={tier: float(tier_gbps[code]) for code, tier in enumerate(topology.tiers)},
        ports_used_max_by_role={
            role: int(np.ceil(topology.ports_used[members].max())) for role, members in by_role.items()
        },
        ports_available_by_role={role: available(members) for role, members in by_role.items()},
        oversubscription_by_role={role: oversubscription(members) for role, members in by_role.items()},
        port_gbps_by_tier={
            tier: float(links.capacity_gbps[links.tier == code].max(initial=0.0))
            for code, tier in enumerate(topology.tiers)
        },
    )


def _between_planes(topology: Topology) -> Bools:
    """Links between switches that hosts are on, of two planes: then these are groups that cables join."""
    plane = np.where(topology.is_switch & (topology.nodes.level == 1), topology.nodes.plane, -1)
    low, high = plane[topology.links.src], plane[topology.links.dst]
    return column((low >= 0) & (high >= 0) & (low != high), np.bool_)


def _distinct(ids: Ints) -> int:
    """How many pods, planes, … there are; -1 is none."""
    return len(np.unique(ids[ids >= 0]))
