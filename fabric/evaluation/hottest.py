"""The hottest links of a phase, and the jobs and collectives that load them."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from fabric.output.numbers import finite
from fabric.result import HotLink, LinkGroup, PhaseRoute, Share
from fabric.routing.utilisation import descending, over_capacity, ranks
from topologies.columns import Longs, column

_BY_HEAT: WeakKeyDictionary[PhaseRoute, Longs] = WeakKeyDictionary()  # every view of a phase asks for it


def port_name(ordinal: int) -> str:
    """Name of a port by its ordinal on the switch, from 1."""
    return f"port{ordinal + 1}"


def by_heat(route: PhaseRoute) -> Longs:
    """Links from the hottest to the coolest, equal ones in order of id; idle links are left out.

    Of equally full links, those between switches come before access links that are at most full: in a phase with a
    volume the busiest NIC is at 100 % by construction, which says nothing about the fabric.
    """
    known = _BY_HEAT.get(route)
    if known is None:
        nodes, links = route.topology.nodes, route.topology.links
        loaded = np.flatnonzero(route.utilisation > 0)
        load = route.utilisation[loaded]
        access = ~nodes.forwards[links.src[loaded]] | ~nodes.forwards[links.dst[loaded]]
        merely_full = access & ~over_capacity(load)
        known = _BY_HEAT[route] = column(loaded[np.argsort(2 * ranks(load) + merely_full, kind="stable")], np.int64)
    return known


def hottest_links(route: PhaseRoute, count: int) -> list[HotLink]:
    """The ``count`` hottest links, as ``by_heat`` orders them."""
    return [describe_link(route, int(link)) for link in by_heat(route)[:count]] if count else []


def all_by_heat(route: PhaseRoute) -> Longs:
    """All directed links, shape (L,): those with load as ``by_heat`` orders them, then idle ones in order of id."""
    hot = by_heat(route)
    idle = np.ones(len(route.topology.links), np.bool_)
    idle[hot] = False
    return np.concatenate((hot, np.flatnonzero(idle)))


def folded_links(route: PhaseRoute, count: int) -> list[LinkGroup]:
    """The ``count`` hottest groups of links of equal load, tier, direction, capacity and cause, as ``by_heat`` orders.

    Causes are equal where every class makes the same part of the load, to a thousandth.
    """
    if not count:
        return []
    topology, order = route.topology, by_heat(route)
    first, sizes = _alike(route, order)
    up = topology.up
    groups = []
    for code in range(min(count, len(first))):
        link = int(order[first[code]])
        alike = (topology.links.tier == topology.links.tier[link]) & (topology.direction == topology.direction[link])
        groups.append(
            LinkGroup(
                describe_link(route, link),
                int(sizes[code]),
                int((alike & up).sum()),
                {1: "up", -1: "down"}.get(int(topology.direction[link]), ""),
            )
        )
    return groups


def _alike(route: PhaseRoute, order: Longs) -> tuple[Longs, Longs]:
    """First place in ``order`` of every group of alike links, ascending, and how many links each has."""
    topology, loads = route.topology, route.link_gbps[order]
    parts = np.round(loads / loads.sum(axis=1, keepdims=True), 3)
    _, capacity = np.unique(np.round(topology.capacity_gbps, 6), return_inverse=True)
    codes = [
        ranks(route.utilisation)[order],
        topology.links.tier[order],
        topology.direction[order] + 1,
        capacity.ravel()[order],
        *((parts * 1000).round().T if parts.shape[1] > 1 else ()),
    ]
    key = np.zeros(len(order), dtype=np.int64)
    for code in codes:
        width = int(code.max(initial=0)) + 1
        if int(key.max(initial=0)) >= np.iinfo(np.int64).max // width - 1:
            _, key = np.unique(key, return_inverse=True)
        key = key * width + code.astype(np.int64)
    _, first, sizes = np.unique(key, return_index=True, return_counts=True)
    by_first = np.argsort(first)
    return first[by_first], sizes[by_first]


def describe_link(route: PhaseRoute, link: int) -> HotLink:
    """A link with its load and who makes it."""
    topology = route.topology
    src, dst = int(topology.links.src[link]), int(topology.links.dst[link])
    back = int(topology.links.reverse[link])
    utilisation, bands = float(route.utilisation[link]), route.link_bands
    return HotLink(
        fabric=route.fabric,
        phase=route.phase,
        link=topology.link_name(link),
        a=topology.nodes.name[src],
        a_port=port_name(int(topology.src_port[link])),
        b=topology.nodes.name[dst],
        b_port=port_name(int(topology.src_port[back])) if back >= 0 else "",
        tier=topology.tiers[topology.links.tier[link]],
        capacity_gbps=float(topology.capacity_gbps[link]),
        offered_gbps=float(route.link_gbps[link].sum()),
        utilisation=utilisation if np.isfinite(utilisation) else None,
        shares=link_shares(route, link),
        p5=None if bands is None else finite(float(bands.p5[link])),
        p95=None if bands is None else finite(float(bands.p95[link])),
    )


def link_shares(route: PhaseRoute, link: int) -> tuple[Share, ...]:
    """Who loads a link, largest first."""
    loads = route.link_gbps[link]
    total = loads.sum()
    loading = np.flatnonzero(loads > 0)
    ranked = (loading[descending(loads[loading])] if len(loading) > 1 else loading).tolist()
    entries = [(route.classes[code], float(loads[code])) for code in ranked]
    return tuple(Share(entry.job, entry.phase, entry.collective, gbps, gbps / float(total)) for entry, gbps in entries)
