"""Pictures of a routed scenario: choosing the phase, drawing the view, writing the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fabric.export.graphviz_program import render_dot
from fabric.export.link_view import link_view_dot
from fabric.export.tier_view import tier_view_dot
from fabric.result import PhaseRoute, RouteResult


def picture_phase(routes: Sequence[PhaseRoute], phase: str) -> PhaseRoute:
    """The phase to draw: the one called ``phase``, or the worst."""
    named = [entry for entry in routes if entry.phase == phase]
    return max(named or list(routes), key=lambda entry: (entry.max_utilisation, entry.links_over_capacity))


def draw(view: str, name: str, result: RouteResult, path: Path, kind: str, *, phase: str, force: bool) -> None:
    """Draw a view of the worst or the named phase.

    Parameters
    ----------
    view : {"tier", "links"}
    kind : {"svg", "png", "dot"}
    force : bool
        Draw the links view whatever its size.
    """
    entry = picture_phase(result.routes, phase)
    dot = tier_view_dot(entry, title=name) if view == "tier" else link_view_dot(entry, title=name, force=force)
    render_dot(dot, path, kind)
