"""Counts of a built topology by role and tier, read off its columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.topology import Topology


@dataclass(frozen=True)
class TopologySummary:
    """What an architect checks first; rates are one direction, failures left out of account."""

    topology_kind: str
    endpoints: int
    switches: int
    cables: int
    nodes_by_role: dict[str, int]
    cables_by_tier: dict[str, int]
    capacity_gbps_by_tier: dict[str, float]
    ports_used_max_by_role: dict[str, int]
    ports_available_by_role: dict[str, int | None]
    oversubscription_by_role: dict[str, float | None]


def summarise(topology: Topology) -> TopologySummary:
    """Count nodes, cables, Gbps and ports of a topology.

    Oversubscription is the bandwidth of a switch's links down over that of its links up, the worst switch of the role;
    None for roles without links up (or down).
    """
    nodes, links = topology.nodes, topology.links
    switch = topology.is_switch
    cables = topology.is_cable
    role_count = np.bincount(nodes.role, minlength=len(topology.roles))
    tier_cables = np.bincount(links.tier[cables], minlength=len(topology.tiers))
    tier_gbps = np.bincount(links.tier[cables], links.capacity_gbps[cables], len(topology.tiers))
    by_role = {role: np.flatnonzero((nodes.role == code) & switch) for code, role in enumerate(topology.roles)}
    by_role = {role: members for role, members in by_role.items() if len(members)}

    rising = nodes.level[links.dst] > nodes.level[links.src]
    falling = nodes.level[links.dst] < nodes.level[links.src]
    up_gbps = np.bincount(links.src[rising], links.capacity_gbps[rising], len(nodes))
    down_gbps = np.bincount(links.src[falling], links.capacity_gbps[falling], len(nodes))

    def oversubscription(members: np.ndarray) -> float | None:
        both = members[(up_gbps[members] > 0) & (down_gbps[members] > 0)]
        return float((down_gbps[both] / up_gbps[both]).max()) if len(both) else None

    def available(members: np.ndarray) -> int | None:
        radix = int(nodes.radix[members].max())
        return radix or None

    return TopologySummary(
        topology_kind=topology.kind,
        endpoints=int(nodes.nics.sum()),
        switches=int(switch.sum()),
        cables=int(cables.sum()),
        nodes_by_role={role: int(role_count[code]) for code, role in enumerate(topology.roles)},
        cables_by_tier={tier: int(tier_cables[code]) for code, tier in enumerate(topology.tiers)},
        capacity_gbps_by_tier={tier: float(tier_gbps[code]) for code, tier in enumerate(topology.tiers)},
        ports_used_max_by_role={
            role: int(np.ceil(topology.ports_used[members].max())) for role, members in by_role.items()
        },
        ports_available_by_role={role: available(members) for role, members in by_role.items()},
        oversubscription_by_role={role: oversubscription(members) for role, members in by_role.items()},
    )
