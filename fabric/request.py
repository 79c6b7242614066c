"""What the command line adds to a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RouteRequest:
    """What the command line adds to the scenario."""

    router: str | None = None
    paths: str | None = None
    objective: str | None = None
    replicas: int | None = None
    draws: int | None = None  # of the hash where nobody says, as the run has that this one is compared with
    fabric: str | None = None
    phase: str = "worst"  # which phases' hottest links are listed: a name, all, or worst
    top: int = 20
    time_limit_s: float = 600.0
    gap: float = 1e-4
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()  # SELECTOR=50%: degraded, with this part of the capacity left
    scale: float = 1.0  # factor on all demand, besides the scenario's


@dataclass(frozen=True)
class TablesRequest:
    """What the command line says about flow tables."""

    families: tuple[int, ...] = (4,)
    carrier: Literal["slots", "exact"] = "slots"
    tolerance: float | None = None  # oversubscription above 1 of a bucket; None: the default
    rules: int | None = None  # entries, groups and members that every switch has, above what its model says
    groups: int | None = None
    members: int | None = None
    hash_seeds: Literal["tables", "files", "tiers", "nobody"] = "tables"  # who says the seed of every switch's hash
    port_rules: bool = True  # whether tenants are kept apart by rules at the ports of hosts
