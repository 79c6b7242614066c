"""A scenario or a saved result: every command that shows results takes both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabric.pipeline.stages import route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.saved.archive import is_archive
from fabric.scenario.load import LoadedScenario, load_scenario


@dataclass(frozen=True, eq=False)
class OpenedResult:
    """A scenario, what was asked, and what came of it; ``saved`` when it was read from a file."""

    loaded: LoadedScenario
    request: RouteRequest
    result: RouteResult
    saved: bool


def open_any(
    path: str,
    *,
    overrides: Sequence[str] = (),
    request: RouteRequest = RouteRequest(),
    progress: Reporter = silent,
) -> OpenedResult:
    """Open a saved result as it is, or load and route a scenario.

    A saved result with overrides or failures asked for is routed again from the scenario kept in it.

    Raises
    ------
    FabricError
        With everything wrong with either.
    """
    if path != "-" and is_archive(Path(path)):
        from fabric.saved.result_file import open_result

        progress(Progress(f"reading {path}"))
        saved = open_result(Path(path))
        if not overrides and not request.down and not request.up and request.router is None and request.scale == 1:
            return OpenedResult(saved.loaded, saved.request, saved.result, True)
        given = [f"{entry.path}={entry.value}" for entry in saved.loaded.overrides]
        loaded = load_scenario(saved.loaded.path, overrides=[*given, *overrides]) if overrides else saved.loaded
        asked = replace(
            saved.request,
            down=(*saved.request.down, *request.down),
            up=(*saved.request.up, *request.up),
            router=request.router or saved.request.router,
            scale=saved.request.scale * request.scale,
        )
        return OpenedResult(loaded, asked, _routed(loaded, asked, progress), False)
    progress(Progress(f"reading {path}"))
    loaded = load_scenario(path, overrides=overrides)
    return OpenedResult(loaded, request, _routed(loaded, request, progress), False)


def _routed(loaded: LoadedScenario, request: RouteRequest, progress: Reporter) -> RouteResult:
    from topologies.errors import FabricError

    try:
        return route(loaded, request, progress=progress)
    except FabricError as error:
        placed = loaded.locate(error) if any(problem.where for problem in error.problems) else error
        vars(placed)["sources"] = dict(loaded.sources)
        raise placed from None
