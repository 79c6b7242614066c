"""One value for a run: the scenario, what was asked, the fabrics, the traffic, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from fabric.bill.energy import NetworkPower, network_power
from fabric.pipeline.network import Network
from fabric.pipeline.prepared import PreparedScenario, build, prepare
from fabric.pipeline.routed_phases import RoutedPhase, kept_phases, route_phases
from fabric.pipeline.stages import judge_phases
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario
from topologies.errors import FabricError
from traffic.workload import WorkloadTraffic


@dataclass(frozen=True, eq=False)
class Run:
    """A scenario as it was routed; every face reads this and nothing else.

    Attributes
    ----------
    loaded : LoadedScenario
        The scenario with its text, its overrides and the hashes of its files.
    request : RouteRequest
        What the command line added.
    result : RouteResult
        Loads, times and limits.
    given : str
        The path as the user wrote it.
    saved : bool
        Whether the result was read from a file instead of routed now.
    """

    loaded: LoadedScenario
    request: RouteRequest
    result: RouteResult
    given: str = ""
    saved: bool = False
    stages: PreparedScenario | None = field(default=None, repr=False)  # None: made when it is asked for
    phases: tuple[RoutedPhase, ...] = field(default=(), repr=False)  # kept for runs after it

    @cached_property
    def prepared(self) -> PreparedScenario:
        """Fabrics and traffic; of a saved result they are made again from its scenario, once."""
        if self.stages is not None:
            return self.stages
        return prepare(self.loaded, self.request)

    @cached_property
    def network(self) -> Network:
        """The fabrics, with what is down."""
        if self.stages is not None or "prepared" in vars(self):
            return self.prepared.network
        return build(self.loaded, down=self.request.down, up=self.request.up, slow=self.request.slow)

    @cached_property
    def power(self) -> NetworkPower:
        """What the network draws, by the bill."""
        return network_power(self.loaded, self.network.topologies)

    @property
    def traffic(self) -> tuple[WorkloadTraffic, ...]:
        """What every workload sends."""
        return self.prepared.traffic

    def on_fabric(self, fabric: str | None) -> Run:
        """The same run with the routes of one fabric only; of all for None."""
        if fabric is None:
            return self
        routes = tuple(route for route in self.result.routes if route.fabric == fabric)
        return replace(self, result=replace(self.result, routes=routes))


def run_scenario(
    loaded: LoadedScenario,
    request: RouteRequest = RouteRequest(),
    *,
    given: str = "",
    like: Run | None = None,
    progress: Reporter = silent,
    idle: bool = False,
    rates: bool = True,
) -> Run:
    """All stages of a scenario.

    Parameters
    ----------
    given : str
        The path as the user wrote it; default: the scenario's.
    like : Run, optional
        A run before it, whose fabrics, traffic and routes are taken over where nothing of theirs has changed.
    idle : bool
        Whether a scenario that sends nothing is a run too, without routes; else it is refused.
    rates : bool
        Whether the rates of single flows are worked out, on which neither times nor limits depend.

    Raises
    ------
    FabricError
        With everything that is wrong, located in the scenario; its ``sources`` hold the text.
    """
    try:
        stages = prepare(loaded, request, like=None if like is None else like.prepared, progress=progress)
        phases = route_phases(stages, progress, idle=idle, like=() if like is None else like.phases, rates=rates)
        result = judge_phases(stages, phases)
    except FabricError as error:
        # Problems that name no key, such as those of a flag, have no place in the text.
        placed = loaded.locate(error) if any(problem.where for problem in error.problems) else error
        vars(placed)["sources"] = dict(loaded.sources)
        raise placed from None
    kept = kept_phases(phases) if like is None else ()  # a session goes back to its base
    return Run(loaded, request, result, given or loaded.path, stages=stages, phases=kept)


def route(
    loaded: LoadedScenario, request: RouteRequest = RouteRequest(), *, progress: Reporter = silent
) -> RouteResult:
    """The result of ``run_scenario`` alone."""
    return run_scenario(loaded, request, progress=progress).result
