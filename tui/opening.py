"""Opening a scenario or a saved result for a session, and saying what is wrong with one that does not open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric.evaluation.hottest import by_heat
from fabric.evaluation.severity import worst_phase
from fabric.failures.verdicts import decided
from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.routing.progress import Reporter
from fabric.saved.open_any import open_any
from fabric.scenario.diagnostics import render
from topologies.errors import FabricError


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


def open_path(path: str, overrides: Sequence[str], request: RouteRequest, report: Reporter) -> Run:
    """Load and route a scenario, or read a saved result.

    Raises
    ------
    FabricError
        With everything that is wrong, located in the file.
    """
    run = decided(open_any(path, overrides=overrides, request=request, progress=report), report)
    worst = worst_phase(run.result.routes)
    if worst is not None:  # what the first keys ask for, while nobody waits for a key
        by_heat(worst)
        worst.topology.has_node("")
    return run
