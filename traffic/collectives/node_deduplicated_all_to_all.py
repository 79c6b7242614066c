"""All-to-all of tokens that sends one copy per host: the receiver hands it on over NVLink."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.exchange import direct_exchange
from traffic.expert_hosts import visited_hosts
from traffic.formula import Formula, formula
from traffic.rings import rail_blocks

_SOURCE = "DeepSeek-V3, arXiv 2412.19437, section 3.2.2; different hosts by the hypergeometric distribution"


@COLLECTIVES.register(
    "node-deduplicated-all-to-all", example={"group_size": 8, "payload_bytes": 1e9, "copies": 2, "node_limit": 2}
)
def node_deduplicated_all_to_all(
    group_size: int,
    payload_bytes: float,
    copies: Count = 1,
    experts: Count | None = None,
    groups: Count | None = None,
    group_limit: Count | None = None,
    node_limit: Count | None = None,
    layout: Injected[GroupLayout | None] = None,
) -> CollectiveTraffic:
    """Of a token's k copies one goes to each different host that its experts are on, along the sender's rail.

    Parameters
    ----------
    group_size : int
        Ranks n.
    payload_bytes : float
        All copies of one rank's tokens S, bytes.
    copies : int
        Copies of a token, k: its routed experts.
    experts : int, optional
        Experts of a layer, E, dealt to the ranks in order; where absent each copy goes to any host.
    groups, group_limit : int, optional
        Groups of neighbouring experts, G, and how many of them a token's experts may be in, M; on whatever hosts.
    node_limit : int, optional
        The same where the groups are the hosts: most hosts that a token goes to.
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent.

    Returns
    -------
    CollectiveTraffic
        What crosses the fabric, and the copies that the receiver hands on over NVLink, one to each GPU with one of a
        token's experts. Tokens choose experts evenly, so that the number of different hosts is its expectation, the
        sender's own host among them. Inside one host it is the direct exchange.

    Raises
    ------
    TrafficError
        When a token visits more experts than its limit leaves (FP4033).

    References
    ----------
    DeepSeek-V3, arXiv 2412.19437, section 3.2.2 (at most four nodes; InfiniBand first, then NVLink).
    """
    layout = layout or GroupLayout.of(group_size)
    hosts = int(layout.host.max(initial=-1)) + 1
    if hosts <= 1:
        return direct_exchange(group_size, payload_bytes)
    host = layout.host
    if node_limit is not None and node_limit < int(layout.own_host.max()) + 1:
        if experts is None:
            return _many(layout, payload_bytes, copies, node_limit)
        groups, group_limit, host = int(layout.own_host.max()) + 1, node_limit, _in_order(layout, experts)
    _check(copies, experts, groups, group_limit)
    visits = visited_hosts(host, copies, experts, groups, group_limit)
    sent = _sent(payload_bytes, copies, experts, groups, group_limit, visits, layout.where)
    traffic = _traffic(layout, payload_bytes / copies * visits, sent)
    by_rank = visited_hosts(column(np.arange(group_size), np.int32), copies, experts, groups, group_limit)
    return replace(traffic, handed_on=_handed_on(payload_bytes, copies, host, by_rank, layout.where))


def _handed_on(payload_bytes: float, copies: int, host: Ints, by_rank: Floats, where: str) -> Formula:
    """What a rank hands on to others of its host: of a token that came, a copy to each GPU that is to have it.

    Parameters
    ----------
    by_rank : ndarray, shape (n,)
        Probability that a rank has one of a token's experts.
    """
    own = 1 / np.bincount(host)[host]  # the receiver is as likely as any other of the host to be one of them
    return formula(
        "S / k * d",
        _SOURCE,
        S=(payload_bytes, "all copies of the tokens, bytes"),
        k=(copies, "copies of a token"),
        d=(float((by_rank * (1 - own)).sum()), f"GPUs it is handed on to inside the {where}s, on average"),
    )


def _in_order(layout: GroupLayout, experts: int) -> Ints:
    """Hosts of ranks in order, so that the experts of a host are neighbours; a limit in hosts needs them alike."""
    ranks = np.bincount(layout.own_host)
    if np.ptp(ranks) or experts % len(ranks):
        raise TrafficError(
            f"{experts} experts on hosts with {int(ranks.min())} to {int(ranks.max())} ranks do not make equal groups",
            where="model.experts.node_limit",
            hint="groups: and group_limit: limit the routing by groups of experts, wherever they are",
            code="FP4033",
        )
    return column(np.sort(layout.host), np.int32)


def _check(copies: int, experts: int | None, groups: int | None, limit: int | None) -> None:
    if experts is None:
        return
    parts, chosen = (groups, limit) if groups is not None and limit is not None else (1, 1)
    if experts % parts or copies > chosen * (experts // parts):
        raise TrafficError(
            f"a token visits {copies} experts in {chosen} of {parts} groups of {experts / parts:g} experts",
            where="model.experts",
            hint="a higher limit, or groups into which the experts split evenly",
            code="FP4033",
        )


def _many(layout: GroupLayout, payload_bytes: float, copies: int, limit: int) -> CollectiveTraffic:
    """A limit in hosts where the number of experts is not known: each copy goes to any of the hosts chosen."""
    each = np.bincount(np.unique(np.stack([layout.host, layout.own_host]), axis=1)[0]).tolist()  # hosts of a domain
    hosts = sum(each)
    visits = np.array([_of_chosen(own, hosts, limit, copies) for own in each])
    terms: dict[str, tuple[float, str]] = {
        "S": (payload_bytes, "all copies of the tokens, bytes"),
        "k": (copies, "copies of a token"),
        "m": (len(each), f"{layout.where}s of the group"),
    }
    if hosts == len(each):
        terms["c"] = (limit, "most hosts they go to")
        sent = formula("S / k * c * (1 - (1 - 1 / c) ** k) * (m - 1) / m", _SOURCE, **terms)
    else:
        terms["c"] = (float(visits.sum()), f"different domains they go to, of {limit} hosts at most")
        terms["o"] = (float(visits.min()), "of them the sender's own, where that is least")
        del terms["m"]
        sent = formula("S / k * (c - o)", _SOURCE, **terms)
    share = np.array([_of_chosen(1, hosts, limit, copies, part=1 / size) for size in np.bincount(layout.own_host)])
    handed = _handed_on(payload_bytes, copies, layout.host, share[layout.own_host], layout.where)
    return replace(_traffic(layout, payload_bytes / copies * visits, sent), handed_on=handed)


def _of_chosen(own: int, hosts: int, limit: int, copies: int, part: float = 1.0) -> float:
    """Probability that one of ``copies``, each on any of ``limit`` hosts chosen of all, is on ``part`` of ``own``."""
    ways = [comb(own, taken) * comb(hosts - own, limit - taken) for taken in range(min(own, limit) + 1)]
    missed = sum(count * (1 - part * taken / limit) ** copies for taken, count in enumerate(ways))
    return 1 - missed / comb(hosts, limit)


def _sent(
    payload_bytes: float,
    copies: int,
    experts: int | None,
    groups: int | None,
    limit: int | None,
    visits: Floats,
    where: str,
) -> Formula:
    """What the busiest rank sends to other hosts: written out where all hosts are alike, else with the mean put in."""
    hosts = len(visits)
    terms: dict[str, tuple[float, str]] = {
        "S": (payload_bytes, "all copies of the tokens, bytes"),
        "k": (copies, "copies of a token"),
        "m": (hosts, f"{where}s of the group"),
    }
    alike = bool(np.ptp(visits) < 1e-12)
    if alike and experts is None:
        return formula("S / k * m * (1 - (1 - 1 / m) ** k) * (m - 1) / m", _SOURCE, **terms)
    if alike and experts is not None and experts % hosts == 0:
        terms["E"] = (experts, "experts of a layer")
        if groups is None or limit is None or limit >= groups:
            return formula("S / k * m * (1 - C(E - E / m, k) / C(E, k)) * (m - 1) / m", _SOURCE, **terms)
        if hosts % groups == 0:
            terms |= {"G": (groups, "groups of experts"), "M": (limit, "groups that a token's experts may be in")}
            return formula(
                "S / k * m * M / G * (1 - C(M * E / G - E / m, k) / C(M * E / G, k)) * (m - 1) / m", _SOURCE, **terms
            )
    within = "" if groups is None or limit is None else f", when it chooses {limit} of {groups} groups of experts"
    terms["c"] = (float(visits.sum()), f"different {where}s that a token's experts are on, on average{within}")
    if alike:
        return formula("S / k * c * (m - 1) / m", _SOURCE, **terms)
    del terms["m"]
    terms["o"] = (float(visits.min()), "of them the sender's own, where that is least")
    return formula("S / k * (c - o)", _SOURCE, **terms)


def _traffic(layout: GroupLayout, host_bytes: Floats, sent: Formula) -> CollectiveTraffic:
    """Every rank sends ``host_bytes[j]`` to host j, on its own rail where hosts are alike."""
    table = layout.rails
    if len(table) == len(host_bytes) and np.ptp(host_bytes) <= 1e-12 * host_bytes.max():
        return rail_blocks(table, float(host_bytes[0]), sent)
    per_rank = host_bytes / np.bincount(layout.host)  # no rail to keep to: dealt over the ranks of the host
    src, dst = np.nonzero(layout.host[:, None] != layout.host[None, :])
    return CollectiveTraffic.of(src, dst, per_rank[layout.host[dst]], sent)
