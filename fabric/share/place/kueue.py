"""The hosts that Kueue's Topology-Aware Scheduling gives a job of one pod per host.

Kueue counts the pods that fit every domain, from hosts up. A request is for a level of the topology:

* ``required``: all pods in one domain of that level, or the job waits.
* ``preferred``: one domain of that level; else one of the next level up, and so on; at the top, several domains.
* ``unconstrained``: anywhere; domains of hosts with the least free capacity first.

For ``required`` and ``preferred`` the profile is BestFit: of domains that hold all that is left, the one with the least
free capacity; else the one with the most. The same choice is made on the way down, level by level, among all domains
inside those chosen above. Ties go by the names of domains, as Kueue compares them.

Not modelled: several pods or pod sets on a host, slices, balanced placement, taints, node replacement, quotas,
preemption, cohorts, and the older profiles that are set by feature gates.

References
----------
Kueue, KEP-2724 (topology-aware scheduling), sections on the algorithm and on the default of unconstrained requests; the
choice of domains as of version 0.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.share.place.groups import HostGroups
from topologies.columns import Bools, Ints, column

Request = Literal["required", "preferred", "unconstrained"]


@dataclass
class _Domain:
    """A domain, with what fits in it and, on the way down, what it gets."""

    key: tuple[str, ...]  # names from the top level down
    hosts: list[int]  # free ones
    children: list[_Domain]

    @property
    def room(self) -> int:
        """Pods that fit."""
        return len(self.hosts)


def kueue_hosts(
    groups: HostGroups,
    names: Sequence[str],
    free: Bools,
    wanted: int,
    request: Request = "preferred",
    level: int = 0,
) -> Ints | None:
    """Hosts that Kueue would give a job.

    Parameters
    ----------
    groups : HostGroups
        Levels of the topology, lowest first; hosts are the level below.
    names : sequence of str
        Of the hosts, by which ties are decided.
    free : ndarray of bool, shape (H,)
        Hosts on which a pod of the job fits.
    level : int
        Of the request; without effect where it is unconstrained.

    Returns
    -------
    ndarray of int, shape (wanted,)
        In the order in which Kueue numbers the pods: by the names of domains. None where the job would wait.

    Examples
    --------
    Leaves with 3 and 4 free hosts: three pods go where they fit most tightly; five need both leaves, whose hosts are
    then alike and go by name.

    >>> groups = HostGroups.of_sizes([[4, 4], [2]])
    >>> free, names = np.array([False, *[True] * 7]), [f"n{host}" for host in range(8)]
    >>> kueue_hosts(groups, names, free, 3).tolist(), kueue_hosts(groups, names, free, 5).tolist()
    ([1, 2, 3], [1, 2, 3, 4, 5])
    """
    rows = _domains(groups, names, free)
    if request == "unconstrained":
        at, ascending = 0, True
    else:
        at, ascending = level + 1, False
    chosen = _at_level(rows, at, wanted, request=request)
    if chosen is None:
        return None
    at, domains = chosen
    domains = _least(domains, wanted, ascending=ascending)
    while at > 0:
        at -= 1
        domains = _least(_sorted([one for above in domains for one in above.children], ascending), wanted, ascending)
    found = sorted(domains, key=lambda domain: domain.key)
    return column([host for domain in found for host in domain.hosts], np.int32)


def _domains(groups: HostGroups, names: Sequence[str], free: Bools) -> list[list[_Domain]]:
    """Domains by level: hosts first, the top last."""
    attached = [host for host in range(groups.hosts) if groups.of_host[0][host] >= 0]
    path = {
        host: tuple(groups.names[level][row[host]] for level, row in reversed(list(enumerate(groups.of_host))))
        for host in attached
    }
    below = [_Domain((*path[host], names[host]), [host] if free[host] else [], []) for host in attached]
    rows = [below]
    for _ in groups.parents:
        above: dict[tuple[str, ...], _Domain] = {}
        for domain in rows[-1]:
            parent = above.setdefault(domain.key[:-1], _Domain(domain.key[:-1], [], []))
            parent.children.append(domain)
            parent.hosts.extend(domain.hosts)
        rows.append(list(above.values()))
    return rows


def _sorted(domains: list[_Domain], ascending: bool) -> list[_Domain]:
    return sorted(domains, key=lambda domain: (domain.room if ascending else -domain.room, domain.key))


def _tightest(domains: list[_Domain], wanted: int) -> int:
    """Position of the first domain with the least room that is enough; domains have their room descending."""
    best = 0
    for at, domain in enumerate(domains):
        if wanted <= domain.room < domains[best].room:
            best = at
    return best


def _at_level(
    rows: list[list[_Domain]], level: int, wanted: int, *, request: Request
) -> tuple[int, list[_Domain]] | None:
    """Level of the assignment, and domains there that hold all pods together."""
    ascending = request == "unconstrained"
    domains = _sorted(rows[level], ascending)
    if not domains:
        return None
    first = domains[0 if ascending else _tightest(domains, wanted)]
    if first.room >= wanted:
        return level, [first]
    if request == "required":
        return None
    if request == "preferred" and level + 1 < len(rows):
        return _at_level(rows, level + 1, wanted, request=request)
    if sum(domain.room for domain in domains) < wanted:
        return None
    return level, domains


def _least(domains: list[_Domain], wanted: int, ascending: bool) -> list[_Domain]:
    """As few of the domains as hold all pods, in their order; where the last may be chosen, the tightest."""
    found: list[_Domain] = []
    left = wanted
    for at, domain in enumerate(domains):
        chosen = domain
        if not ascending and domain.room >= left:
            chosen = domains[at + _tightest(domains[at:], left)]
        if not chosen.room:
            continue
        found.append(chosen)
        if chosen.room >= left:
            return found
        left -= chosen.room
    return found
