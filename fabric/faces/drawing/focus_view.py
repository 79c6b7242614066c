"""Views of a part: one unit or pod, or the neighbourhood of a node; the rest is folded into counted stubs.

What is chosen depends on the cables, up or down, so that two states of one network line up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.bundles import bundles
from fabric.faces.drawing.dot import Box, Drawing, dot_text, nodes_text, route_heading, route_warnings, shortened
from fabric.faces.drawing.link_view import MOST_LINKS
from fabric.faces.drawing.straight_rows import Slot, row_positions
from fabric.faces.drawing.tier_view import hosts_text
from topologies.columns import column
from topologies.errors import TopologyError, nearest_hint
from topologies.topology import Topology

if TYPE_CHECKING:
    from fabric.result import PhaseRoute

_MOST_LABELS = 60


def unit_view_dot(route: PhaseRoute, *, title: str, at: str | None = None) -> str:
    """The switches of a unit or pod, their hosts below, what is above folded by role, in DOT.

    Parameters
    ----------
    at : str, optional
        Number of the unit or pod; default: the one with the hottest link.

    Raises
    ------
    TopologyError
        FP6241 where there is no such unit, or none at all.
    """
    topology = route.topology
    nodes = topology.nodes
    word, family = ("unit", nodes.unit) if (nodes.unit >= 0).any() else ("pod", nodes.pod)
    known = sorted(set(family[topology.is_switch].tolist()) - {-1})
    if not known:
        raise TopologyError(
            f"{topology.name} has no units or pods", hint="draw neighbourhood --at SWITCH", code="FP6241"
        )
    if at is None:
        number = _hottest_place(route, family)
    elif not at.isdigit() or int(at) not in known:
        raise TopologyError(
            f"--at {at!r} is no {word} of {topology.name}", hint=f"{word}s: {known[0]} to {known[-1]}", code="FP6241"
        )
    else:
        number = int(at)
    chosen = np.flatnonzero(topology.is_switch & (family == number))
    return _folded_dot(route, chosen, (*route_heading(route, title), f"{word} {number}: {len(chosen):,} switches"))


def _hottest_place(route: PhaseRoute, family: np.ndarray) -> int:
    links = route.topology.links
    inside = (family[links.src] >= 0) & (family[links.dst] != family[links.src]) | (family[links.dst] >= 0)
    load = np.where(inside, route.utilisation, -1.0)
    worst = int(np.argmax(load))
    place = family[links.src[worst]]
    return int(place if place >= 0 else family[links.dst[worst]])


def neighbourhood_dot(route: PhaseRoute, *, title: str, at: str | None = None, hops: int = 1) -> str:
    """A node and the switches within ``hops`` of it, in DOT.

    Raises
    ------
    TopologyError
        FP6241 for an unknown node, FP6242 where that many links cannot be read.
    """
    topology = route.topology
    if at is None:
        worst = int(np.argmax(route.utilisation))
        node = int(topology.links.src[worst])
        if not topology.is_switch[node]:
            node = int(topology.links.dst[worst])
    elif topology.has_node(at):
        node = topology.node(at)
    else:
        raise TopologyError(
            f"--at {at!r} is no node of {topology.name}",
            hint=nearest_hint(at, topology.nodes.name[:20_000], otherwise="name a switch or host"),
            code="FP6241",
        )
    near = np.zeros(len(topology.nodes), dtype=np.bool_)
    near[node] = True
    links = topology.links
    for _ in range(hops):
        step = links.dst[near[links.src]]
        near[step[topology.nodes.forwards[step]]] = True
    chosen = np.flatnonzero(near)
    words = f"{shortened(topology.nodes.name[node])} and {len(chosen) - 1:,} switches within {hops} hops"
    return _folded_dot(route, chosen, (*route_heading(route, title), words))


def _folded_dot(route: PhaseRoute, chosen: np.ndarray, heading: tuple[str, ...]) -> str:
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
    if len(found) > MOST_LINKS:
        raise TopologyError(
            f"{len(found):,} lines cannot be read; {MOST_LINKS} are the most",
            hint="fewer --hops, or draw matrix, which has a cell per pair",
            code="FP6242",
        )
    slots = [Slot(box.level, -1, max(len(line) for line in box.lines)) for box in boxes]
    tiered = len({box.level for box in boxes}) > 1
    positions = row_positions(slots, found) if tiered else None
    drawing = Drawing(heading, route_warnings(route), boxes, found, positions=positions)
    return dot_text(drawing, most_labels=None if len(found) <= _MOST_LABELS else _MOST_LABELS)


def _groups(topology: Topology, others: np.ndarray, chosen: np.ndarray) -> list[tuple[tuple[int, ...], list[int]]]:
    """Neighbours that are not chosen: hosts by the chosen switch they hang on, switches by level and role."""
    nodes, links = topology.nodes, topology.links
    inside = np.zeros(len(nodes), dtype=np.bool_)
    inside[chosen] = True
    is_other = np.zeros(len(nodes), dtype=np.bool_)
    is_other[others] = True
    home: dict[int, int] = {}
    hanging = is_other[links.src] & inside[links.dst]
    for host, at in zip(links.src[hanging].tolist(), links.dst[hanging].tolist(), strict=True):
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
