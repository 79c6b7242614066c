"""What one fabric has to do, as families read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TierName = Literal["host", "upper"]


@dataclass(frozen=True)
class FabricNeed:
    """One fabric of a requirement.

    Attributes
    ----------
    nic_gbps : float
        Of a whole NIC; with ``nic_ports`` above 1 its ports share it.
    nic_ports : tuple of int
        Numbers of ports that a NIC may be split into, each to another switch or plane; 1 where it may not.
    oversubscription : float
        Most at any switch, active bandwidth down over up; inf: whatever.
    length_m : mapping
        Runs that cables are counted with before the floor plan says: to hosts, and between switches.
    single_failures : tuple of str
        Roles any one switch of which may die without a pair of endpoints losing each other: ``spine``, ``leaf``,
        ``core``; ``leaf-uplink`` is a cable.
    parts : bool
        Whether rails may be networks of their own that never meet. They may as well where only families are asked for
        that have such rails.
    """

    name: str
    hosts: int
    gpus_per_host: int
    nics: int
    nic_gbps: float
    nic_ports: tuple[int, ...] = (1,)
    rail: Literal["per-gpu", "shared"] = "shared"
    oversubscription: float = 1.0
    length_m: Mapping[str, float] = field(default_factory=lambda: {"host": 2.0, "upper": 20.0})
    kinds: tuple[str, ...] = ()  # families allowed; none: all
    switches: tuple[str, ...] = ()  # models allowed; none: all
    single_failures: tuple[str, ...] = ()
    max_tiers: int = 3
    parts: bool = False
    reserve_hosts: int = 0  # that must be connectable later without touching a leaf
    leaf_switches: tuple[str, ...] = ()  # models allowed for the switches that hosts are on; none: all
    upper_switches: tuple[str, ...] = ()  # models allowed for all others; none: all
    most: tuple[tuple[str, float], ...] = ()  # measures of an objective, and what each may come to at most

    @property
    def endpoints(self) -> int:
        """NICs on the fabric."""
        return self.hosts * self.nics
