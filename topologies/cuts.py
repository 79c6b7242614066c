"""Cuts that have a name: the boundaries between levels and between groups, and halvings along coordinates and groups.

What crosses a named cut is counted, cable by cable, so that it is exact; that no other halving is narrower is not said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from topologies.columns import Bools, Floats, Ints, column
from topologies.halving import ForwardingGraph, cables_across
from topologies.parts import parts_of
from topologies.topology import Topology

_COORDINATES = re.compile(r"(\d{1,9}(?:\.\d{1,9})*)$")
_CONTAINER = re.compile(r"(?:^|/)([a-z]+)\d+/[^/]*$")
_GRIDS = {"torus": "dimension", "hyperx": "dimension", "bcube": "digit"}  # what a coordinate of a name is


@dataclass(frozen=True)
class TierBoundary:
    """The cables that traffic from hosts below to hosts elsewhere climbs; those with no hosts below do not count."""

    tier: str
    between_groups: bool  # of one level, such as those of a dragonfly; both ends of a cable leave one
    cables: int
    gbps: float  # capacity of all of them, one direction
    beneath_gbps: float  # what the hosts beneath send
    bisection_gbps: float | None  # half the capacity, what one half can send to the other; None between groups
    ratio: float | None  # capacity over what hosts beneath send; 1 or more is full bisection
    least_ratio: float | None  # the same of the part beneath that has least
    least_at: str | None  # that part: a switch, or the pod of one


@dataclass(frozen=True)
class Halving:
    """A cut of a network without levels in two, along a coordinate or by groups; what crosses it is exact."""

    name: str
    cables: int
    gbps: float  # across, one direction
    beneath_gbps: float | None  # what the hosts of the lesser side send; None where hosts forward
    ratio: float | None
    even: bool  # whether both sides have the same hosts


def endpoint_gbps(topology: Topology) -> float:
    """What all endpoints that do not forward can send, one direction."""
    nodes, links = topology.nodes, topology.links
    sends = topology.up & (nodes.nics[links.src] > 0) & ~nodes.forwards[links.src]
    return float(links.capacity_gbps[sends].sum())


# ---- boundaries ------------------------------------------------------------------------------------------------------


def boundaries(topology: Topology) -> tuple[TierBoundary, ...]:
    """Every tier between two levels, and the cables between groups of one level, in the order of the tiers."""
    nodes, links = topology.nodes, topology.links
    idle = (nodes.nics == 0) & ~nodes.forwards
    live = topology.up & ~idle[links.src] & ~idle[links.dst]
    sent = np.zeros(len(nodes))
    own = live & (nodes.nics[links.src] > 0) & ~nodes.forwards[links.src]
    np.add.at(sent, links.src[own], links.capacity_gbps[own])
    found = []
    for code, tier in enumerate(topology.tiers):
        mine = live & (links.tier == code)
        rising = mine & (topology.direction > 0)
        if rising.any():
            low = int(nodes.level[links.src[rising]].max())
            part = _parts(topology, live & (nodes.level[links.src] <= low) & (nodes.level[links.dst] <= low))
            low_ends = links.src[(links.tier == code) & (topology.direction > 0)]
            found.append(_boundary(topology, tier, rising, part, np.unique(part[low_ends]), sent))
        across = mine & (topology.direction == 0) & (nodes.pod[links.src] != nodes.pod[links.dst])
        if across.any() and (nodes.pod[links.src[across]] >= 0).all():
            part = _pods(topology, live)
            found.append(_boundary(topology, tier, across, part, np.unique(part), sent))
    return tuple(found)


def _parts(topology: Topology, inside: Bools) -> Ints:
    """Which nodes hang together by the links ``inside``, shape (N,)."""
    return parts_of(len(topology.nodes), topology.links.src[inside], topology.links.dst[inside])


def _pods(topology: Topology, live: Bools) -> Ints:
    """The group of every node; hosts are in that of their switches, shape (N,)."""
    nodes, links = topology.nodes, topology.links
    pod = nodes.pod.copy()
    attached = live & ~nodes.forwards[links.src]
    pod[links.src[attached]] = nodes.pod[links.dst[attached]]
    return column(pod - pod.min(), np.int32)


def _boundary(topology: Topology, tier: str, leaving: Bools, part: Ints, beneath: Ints, sent: Floats) -> TierBoundary:
    """What leaves the parts ``beneath`` by links ``leaving``; parts without hosts do not count."""
    links = topology.links
    count = int(part.max()) + 1
    has_hosts = np.bincount(part, topology.nodes.nics, count) > 0
    leaving = leaving & has_hosts[part[links.src]]
    sent_gbps = np.bincount(part, sent, count)
    up_gbps = np.bincount(part[links.src[leaving]], links.capacity_gbps[leaving], count)
    level = bool((topology.direction[leaving] == 0).any())  # both ends of a cable leave a group
    gbps, under = float(up_gbps.sum()), float(sent_gbps[beneath].sum())
    sends = beneath[sent_gbps[beneath] > 0]
    least = int(sends[np.argmin(up_gbps[sends] / sent_gbps[sends])]) if len(sends) else None
    return TierBoundary(
        tier,
        level,
        int((leaving & topology.is_cable).sum()) if level else int(leaving.sum()),
        gbps,
        under,
        gbps / 2 if under and not level else None,
        gbps / under if under else None,
        None if least is None else float(up_gbps[least] / sent_gbps[least]),
        None if least is None else _part_name(topology, part == least),
    )


def _part_name(topology: Topology, members: Bools) -> str:
    """A part by its highest switches: the only one, what they are all in, or the first and how many more."""
    nodes = topology.nodes
    top = np.flatnonzero(members & (nodes.level == nodes.level[members].max()))
    names = [nodes.name[node] for node in top.tolist()]
    if len(names) == 1:
        return names[0]
    shared = [
        words[0] for words in zip(*(name.split("/")[:-1] for name in names), strict=False) if len(set(words)) == 1
    ]
    return "/".join(shared) or f"{names[0]} and {len(names) - 1:,} more"


# ---- halvings --------------------------------------------------------------------------------------------------------


def halvings(topology: Topology, graph: ForwardingGraph) -> list[tuple[Halving, Bools]]:
    """Halvings of a network without levels, and the side of every node that forwards."""
    found = []
    pod = _of_switches(topology, graph, topology.nodes.pod[graph.ids][:, None])[:, 0]
    if (pod >= 0).all() and pod.max() > 0:
        name, below = _split(_container(topology), int(pod.max()) + 1)
        found.append(_halving(topology, graph, name, column(pod < below, np.bool_)))
    place = _coordinates(topology, graph)
    word = _GRIDS.get(topology.kind, "coordinate")
    for axis in range(place.shape[1]):
        name, below = _split(f"{word} {axis}:", int(place[:, axis].max()) + 1)
        side = column((place[:, axis] < below) & (place[:, axis] >= 0), np.bool_)
        found.append(_halving(topology, graph, name, graph.with_others(side, column(place[:, axis] >= 0, np.bool_))))
    return found


def _split(what: str, size: int) -> tuple[str, int]:
    """The name of a cut through the middle of ``size`` positions, and the first position of the other side."""
    half = size // 2
    low, high = (
        f"{first}" if first == last else f"{first}-{last}" for first, last in ((0, half - 1), (half, size - 1))
    )
    return f"{what} {low} | {high}", half


def _container(topology: Topology) -> str:
    """What pods are called: by the names of their switches, else a torus has cubes."""
    switch = topology.nodes.name[int(np.flatnonzero(topology.nodes.pod >= 0)[0])]
    word = _CONTAINER.search(switch)
    if word is not None:
        return f"{word[1]}s"
    return "cubes" if topology.kind == "torus" else "pods"


def _coordinates(topology: Topology, graph: ForwardingGraph) -> Ints:
    """Coordinates of the nodes of the roles that have endpoints, by their names, shape (V, D), -1 for the rest.

    There are none where names do not number a whole grid from 0, or of one dimension, where they say no place.
    """
    nodes, links, none = topology.nodes, topology.links, column(np.empty((len(graph.ids), 0)), np.int32)
    own = (nodes.nics > 0) & nodes.forwards
    own[links.dst[(nodes.nics[links.src] > 0) & ~nodes.forwards[links.src]]] = True
    placed = np.isin(nodes.role[graph.ids], nodes.role[own]) & nodes.forwards[graph.ids]
    matched = [_COORDINATES.search(nodes.name[node]) for node in graph.ids[placed].tolist()]
    places = [tuple(map(int, found[1].split("."))) for found in matched if found is not None]
    widths = set(map(len, places))
    least = 1 if topology.kind in _GRIDS else 2
    if len(places) != np.count_nonzero(placed) or len(widths) != 1 or min(widths) < least:
        return none
    table = np.array(places, dtype=np.int64)
    if any(len(np.unique(axis)) != axis.max() + 1 or axis.max() == 0 for axis in table.T):
        return none
    found_places = np.full((len(graph.ids), table.shape[1]), -1, dtype=np.int32)
    found_places[placed] = table
    return _of_switches(topology, graph, column(found_places, np.int32))


def _of_switches(topology: Topology, graph: ForwardingGraph, values: Ints) -> Ints:
    """``values`` of vertices, shape (V, D), hosts on several switches as these where all agree; else -1."""
    hosts = np.flatnonzero(~topology.nodes.forwards[graph.ids])
    values = values.copy()
    for host in hosts.tolist():
        switches = values[graph.both[[host]].indices]
        values[host] = np.where((switches == switches[0]).all(axis=0), switches[0], -1)
    return values


def _halving(topology: Topology, graph: ForwardingGraph, name: str, side: Bools) -> tuple[Halving, Bools]:
    even = bool(np.isclose(graph.weight[side].sum(), graph.weight[~side].sum()))
    gbps, beneath = graph.across_gbps(side), graph.lesser_gbps(topology, side)
    ratio = gbps / beneath if beneath else None
    return Halving(name, cables_across(topology, graph, side), gbps, beneath, ratio, even), side
