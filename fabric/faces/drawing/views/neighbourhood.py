"""The neighbourhood view: a node and the switches near it; the rest is folded into counted stubs.

What is chosen depends on the cables, up or down, so that two states of one network line up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.dot import route_heading, shortened
from fabric.faces.drawing.folded import folded_dot
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.routing.utilisation import highest
from topologies.errors import TopologyError
from topologies.named_parts import hint_for

if TYPE_CHECKING:
    from fabric.result import PhaseRoute


def neighbourhood_dot(
    route: PhaseRoute, *, title: str, at: str | None = None, hops: int = 1, heading: Sequence[str] = ()
) -> str:
    """A node and the switches within ``hops`` of it, in DOT, under ``heading`` or what the route says of itself.

    Raises
    ------
    TopologyError
        FP6241 for an unknown node, FP6242 where that many links cannot be read.
    """
    topology = route.topology
    if at is None:
        hottest = highest(route.utilisation)
        node = int(topology.links.src[hottest])
        if not topology.is_switch[node]:
            node = int(topology.links.dst[hottest])
    elif topology.has_node(at):
        node = topology.node(at)
    else:
        raise TopologyError(
            f"--at {at!r} is not a node of {topology.name}",
            hint=hint_for([topology], at) or "name a switch or host",
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
    return folded_dot(route, chosen, (*(tuple(heading) or route_heading(route, title)), words))


def _view(drawn: Drawn, picture: Picture) -> str:
    return neighbourhood_dot(drawn.route, title=drawn.title, at=picture.at, hops=picture.hops, heading=drawn.heading)


SUMMARY = "a node and what is near"
ORDER = 30
VIEW = View("dot", _view)
