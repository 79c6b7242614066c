"""The keys of a Clos, and the design that they make for a number of tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import gcd
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from topologies.clos_counts import ROLES, ClosCounts
from topologies.clos_plan import ClosDesign
from topologies.clos_ports import TierPorts
from topologies.errors import Problem, TopologyError
from topologies.hosts import HostGroup
from topologies.oversubscription import TierOversubscription
from topologies.registry import Spec
from topologies.switches import SwitchPorts, check_speed, slowest_gbps, switch_ports
from topologies.units import Count, SpeedGbps


class TierCounts(Spec):
    """A number for the switches of every tier that points up."""

    leaf: Count | None = Field(default=None, description="Of a leaf")
    spine: Count | None = Field(default=None, description="Of a spine")
    superspine: Count | None = Field(default=None, description="Of a super-spine, with four tiers")


class LinkSpeeds(Spec):
    """Speeds of links, where they are not those of the ports."""

    host: SpeedGbps | None = Field(default=None, description="Links of hosts")
    leaf: SpeedGbps | None = Field(default=None, description="Links up from a leaf")
    spine: SpeedGbps | None = Field(default=None, description="Links up from a spine")
    superspine: SpeedGbps | None = Field(default=None, description="Links up from a super-spine")


def _of_a_leaf(value: object) -> object:
    return {"leaf": value} if isinstance(value, int | str) and not isinstance(value, bool) else value


_COUNT = {"type": "integer", "minimum": 1}
ParallelCables = Annotated[
    TierCounts,
    BeforeValidator(_of_a_leaf),
    WithJsonSchema(
        {
            "anyOf": [
                _COUNT,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": dict.fromkeys(TierCounts.model_fields, _COUNT),
                },
            ]
        }
    ),
    Field(
        description="Cables between a leaf and each spine, or by role; default: as many as keep the switches above few"
    ),
]
"""Cables side by side, by the role of the lower switch; a number alone is that of the leaves."""


@dataclass(frozen=True)
class ClosKeys:
    """What a scenario says of a Clos."""

    radix: int | None = None
    speed: float | None = None
    switch: SwitchPorts | None = None
    endpoints: int | None = None
    tiers: int | None = None
    oversubscription: TierOversubscription = field(default_factory=TierOversubscription)
    uplinks: TierCounts = field(default_factory=TierCounts)
    parallel: TierCounts = field(default_factory=TierCounts)
    speeds: LinkSpeeds = field(default_factory=LinkSpeeds)
    counts: ClosCounts = field(default_factory=ClosCounts)
    leaf: SwitchPorts | None = None
    spine: SwitchPorts | None = None
    superspine: SwitchPorts | None = None
    core: SwitchPorts | None = None
    hosts: Sequence[HostGroup] = ()

    def ports(self, role: str) -> tuple[int, float]:
        """Ports of a switch of a role, and their speed in Gbps."""
        own: SwitchPorts | None = getattr(self, role)
        if own is None:
            return switch_ports(self.switch, self.radix, self.speed)
        every = self.switch or SwitchPorts()
        radix = None if own.ports else self.radix or every.ports or None
        port_gbps = own.port_gbps or self.speed or every.port_gbps
        try:
            return switch_ports(own, radix, port_gbps)
        except TopologyError as error:
            raise error.under(role) from None

    def link_gbps(self, tiers: int) -> dict[str, float]:
        """Speed of a host's link, and of the links up from the switches of every role, Gbps."""
        roles = ROLES[tiers]
        found = {"host": self._host_gbps}
        for lower, upper in pairwise(roles):
            ends = [self.ports(role)[1] for role in (lower, upper)]
            asked: float | None = getattr(self.speeds, lower)
            for role, gbps in zip((lower, upper), ends, strict=True):
                check_speed(f"speeds.{lower}", asked, gbps, port=f"the ports of a {role}")
            found[lower] = asked or slowest_gbps(self.speed, *ends) or 0.0
        return found

    @cached_property
    def _host_gbps(self) -> float:
        """Speed of a host port, Gbps."""
        port_gbps = self.ports("leaf")[1]
        check_speed("speeds.host", self.speeds.host, port_gbps, port="the ports of a leaf")
        return self.speeds.host or port_gbps

    def _counted_gbps(self) -> float:
        """Speed that a host counts with: of its NICs where an oversubscription of leaves is asked for."""
        nics = {group.nic_gbps for group in self.hosts}
        if self.oversubscription.leaf is not None and self.speeds.host is None and len(nics) == 1:
            return min(*nics, self._host_gbps)
        return self._host_gbps

    def design(self, tiers: int) -> ClosDesign:
        """The design with so many tiers, before it is counted."""
        roles, gbps = ROLES[tiers], self.link_gbps(tiers)
        speeds = [self._counted_gbps(), *(gbps[role] for role in roles[:-1])]
        below = [self._tier(role, speeds[index], speeds[index + 1]) for index, role in enumerate(roles[:-1])]
        for index, lower in enumerate(below):
            asked = self._side_by_side(index + 2, tiers, lower)
            if asked is not None:
                below[index] = self._tier(lower.role, lower.down_gbps, lower.up_gbps, asked)
        top = TierPorts(roles[-1], self.ports(roles[-1])[0], speeds[-1], speeds[-1])
        step = max((group.homes for group in self.hosts), default=1)
        return ClosDesign(tuple(below), top, self.counts, step)

    def _tier(self, role: str, down_gbps: float, up_gbps: float, uplinks: int | None = None) -> TierPorts:
        return TierPorts(
            role,
            self.ports(role)[0],
            down_gbps,
            up_gbps,
            getattr(self.oversubscription, role),
            self.oversubscription.at_most,
            getattr(self.uplinks, role) or uplinks,
            getattr(self.parallel, role),
        )

    def _side_by_side(self, tier: int, tiers: int, lower: TierPorts) -> int | None:
        """Uplinks that follow from the switches above and the cables to each, where no ratio is asked for."""
        width = self.counts.width(tier, tiers)
        if lower.parallel is None or width is None or lower.asked is not None or lower.uplinks is not None:
            return None
        if tier == 2:
            return lower.parallel * width
        planes = self.counts.planes if tier == tiers else None
        positions = self.counts.width(tier - 1, tiers)
        planes = planes or (None if positions is None else gcd(positions, width))
        return None if planes is None or width % planes else lower.parallel * width // planes

    def check(self, tiers: int) -> list[str]:
        """What changes nothing with so many tiers: refused, but for a ratio that a smaller fabric does not need.

        Raises
        ------
        TopologyError
            When keys are about tiers that are not there, all at once (FP3033).
        """
        roles = ROLES[tiers]
        notes: list[str] = []
        found: list[Problem] = []

        def idle(where: tuple[str, ...], what: str) -> None:
            message = f"{'.'.join(where)} changes nothing: {what}"
            hint = f"leave it out, or set tiers: {4 if 'superspine' in where else min(tiers + 1, 4)}"
            found.append(Problem(message, code="FP3033", where=where, hint=hint, on_key=True))

        for role in ("spine", "superspine", "core"):
            if role not in roles and getattr(self, role) is not None:
                idle((role,), f"{tiers} tiers have no {role}s")
        keys: Mapping[str, Spec] = {name: getattr(self, name) for name in ("uplinks", "parallel", "speeds")}
        for role in ("spine", "superspine"):
            if role in roles[:-1]:
                continue
            what = f"with {tiers} tiers nothing is above a {role}" if role in roles else f"{tiers} tiers have none"
            for key, value in keys.items():
                if getattr(value, role) is not None:
                    idle((key, role), what)
            if getattr(self.oversubscription, role) is not None:
                if self.tiers is None and role == "spine":
                    notes.append(f"oversubscription.{role} is not used: {tiers} tiers reach, and have no cores")
                else:
                    idle(("oversubscription", role), what)
        if tiers == 2 and (self.counts.pods or 1) > 1:
            idle(("pods",), "two tiers have one pod; every leaf meets every spine")
        for key, least in (("cores", 3), ("planes", 3), ("superspines_per_zone", 4), ("zones", 4)):
            if tiers < least and getattr(self.counts, key) is not None:
                idle((key,), f"{tiers} tiers have none")
        if found:
            raise TopologyError(found)
        return notes
