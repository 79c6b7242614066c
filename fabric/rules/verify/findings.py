"""What the verifier finds wrong, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fabric.rules.packet import Packet
from fabric.rules.table import Rule
from topologies.columns import Floats


@dataclass(frozen=True)
class Finding:
    """Something that a packet would meet."""

    # loop, black-hole, misdelivery, leak, dead-port, ambiguous, missing-table, broken-group, load, flow; of tenants
    # crossing (from one to another) and cut-off (within one)
    kind: str
    switch: str
    destination: str  # address, host or prefix; empty when it is about none
    words: str
    trace: tuple[str, ...] = ()  # hop by hop, the source first

    @property
    def text(self) -> str:
        """One line."""
        about = f" to {self.destination}" if self.destination else ""
        return f"{self.kind} at {self.switch}{about}: {self.words}"


class Hop(NamedTuple):
    """What a switch does with the packet of a counter-example."""

    switch: str
    in_port: int
    rule: Rule
    out_port: int
    to: str  # node at the other end


class VrfHop(NamedTuple):
    """Through which VRF a router sends the packet of a counter-example; VLAN 0 is none."""

    switch: str
    in_port: int
    in_vlan: int
    vrf: str  # several, where routes of another are imported
    out_port: int
    out_vlan: int
    to: str  # node at the other end


@dataclass(frozen=True)
class Crossing:
    """A packet of one tenant that another gets."""

    packet: Packet
    src: str  # endpoint whose port it enters by
    src_tenant: str
    dst: str  # endpoint that gets it
    dst_tenant: str
    forged: bool  # whether it needs a source address that is not the sender's
    hops: tuple[Hop, ...] | tuple[VrfHop, ...]

    @property
    def text(self) -> str:
        """The packet in words."""
        packet = self.packet
        first = self.hops[0]
        where = f"into port {first.in_port} of {first.switch}"
        if not packet.family:
            return f"a frame that is not IP, {where}"
        more = f", protocol {packet.protocol}" if packet.protocol else ""
        more += f", ports {packet.src_port} > {packet.dst_port}" if packet.src_port or packet.dst_port else ""
        source = f"{packet.src_text}{' (forged)' if self.forged else ''}"
        return f"{source} > {packet.dst_text}{more}, {where}"


@dataclass(frozen=True)
class Isolation:
    """What was looked at, and what passes between tenants."""

    tenants: tuple[str, ...]
    shared: tuple[tuple[str, tuple[str, ...]], ...]  # by design: a tenant, and whom it serves
    access_ports: int
    points: int  # sets of packets that the tables distinguish
    classes: int  # of them, those that some switch treats otherwise
    failures: int  # single failures covered: cables and switches
    crossings: tuple[Crossing, ...]  # one for every pair of tenants
    findings: tuple[Finding, ...]  # crossings, rules that disagree, and members that do not reach their own

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True)
class Verdict:
    """Outcome of a verification."""

    fabric: str
    dialect: str
    families: tuple[int, ...]
    switches: int
    rules: int
    groups: int
    destinations: int  # endpoints
    classes: int  # sets of destination addresses that every switch treats alike
    sources: int
    flows: int  # single flows walked
    planned_max_utilisation: float
    programmed_max_utilisation: float  # as the export says
    found_max_utilisation: float  # walked from the files
    weight_error: float  # largest |walked - planned| over the link's capacity
    found_gbps: Floats  # shape (L,), walked from the files; where no table decides, as the export says
    hash_seeds: str  # who says the seed of every switch: tables, files, or nobody
    hash_alike: int  # switches that hash like another one, by what the files say
    findings: tuple[Finding, ...]
    isolation: Isolation | None = None  # None: the scenario has no tenants

    @property
    def polarises(self) -> bool:
        """Whether switches that hash alike move the fullest link."""
        return self.hash_alike > 0 and self.found_max_utilisation > self.planned_max_utilisation * (1 + 1e-6)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
