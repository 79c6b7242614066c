"""A scenario or a saved result: every command that shows results takes both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.routing.progress import Progress, Reporter, silent
from fabric.saved.archive import is_archive
from fabric.saved.failure_file import is_failure_file
from fabric.scenario.load import load_scenario
from topologies.errors import FormatError


def open_any(
    path: str,
    *,
    overrides: Sequence[str] = (),
    request: RouteRequest = RouteRequest(),
    strict: bool = False,
    progress: Reporter = silent,
    idle: bool = False,
) -> Run:
    """Open a saved result as it is, or load and route a scenario.

    Topology files with anything wrong are refused where ``strict``; else what is sound of them is taken. A saved result
    with overrides or failures asked for is routed again from the scenario kept in it. With ``idle`` a scenario that
    sends nothing is opened too, without routes.

    Raises
    ------
    FabricError
        With everything wrong with either.
    """
    progress(Progress(f"reading {path}"))
    if is_failure_file(path):
        raise FormatError(
            f"{path} is a failure sweep, not a scenario or a result",
            hint=f"name its scenario, and the sweep as --failures-from {path}; fabric compare takes it as it is",
            code="FP9107",
        )
    if path == "-" or not is_archive(Path(path)):
        loaded = replace(load_scenario(path, overrides=overrides), strict=strict)
        return run_scenario(loaded, request, given=path, progress=progress, idle=idle)
    from fabric.saved.result_file import open_result

    saved = open_result(Path(path))
    failed = request.down or request.up or request.slow
    if not overrides and not failed and request.router is None and request.scale == 1:
        return saved
    given = [f"{override.path}={override.value}" for override in saved.loaded.overrides]
    loaded = load_scenario(saved.loaded.path, overrides=[*given, *overrides]) if overrides else saved.loaded
    asked = replace(
        saved.request,
        down=(*saved.request.down, *request.down),
        up=(*saved.request.up, *request.up),
        slow=(*saved.request.slow, *request.slow),
        router=request.router or saved.request.router,
        scale=saved.request.scale * request.scale,
    )
    return run_scenario(replace(loaded, strict=strict), asked, given=path, progress=progress, idle=idle)
