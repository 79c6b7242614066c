"""Differences that change nothing: every device still meets the same devices over as many cables of the same speed.

Decided by structure, which decides the routed effect: loads depend on which nodes are joined by how much capacity, not
on which port a cable is in. So a difference is harmless where the pairs of nodes that its cables join are, with their
speeds, those that the plan joins; two switches that changed places are where the fabric is the plan once their names
are exchanged. What goes by ports is not covered: exported flow tables and port descriptions name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from fabric.operate.cabling.components import Difference
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import Seen
from fabric.operate.cabling.units import Group

SAME_DEVICES = "the same devices are joined, over other ports"
SAME_NAMES = "the two switches are alike, and each stands in the other's place"

Node = tuple[int, int]  # fabric, node
Joined = Counter[tuple[Node, Node, float]]


class Nodes:
    """Nodes that ends are of, also ends that the plan does not have on switches that it does."""

    def __init__(self, seen: Seen) -> None:
        self._ends, self._seen = seen.ends, seen
        self._switch: dict[str, Node | None] = {}
        ends = seen.ends
        switches = np.flatnonzero(ends.is_switch)
        columns = (values[switches].tolist() for values in (ends.device, ends.fabric, ends.node))
        for device, fabric, node in zip(*columns, strict=True):
            name = ends.devices[device]
            self._switch[name] = (fabric, node) if self._switch.get(name, (fabric, node)) == (fabric, node) else None

    def of(self, end: int) -> Node | None:
        """The node of an end; None where the plan has none."""
        if end < len(self._ends):
            return int(self._ends.fabric[end]), int(self._ends.node[end])
        return self._switch.get(self._seen.port(end).device)


def harmless(difference: Difference, group: Group, nodes: Nodes) -> str:
    """Why a group of differences changes nothing; empty where it does."""
    plugged = joined(difference.seen.ends, nodes, (cable for one in group.components for cable in one.plugged))
    planned = joined(difference.seen.ends, nodes, (cable for one in group.components for cable in one.planned))
    if plugged is None or planned is None:
        return ""
    if plugged == planned:
        return SAME_DEVICES
    if group.unit is not None and group.unit.kind == "exchanged":
        return SAME_NAMES if _alike(difference.seen.ends, group.unit.devices, plugged, planned) else ""
    return ""


def joined(ends: PlannedEnds, nodes: Nodes, cables: Iterable[tuple[int, int]]) -> Joined | None:
    """Pairs of nodes that cables join, with the speed of the slower port; None where one leads out of the plan."""
    found: Joined = Counter()
    for one, other in cables:
        low, high = nodes.of(one), nodes.of(other)
        if low is None or high is None:
            return None
        gbps = min(float(ends.gbps[end]) for end in (one, other) if end < len(ends))
        found[min(low, high), max(low, high), gbps] += 1
    return found


def _alike(ends: PlannedEnds, devices: tuple[int, ...], plugged: Joined, planned: Joined) -> bool:
    """Whether the cables of two switches are the plan's once their names are exchanged."""
    own = [np.flatnonzero(ends.device == device) for device in devices]
    if not all(bool(ends.is_switch[rows].all()) for rows in own):
        return False
    names = [{(int(ends.fabric[end]), int(ends.node[end])) for end in rows.tolist()} for rows in own]
    if any(len(one) != 1 for one in names):
        return False
    one, other = (next(iter(name)) for name in names)
    every: Joined = Counter()
    for cable in {int(end) // 2 for rows in own for end in rows.tolist()}:
        pair = [(int(ends.fabric[end]), int(ends.node[end])) for end in (2 * cable, 2 * cable + 1)]
        every[min(pair), max(pair), float(ends.gbps[2 * cable])] += 1
    there = every.copy()
    there.subtract(planned)
    there.update(plugged)
    return _renamed(+there, {one: other, other: one}) == every


def _renamed(pairs: Joined, names: Mapping[Node, Node]) -> Joined:
    found: Joined = Counter()
    for (low, high, gbps), times in pairs.items():
        new = names.get(low, low), names.get(high, high)
        found[min(new), max(new), gbps] += times
    return found
