"""Chosen nodes of a network drawn one by one; the rest is folded into counted stubs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.bundles import MOST_LINES, bundles
from fabric.faces.drawing.dot import Box, Drawing, dot_text, nodes_text, route_warnings, shortened
from fabric.faces.drawing.hosts import hosts_text
from fabric.faces.drawing.straight_rows import Slot, row_positions
from topologies.columns import column
from topologies.errors import TopologyError
from topologies.topology import Topology

if TYPE_CHECKING:
    from fabric.result import PhaseRoute

_MOST_LABELS = 60


def folded_dot(route: PhaseRoute, chosen: np.ndarray, heading: tuple[str, ...]) -> str:
    """Chosen nodes each a box; their neighbours folded: hosts by their switch, switches by role."""
    topology = route.topology
    nodes, links = topology.nodes, topology.links
    box_of_node = np.full(len(nodes), -1, dtype=np.int32)
    order = chosen[np.lexsort((chosen, nodes.role[chosen], nodes.level[chosen]))]
    box_of_node[order] = np.arange(len(order))
    boxes = [Box((shortened(nodes.name[node]),), int(nodes.level[node]), column=str(node)) for node in order.tolist()]
    touching = box_of_node[links.src] >= 0
    others = np.unique(links.dst[touching & (box_of_node[links.dst] < 0)])
    for key, members in _groups(topology, others, chosen):
        inside = column(members, np.int32)
        box_of_node[inside] = len(boxes)
        boxes.append(_stub(topology, key, inside))
    found = bundles(topology, box_of_node, route.utilisation)
    found = [bundle for bundle in found if bundle.a < len(order) or bundle.b < len(order)]
    if len(found) > MOST_LINES:
        raise TopologyError(
            f"{len(found):,} lines cannot be read; {MOST_LINES} are the most",
            hint="fewer --hops, or draw matrix, which has a cell per pair",
            code="FP6242",
        )
    slots = [Slot(box.level, -1, max(len(line) for line in box.lines)) for box in boxes]
    tiered = len({box.level for box in boxes}) > 1
    positions = row_positions(slots, found) if tiered else None
    drawing = Drawing(heading, route_warnings(route), boxes, found, positions=positions)
    return dot_text(drawing, most_labels=None if len(found) <= _MOST_LABELS else _MOST_LABELS)


def _groups(topology: Topology, others: np.ndarray, chosen: np.ndarray) -> list[tuple[tuple[int, ...], list[int]]]:
    """Neighbours that are not chosen: hosts by the chosen switch they are attached to, switches by level and role."""
    nodes, links = topology.nodes, topology.links
    inside = np.zeros(len(nodes), dtype=np.bool_)
    inside[chosen] = True
    is_other = np.zeros(len(nodes), dtype=np.bool_)
    is_other[others] = True
    home: dict[int, int] = {}
    attached = is_other[links.src] & inside[links.dst]
    for host, at in zip(links.src[attached].tolist(), links.dst[attached].tolist(), strict=True):
        home.setdefault(host, at)
    found: dict[tuple[int, ...], list[int]] = {}
    for node in others.tolist():
        is_switch = bool(topology.is_switch[node])
        key = (1, int(nodes.level[node]), int(nodes.role[node])) if is_switch else (0, home.get(node, -1))
        found.setdefault(key, []).append(node)
    return sorted(found.items())


def _stub(topology: Topology, key: Sequence[int], members: np.ndarray) -> Box:
    if key[0] == 0:
        return Box((hosts_text(topology, members),), 0, column=str(key[1]))
    role = topology.roles[key[2]]
    return Box((nodes_text([(role, len(members))]), "folded"), key[1], stacked=True)
