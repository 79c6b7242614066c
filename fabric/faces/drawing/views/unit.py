"""The unit view: the switches of one unit or pod, their hosts below; what is above is folded into counted stubs.

What is chosen depends on the cables, up or down, so that two states of one network line up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.dot import route_heading
from fabric.faces.drawing.folded import folded_dot
from fabric.faces.drawing.view import Drawn, Picture, View
from fabric.routing.utilisation import highest
from topologies.errors import TopologyError

if TYPE_CHECKING:
    from fabric.result import PhaseRoute


def unit_view_dot(route: PhaseRoute, *, title: str, at: str | None = None, heading: Sequence[str] = ()) -> str:
    """The switches of a unit or pod, their hosts below, what is above folded by role, in DOT.

    Parameters
    ----------
    at : str, optional
        Number of the unit or pod; default: the one with the hottest link.
    heading : sequence of str, optional
        Instead of what the route says of itself.

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
            f"--at {at!r} is not a {word} of {topology.name}", hint=f"{word}s: {known[0]} to {known[-1]}", code="FP6241"
        )
    else:
        number = int(at)
    chosen = np.flatnonzero(topology.is_switch & (family == number))
    said = tuple(heading) or route_heading(route, title)
    return folded_dot(route, chosen, (*said, f"{word} {number}: {len(chosen):,} switches"))


def _hottest_place(route: PhaseRoute, family: np.ndarray) -> int:
    links = route.topology.links
    inside = (family[links.src] >= 0) & (family[links.dst] != family[links.src]) | (family[links.dst] >= 0)
    load = np.where(inside, route.utilisation, -1.0)
    hottest = highest(load)
    place = family[links.src[hottest]]
    return int(place if place >= 0 else family[links.dst[hottest]])


def _view(drawn: Drawn, picture: Picture) -> str:
    return unit_view_dot(drawn.route, title=drawn.title, at=picture.at, heading=drawn.heading)


SUMMARY = "one unit or pod"
ORDER = 20
VIEW = View("dot", _view)
