"""What the files of a router say of its VRFs: interfaces, addresses, static routes and BGP, whatever wrote them."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import NamedTuple

DEFAULT = ""  # the VRF that FRR and Linux call default
_KERNELS_OWN = (253, 254, 255)  # tables default, main and local
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Static(NamedTuple):
    """A static route out of an interface; ``into`` is the VRF that the file says the interface is in."""

    prefix: Network
    interface: str
    into: str
    line: int


@dataclass(eq=False)
class Process:
    """BGP of one VRF."""

    asn: int
    neighbours: dict[Address, int] = field(default_factory=dict)  # address -> AS
    active: set[tuple[int, Address]] = field(default_factory=set)  # by IP version of the routes
    networks: list[Network] = field(default_factory=list)
    imports: list[tuple[int, str]] = field(default_factory=list)  # IP version and VRF


@dataclass(eq=False)
class VrfFiles:
    """What the two files of a switch say."""

    tables: dict[str, int] = field(default_factory=dict)  # VRF -> the kernel's table
    parent: dict[str, tuple[str, int]] = field(default_factory=dict)  # sub-interface -> its port and VLAN
    master: dict[str, str] = field(default_factory=dict)  # interface -> VRF, by links/NAME.ip
    said: dict[str, str] = field(default_factory=dict)  # interface -> VRF, by the configuration
    addresses: dict[str, list[IPv4Interface | IPv6Interface]] = field(default_factory=dict)
    statics: dict[str, list[Static]] = field(default_factory=dict)  # by VRF
    drops: dict[str, list[Network]] = field(default_factory=dict)  # by VRF: prefixes that it drops
    bgp: dict[str, Process] = field(default_factory=dict)  # by VRF

    def vrf_of(self, interface: str) -> str:
        """The VRF that an interface is in: of VRFs with one table the first, of the kernel's own tables the default."""
        return self.routes_in(self.master.get(interface, DEFAULT))

    def routes_in(self, vrf: str) -> str:
        """The first VRF whose table a VRF looks in."""
        if vrf not in self.tables or self.tables[vrf] in _KERNELS_OWN:
            return DEFAULT
        return next(name for name, table in self.tables.items() if table == self.tables[vrf])
