"""How likely a host has one of the experts that a token visits, when tokens choose evenly.

Experts are dealt to the ranks of a group in order. Without a limit a token's k experts are any k of E; with
group-limited routing it chooses M of G groups first, which are E/G neighbouring experts each, and its k experts in
them. A group may be a host, a part of one, or span several.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import comb

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError


def visited_hosts(
    host: Ints, top_k: int, experts: int | None = None, groups: int | None = None, group_limit: int | None = None
) -> Floats:
    """Probability that a host has an expert of a token, shape (hosts,); their sum is how many hosts a token goes to.

    Parameters
    ----------
    host : ndarray of int, shape (n,)
        Host of every rank, from 0.
    top_k : int
        Experts that a token visits, k.
    experts : int, optional
        Experts of a layer, E; where absent each of the k is on any rank, as if there were very many.
    groups, group_limit : int, optional
        Groups of experts, G, and how many of them a token's experts may be in, M; no limit if absent.

    Examples
    --------
    8 of 384 experts, 48 on each of 8 hosts, 8 ranks each:

    >>> round(float(visited_hosts(np.arange(64) // 8, 8, 384).sum()), 2)
    5.28

    References
    ----------
    DeepSeek-V3, arXiv 2412.19437, section 2.1.2 (node-limited routing); the rest is the hypergeometric distribution.
    """
    hosts = int(host.max()) + 1
    if experts is None:
        share = np.bincount(host, minlength=hosts) / len(host)
        return column(1 - (1 - share) ** top_k, np.float64)
    expert = np.arange(experts)
    place = host[expert * len(host) // experts]
    if groups is None or group_limit is None or group_limit >= groups:
        held = np.bincount(place, minlength=hosts).tolist()
        return column([1 - comb(experts - own, top_k) / comb(experts, top_k) for own in held], np.float64)
    table = np.bincount(place * groups + expert * groups // experts, minlength=hosts * groups).reshape(hosts, groups)
    size = experts // groups
    return column([_within(tuple(sorted(row)), group_limit, size, top_k) for row in table.tolist()], np.float64)


def most_hosts(host: Ints, experts: int | None, groups: int | None, limit: int | None, node_limit: int | None) -> int:
    """Most different hosts that the limits leave a token, whatever it chooses."""
    count = int(host.max()) + 1
    most = min(count, node_limit or count)
    if experts is None or groups is None or limit is None or limit >= groups:
        return most
    expert = np.arange(experts)
    group, place = expert * groups // experts, host[expert * len(host) // experts]
    spans = sorted((len(np.unique(place[group == one])) for one in range(groups)), reverse=True)
    return min(most, sum(spans[:limit]))


def hosts_in_order(own: Ints, host: Ints, experts: int) -> Ints:
    """Hosts of ranks in order, so that the experts of a host are neighbours; a limit in hosts needs them alike.

    Parameters
    ----------
    own, host : ndarray of int, shape (n,)
        Host of every rank, and the host or the scale-up domain of several that counts as one.

    Raises
    ------
    TrafficError
        When hosts have different numbers of experts (FP4033).
    """
    ranks = np.bincount(own)
    if np.ptp(ranks) or experts % len(ranks):
        raise TrafficError(
            f"{experts} experts on hosts with {int(ranks.min())} to {int(ranks.max())} ranks do not make equal groups",
            where="model.experts.node_limit",
            hint="groups: and group_limit: limit the routing by groups of experts, wherever they are",
            code="FP4033",
        )
    return column(np.sort(host), np.int32)


@lru_cache(maxsize=4096)
def _within(overlaps: tuple[int, ...], limit: int, size: int, top_k: int) -> float:
    """Probability of a visit to a host that has so many experts of each group; ``size`` experts are in a group."""
    ways = {(0, 0): 1}  # (groups chosen, experts of the host in them) -> choices
    for overlap, times in Counter(overlaps).items():
        more: Counter[tuple[int, int]] = Counter()
        for (chosen, own), count in ways.items():
            for taken in range(min(times, limit - chosen) + 1):
                more[chosen + taken, own + taken * overlap] += count * comb(times, taken)
        ways = dict(more)
    all_choices = comb(len(overlaps), limit) * comb(limit * size, top_k)
    missed = sum(count * comb(limit * size - own, top_k) for (chosen, own), count in ways.items() if chosen == limit)
    return 1 - missed / all_choices
