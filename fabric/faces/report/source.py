"""What a report is made from: a scenario, the request it was routed with, its networks and the result."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.pipeline.network import Network
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True, eq=False)
class ReportSource:
    """A routed scenario; ``given`` is the path as the user wrote it, ``saved`` whether that is a saved result."""

    given: str
    loaded: LoadedScenario
    request: RouteRequest
    network: Network
    result: RouteResult
    base: ReportSource | None = None  # what it is compared with
    saved: bool = False
