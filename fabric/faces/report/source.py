"""What a report is made from: a run, and the run that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.failures.result import FailureResult
from fabric.operate.load_check.result import LoadCheckResult
from fabric.pipeline.network import Network
from fabric.pipeline.phase_options import nothing_to_route
from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.saved.design_file import SavedDesign
from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True, eq=False)
class ReportSource:
    """A run, the one before it, and what failures do to it."""

    run: Run
    base: ReportSource | None = None  # what it is compared with
    failures: FailureResult | None = None  # a sweep over its failure cases, where one was asked for
    failures_given: tuple[str, ...] = ()  # the flags that asked for it
    load_check: LoadCheckResult | None = None  # what counters said beside it, where they were read
    design: SavedDesign | None = None  # the choice that the scenario came of, where a file of it was given

    @property
    def given(self) -> str:
        """The path as the user wrote it."""
        return self.run.given

    @property
    def saved(self) -> bool:
        """Whether that is a saved result."""
        return self.run.saved

    @property
    def loaded(self) -> LoadedScenario:
        """The scenario."""
        return self.run.loaded

    @property
    def request(self) -> RouteRequest:
        """What was asked."""
        return self.run.request

    @property
    def network(self) -> Network:
        """The fabrics."""
        return self.run.network

    @property
    def idle(self) -> str | None:
        """Why nothing was routed; None where something was."""
        return None if self.result.routes else nothing_to_route(self.loaded)

    @property
    def result(self) -> RouteResult:
        """What came of it."""
        return self.run.result
