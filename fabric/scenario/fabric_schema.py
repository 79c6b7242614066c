"""A fabric: who is on it, its topology, its routing, addresses and cables."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import Field

from fabric.scenario.encryption_schema import Encryption
from fabric.scenario.latency_schema import FabricLatency
from fabric.scenario.registries import one_of
from fabric.scenario.routing_schema import RoutingSpec
from fabric.scenario.topology_schema import TopologySpec
from topologies.catalogue import MEDIA
from topologies.registry import Spec
from topologies.units import Ratio

DEFAULT_EFFICIENCY = 0.92  # payload over line rate: Ethernet, IP, UDP and RoCEv2 headers, gaps, congestion control


class AddressingSpec(Spec):
    """Address ranges of a fabric; what is left out has a default by the fabric's place in the scenario."""

    underlay: IPv4Network | None = Field(
        default=None, description="Addresses of endpoints, and of links in its upper half", examples=["10.64.0.0/14"]
    )
    underlay6: IPv6Network | None = Field(default=None, description="IPv6 addresses of endpoints and links")
    links: IPv4Network | None = Field(default=None, description="Addresses of links between switches")
    link_prefix: Literal[30, 31] = Field(default=31, description="Prefix length of a link between switches")
    loopback: IPv4Network | None = Field(
        default=None, description="Loopback addresses of switches", examples=["10.127.0.0/20"]
    )
    asn: dict[str, Annotated[int, Field(ge=1, le=4_294_967_294)]] = Field(
        default={}, description="First AS number by role; every switch gets one", examples=[{"leaf": 4200000000}]
    )


CableMedium = Annotated[str, one_of("cable medium", ("auto", *MEDIA))]


class FabricSpec(Spec):
    """One network: who is on it, its topology, its routing."""

    attach: tuple[str, ...] | None = Field(
        default=None, description="Node groups on this fabric, in cabling order; default: all with a NIC on it"
    )
    topology: TopologySpec = Field(description="What the network looks like; kind says which other keys there are")
    routing: RoutingSpec = Field(default=RoutingSpec(), description="How traffic is placed on the links")
    addressing: AddressingSpec = Field(default=AddressingSpec(), description="Address ranges of flow tables")
    cables: dict[str, CableMedium] | None = Field(
        default=None,
        description="Medium of cables by tier, or by GROUP-ROLE for those of one node group: dac, aec, aoc, mmf, smf, "
        "or auto, the cheapest that reaches",
        examples=[{"host-leaf": "dac", "leaf-spine": "auto"}],
    )
    efficiency: Annotated[Ratio, Field(gt=0, le=1)] | None = Field(
        default=None, description="Payload over line rate: what headers, FEC and gaps leave; default: the tool's"
    )
    encryption: Encryption = Field(
        default=Encryption(), description="MACsec or IPsec on its links, and what that leaves of their rate"
    )
    latency: FabricLatency = Field(default=FabricLatency(), description="Time that a short message is on its way")

    @property
    def kind(self) -> str:
        """Kind of the topology, as written."""
        return str(getattr(self.topology, "kind", ""))

    @property
    def payload_efficiency(self) -> float:
        """Payload over line rate: what the scenario says, else the default."""
        return self.efficiency or DEFAULT_EFFICIENCY
