"""The fabric as it is plugged: the plan's topology without what is not there, with what is there instead.

Cables that nobody saw are taken to be there. A cable between two fabrics, or out of the plan, carries nothing that jobs
send, so it is left out. A cable has the speed of its slower port, or the lower one that was told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from fabric.operate.cabling.harmless import Nodes
from fabric.operate.cabling.planned import PlannedEnds
from topologies.columns import column
from topologies.elements import Links
from topologies.topology import Topology


@dataclass
class Changes:
    """What differs on one fabric."""

    absent: list[int] = field(default_factory=list)  # directed links
    plugged: list[tuple[int, int, int]] = field(default_factory=list)  # nodes of both ends, a link like it
    slowed: list[tuple[int, float]] = field(default_factory=list)  # link, part of its capacity that is left


def changed_topologies(
    ends: PlannedEnds,
    nodes: Nodes,
    plugged: Iterable[tuple[int, int]],
    planned: Iterable[tuple[int, int]],
    slow: Mapping[int, float],
) -> dict[str, Topology]:
    """Fabrics with these cables plugged, and these of the plan not there; those that change nothing are as they were.

    Parameters
    ----------
    plugged, planned : iterable of pairs of int
        Ends of cables.
    slow : mapping
        Cable of the plan -> the speed that it runs at, Gbps.
    """
    changes: dict[int, Changes] = {}
    for one, _ in planned:
        changes.setdefault(int(ends.fabric[one]), Changes()).absent.append(int(ends.link[one]))
    for one, other in plugged:
        low, high = nodes.of(one), nodes.of(other)
        if low is None or high is None or low[0] != high[0] or low[1] == high[1]:
            continue
        known = [end for end in (one, other) if end < len(ends)]
        slower = min(known, key=lambda end: (float(ends.gbps[end]), end))
        changes.setdefault(low[0], Changes()).plugged.append((low[1], high[1], int(ends.link[slower])))
    for cable, gbps in slow.items():
        end = 2 * cable
        part = gbps / float(ends.gbps[end])
        changes.setdefault(int(ends.fabric[end]), Changes()).slowed.append((int(ends.link[end]), part))
    return {
        ends.fabrics[code]: _changed(ends.topologies[ends.fabrics[code]], change) for code, change in changes.items()
    }


def _changed(topology: Topology, changes: Changes) -> Topology:
    """One fabric."""
    reverse = topology.links.reverse
    if changes.plugged:
        topology = _with_cables(topology, changes.plugged)
    if changes.absent:
        topology = topology.with_down(links=changes.absent)
    for link, part in changes.slowed:
        both = [link, int(reverse[link])] if reverse[link] >= 0 else [link]
        topology = topology.with_slowed(column(both, np.int32), column([part] * len(both), np.float64))
    return topology


def _with_cables(topology: Topology, plugged: list[tuple[int, int, int]]) -> Topology:
    """More links at the end, both directions of each; every other column is that of the link it is like."""
    links = topology.links
    one, other, like = (np.array(values) for values in zip(*plugged, strict=True))
    rows = np.repeat(like, 2)
    src, dst = np.stack([one, other], axis=1).ravel(), np.stack([other, one], axis=1).ravel()
    first = len(links)
    more = {
        "src": src,
        "dst": dst,
        "reverse": first + (np.arange(len(rows)) ^ 1),
        "tier": _tiers(topology, src, dst, links.tier[rows]),
    }
    columns = {
        entry.name: column(
            np.concatenate([getattr(links, entry.name), more.get(entry.name, getattr(links, entry.name)[rows])]),
            getattr(links, entry.name).dtype,
        )
        for entry in fields(Links)
    }
    grown = np.ones(len(rows), dtype=np.bool_)
    names, circuit, left = topology.src_port_names, topology.circuit, topology.left
    return replace(
        topology,
        links=Links(**columns),
        up=column(np.concatenate([topology.up, grown]), np.bool_),
        src_port_names=None if names is None else (*names, *([""] * len(rows))),
        circuit=None if circuit is None else column(np.concatenate([circuit, np.full(len(rows), -1)]), np.int32),
        left=None if left is None else column(np.concatenate([left, grown.astype(np.float64)]), np.float64),
    )


def _tiers(topology: Topology, src: np.ndarray, dst: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Tier of links: that of the plan between the same two roles, else that of the cable they are like."""
    role, links = topology.nodes.role, topology.links
    size = len(topology.roles)
    key = role[links.src].astype(np.int64) * size + role[links.dst]
    known = dict(zip(key[::-1].tolist(), links.tier[::-1].tolist(), strict=True))
    wanted = (role[src].astype(np.int64) * size + role[dst]).tolist()
    return np.array([known.get(pair, tier) for pair, tier in zip(wanted, otherwise.tolist(), strict=True)])
