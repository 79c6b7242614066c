"""Pictures of a routed scenario: choosing the phase, drawing the view, writing the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fabric.evaluation.severity import by_severity
from fabric.faces.drawing.graphviz_program import render_dot
from fabric.faces.drawing.view import VIEWS, Drawn, Picture
from fabric.result import PhaseRoute, RouteResult
from fabric.scenario.load import LoadedScenario
from topologies.errors import FormatError
from topologies.whole_file import whole_file

if TYPE_CHECKING:
    from fabric.failures.result import FailureResult
    from fabric.pipeline.network import Network


def picture_phase(routes: Sequence[PhaseRoute], phase: str) -> PhaseRoute:
    """The phase to draw: the one called ``phase``, on the fabric where it is worst, or the worst of all."""
    order = by_severity(routes)
    return next((entry for entry in order if entry.phase == phase), order[0])


def drawn_phase(loaded: LoadedScenario, result: RouteResult, phase: str) -> Drawn:
    """The worst or the named phase, to be drawn."""
    return Drawn(loaded, result, picture_phase(result.routes, phase))


def drawn_worst_case(
    loaded: LoadedScenario, result: RouteResult, failures: FailureResult, fabric: str | None = None
) -> Drawn:
    """A fabric with every link as full as in its worst failure case, to be drawn."""
    from fabric.faces.drawing.worst_case import worst_case_heading, worst_case_route

    route = worst_case_route(result, failures, fabric)
    heading = worst_case_heading(loaded.scenario.name, route.fabric, failures)
    return Drawn(loaded, result, route, heading)


def draw(picture: Picture, drawn: Drawn, path: Path, kind: str) -> None:
    """Draw a view.

    Parameters
    ----------
    kind : {"svg", "png", "dot"}
        Views that are not graphs are SVG only: Graphviz has no part in them.

    Raises
    ------
    FabricError
        Where the view does not fit the network, or the file cannot be written.
    """
    view = VIEWS[picture.view]
    if view.language == "dot":
        render_dot(view.text(drawn, picture), path, kind)
        return
    _write_svg(picture.view, view.text(drawn, picture), path, kind)


def draw_scenario(picture: Picture, loaded: LoadedScenario, network: Network, path: Path, kind: str) -> None:
    """Draw a view that shows no traffic, of a scenario and its fabrics.

    Raises
    ------
    FabricError
        Where the view does not fit the scenario, or the file cannot be written.
    """
    text = VIEWS[picture.view].of_scenario
    if text is None:
        raise AssertionError("views with traffic are drawn by draw()")
    _write_svg(picture.view, text(loaded, network, picture), path, kind)


def _write_svg(view: str, text: str, path: Path, kind: str) -> None:
    """A drawing that is no graph, which is SVG and nothing else."""
    if kind != "svg":
        raise FormatError(f"{view} is drawn as SVG, not as {kind}", hint="end the file with .svg", code="FP6243")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror}", hint="give another -o", code="FP6231") from error
