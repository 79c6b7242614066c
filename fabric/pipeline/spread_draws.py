"""The draws of the hash over processes and machines; what they come to is as if they were drawn here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.pipeline.draws import DrawCount, draw_counts
from fabric.pipeline.phase_options import limits_of, phases_to_route, routing_options
from fabric.pipeline.prepared import PreparedScenario, prepare
from fabric.pipeline.run import Run
from fabric.pipeline.stages import route_prepared_scenario
from fabric.request import RouteRequest
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.spread.job import Job
from fabric.spread.run import Part, Spread, SpreadOptions, take_all
from fabric.spread.shipment import Shipment
from topologies.errors import RoutingError

if TYPE_CHECKING:
    from fabric.evaluation.phases import PreparedPhase
    from fabric.routing.router import DrawnBefore, Routing, RoutingOptions


@dataclass(frozen=True, eq=False)
class DrawnPhase:
    """A phase that a hash places, routed once, to be drawn by any seed."""

    fabric: str
    phase: str
    prepared: PreparedPhase
    routing: Routing
    options: RoutingOptions
    count: DrawCount
    rated: int  # draws whose flows are shared max-min fairly


def prepare_draws(loaded: LoadedScenario, request: RouteRequest) -> tuple[DrawnPhase, ...]:
    """Called once in every worker."""
    return drawn_phases(prepare(loaded, request))


def drawn_phases(prepared: PreparedScenario) -> tuple[DrawnPhase, ...]:
    """Phases of a prepared scenario that a hash places."""
    from fabric.evaluation.phases import prepare_phase
    from fabric.routing.router import ROUTERS, is_drawn, places_flows

    request, loaded = prepared.request, prepared.loaded
    phases = phases_to_route(prepared)
    counts = draw_counts(phases, prepared.network.topologies, request, limits_of(loaded, request))
    found = []
    for name, spec, demands, phase in phases:
        router = request.router or spec.routing.router
        if not is_drawn(router, spec.routing.adaptive.granularity):
            continue
        options = routing_options(
            spec, request, loaded.scenario.seed, silent, draws=counts[name].loads, rate_draws=counts[name].rates
        )
        ready = prepare_phase(
            prepared.network.topologies[name],
            demands,
            phase,
            efficiency=spec.payload_efficiency,
            per_endpoint=places_flows(router),
            latency=spec.latency,
        )
        once = replace(options, hash=replace(options.hash, replicas=1), rate_draws=None)
        routing = ROUTERS[router]({}, graph=ready.graph, demand=ready.demand, pairs=ready.pairs, options=once)
        asked = options.hash.replicas
        rated = asked if asked > 1 else options.rate_draws or 0
        found.append(DrawnPhase(name, phase, ready, routing, options, counts[name], rated))
    return tuple(found)


def work_draws(phases: tuple[DrawnPhase, ...], first: int, last: int) -> list[dict[str, Any]]:
    """Draws ``first`` to ``last`` of every phase, as plain values; fewer of one that has fewer."""
    from fabric.evaluation.phases import drawn_phase

    found = []
    for each in phases:
        loads, rated = (max(min(last, most) - first, 0) for most in (each.count.loads, each.rated))
        options = replace(each.options, seed=each.options.seed + first, draws=loads)
        drawn = drawn_phase(each.prepared, each.routing, options, rated)
        found.append(
            {
                "utilisation": drawn.utilisation,
                "peak": [[job, steady, peak] for (job, steady), peak in drawn.job_peak.items()],
                "rates": drawn.rates,
            }
        )
    return found


def fingerprint(phases: tuple[DrawnPhase, ...]) -> str:
    """Hash of what is drawn: graphs and demand."""
    import hashlib

    digest = hashlib.sha256()
    for each in phases:
        graph, demand = each.prepared.graph, each.prepared.demand
        digest.update(f"{each.fabric}\0{each.phase}\0{each.count}\0{each.rated}\0".encode())
        for column in (graph.src, graph.dst, graph.capacity_gbps, demand.sent_gbps.round(9)):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Draws:
    """A scenario to be routed with the draws of its hash made by workers."""

    stages: PreparedScenario
    phases: tuple[DrawnPhase, ...]
    spread: Spread

    @staticmethod
    def of(loaded: LoadedScenario, request: RouteRequest, options: SpreadOptions, progress: Reporter = silent) -> Draws:
        """Fabrics and traffic, and what is to be drawn.

        Raises
        ------
        RoutingError
            FP5013 where nothing is drawn.
        """
        stages = prepare(loaded, request, progress=progress)
        phases = drawn_phases(stages)
        units = max((max(each.count.loads, each.rated) for each in phases), default=0)
        if not units:
            raise RoutingError(
                "nothing is drawn: no router of the scenario hashes flows, so there are no draws to spread",
                hint="--router ecmp-hash; a sweep over other values is fabric sweep",
                code="FP5013",
            )
        return Draws(stages, phases, Spread(draw_job(loaded, request, phases, units), options, progress))

    def run(self) -> Run:
        """The run with all draws; with fewer where the work was stopped, which ``spread`` says.

        Raises
        ------
        FabricError
            As ``run_scenario``, and why it was stopped where there is no draw.
        """
        spread, stages = self.spread, self.stages
        parts: list[Part] = []
        take_all(spread, parts.append)
        whole = [part for at, part in enumerate(parts) if part.first == (parts[at - 1].last if at else 0)]
        have = whole[-1].last if whole else 0
        if spread.stopped is not None:
            if not have:
                raise spread.stopped
            stages = replace(stages, request=replace(stages.request, replicas=have))
        drawn = {
            (each.fabric, each.phase): _joined([part.value[at] for part in whole])
            for at, each in enumerate(self.phases)
        }
        result = route_prepared_scenario(stages, progress=spread.progress, drawn=drawn)
        if spread.stopped is not None:
            result = replace(result, routes=tuple(replace(route, partial=True) for route in result.routes))
        return Run(stages.loaded, stages.request, result, stages.loaded.path, stages=stages)


def draw_job(loaded: LoadedScenario, request: RouteRequest, phases: tuple[DrawnPhase, ...], units: int) -> Job:
    """The draws as work for any number of processes."""
    listed = ("phase", "top")  # what of the answer is shown
    return Job(
        name="draws",
        unit="draws",
        units=units,
        prepare="fabric.pipeline.spread_draws:prepare_draws",
        work="fabric.pipeline.spread_draws:work_draws",
        scenario=Shipment.of(loaded),
        arguments=request,
        asked={key: value for key, value in asdict(request).items() if key not in listed},
        state=phases,
        prove="fabric.pipeline.spread_draws:fingerprint",
        fingerprint=fingerprint(phases),
    )


def _joined(parts: list[Mapping[str, Any]]) -> DrawnBefore:
    from fabric.routing.router import DrawnBefore

    peaks: dict[tuple[str, bool], list[Any]] = {}
    for part in parts:
        for job, steady, peak in part["peak"]:
            peaks.setdefault((job, steady), []).append(peak)
    return DrawnBefore(
        np.concatenate([part["utilisation"] for part in parts]),
        {key: np.concatenate(values) for key, values in peaks.items()},
        np.concatenate([part["rates"] for part in parts], axis=1),
    )
