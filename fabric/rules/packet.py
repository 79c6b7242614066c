"""A packet as rules see it, and the rule of a table that takes it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple

from fabric.rules.table import ROCE_PORT, UDP, Match, Rule


class Packet(NamedTuple):
    """Header fields; family 0 is a frame that is not IP."""

    family: Literal[0, 4, 6]
    src: int
    dst: int
    protocol: int = UDP
    src_port: int = 0
    dst_port: int = ROCE_PORT

    @property
    def src_text(self) -> str:
        """Source address."""
        return _address_text(self.family, self.src)

    @property
    def dst_text(self) -> str:
        """Destination address."""
        return _address_text(self.family, self.dst)


def _address_text(family: int, address: int) -> str:
    return "" if not family else str(IPv4Address(address) if family == 4 else IPv6Address(address))


def matches(match: Match, packet: Packet, in_port: int = 0) -> bool:
    """Whether a match takes a packet that comes in by a port; 0: by one that no rule asks for.

    >>> matches(Match(4, 0x0A000000, 8), Packet(4, 1, 0x0A000001))
    True
    """
    if match.in_port not in (0, in_port):
        return False
    if not match.family:
        return True
    if match.family != packet.family:
        return False
    width = 32 if match.family == 4 else 128
    return (
        not (packet.dst ^ match.dst) >> (width - match.dst_bits)
        and not (packet.src ^ match.src) >> (width - match.src_bits)
        and match.protocol in (0, packet.protocol)
        and match.src_port in (0, packet.src_port)
        and match.dst_port in (0, packet.dst_port)
    )


def find_rule(rules: Sequence[Rule], packet: Packet, in_port: int = 0) -> Rule | None:
    """The rule of the highest priority that takes a packet; of equals, the first."""
    best: Rule | None = None
    for rule in rules:
        if (best is None or rule.priority > best.priority) and matches(rule.match, packet, in_port):
            best = rule
    return best
