"""Pictures of a routed scenario: choosing the phase, drawing the view, writing the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fabric.evaluation.severity import by_severity
from fabric.faces.drawing.graphviz_program import render_dot
from fabric.faces.drawing.view import VIEWS, Drawn, Picture
from fabric.result import PhaseRoute, RouteResult
from fabric.scenario.load import LoadedScenario
from topologies.errors import FormatError
from topologies.whole_file import whole_file


def picture_phase(routes: Sequence[PhaseRoute], phase: str) -> PhaseRoute:
    """The phase to draw: the one called ``phase``, on the fabric where it is worst, or the worst of all."""
    order = by_severity(routes)
    return next((entry for entry in order if entry.phase == phase), order[0])


def draw(picture: Picture, loaded: LoadedScenario, result: RouteResult, path: Path, kind: str, *, phase: str) -> None:
    """Draw a view of the worst or the named phase.

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
    drawn = Drawn(loaded, result, picture_phase(result.routes, phase))
    if view.language == "dot":
        render_dot(view.text(drawn, picture), path, kind)
        return
    if kind != "svg":
        raise FormatError(
            f"{picture.view} is drawn as SVG, not as {kind}", hint="end the file with .svg", code="FP6243"
        )
    text = view.text(drawn, picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror}", hint="give another -o", code="FP6231") from error
