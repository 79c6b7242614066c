"""One operation by one algorithm, routed once: loads grow with the message, so that one routing serves all sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabric.evaluation.phases import job_peak, route_phase
from fabric.expect.ranks import TEST
from fabric.pipeline.draws import draws_of
from fabric.pipeline.network import Network
from fabric.pipeline.phase_options import routing_options
from fabric.request import RouteRequest
from fabric.result import PhaseRoute
from fabric.routing.progress import Progress, Reporter
from fabric.scenario.load import LoadedScenario
from topologies.columns import Floats, column
from topologies.errors import RoutingError
from traffic.demands import Demands, TrafficClass
from traffic.workload import Phase


@dataclass(frozen=True, eq=False)
class RoutedTest:
    """A test's traffic on the fabric.

    Attributes
    ----------
    phase : Phase
        For a message of ``size_bytes``; what links carry grows with it.
    window_s : float
        Time of such a message at line rate times efficiency: the busiest NIC's.
    stretch : ndarray of float, shape (R,)
        By how much contention lengthens it in every draw of the hash, at least 1; one entry where nothing is drawn.
    route : PhaseRoute, optional
        None where no host is ever left.
    """

    phase: Phase
    size_bytes: float
    window_s: float
    stretch: Floats
    route: PhaseRoute | None

    @property
    def way_s(self) -> float:
        """A short message from NIC to NIC; 0 where no host is ever left."""
        return 0.0 if self.route is None else self.route.way_s.get(TEST, 0.0)


def route_test(
    loaded: LoadedScenario,
    network: Network,
    phase: Phase,
    size_bytes: float,
    *,
    steady: Demands | None,
    request: RouteRequest,
    draws: int | None,
    progress: Reporter,
) -> RoutedTest:
    """Route the traffic of a test, alone or beside steady traffic.

    Parameters
    ----------
    phase : Phase
        The collective, with the bytes of one message of ``size_bytes``.
    steady : Demands, optional
        What else is on the wire of the phase's fabric.
    draws : int, optional
        Of the hash; what the work allows if absent.

    Raises
    ------
    RoutingError
        Where ranks cannot reach each other (FP5006).
    """
    if phase.fabric is None:
        return RoutedTest(phase, size_bytes, 0.0, np.ones(1), None)
    name, spec = phase.fabric, loaded.scenario.fabrics[phase.fabric]
    topology = network.topologies[name]
    demands = _demands(phase, name, steady)
    asked = request if draws is None else replace(request, replicas=draws)
    counts = draws_of([(name, spec, demands, phase.name)], network.topologies, asked)
    router = request.router or spec.routing.router
    progress(Progress(f"{phase.collective}: {router}"))
    options = routing_options(spec, request, loaded.scenario.seed, progress, draws=counts[name])
    route = route_phase(
        topology,
        demands,
        phase.name,
        router=router,
        options=options,
        efficiency=spec.payload_efficiency,
        latency=spec.latency,
    )
    if TEST in route.jobs_cut:
        pair = route.unreachable[0]
        raise RoutingError(
            f"{route.unreachable_pairs:,} pairs of ranks have no path on {name}, {pair.src} to {pair.dst} among them: "
            "the test does not end",
            hint="bring up what is down, or test ranks that reach each other (--ranks, --group)",
            code="FP5006",
        )
    return RoutedTest(phase, size_bytes, route.window_s.get(TEST, 0.0), _stretch(route), route)


def _demands(phase: Phase, fabric: str, steady: Demands | None) -> Demands:
    own = TrafficClass(TEST, phase.name, phase.collective, False, phase.flows_per_pair)
    beside: list[tuple[Any, Any]] = []
    if steady is not None:
        beside = [pair for pair in zip(steady.classes, steady.flows, strict=True) if pair[0].steady]
    return Demands(fabric, (own, *(entry for entry, _ in beside)), (phase.flows, *(flows for _, flows in beside)))


def _stretch(route: PhaseRoute) -> Floats:
    """By how much contention lengthens the test in every draw, at least 1, shape (R,)."""
    every = route.every_draw
    peaks = [job_peak(route, TEST)[0]] if every is None else every.job_peak[TEST, False].tolist()
    return column([route.stretch_at(peak) for peak in peaks], np.float64)
