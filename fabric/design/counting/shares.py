"""What one plane of a fabric takes of a need: with one plane, all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import inf

from fabric.design.need import FabricNeed
from topologies.divisors import divisors
from topologies.oversubscription import exact, gbps_fraction

_APART = {"multi-plane", "rail-only"}  # families whose rails may be networks of their own


@dataclass(frozen=True)
class Share:
    """One of several equal planes.

    Attributes
    ----------
    nic_ports : int
        Ports that every NIC is split into.
    nics : int
        NIC ports of a host on each plane.
    gbps : float
        Speed of a NIC port.
    """

    need: FabricNeed
    planes: int
    nic_ports: int
    nics: int
    gbps: float

    @property
    def room(self) -> int:
        """Hosts that there is room for: those there are, and those in reserve."""
        return self.need.hosts + self.need.reserve_hosts

    @property
    def _per_gpu(self) -> bool:
        return self.need.rail == "per-gpu" and self.need.nics > 1

    @property
    def homes(self) -> int:
        """Planes that an endpoint has ports on."""
        return self.nic_ports if self._per_gpu else self.planes

    @property
    def parts(self) -> int:
        """Networks that never meet: sets of planes that different NICs are on."""
        return self.planes // self.nic_ports if self._per_gpu else 1

    def fewest(self, role: str) -> int:
        """Switches of a role above the leaves that there must be, so that one may die."""
        return 2 if role in self.need.single_failures and self.homes < 2 else 1

    @property
    def fewest_uplinks(self) -> int:
        """Cables up from a leaf that there must be, so that one may be cut."""
        return 2 if "leaf-uplink" in self.need.single_failures and self.homes < 2 else 1

    def leaf_may_die(self, leaves_of_endpoint: int = 1) -> bool:
        """Whether the design does what is asked of it when a leaf dies; an endpoint is on so many of a plane."""
        return "leaf" not in self.need.single_failures or self.homes * leaves_of_endpoint >= 2


def uplink_ratio(need: FabricNeed, down_gbps: float, up_gbps: float) -> Fraction:
    """Uplinks that there must be for every link down, by the oversubscription allowed; 0 where any will do."""
    return _uplink_ratio(need.oversubscription, down_gbps, up_gbps)


@lru_cache(maxsize=1024)
def _uplink_ratio(oversubscription: float, down_gbps: float, up_gbps: float) -> Fraction:
    if oversubscription == inf:
        return Fraction(0)
    return gbps_fraction(down_gbps) / (exact(oversubscription) * gbps_fraction(up_gbps))


def one_plane(need: FabricNeed) -> Share | None:
    """The whole of a need on one plane; None where its NICs must be split."""
    return Share(need, 1, 1, need.nics, need.nic_gbps) if 1 in need.nic_ports else None


def rails_may_part(need: FabricNeed) -> bool:
    """Whether rails may be networks of their own: by the need, or because nothing else is asked for."""
    return need.parts or (bool(need.kinds) and set(need.kinds) <= _APART)


def shares(need: FabricNeed) -> Iterator[Share]:
    """Ways of spreading the NIC ports of a host over two planes or more.

    NIC by NIC the ports go to one plane after the other, as the builder of several planes cables them. NICs of GPUs on
    planes of their own never meet, which a need has to allow.
    """
    per_gpu = need.rail == "per-gpu" and need.nics > 1
    apart = rails_may_part(need)
    for ports in sorted(set(need.nic_ports)):
        gbps = need.nic_gbps / ports
        if per_gpu:
            for turns in divisors(need.nics):
                if ports * turns > 1 and (turns == 1 or apart):
                    yield Share(need, ports * turns, ports, need.nics // turns, gbps)
        else:
            for planes in divisors(need.nics * ports):
                if planes > 1:
                    yield Share(need, planes, ports, need.nics * ports // planes, gbps)
