"""Stages three and four: every phase of every fabric is routed, links, jobs and limits are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fabric.pipeline.network import Network
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.prepared import PreparedScenario, line_rates
from fabric.pipeline.routed_phases import RoutedPhase, route_phases
from fabric.result import Assumption, PhaseRoute, RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.fabric_schema import DEFAULT_EFFICIENCY
from fabric.scenario.load import LoadedScenario
from fabric.scenario.schema import not_yet_modelled
from topologies.errors import ScenarioError
from traffic.workload import WorkloadTraffic

if TYPE_CHECKING:
    from fabric.evaluation.schedule import StepSchedule
    from fabric.routing.router import DrawnBefore

    Drawn = Mapping[tuple[str, str], DrawnBefore]


def route_prepared_scenario(
    prepared: PreparedScenario, *, progress: Reporter = silent, idle: bool = False, drawn: Drawn | None = None
) -> RouteResult:
    """Stages three and four: route every phase of every fabric and judge the outcome.

    Parameters
    ----------
    idle : bool
        Whether a scenario that sends nothing has an answer too: one without routes.
    drawn : mapping, optional
        (fabric, phase) -> draws of the hash that were made elsewhere.
    """
    return judge_phases(prepared, route_phases(prepared, progress, idle=idle, drawn=drawn))


def judge_phases(prepared: PreparedScenario, phases: Sequence[RoutedPhase]) -> RouteResult:
    """Stage four: links, jobs and limits of routed phases."""
    from fabric.evaluation.hottest import folded_links, hottest_links
    from fabric.evaluation.judged import judge
    from fabric.evaluation.shared_links import sharing_warning
    from fabric.pipeline.routing_assumptions import routing_assumptions
    from fabric.pipeline.unused_options import unused_options

    loaded, request, traffic = prepared.loaded, prepared.request, prepared.traffic
    routes = [phase.route for phase in phases]
    try:
        jobs, verdicts = judge(traffic, routes, limits_of(loaded, request), fabric=request.fabric)
    except ScenarioError as error:
        raise loaded.locate(error) from None
    routes = [replace(route, every_draw=None) for route in routes]
    ignored = unused_options(loaded.scenario.fabrics, request)
    loaded.say(*(text for text, _ in ignored))
    routers = {entry.fabric: [entry.router] for entry in routes}
    assumed = routing_assumptions(loaded.scenario.fabrics, routers)
    chosen = chosen_phases(routes, request.phase)
    shared = sharing_warning(routes)
    items = [link for entry in chosen for link in hottest_links(entry, request.top)]
    return RouteResult(
        routes=tuple(routes),
        jobs=jobs,
        limits=verdicts,
        items=tuple(items),
        folded=tuple(group for entry in chosen for group in folded_links(entry, request.top)),
        assumptions=assumptions(loaded, prepared.network, traffic, more=[*assumed, *ignored]),
        warnings=(*(warning for workload in traffic for warning in workload.warnings), *([shared] if shared else [])),
        not_modelled=tuple(not_yet_modelled(loaded.scenario)),
    )


def schedules(prepared: PreparedScenario) -> tuple[StepSchedule, ...]:
    """Times and rates of every workload's phases at line rate, before any routing."""
    from fabric.evaluation.schedule import step_schedule

    fabrics = line_rates(prepared.loaded, prepared.network)
    return tuple(step_schedule(workload, fabrics) for workload in prepared.traffic)


def chosen_phases(routes: Sequence[PhaseRoute], phase: str) -> list[PhaseRoute]:
    """Phases whose links are listed: all, one by name, or the worst of every fabric."""
    if phase == "all":
        return list(routes)
    if phase != "worst":
        return [entry for entry in routes if entry.phase == phase]
    from fabric.evaluation.severity import worst_of_each_fabric

    return worst_of_each_fabric(routes)


def assumptions(
    loaded: LoadedScenario,
    network: Network,
    traffic: Sequence[WorkloadTraffic],
    *,
    more: Sequence[tuple[str, str]] = (),
) -> tuple[Assumption, ...]:
    """What the scenario left open or its files were taken for, with the key that decides it; then ``more`` of these."""
    found = [
        Assumption(
            "", f"payload efficiency {DEFAULT_EFFICIENCY:g} of line rate on {name}", f"fabrics.{name}.efficiency"
        )
        for name, spec in loaded.scenario.fabrics.items()
        if spec.efficiency is None
    ]
    found += [
        Assumption("", f"on {name} {spec.encryption.described}", f"fabrics.{name}.encryption")
        for name, spec in loaded.scenario.fabrics.items()
        if spec.encryption.kind != "none"
    ]
    timed = {phase.fabric for workload in traffic for phase in workload.phases if phase.rounds}
    found += [
        Assumption("", f"on {name} {spec.latency.described}", f"fabrics.{name}.latency")
        for name, spec in loaded.scenario.fabrics.items()
        if name in timed and "latency" not in spec.model_fields_set
    ]
    found += [Assumption("", text, "include") for text in loaded.catalogue_said]
    found += [Assumption("", text, "nodes") for text in loaded.nodes_said]
    found += [
        Assumption("", text, f"fabrics.{name}.topology") for name, texts in network.said.items() for text in texts
    ]
    found += [
        Assumption("", text, f"workloads.{workload.id}")
        for workload in traffic
        for text in (*workload.assumptions, *workload.said)
    ]
    if sum(any(not phase.steady for phase in workload.phases) for workload in traffic) > 1:
        found.append(
            Assumption("", "phases of the same name of different jobs run at the same time; others do not", "workloads")
        )
    if loaded.scenario.tenants:
        from fabric.pipeline.tenants import tenant_words

        found += [Assumption("", text, "tenants") for text in tenant_words(loaded, network.inventory)]
    found += [Assumption("", text, key) for text, key in more]
    return tuple(replace(entry, id=f"A{index + 1:03d}") for index, entry in enumerate(found))
