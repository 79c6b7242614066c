"""Stages three and four: every phase of every fabric is routed, links, jobs and limits are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fabric.pipeline.network import Network
from fabric.pipeline.prepared import PreparedScenario, check_fabric, line_rates
from fabric.request import RouteRequest, TablesRequest
from fabric.result import Assumption, PhaseRoute, RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.scenario.schema import DEFAULT_EFFICIENCY, FabricSpec, LimitSpec, RoutingSpec, not_yet_modelled
from topologies.errors import ScenarioError, nearest_hint
from topologies.switches import switch_specs
from traffic.workload import WorkloadTraffic, demands_of

if TYPE_CHECKING:
    from fabric.evaluation.schedule import StepSchedule
    from fabric.routing.router import DrawnBefore, RoutingOptions
    from fabric.routing.table_options import TableLimits, TableOptions
    from traffic.demands import Demands

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
    from fabric.evaluation.hottest import folded_links, hottest_links
    from fabric.evaluation.judged import judge
    from fabric.pipeline.routing_assumptions import routing_assumptions
    from fabric.pipeline.unused_options import unused_options

    loaded, request, traffic = prepared.loaded, prepared.request, prepared.traffic
    routes = _route_all(prepared, progress, idle=idle, drawn=drawn or {})
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
    items = [link for entry in chosen for link in hottest_links(entry, request.top)]
    return RouteResult(
        routes=tuple(routes),
        jobs=jobs,
        limits=verdicts,
        items=tuple(items),
        folded=tuple(group for entry in chosen for group in folded_links(entry, request.top)),
        assumptions=assumptions(loaded, prepared.network, traffic, more=[*assumed, *ignored]),
        warnings=tuple(warning for workload in traffic for warning in workload.warnings),
        not_modelled=tuple(not_yet_modelled(loaded.scenario)),
    )


def table_limits(spec: FabricSpec) -> dict[str, TableLimits]:
    """Sizes of the tables of every role that has a catalogue model."""
    from fabric.routing.table_options import TableLimits

    rows = {role: switch.row for role, switch in switch_specs(spec.topology).items()}
    return {
        role: TableLimits(row.tcam_entries, row.groups, row.group_members)
        for role, row in rows.items()
        if row is not None
    }


def table_options(spec: FabricSpec, tables: TablesRequest) -> TableOptions:
    from fabric.routing.table_options import TOLERANCE, TableLimits, TableOptions

    given = TableLimits(tables.rules, tables.groups, tables.members)
    limits = {role: given.over(limits) for role, limits in table_limits(spec).items()}
    return TableOptions(
        base=spec.routing.router,
        carrier=tables.carrier,
        tolerance=TOLERANCE if tables.tolerance is None else tables.tolerance,
        limits=limits,
        other=limits.get("switch", given),
    )


def schedules(prepared: PreparedScenario) -> tuple[StepSchedule, ...]:
    """Times and rates of every workload's phases at line rate, before any routing."""
    from fabric.evaluation.schedule import step_schedule

    fabrics = line_rates(prepared.loaded, prepared.network)
    return tuple(step_schedule(workload, fabrics) for workload in prepared.traffic)


def limits_of(loaded: LoadedScenario, request: RouteRequest) -> list[LimitSpec]:
    """Limits that hold for what is routed: those on other fabrics than the one asked for are left out."""
    return [
        limit for limit in loaded.scenario.limits if request.fabric is None or limit.fabric in (None, request.fabric)
    ]


def under(label: str, progress: Reporter) -> Reporter:
    """A reporter that says which phase it is about."""
    return lambda state: progress(replace(state, text=f"{label}: {state.text}"))


