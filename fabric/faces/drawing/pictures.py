"""Pictures of a routed scenario: choosing the phase, drawing the view, writing the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric.faces.drawing.dot import route_heading
from fabric.faces.drawing.graphviz_program import render_dot
from fabric.output.whole_file import whole_file
from fabric.result import PhaseRoute, RouteResult
from fabric.scenario.load import LoadedScenario
from topologies.errors import FormatError, nearest_hint

GRAPHS = ("tier", "unit", "neighbourhood", "links")


@dataclass(frozen=True)
class Picture:
    """What to draw.

    ``at`` is a unit, pod or node; ``tier`` of the matrix; ``direction`` its links up or down; ``all_links`` draws more
    than 500.
    """

    view: str
    at: str | None = None
    hops: int = 1
    tier: str | None = None
    direction: str = "up"
    all_links: bool = False


def picture_phase(routes: Sequence[PhaseRoute], phase: str) -> PhaseRoute:
    """The phase to draw: the one called ``phase``, or the worst."""
    named = [entry for entry in routes if entry.phase == phase]
    return max(named or list(routes), key=lambda entry: (entry.max_utilisation, entry.links_over_capacity))


def draw(picture: Picture, loaded: LoadedScenario, result: RouteResult, path: Path, kind: str, *, phase: str) -> None:
    """Draw a view of the worst or the named phase.

    Parameters
    ----------
    kind : {"svg", "png", "dot"}
        Matrix, rack and phases are SVG only: they are no graphs, so Graphviz has no part in them.

    Raises
    ------
    FabricError
        Where the view does not fit the network, or the file cannot be written.
    """
    entry = picture_phase(result.routes, phase)
    name = loaded.scenario.name
    if picture.view in GRAPHS:
        render_dot(_dot(picture, entry, name), path, kind)
        return
    if kind != "svg":
        raise FormatError(
            f"{picture.view} is drawn as SVG, not as {kind}", hint="end the file with .svg", code="FP6243"
        )
    text = _svg(picture, loaded, result, entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror}", hint="give another -o", code="FP6231") from error


def _dot(picture: Picture, entry: PhaseRoute, name: str) -> str:
    if picture.view == "tier":
        from fabric.faces.drawing.tier_view import tier_view_dot

        return tier_view_dot(entry, title=name)
    if picture.view == "links":
        from fabric.faces.drawing.link_view import link_view_dot

        return link_view_dot(entry, title=name, force=picture.all_links)
    from fabric.faces.drawing.focus_view import neighbourhood_dot, unit_view_dot

    if picture.view == "unit":
        return unit_view_dot(entry, title=name, at=picture.at)
    return neighbourhood_dot(entry, title=name, at=picture.at, hops=picture.hops)


def _svg(picture: Picture, loaded: LoadedScenario, result: RouteResult, entry: PhaseRoute) -> str:
    name = loaded.scenario.name
    if picture.view == "phases":
        from fabric.faces.drawing.svg.timeline import timeline_svg
        from fabric.faces.views.timeline import timelines

        return timeline_svg(timelines(result), (f"{name}: the step in time",))
    heading = route_heading(entry, name)
    if picture.view == "rack":
        from fabric.faces.drawing.svg.racks import rack_svg

        return rack_svg(loaded, entry, heading)
    from fabric.faces.drawing.svg.matrix import matrix_svg
    from fabric.faces.views.heat import Direction, heat_map, map_kinds

    kinds = map_kinds(entry.topology)
    loads = {tier.tier: tier.max for tier in sorted(entry.tiers, key=lambda tier: tier.max)}
    tier = picture.tier or max(kinds[1:], key=lambda kind: loads.get(kind, 0.0), default="")
    if tier not in kinds:
        raise FormatError(
            f"{entry.fabric} has no tier {tier!r} between switches",
            hint=nearest_hint(tier, kinds, "there is"),
            code="FP6244",
        )
    direction: Direction = "down" if picture.direction == "down" else "up"
    return matrix_svg(heat_map(entry.topology, entry.utilisation, tier, direction), heading)
