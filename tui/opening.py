"""Opening a scenario or a saved result for a session, and saying what is wrong with one that does not open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabric.pipeline import RouteRequest, route
from fabric.result import RouteResult
from fabric.routing.router import Progress
from fabric.scenario.diagnostics import render
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.errors import FabricError, ScenarioError


@dataclass(frozen=True, eq=False)
class Opened:
    """A scenario and what came of it."""

    loaded: LoadedScenario
    request: RouteRequest
    result: RouteResult


@dataclass(frozen=True)
class OpeningFailed:
    """Why something does not open, as text with the lines it is about."""

    path: str
    text: str

    @staticmethod
    def of(error: BaseException, path: str) -> OpeningFailed:
        """The words the command line would print."""
        if isinstance(error, FabricError):
            return OpeningFailed(path, render(error.problems, getattr(error, "sources", {})))
        reason = getattr(error, "strerror", None) or str(error)
        return OpeningFailed(path, f"error: cannot read {path}: {reason}")


def open_path(path: str, overrides: Sequence[str], request: RouteRequest, report: Callable[[Progress], None]) -> Opened:
    """Load and route a scenario.

    Raises
    ------
    FabricError
        With everything that is wrong, located in the file.
    """
    report(Progress(f"reading {path}"))
    loaded = load_scenario(path, overrides=overrides)
    try:
        return Opened(loaded, request, route(loaded, request, progress=report))
    except ScenarioError as error:
        raise _placed(error, loaded) from None
    except FabricError as error:
        raise _placed(error, loaded) from None


def _placed(error: FabricError, loaded: LoadedScenario) -> FabricError:
    placed = loaded.locate(error) if any(problem.where for problem in error.problems) else error
    vars(placed)["sources"] = dict(loaded.sources)
    return placed
