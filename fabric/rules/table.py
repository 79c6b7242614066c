"""The tables of one switch: rules with a match and an action, and groups that divide traffic over ports.

Every dialect writes these values, and every reader of a dialect gives them back; nothing in them depends on a dialect.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple

LOCAL = -2  # port: the switch itself, for routers that are endpoints
UDP = 17
ROCE_PORT = 4791

MISS_PRIORITY = 0  # what no rule matches
PREFIX_PRIORITY = 100  # plus the length of the prefix
FLOW_PRIORITY = 1000  # rules for single flows, above every prefix
DENY_PRIORITY = 2000  # plus the length of the prefix: rules at the port of a tenant, above everything


class Match(NamedTuple):
    """Header fields a rule asks for; those left at their default match anything.

    ``family`` 0 matches every packet, whatever the other fields say, which then keep their defaults.
    """

    family: Literal[0, 4, 6]
    dst: int = 0  # address as a number, host bits 0
    dst_bits: int = 0  # prefix length
    src: int = 0
    src_bits: int = 0
    protocol: int = 0
    src_port: int = 0
    dst_port: int = 0
    in_port: int = 0  # port the packet comes in by; 0: any

    @property
    def is_flow(self) -> bool:
        """Whether it asks for more than a destination."""
        return bool(self.src_bits or self.protocol or self.src_port or self.dst_port or self.in_port)

    @property
    def anywhere(self) -> Match:
        """The same whatever port the packet comes in by."""
        return self._replace(in_port=0)

    @property
    def dst_text(self) -> str:
        """Destination prefix as people write it, such as ``10.0.3.0/26``."""
        return prefix_text(self.family, self.dst, self.dst_bits)

    @property
    def src_text(self) -> str:
        """Source prefix as people write it."""
        return prefix_text(self.family, self.src, self.src_bits)


class Bucket(NamedTuple):
    """One way out of a group."""

    port: int
    weight: int


class Group(NamedTuple):
    """A select group: flows are distributed over the buckets by weight. Several buckets may name one port."""

    id: int
    buckets: tuple[Bucket, ...]


class Action(NamedTuple):
    """What a rule does: drop (value 0), send out of port ``value``, or hand over to group ``value``."""

    kind: Literal["drop", "output", "group"]
    value: int = 0


DROP = Action("drop")


class Rule(NamedTuple):
    """One entry of a flow table. The highest priority that matches decides."""

    priority: int
    match: Match
    action: Action
    cookie: int


@dataclass(frozen=True)
class SwitchTable:
    """The whole table of one switch, in the order it is written: groups by id, rules by priority, highest first."""

    name: str  # of the topology's node
    datapath: int  # 64-bit datapath id, unique over all fabrics of a scenario
    hash_basis: int  # 32 bits; one per switch, so that tiers do not polarise
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]


def prefix_text(family: int, address: int, bits: int) -> str:
    """An address prefix as people write it.

    >>> prefix_text(4, 0x0A000300, 26)
    '10.0.3.0/26'
    """
    text = IPv4Address(address) if family == 4 else IPv6Address(address)
    return f"{text}/{bits}"


def priority_of(match: Match) -> int:
    """Priority of a rule: single flows above prefixes, long prefixes above short ones.

    >>> priority_of(Match(4, 0x0A000300, 26))
    126
    """
    if match.family == 0:
        return MISS_PRIORITY
    if match.in_port:
        return DENY_PRIORITY + match.dst_bits
    return FLOW_PRIORITY if match.is_flow else PREFIX_PRIORITY + match.dst_bits


def cookie_of(match: Match) -> int:
    """A 64-bit cookie decided by the match alone: first byte 0xfa, then the kind.

    Kinds are 1 prefix, 2 single flow, 3 what nothing matches, 4 port of a tenant.

    The last 48 bits are those of a hash, so that a rule keeps its cookie from one export to the next.

    >>> hex(cookie_of(Match(4, 0x0A000300, 26)) >> 48)
    '0xfa01'
    """
    from hashlib import blake2b

    kind = 3 if match.family == 0 else 4 if match.in_port else 2 if match.is_flow else 1
    fields = match if match.in_port else match[:-1]  # as it was before there were tenants
    digest = blake2b(",".join(map(str, fields)).encode(), digest_size=6).digest()
    return 0xFA << 56 | kind << 48 | int.from_bytes(digest, "big")
