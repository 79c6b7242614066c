"""What all designs of a variant share: roles, models and links; and the terms and designs that counts make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabric.design.counted import CableCount, Counted, SwitchCount
from fabric.design.counting.port_options import PortOption
from fabric.design.counting.shares import Share
from fabric.design.family import Count, Floor, Formulation, LinkTerm, SwitchTerm, Variant
from topologies.link_kits import LinkEnd

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel


@dataclass(frozen=True)
class Wire:
    """Links of a tier."""

    tier: str
    gbps: float
    lower: LinkEnd
    upper: LinkEnd
    run: str = "upper"


@dataclass(frozen=True)
class Sizes:
    """Counts of one plane of a design: switches by role, cables by tier, ports used by role, oversubscription."""

    topology: Mapping[str, Any]
    switches: Sequence[int]
    cables: Sequence[int]
    ports: Sequence[int]
    oversubscription: Mapping[str, float]
    parts: int = 1
    uniform_load: float | None = None


@dataclass(frozen=True)
class Layout:
    """Roles from the hosts up with the model of each, and tiers of links from the hosts up.

    Attributes
    ----------
    kind : str
        Of the topology of a plane, where it is not the family.
    own_planes : bool
        Whether that kind has the planes itself.
    counts_all : bool
        Whether counts are those of all planes, not of one.
    """

    family: str
    share: Share
    roles: tuple[str, ...]
    options: tuple[PortOption, ...]
    wires: tuple[Wire, ...]
    kind: str = ""
    own_planes: bool = False
    counts_all: bool = False

    @property
    def times(self) -> int:
        """What counts are multiplied by to be those of all planes."""
        return 1 if self.counts_all else self.share.planes

    @property
    def host_cables(self) -> int:
        """Cables to the hosts, of a plane or of all."""
        return self.share.need.hosts * self.share.nics * self.share.planes // self.times

    def switch_terms(self, counts: Sequence[Count]) -> tuple[SwitchTerm, ...]:
        """Switches of all planes, from those of one by role."""
        rows = zip(self.roles, self.options, counts, strict=True)
        return tuple(SwitchTerm(role, option.model, self.times * count) for role, option, count in rows)

    def link_terms(self, counts: Sequence[Count]) -> tuple[LinkTerm, ...]:
        """Links of all planes, from those between switches of one by tier."""
        rows = zip(self.wires, (self.host_cables, *counts), strict=True)
        return tuple(
            LinkTerm(wire.tier, self.times * count, wire.gbps, wire.lower, wire.upper, wire.run) for wire, count in rows
        )

    def floor(self, switches: Sequence[int], cables: Sequence[int]) -> Floor:
        """Terms that no design is below."""
        return Floor(self.switch_terms(switches), self.link_terms(cables))

    def formulation(
        self,
        switches: Sequence[Count],
        cables: Sequence[Count],
        decides: Sequence[Any],
        sizes: Callable[[Callable[[Any], int]], Sizes],
    ) -> Formulation:
        """Terms of variables, and how a design is read from their values."""
        return Formulation(
            self.switch_terms(switches),
            self.link_terms(cables),
            tuple(decides),
            lambda value: self.counted(sizes(value)),
        )

    def counted(self, sizes: Sizes) -> Counted:
        """The design of some sizes."""
        planes, times = self.share.planes, self.times
        topology = {"kind": self.kind or self.family, **sizes.topology}
        if planes > 1 and not self.own_planes:
            topology = {"kind": "multi-plane", "planes": planes, "plane": topology}
        rows = zip(self.roles, self.options, sizes.switches, sizes.ports, strict=True)
        tiers = zip(self.wires, (self.host_cables, *sizes.cables), strict=True)
        return Counted(
            self.family,
            topology,
            self.share.nic_ports,
            tuple(
                SwitchCount(role, option.model, times * count, option.whole_ports(ports))
                for role, option, count, ports in rows
            ),
            tuple(
                CableCount(wire.tier, times * count, wire.gbps, wire.lower, wire.upper, wire.run)
                for wire, count in tiers
            ),
            dict(sizes.oversubscription),
            self.share.parts * sizes.parts,
            sizes.uniform_load,
        )

    def variant(
        self,
        floor: Floor,
        formulate: Callable[[CpModel], Formulation | None],
        *choices: str,
    ) -> Variant:
        """The variant, named after its models and the other choices."""
        share = self.share
        planes = () if share.planes == share.nic_ports == 1 else (f"{share.planes} planes of {share.nic_ports}",)
        kind = () if self.kind in ("", self.family) else (self.kind,)
        name = " ".join((self.family, *kind, "+".join(option.label for option in self.options), *choices, *planes))
        return Variant(self.family, name, tuple(option.model for option in self.options), formulate, floor)


def link_between(lower: PortOption, upper: PortOption, tier: str) -> Wire:
    """Links between two roles: as fast as the slower port."""
    return Wire(tier, min(lower.gbps, upper.gbps), lower.end(), upper.end())


def host_link(share: Share, leaf: PortOption, ways: int = 1, tier: str = "host-leaf") -> Wire:
    """Links of hosts: a NIC port, each in a cage of its own, to a port of a leaf broken out into ``ways``."""
    return Wire(tier, share.gbps, LinkEnd(), leaf.end(ways), "host")
