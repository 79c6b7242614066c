"""Routing every phase of every fabric; a phase that a run before it asked for alike is taken over as it was routed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fabric.pipeline.phase_options import limits_of, phases_to_route, routing_options, under
from fabric.pipeline.prepared import PreparedScenario
from fabric.result import PhaseRoute
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.latency_schema import FabricLatency
from topologies.topology import Topology
from traffic.demands import Demands, Flows, TrafficClass

if TYPE_CHECKING:
    from fabric.routing.router import DrawnBefore, RoutingOptions

    Drawn = Mapping[tuple[str, str], DrawnBefore]

MOST_KEPT = 5_000_000  # utilisations of links in every draw that a run keeps for those after it, 8 bytes each


@dataclass(frozen=True, eq=False)
class AskedPhase:
    """All that the route of a phase depends on."""

    topology: Topology
    classes: tuple[TrafficClass, ...]
    flows: tuple[Flows, ...]
    router: str
    options: RoutingOptions
    efficiency: float
    latency: FabricLatency

    def is_like(self, other: AskedPhase) -> bool:
        """Whether the other one has the same answer, to the last bit; it may have rates of flows that are not asked."""
        return (
            self.is_routed_like(other)
            and self.classes == other.classes
            and (self.efficiency, self.latency) == (other.efficiency, other.latency)
            and all(_are_equal(one, two) for one, two in zip(self.flows, other.flows, strict=True))
        )

    def is_routed_like(self, other: AskedPhase) -> bool:
        """Whether the other one has the same answer where it offers the same rates."""
        theirs = replace(other.options, report=silent)
        if self.options.rate_draws == 0:
            theirs = replace(theirs, rate_draws=0)
        return (
            self.topology is other.topology
            and self.router == other.router
            and replace(self.options, report=silent) == theirs
        )


def _are_equal(one: Flows, other: Flows) -> bool:
    if one is other:
        return True
    return (
        np.array_equal(one.src, other.src)
        and np.array_equal(one.dst, other.dst)
        and np.array_equal(one.amount, other.amount)
        and len(one.blocks) == len(other.blocks)
        and all(
            mine.amount == theirs.amount and np.array_equal(mine.members, theirs.members)
            for mine, theirs in zip(one.blocks, other.blocks, strict=True)
        )
    )


@dataclass(frozen=True, eq=False)
class RoutedPhase:
    """A phase, and what it was routed to."""

    asked: AskedPhase
    route: PhaseRoute

    @property
    def cells(self) -> int:
        """Utilisations of links that its draws hold."""
        return 0 if self.route.every_draw is None else self.route.every_draw.utilisation.size


def route_phases(
    prepared: PreparedScenario,
    progress: Reporter,
    *,
    idle: bool = False,
    drawn: Drawn | None = None,
    like: Sequence[RoutedPhase] = (),
    rates: bool = True,
) -> list[RoutedPhase]:
    """Route every phase of every fabric that the request names.

    Parameters
    ----------
    idle : bool
        Whether a scenario that sends nothing has an answer too: one without routes.
    drawn : mapping, optional
        (fabric, phase) -> draws of the hash that were made elsewhere.
    like : sequence of RoutedPhase
        Those of a run before it. What was stopped by a limit of time is routed again.
    rates : bool
        Whether the rates of single flows are worked out beside the loads.
    """
    known = {(phase.route.fabric, phase.route.phase): phase for phase in like}
    found: list[RoutedPhase] = []
    for name, phase, demands, asked in _asked(prepared, progress, idle=idle, drawn=drawn or {}, rates=rates):
        before = known.get((name, phase))
        if before is not None and not before.route.partial and asked.is_like(before.asked):
            found.append(before)
            continue
        progress(Progress(f"{name} {phase}: {asked.router}"))
        found.append(RoutedPhase(asked, _routed(demands, phase, asked, found)))
    return found


def _routed(demands: Demands, phase: str, asked: AskedPhase, found: Sequence[RoutedPhase]) -> PhaseRoute:
    """A phase routed, or taken over from one before it that offers the network the same."""
    from fabric.evaluation.phases import prepare_for, route_prepared
    from fabric.evaluation.phases_alike import is_routed_alike, taken_over

    prepared = prepare_for(
        asked.topology,
        demands,
        phase,
        asked.router,
        asked.options,
        efficiency=asked.efficiency,
        latency=asked.latency,
    )
    for before in found:
        if asked.is_routed_like(before.asked) and is_routed_alike(prepared, before.route):
            return taken_over(prepared, before.route, asked.options)
    return route_prepared(prepared, router=asked.router, options=asked.options)


def _asked(
    prepared: PreparedScenario, progress: Reporter, *, idle: bool, drawn: Drawn, rates: bool
) -> Iterator[tuple[str, str, Demands, AskedPhase]]:
    """Fabric, name, demands and all else of every phase."""
    from fabric.evaluation.phases import phase_codes
    from fabric.pipeline.draws import draw_counts

    request, loaded = prepared.request, prepared.loaded
    phases = phases_to_route(prepared, idle=idle)
    draws = draw_counts(phases, prepared.network.topologies, request, limits_of(loaded, request))
    for name, spec, demands, phase in phases:
        report = under(f"{name} {phase}", progress)
        loads, rated = draws[name].loads, draws[name].rates if rates or draws[name].rates is None else 0
        options = routing_options(spec, request, loaded.scenario.seed, report, draws=loads, rate_draws=rated)
        codes = phase_codes(demands, phase)
        asked = AskedPhase(
            prepared.network.topologies[name],
            tuple(demands.classes[code] for code in codes),
            tuple(demands.flows[code] for code in codes),
            request.router or spec.routing.router,
            replace(options, drawn=drawn.get((name, phase))),
            spec.payload_efficiency,
            spec.latency,
        )
        yield name, phase, demands, asked


def kept_phases(phases: Sequence[RoutedPhase]) -> tuple[RoutedPhase, ...]:
    """Phases that a run keeps for those after it: all whose draws were made here and fit the memory for it."""
    kept: list[RoutedPhase] = []
    cells = 0
    for phase in phases:
        cells += phase.cells
        if phase.asked.options.drawn is None and cells <= MOST_KEPT:
            kept.append(phase)
    return tuple(kept)
