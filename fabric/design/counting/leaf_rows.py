"""How many hosts go on a leaf: the choices that no other is better than, with the uplinks each needs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from fabric.design.counting.shares import Share


@dataclass(frozen=True)
class LeafRow:
    """Leaves of a number of hosts.

    Attributes
    ----------
    leaves : int
        That the hosts fill: leaves, or scalable units.
    hosts : int
        Of a full one.
    down_ports : int
        Ports for hosts, each broken out where hosts are slower.
    least_up, most_up : int
        Uplinks: that the oversubscription asks for, and that there are ports for.
    """

    leaves: int
    hosts: int
    down_ports: int
    least_up: int
    most_up: int


def leaf_rows(share: Share, ports: int, links_per_host: int, ways: int, up_per_link: Fraction) -> tuple[LeafRow, ...]:
    """Numbers of leaves that whole hosts fill, each with the fewest hosts on a leaf; fewest leaves last.

    Of the ways to fill a number of leaves the one of the fewest hosts on each needs the fewest ports, so that every
    other is left out. A port broken out for hosts takes whole hosts only as far as its links go.

    Parameters
    ----------
    links_per_host : int
        Links of a host to one leaf.
    ways : int
        Links that a port for hosts is broken out into.
    up_per_link : Fraction
        Uplinks that there must be for every link of a host.
    """
    return _rows(share.room, share.fewest_uplinks, ports, links_per_host, ways, up_per_link)


@lru_cache(maxsize=4096)
def _rows(
    room: int, fewest_up: int, ports: int, links_per_host: int, ways: int, up_per_link: Fraction
) -> tuple[LeafRow, ...]:
    """The same, from numbers alone."""
    rows: dict[int, LeafRow] = {}
    numerator, denominator = up_per_link.numerator, up_per_link.denominator
    for hosts in range(1, min(room, ports * ways // links_per_host) + 1):
        links = hosts * links_per_host
        down = -(-links // ways)
        least = max(-(-links * numerator // denominator), fewest_up)
        if down + least > ports:
            break
        if down * ways // links_per_host == hosts:
            leaves = -(-room // hosts)
            rows.setdefault(leaves, LeafRow(leaves, hosts, down, least, ports - down))
    return tuple(rows.values())


def fullest(share: Share, hosts: int) -> int:
    """Hosts on the fullest leaf: leaves fill one after another."""
    return min(share.need.hosts, hosts)
