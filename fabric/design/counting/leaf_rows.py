"""How many hosts go on a leaf: the choices that no other is better than, with the uplinks each needs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

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


def leaf_rows(share: Share, ports: int, links_per_host: int, ways: int, up_per_link: Fraction) -> list[LeafRow]:
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
    rows: dict[int, LeafRow] = {}
    for hosts in range(1, min(share.room, ports * ways // links_per_host) + 1):
        links = hosts * links_per_host
        down = -(-links // ways)
        least = max(ceil(links * up_per_link), share.fewest_uplinks)
        if down + least > ports:
            break
        if down * ways // links_per_host == hosts:
            leaves = -(-share.room // hosts)
            rows.setdefault(leaves, LeafRow(leaves, hosts, down, least, ports - down))
    return list(rows.values())


def fullest(share: Share, hosts: int) -> int:
    """Hosts on the fullest leaf: leaves fill one after another."""
    return min(share.need.hosts, hosts)
