"""Stages one and two: the fabrics are built, the traffic is derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fabric.pipeline.network import Network, build_network
from fabric.request import RouteRequest
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.scenario.schema import Scenario
from topologies.errors import FabricError, Problem, ScenarioError, TrafficError, nearest_hint
from traffic.occupancy import Occupancy
from traffic.scale import scaled_workload
from traffic.workload import WORKLOADS, ComputeTime, WorkloadContext, WorkloadTraffic

if TYPE_CHECKING:
    from fabric.evaluation.schedule import LineRate


@dataclass(frozen=True, eq=False)
class PreparedScenario:
    """A scenario whose fabrics are built and whose traffic is derived, before any routing."""

    loaded: LoadedScenario
    request: RouteRequest
    network: Network
    traffic: tuple[WorkloadTraffic, ...]

    def has_network_of(self, loaded: LoadedScenario, request: RouteRequest) -> bool:
        """Whether a scenario and a request have these very fabrics: same keys, same files, same things down."""
        asked, before = ((one.down, one.up, one.slow) for one in (request, self.request))
        return asked == before and _network_keys(loaded) == _network_keys(self.loaded)

    def has_traffic_of(self, loaded: LoadedScenario, request: RouteRequest) -> bool:
        """Whether a scenario and a request send this very traffic over these fabrics."""
        return (
            self.has_network_of(loaded, request)
            and request.scale == self.request.scale
            and _traffic_keys(loaded) == _traffic_keys(self.loaded)
        )


def _network_keys(loaded: LoadedScenario) -> tuple[object, ...]:
    scenario = loaded.scenario
    fabrics = [(name, spec.attach, spec.topology) for name, spec in scenario.fabrics.items()]
    files = (loaded.directory, loaded.strict, loaded.catalogues, loaded.inputs)
    return fabrics, scenario.nodes, scenario.down, scenario.slow, _names_of_sets(scenario), files


def _names_of_sets(scenario: Scenario) -> tuple[object, ...]:
    """What selectors may name beside the topologies."""
    return scenario.risk_groups, scenario.failures, scenario.site


def _traffic_keys(loaded: LoadedScenario) -> tuple[object, ...]:
    scenario = loaded.scenario
    return scenario.workloads, scenario.seed, scenario.scale, scenario.tenants


def prepare(
    loaded: LoadedScenario,
    request: RouteRequest = RouteRequest(),
    *,
    like: PreparedScenario | None = None,
    progress: Reporter = silent,
) -> PreparedScenario:
    """Build the fabrics and derive the traffic.

    Parameters
    ----------
    like : PreparedScenario, optional
        One prepared before: its fabrics and its traffic are taken over where the scenario and the request leave them
        as they are, so that a change of the router alone builds nothing.

    Raises
    ------
    FabricError
        With what is wrong, located in the scenario.
    """
    if like is not None and like.has_network_of(loaded, request):
        network = like.network
    else:
        progress(Progress("building the fabrics"))
        network = build(
            loaded, down=request.down, up=request.up, slow=request.slow, routed=bool(loaded.scenario.workloads)
        )
    if like is not None and network is like.network and like.has_traffic_of(loaded, request):
        return PreparedScenario(loaded, request, network, like.traffic)
    progress(Progress("deriving the traffic"))
    return PreparedScenario(loaded, request, network, derive_traffic(loaded, network, scale=request.scale))


def build(
    loaded: LoadedScenario,
    *,
    down: Sequence[str] = (),
    up: Sequence[str] = (),
    slow: Sequence[str] = (),
    routed: bool = False,
) -> Network:
    """Stage 1: the networks and the hosts on them; ``routed``: there is memory for their routes too."""
    return build_network(loaded, down=down, up=up, slow=slow, routed=routed)


def derive_traffic(
    loaded: LoadedScenario,
    network: Network,
    *,
    scale: float = 1.0,
    occupancy: Occupancy | None = None,
    compute: Mapping[str, ComputeTime | None] | None = None,
) -> tuple[WorkloadTraffic, ...]:
    """Stage 2: what every workload sends, times the scenario's scale and ``scale``.

    Parameters
    ----------
    occupancy : Occupancy, optional
        An empty one, which then has the places of all jobs.
    compute : mapping, optional
        Compute times of jobs, by id, that are known already, whatever an MFU would come to.

    Raises
    ------
    TrafficError
        With the problems of all workloads, located in the scenario.
    """
    from fabric.evaluation.schedule import ideal_step
    from fabric.evaluation.step_time import with_compute

    fabrics = line_rates(loaded, network)
    problems: list[Problem] = []
    traffic: list[WorkloadTraffic] = []
    occupancy = Occupancy() if occupancy is None else occupancy
    streams = np.random.default_rng(loaded.scenario.seed).spawn(len(loaded.scenario.workloads))
    for index, (workload, rng) in enumerate(zip(loaded.scenario.workloads, streams, strict=True)):
        context = WorkloadContext(workload.id, network.inventory, rng, Path(loaded.directory), occupancy)
        try:
            derived = WORKLOADS[workload.kind](workload.spec, context=context)
            if compute is not None and workload.id in compute:
                derived = replace(derived, compute=compute[workload.id])
            else:
                derived = with_compute(derived, ideal_step(derived, fabrics))
            traffic.append(replace(derived, said=(*derived.said, *context.said)))
            loaded.say(*(f"{workload.id}: {text}" for text in traffic[-1].said))
            if derived.unfit:
                loaded.say(f"{workload.id} does not fit in the memory of its GPUs")
        except FabricError as error:
            problems += error.under("workloads", index).problems
    if problems:
        raise loaded.locate(TrafficError(problems))
    if loaded.scenario.tenants:
        from fabric.pipeline.tenants import check_traffic

        check_traffic(loaded, network.inventory, traffic)
    factor = scale * loaded.scenario.scale
    return tuple(traffic) if factor == 1 else tuple(scaled_workload(workload, factor) for workload in traffic)


def line_rates(loaded: LoadedScenario, network: Network) -> dict[str, LineRate]:
    """What limits phases at line rate, by fabric."""
    from fabric.evaluation.schedule import LineRate

    specs = loaded.scenario.fabrics
    return {
        name: LineRate(topology, specs[name].payload_efficiency, specs[name].latency)
        for name, topology in network.topologies.items()
        if name in specs
    }


def check_fabric(fabric: str | None, network: Network) -> None:
    """Refuse the name of a fabric that there is not, with the nearest."""
    if fabric is not None and fabric not in network.topologies:
        raise ScenarioError(
            f"--fabric {fabric!r} is not the name of a fabric",
            hint=nearest_hint(fabric, network.topologies, "fabrics"),
            code="FP2105",
        )
