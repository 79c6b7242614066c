"""All-to-all of tokens that sends one copy per host: the receiver hands it on over NVLink."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from topologies.columns import Floats
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.exchange import BY_LOAD, direct_exchange, loaded_exchange
from traffic.expert_hosts import hosts_in_order, most_hosts, visited_hosts
from traffic.expert_load import LayerLoad, uneven
from traffic.formula import Formula, formula
from traffic.rings import rail_blocks, rail_rows

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
    hosts: Literal["expected", "worst"] = "expected",
    layout: Injected[GroupLayout | None] = None,
    load: Injected[LayerLoad | None] = None,
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
    hosts : {'expected', 'worst'}
        Different hosts that a token goes to: as many as its experts are on on average, or in the worst case: all others
        that the limits leave, min(k, hosts).
    layout : GroupLayout, optional
        Hosts of the ranks; each on its own if absent.
    load : LayerLoad, optional
        How often each expert is visited; all as often if absent.

    Returns
    -------
    CollectiveTraffic
        What crosses the fabric; copies handed on over NVLink are not listed. Tokens choose experts evenly, or by their
        loads, and the number of different hosts is its expectation, the sender's own host among them. Inside one host
        it is the direct exchange.

    Raises
    ------
    TrafficError
        When a token visits more experts than its limit leaves (FP4033).

    References
    ----------
    DeepSeek-V3, arXiv 2412.19437, section 3.2.2 (at most four nodes; InfiniBand first, then NVLink).
    """
    layout = layout or GroupLayout.of(group_size)
    count = int(layout.host.max(initial=-1)) + 1
    if count <= 1:
        return loaded_exchange(group_size, payload_bytes, load) if load else direct_exchange(group_size, payload_bytes)
    host = layout.host
    if hosts == "worst":
        return _worst(layout, payload_bytes, copies, most_hosts(host, experts, groups, group_limit, node_limit))
    if node_limit is not None and node_limit < count:
        if experts is None:
            return _many(layout, payload_bytes, copies, node_limit)
        groups, group_limit, host = count, node_limit, hosts_in_order(layout.host, experts)
    _check(copies, experts, groups, group_limit)
    if load is not None:
        return _loaded(layout, payload_bytes, copies, load.visits(host, groups, group_limit), back=load.back)
    visits = visited_hosts(host, copies, experts, groups, group_limit)
    sent = _sent(payload_bytes, copies, experts, groups, group_limit, visits)
    return _traffic(layout, payload_bytes / copies * visits, sent)


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
    hosts = int(layout.host.max()) + 1
    sent = formula(
        "S / k * c * (1 - (1 - 1 / c) ** k) * (m - 1) / m",
        _SOURCE,
        S=(payload_bytes, "all copies of the tokens, bytes"),
        k=(copies, "copies of a token"),
        c=(limit, "most hosts they go to"),
        m=(hosts, "hosts of the group"),
    )
    return _traffic(layout, np.full(hosts, sent.value / (hosts - 1)), sent)


def _sent(
    payload_bytes: float, copies: int, experts: int | None, groups: int | None, limit: int | None, visits: Floats
) -> Formula:
    """What the busiest rank sends to other hosts: written out where all hosts are alike, else with the mean put in."""
    hosts = len(visits)
    terms: dict[str, tuple[float, str]] = {
        "S": (payload_bytes, "all copies of the tokens, bytes"),
        "k": (copies, "copies of a token"),
        "m": (hosts, "hosts of the group"),
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
    terms["c"] = (float(visits.sum()), f"different hosts that a token's experts are on, on average{within}")
    if alike:
        return formula("S / k * c * (m - 1) / m", _SOURCE, **terms)
    del terms["m"]
    terms["o"] = (float(visits.min()), "of them the sender's own, where that is least")
    return formula("S / k * (c - o)", _SOURCE, **terms)


def _worst(layout: GroupLayout, payload_bytes: float, copies: int, within: int) -> CollectiveTraffic:
    """Every token goes to as many other hosts as it can, to each of them as often."""
    hosts = int(layout.host.max()) + 1
    sent = formula(
        "S / k * min(k, c, m - 1)",
        "worst case of DeepSeek-V3, arXiv 2412.19437, section 3.2.2: all experts of a token on other hosts, one each",
        S=(payload_bytes, "all copies of the tokens, bytes"),
        k=(copies, "copies of a token"),
        c=(within, "hosts that the limits leave a token"),
        m=(hosts, "hosts of the group"),
    )
    return _traffic(layout, np.full(hosts, sent.value / (hosts - 1)), sent)


def _loaded(layout: GroupLayout, payload_bytes: float, copies: int, visits: Floats, *, back: bool) -> CollectiveTraffic:
    """By loads of experts: ``visits`` is the probability that a host has one of a token's, shape (layers, hosts)."""
    mean, hosts = visits.mean(axis=0), visits.shape[1]
    terms: dict[str, tuple[float, str]] = {
        "S": (payload_bytes, "all copies of the tokens, bytes"),
        "k": (copies, "copies of a token"),
    }
    others = visits.sum(axis=1, keepdims=True) - visits
    if back:
        terms |= {"m": (hosts, "hosts of the group"), "v": (float(mean.max()), "tokens that visit the busiest host")}
        sent = formula("S / k * (m - 1) * v", BY_LOAD, **terms)
    else:
        terms["c"] = (float(mean.sum()), "different hosts that a token's experts are on, on average")
        terms["o"] = (float(mean.min()), "of them the sender's own, where that is least")
        sent = formula("S / k * (c - o)", BY_LOAD, **terms)
    traffic = _traffic(layout, payload_bytes / copies * mean, sent, back=back)
    return replace(traffic, uneven=uneven(others, visits * (hosts - 1)))


def _traffic(layout: GroupLayout, host_bytes: Floats, sent: Formula, *, back: bool = False) -> CollectiveTraffic:
    """Every rank sends ``host_bytes[j]`` to host j, on its own rail where hosts are alike, or gets it from there."""
    table = layout.rails
    if len(table) == len(host_bytes):
        if np.ptp(host_bytes) <= 1e-12 * host_bytes.max():
            return rail_blocks(table, float(host_bytes[0]), sent)
        return rail_rows(table, np.broadcast_to(host_bytes[:, None], table.shape), sent, back=back)
    per_rank = host_bytes / np.bincount(layout.host)  # no rail to keep to: dealt over the ranks of the host
    src, dst = np.nonzero(layout.host[:, None] != layout.host[None, :])
    ends = (dst, src) if back else (src, dst)
    return CollectiveTraffic.of(*ends, per_rank[layout.host[dst]], sent)
