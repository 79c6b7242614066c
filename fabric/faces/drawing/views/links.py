"""The links view: every switch a box, parallel cables one line, the hosts of a switch folded into one box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.bundles import MOST_LINES, Bundle, Ids, bundles
from fabric.faces.drawing.dot import (
    Box,
    Drawing,
    dot_text,
    route_heading,
    route_warnings,
    shortened,
)
from fabric.faces.drawing.hosts import hosts_text
from fabric.faces.drawing.straight_rows import Point, Slot, row_positions
from fabric.faces.drawing.view import Drawn, Picture, View
from topologies.columns import Bools
from topologies.errors import TopologyError
from topologies.topology import Topology

if TYPE_CHECKING:
    from fabric.result import PhaseRoute

_MOST_LABELS = 60  # more of them push the switches so far apart that nothing can be read


def link_view_dot(route: PhaseRoute, *, title: str, all_links: bool = False, heading: Sequence[str] = ()) -> str:
    """Every link between switches of a routed phase, in DOT.

    Parameters
    ----------
    all_links : bool
        Draw more than 500 lines all the same.
    heading : sequence of str, optional
        Instead of what the route says of itself.

    Raises
    ------
    TopologyError
        When there are more lines than can be read.
    """
    topology = route.topology
    switch = topology.is_switch if topology.is_switch.any() else topology.nodes.forwards
    box_of_node, boxes = _boxes(topology, switch)
    found = bundles(topology, box_of_node, route.utilisation)
    drawn = sum(boxes[bundle.a].level > 0 and boxes[bundle.b].level > 0 for bundle in found)
    if drawn > MOST_LINES and not all_links:
        raise TopologyError(
            f"{topology.name} has {drawn:,} links between switches; a drawing of more than {MOST_LINES} cannot be read",
            hint="fabric draw tier draws one line per bundle; --all-links draws them all",
            code="FP3201",
        )
    positions = _positions(topology, box_of_node, boxes, found)
    said = tuple(heading) or route_heading(route, title)
    drawing = Drawing(said, route_warnings(route), boxes, found, positions=positions)
    return dot_text(drawing, most_labels=None if len(found) <= _MOST_LABELS else _MOST_LABELS)


def _positions(
    topology: Topology, box_of_node: Ids, boxes: Sequence[Box], found: Sequence[Bundle]
) -> Sequence[Point] | None:
    """Straight rows where the network is in tiers; else Graphviz places the boxes."""
    if len({box.level for box in boxes if box.level > 0}) < 2:
        return None
    nodes = topology.nodes
    block = np.full(len(boxes), -1)
    block[box_of_node] = np.where(nodes.pod >= 0, nodes.pod, nodes.unit)
    slots = [
        Slot(box.level, int(block[index]), max(len(line) for line in box.lines)) for index, box in enumerate(boxes)
    ]
    return row_positions(slots, found)


def _boxes(topology: Topology, switch: Bools) -> tuple[Ids, list[Box]]:
    """A box per switch, and one per set of switches that hosts share."""
    nodes = topology.nodes
    ids = np.flatnonzero(switch)
    order = ids[np.lexsort((ids, nodes.role[ids], nodes.level[ids]))]
    box_of_node = np.full(len(nodes), -1, dtype=np.int32)
    box_of_node[order] = np.arange(len(order))
    boxes = [_switch_box(topology, node) for node in order.tolist()]
    homes = _homes(topology, switch)
    for home in sorted(homes, key=lambda home: [box_of_node[node] for node in home]):
        members = np.asarray(homes[home])
        box_of_node[members] = len(boxes)
        boxes.append(Box((hosts_text(topology, members),), 0, column=f"{home[0]}" if home else ""))
    return box_of_node, boxes


def _switch_box(topology: Topology, node: int) -> Box:
    nodes = topology.nodes
    ends = (topology.links.src == node) | (topology.links.dst == node)
    lines = [shortened(nodes.name[node])]
    if ends.any() and not topology.up[ends].any():
        lines.append("down")
    return Box(tuple(lines), max(int(nodes.level[node]), 1), column=f"{node}")


def _homes(topology: Topology, switch: Bools) -> dict[tuple[int, ...], list[int]]:
    """Hosts by the switches they are cabled to, up or down."""
    links = topology.links
    at: dict[int, set[int]] = {node: set() for node in np.flatnonzero(~switch).tolist()}
    attached = ~switch[links.src] & switch[links.dst]
    for host, home in zip(links.src[attached].tolist(), links.dst[attached].tolist(), strict=True):
        at[host].add(home)
    found: dict[tuple[int, ...], list[int]] = {}
    for host, home in at.items():
        found.setdefault(tuple(sorted(home)), []).append(host)
    return found


def _view(drawn: Drawn, picture: Picture) -> str:
    return link_view_dot(drawn.route, title=drawn.title, all_links=picture.all_links, heading=drawn.heading)


SUMMARY = "every link between switches, up to 500"
ORDER = 50
VIEW = View("dot", _view)
