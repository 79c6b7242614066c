"""Counts of a folded Clos: those that are asked for, and those of a finished plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

ROLES: Mapping[int, tuple[str, ...]] = {
    2: ("leaf", "spine"),
    3: ("leaf", "spine", "core"),
    4: ("leaf", "spine", "superspine", "core"),
}
"""Roles of the switches by number of tiers, from the hosts up."""


@dataclass(frozen=True)
class ClosCounts:
    """Counts that are asked for; None: as many as the size and the ratios need."""

    leaves_per_pod: int | None = None
    spines_per_pod: int | None = None
    pods: int | None = None  # of a zone, where there are four tiers
    superspines_per_zone: int | None = None
    zones: int | None = None
    cores: int | None = None
    planes: int | None = None  # of the cores
    hosts_per_leaf: int | None = None

    @property
    def structure(self) -> bool:
        """Whether any of them says how many switches there are."""
        return self != ClosCounts(hosts_per_leaf=self.hosts_per_leaf)

    @property
    def fewest_tiers(self) -> int:
        """Tiers that these counts need."""
        if self.zones is not None or self.superspines_per_zone is not None:
            return 4
        return 3 if self.cores is not None or self.planes is not None or (self.pods or 1) > 1 else 2

    def members(self, tier: int) -> int | None:
        """What one switch of a tier joins: leaves of a pod, pods (of a zone), zones."""
        return {2: self.leaves_per_pod, 3: self.pods, 4: self.zones}[tier]

    def width(self, tier: int, tiers: int) -> int | None:
        """Switches of a tier in a pod, in a zone, or at the top."""
        if tier == 2:
            return self.spines_per_pod
        return self.cores if tier == tiers else self.superspines_per_zone


@dataclass(frozen=True)
class Level:
    """The switches of a tier above the leaves in one pod, one zone, or at the top."""

    width: int
    planes: int
    parallel: int  # cables from a switch below to each that it reaches
    down: int
    up: int = 0


@dataclass(frozen=True)
class ClosPlan:
    """Sizes of a Clos; ``members[t]`` counts what the switches of ``levels[t]`` join: leaves, pods, zones."""

    host_ports: int
    leaf_up: int
    members: tuple[int, ...]
    levels: tuple[Level, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def tiers(self) -> int:
        """Tiers of switches."""
        return len(self.levels) + 1

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the switches from the hosts up."""
        return ROLES[self.tiers]

    def blocks(self, tier: int) -> int:
        """Leaves, pods, zones: how many there are of what holds the switches of a tier."""
        return prod(self.members[tier - 1 :])

    @property
    def leaves(self) -> int:
        """Leaves of all pods."""
        return prod(self.members)

    @property
    def leaves_per_pod(self) -> int:
        """Leaves of a pod."""
        return self.members[0]

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaves + sum(self.blocks(tier) * level.width for tier, level in enumerate(self.levels, 2))

    @property
    def cables_by_tier(self) -> dict[str, int]:
        """Cables between switches."""
        up = (self.leaf_up, *(level.up for level in self.levels))
        width = (1, *(level.width for level in self.levels))
        return {
            f"{self.roles[tier - 1]}-{self.roles[tier]}": self.blocks(tier) * width[tier - 1] * up[tier - 1]
            for tier in range(1, self.tiers)
        }
