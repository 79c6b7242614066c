"""Closed-form facts of a topology family, against which the built columns are tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What the formula of a family says; rates are one direction."""

    endpoints: int
    switches: int
    cables_by_tier: Mapping[str, int]
    tier_gbps: Mapping[str, float]
    ports_used_max: int | None = None
    parts: int = 1  # that cannot reach each other, as rails that never meet
    other_nodes: int = 0  # that neither switch packets nor end traffic: optical switches, management and spare hosts
    hosts_forward: bool = False  # server-centric networks
    ports_per_endpoint: int = 1  # ports of a host that the builder makes up
