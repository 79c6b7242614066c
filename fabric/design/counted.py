"""A counted design of one fabric: what families give and the search chooses from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from topologies.link_kits import LinkEnd


@dataclass(frozen=True)
class SwitchCount:
    """Equal switches of one role."""

    role: str
    model: str
    count: int
    ports_used: int  # of the fullest, whole ports of the model


@dataclass(frozen=True)
class CableCount:
    """Equal links of one tier; ``lower`` is the end nearer to the hosts."""

    tier: str
    count: int
    gbps: float
    lower: LinkEnd
    upper: LinkEnd
    run: str  # key of FabricNeed.length_m


@dataclass(frozen=True)
class Counted:
    """A design by its closed form.

    Attributes
    ----------
    topology : mapping
        The ``topology:`` of the scenario that builds it, plain YAML values, ``kind`` included.
    nic_ports : int
        Ports each NIC is split into.
    oversubscription : mapping
        By role of switch, those that have links down and up.
    uniform_load : float, optional
        Of networks without levels, in which no role points up alone: what links between switches would carry on
        average over what they can, if every NIC sent at its full rate evenly to all others (`counting.flat`).
    parts : int
        Networks that never meet, such as rails without a spine above them; what crosses goes through the hosts.
    """

    family: str
    topology: Mapping[str, Any]
    nic_ports: int
    switches: tuple[SwitchCount, ...]
    cables: tuple[CableCount, ...]
    oversubscription: Mapping[str, float]
    parts: int = 1
    uniform_load: float | None = None

    @property
    def kind(self) -> str:
        """Kind of the topology."""
        return str(self.topology["kind"])
