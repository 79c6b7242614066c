"""Routing a scenario again with more overrides and failures than it was routed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario, load_scenario


def reroute(
    loaded: LoadedScenario,
    request: RouteRequest = RouteRequest(),
    *,
    sets: Sequence[str] = (),
    down: Sequence[str] = (),
    up: Sequence[str] = (),
    progress: Reporter = silent,
) -> RouteResult:
    """Route ``loaded`` with what ``sets``, ``down`` and ``up`` add to its overrides and to the request's failures.

    Parameters
    ----------
    sets : sequence of str
        ``PATH=VALUE`` texts, applied after those the scenario was loaded with.
    down, up : sequence of str
        Selectors as ``--down`` and ``--up`` take them.

    Raises
    ------
    FabricError
        As loading and routing do.
    """
    again = loaded
    if sets:
        given = [f"{entry.path}={entry.value}" for entry in loaded.overrides]
        again = load_scenario(loaded.path, overrides=[*given, *sets])
    asked = replace(request, down=(*request.down, *down), up=(*request.up, *up))
    return route(again, asked, progress=progress)