def _route_all(prepared: PreparedScenario, progress: Reporter, *, idle: bool, drawn: Drawn) -> list[PhaseRoute]:
    from fabric.evaluation.phases import route_phase
    from fabric.pipeline.draws import draw_counts

    routes: list[PhaseRoute] = []
    request, phases = prepared.request, phases_to_route(prepared, idle=idle)
    draws = draw_counts(phases, prepared.network.topologies, request, limits_of(prepared.loaded, request))
    for name, spec, demands, phase in phases:
        label, router = f"{name} {phase}", request.router or spec.routing.router
        progress(Progress(f"{label}: {router}"))
        routes.append(
            route_phase(
                prepared.network.topologies[name],
                demands,
                phase,
                router=router,
                options=replace(
                    routing_options(
                        spec,
                        request,
                        prepared.loaded.scenario.seed,
                        under(label, progress),
                        draws=draws[name].loads,
                        rate_draws=draws[name].rates,
                    ),
                    drawn=drawn.get((name, phase)),
                ),
                efficiency=spec.payload_efficiency,
                latency=spec.latency,
            )
        )
    return routes


def phases_to_route(prepared: PreparedScenario, *, idle: bool = False) -> list[tuple[str, FabricSpec, Demands, str]]:
    """Fabric, its keys, its demands and the name of every phase; refused before anything is routed."""
    from fabric.evaluation.phases import phase_names

    loaded, request = prepared.loaded, prepared.request
    check_fabric(request.fabric, prepared.network)
    found: list[tuple[str, FabricSpec, Demands, str]] = []
    seen: list[str] = []
    for name, spec in loaded.scenario.fabrics.items():
        demands = demands_of(prepared.traffic, name)
        seen += phase_names(demands)
        if request.fabric in (None, name):
            found += [(name, spec, demands, phase) for phase in phase_names(demands)]
    if not found and not (idle and request.phase in ("worst", "all")):
        raise ScenarioError(
            nothing_to_route(loaded),
            where="workloads",
            hint="add a workload; fabric init shows some. fabric build, show, compare and report need none",
        )
    if request.phase not in ("worst", "all") and request.phase not in seen:
        raise ScenarioError(
            f"--phase {request.phase!r} is not the name of a phase",
            hint=nearest_hint(request.phase, seen, otherwise=f"phases: {', '.join(dict.fromkeys(seen))}"),
            code="FP2105",
        )
    return found


def routing_options(
    fabric: FabricSpec,
    request: RouteRequest,
    seed: int,
    progress: Reporter,
    tables: TablesRequest = TablesRequest(),
    *,
    draws: int = 1,
    rate_draws: int | None = None,
) -> RoutingOptions:
    """What the scenario says about routing, and the command line above it."""
    from fabric.routing.router import AdaptiveOptions, HashOptions, RoutingOptions

    spec: RoutingSpec = fabric.routing
    hashing = HashOptions(
        spec.hash.fields,
        spec.hash.function,
        spec.hash.per_switch_seed,
        request.replicas or spec.hash.replicas or 1,
        packet_slowdown=spec.hash.packet_slowdown,
        resilient=spec.hash.resilient,
    )
    return RoutingOptions(
        paths=request.paths or spec.paths,
        time_limit_s=request.time_limit_s,
        gap=request.gap,
        seed=seed,
        objective=request.objective or spec.objective,
        target_utilisation=spec.target_utilisation,
        k_paths=spec.k_paths,
        spray_efficiency=spec.spray_efficiency,
        adaptive=AdaptiveOptions(spec.adaptive.granularity, spec.adaptive.flowlet),
        hash=hashing,
        draws=draws,
        rate_draws=rate_draws,
        tables=table_options(fabric, tables),
        report=progress,
    )


def nothing_to_route(loaded: LoadedScenario) -> str:
    """Why there is nothing to route."""
    if not loaded.scenario.workloads:
        return "the scenario has no workloads, so nothing is sent"
    return "no workload sends anything over a fabric"


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
    timed = {phase.fabric for workload in traffic for phase in workload.phases if phase.rounds}
    found += [
        Assumption("", f"on {name} {spec.latency.described}", f"fabrics.{name}.latency")
        for name, spec in loaded.scenario.fabrics.items()
        if name in timed and "latency" not in spec.model_fields_set
    ]
    found += [Assumption("", text, "include") for text in loaded.catalogue_said]
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
    found += [Assumption("", text, key) for text, key in more]
    return tuple(replace(entry, id=f"A{index + 1:03d}") for index, entry in enumerate(found))
