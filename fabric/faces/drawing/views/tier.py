"""The tier view: a box per role and unit (or pod), a line per bundle of cables; fewer than 100 boxes for any fabric.

Switches of a unit or pod share a box. Where the lowest tier has neither, every switch of it is a box of its own; higher
switches outside a pod share one box per role. Hosts stand below the switch they are attached to first. When there are
too many units, pods or leaves, the hottest keep their boxes and the rest become one counted box per role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.bundles import Bundle, Ids, bundles
from fabric.faces.drawing.dot import (
    Box,
    Drawing,
    cables_text,
    dot_text,
    load_text,
    nodes_text,
    percent_text,
    route_heading,
    route_warnings,
    shortened,
)
from fabric.faces.drawing.hosts import hosts_text
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.routing.utilisation import descending
from topologies.columns import Bools, Floats, column
from topologies.errors import TopologyError
from topologies.topology import Topology

if TYPE_CHECKING:
    from fabric.result import PhaseRoute

MOST_BOXES = 99
_MOST_IN_A_ROW = 24
_MOST_MESHED = 12  # switches of a dense flat network; Graphviz does not finish hundreds of lines without levels
_SPARSE_CABLES = 250
_NONE, _UNIT, _POD, _SINGLE = range(4)
_FAMILY = {_UNIT: ("unit", "units"), _POD: ("pod", "pods")}
_REST = np.iinfo(np.int64).max  # the folded units, after all others


def tier_view_dot(route: PhaseRoute, *, title: str, heading: Sequence[str] = ()) -> str:
    """The tier view of a routed phase, in DOT; colour is the worst utilisation of a bundle's links.

    Parameters
    ----------
    title : str
        First word of the heading, such as the scenario's name.
    heading : sequence of str, optional
        Instead of what the route says of itself.
    """
    topology = route.topology
    cells = _cells(topology, route.utilisation)
    between = bundles(topology, cells.of_node, route.utilisation)
    inside = {bundle.a: bundle for bundle in between if bundle.a == bundle.b}
    boxes = [_box(topology, cells, index, inside.get(index)) for index in range(len(cells.level))]
    said = tuple(heading) or route_heading(route, title)
    return dot_text(Drawing(said, route_warnings(route), boxes, between))


# ---- which node goes into which box -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Cells:
    """Boxes in structural order: level, family of place, place, role."""

    of_node: Ids  # shape (N,)
    level: Ids  # shape (B,)
    family: Ids
    place: Ids  # unit, pod or node; _REST: folded
    folded: dict[int, int]  # family: how many places share the folded box
    heat: dict[int, float]  # family: worst utilisation at the folded places


def _most_alone(topology: Topology) -> int:
    """Switches of a flat network that may have boxes of their own."""
    links, switch = topology.links, topology.is_switch
    cables = int((topology.is_cable & switch[links.src] & switch[links.dst]).sum())
    dense = cables > max(_SPARSE_CABLES, 2 * int(switch.sum()))
    return _MOST_MESHED if dense else MOST_BOXES


def _cells(topology: Topology, utilisation: Floats) -> _Cells:
    family, place = _places(topology)
    nodes = topology.nodes
    kinds = nodes.role.astype(np.int64)
    if _has_planes(topology):  # planes that never meet share no box
        kinds = kinds * (int(nodes.plane.max()) + 2) + np.where(topology.is_switch, nodes.plane + 1, 0)
    keys = np.stack([nodes.level, family, place, kinds], axis=1).astype(np.int64)
    rows, of_node = np.unique(keys, axis=0, return_inverse=True)
    heat = {code: _heat(topology, utilisation, place, family == code) for code in (_UNIT, _POD, _SINGLE)}
    flat = len(np.unique(nodes.level[topology.is_switch])) == 1
    most = {_UNIT: _MOST_IN_A_ROW, _POD: _MOST_IN_A_ROW, _SINGLE: _most_alone(topology) if flat else _MOST_IN_A_ROW}
    merged = False
    while True:
        kept = {code: _hottest(heat[code], most[code]) for code in most}
        folded = _fold(rows, kept, merged=merged)
        boxes, of_row = np.unique(folded, axis=0, return_inverse=True)
        if len(boxes) <= MOST_BOXES:
            break
        widest = max(most, key=lambda code: len(kept[code]))
        if len(kept[widest]) > 1:
            most[widest] = len(kept[widest])  # one less is kept: the rest needs a box too
        elif not merged:
            merged = True
        else:
            raise TopologyError(
                f"{topology.name} has {len(boxes)} levels; a tier view has at most {MOST_BOXES} boxes",
                hint="give the nodes fewer levels",
                code="FP3202",
            )
    rest = {code: len(heat[code]) - len(kept[code]) for code in most}
    coolest = {
        code: max((value for entry, value in heat[code].items() if entry not in kept[code]), default=0.0)
        for code in most
    }
    return _Cells(
        of_node=column(of_row.reshape(-1)[of_node.reshape(-1)], np.int32),
        level=column(boxes[:, 0], np.int32),
        family=column(boxes[:, 1], np.int32),
        place=boxes[:, 2],
        folded=rest,
        heat=coolest,
    )


def _has_planes(topology: Topology) -> bool:
    """Whether leaves are of planes, as those of a dual-plane fabric; cores alone often are."""
    nodes = topology.nodes
    return bool((topology.is_switch & (nodes.level == 1) & (nodes.plane >= 0)).any())


def _places(topology: Topology) -> tuple[Ids, Ids]:
    """Family and place of every node; hosts are where the switch is that they are first attached to."""
    nodes, links = topology.nodes, topology.links
    switch = topology.is_switch
    if not switch.any():
        switch = nodes.forwards
    lowest = nodes.level[switch].min() if switch.any() else 0
    ids = np.arange(len(nodes))
    family = np.select(
        [~switch, nodes.unit >= 0, nodes.pod >= 0, nodes.level == lowest], [_NONE, _UNIT, _POD, _SINGLE], _NONE
    )
    place = np.select([family == _UNIT, family == _POD, family == _SINGLE], [nodes.unit, nodes.pod, ids], -1)
    attached = np.flatnonzero(~switch[links.src] & switch[links.dst])[::-1]
    family, place = family.copy(), place.astype(np.int64)
    home = np.full(len(nodes), -1)
    home[links.src[attached]] = links.dst[attached]  # in reverse order, so that the first link stays
    hosts = np.flatnonzero(home >= 0)
    family[hosts], place[hosts] = family[home[hosts]], place[home[hosts]]
    return family, place


def _heat(topology: Topology, utilisation: Floats, place: Ids, mine: Bools) -> dict[int, float]:
    """Worst utilisation of the links at every place of one family, in order of place."""
    places, code = np.unique(place[mine], return_inverse=True)
    worst = np.zeros(len(places))
    of_node = np.full(len(place), -1)
    of_node[mine] = code.reshape(-1)
    for ends in (topology.links.src, topology.links.dst):
        here = of_node[ends]
        np.maximum.at(worst, here[here >= 0], utilisation[here >= 0])
    return dict(zip(places.tolist(), worst.tolist(), strict=True))


def _hottest(heat: dict[int, float], most: int) -> frozenset[int]:
    """Places that keep a box: all when they fit, else the hottest, leaving one box to the rest."""
    if len(heat) <= most:
        return frozenset(heat)
    places = list(heat)
    return frozenset(places[at] for at in descending(np.array(list(heat.values())))[: most - 1].tolist())


def _fold(rows: Ids, kept: dict[int, frozenset[int]], *, merged: bool) -> Ids:
    """Key rows with the places that are not kept, and on demand the roles, made one."""
    folded = rows.copy()
    for code, places in kept.items():
        lost = (rows[:, 1] == code) & ~np.isin(rows[:, 2], sorted(places))
        folded[lost, 2] = _REST
    if merged:
        folded[:, 3] = 0
    return folded


# ---- what stands in a box -----------------------------------------------------------------------------------------


def _box(topology: Topology, cells: _Cells, index: int, inside: Bundle | None) -> Box:
    members = column(np.flatnonzero(cells.of_node == index), np.int32)
    level, family, place = int(cells.level[index]), int(cells.family[index]), int(cells.place[index])
    rest = place == _REST
    switches = column(members[topology.is_switch[members]], np.int32)
    lines = []
    if len(switches):
        single = family == _SINGLE and not rest
        lines += [_place_text(topology, cells, members, family, rest=rest)] if family != _NONE else []
        planes = np.unique(topology.nodes.plane[switches])
        if _has_planes(topology) and not single and len(planes) == 1 and planes[0] >= 0:
            lines = [", ".join([*lines, f"plane {planes[0]}"])]
        lines += _switch_lines(topology, switches, single=single)
    else:
        lines.append(hosts_text(topology, members))
    if inside is not None:
        lines.append(f"inside: {cables_text(inside)}, {load_text(inside)}")
        lines += [f"{inside.down:,} down"] if inside.down else []
    column_name = "" if family == _NONE else f"{family}/{'rest' if rest else place}"
    return Box(tuple(line for line in lines if line), level, column=column_name, stacked=rest, inside=inside)


def _place_text(topology: Topology, cells: _Cells, members: Ids, family: int, *, rest: bool) -> str:
    nodes = topology.nodes
    if not rest:
        first = int(members[0])
        if family == _SINGLE:
            return shortened(nodes.name[first])
        return f"{_FAMILY[family][0]} {int((nodes.unit if family == _UNIT else nodes.pod)[first])}"
    count = cells.folded[family]
    one, many = _FAMILY.get(family, ("", ""))
    if not one:
        one = topology.roles[nodes.role[members[0]]]
        many = {"leaf": "leaves", "switch": "switches"}.get(one, f"{one}s")
    return f"{count:,} more {one if count == 1 else many}, max {percent_text(cells.heat[family])}"


def _switch_lines(topology: Topology, switches: Ids, *, single: bool) -> list[str]:
    """Count by role, radix where it is known, and how many have lost every link."""
    nodes, links = topology.nodes, topology.links
    codes, counts = np.unique(nodes.role[switches], return_counts=True)
    named = [(topology.roles[code], count) for code, count in zip(codes.tolist(), counts.tolist(), strict=True)]
    known = nodes.radix[switches][nodes.radix[switches] > 0]
    radix = ""
    if len(known):
        low, high = int(known.min()), int(known.max())
        radix = f"radix {low}" if low == high else f"radix {low} to {high}"
    what = nodes_text(named) if len(named) < 4 else f"{len(switches):,} switches of {len(named)} roles"
    if single:
        what = "" if named[0][0] == "router" else named[0][0]
    cabled = np.zeros(len(nodes), dtype=np.bool_)
    alive = cabled.copy()
    for ends in (links.src, links.dst):
        cabled[ends] = True
        alive[ends[topology.up]] = True
    dead = int((cabled & ~alive)[switches].sum())
    down = "down" if single else f"{dead:,} down"
    return [", ".join(text for text in (what, radix) if text), down if dead else ""]


def _view(drawn: Drawn, _: Picture) -> str:
    return tier_view_dot(drawn.route, title=drawn.title, heading=drawn.heading)


SUMMARY = "a box per tier and unit, an edge per bundle, at any size"
ORDER = 10
VIEW = View("dot", _view)
