"""The order of the stages: scenario, network, traffic, routing, evaluation. No other file knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from fabric.pipeline.network import Network, build_network
from fabric.result import Assumption, PhaseRoute, RouteResult
from fabric.routing.router import Progress
from fabric.scenario.load import LoadedScenario
from fabric.scenario.schema import FabricSpec, LimitSpec, RoutingSpec
from topologies.errors import FabricError, Problem, ScenarioError, TrafficError, nearest
from topologies.switches import switch_specs
from traffic.occupancy import Occupancy
from traffic.scale import scaled_workload
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic, demands_of

if TYPE_CHECKING:
    from fabric.evaluation.router_comparison import RouterComparison
    from fabric.evaluation.schedule import StepSchedule
    from fabric.routing.router import PairTraffic, RoutingOptions
    from fabric.routing.tables.options import TableLimits, TableOptions
    from fabric.rules.addressing import AddressOptions, AddressPlan
    from fabric.rules.planned import PlannedRules
    from traffic.demands import Demands

MIN_MAX = "min-max-utilisation"
DEFAULT_EFFICIENCY = 0.92  # payload over line rate: Ethernet, IP, UDP and RoCEv2 headers, gaps, congestion control


@dataclass(frozen=True)
class RouteRequest:
    """What the command line adds to the scenario."""

    router: str | None = None
    paths: str | None = None
    objective: str | None = None
    replicas: int | None = None
    fabric: str | None = None
    phase: str = "worst"  # which phases' hottest links are listed: a name, all, or worst
    top: int = 20
    time_limit_s: float = 600.0
    gap: float = 1e-4
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    scale: float = 1.0  # factor on all demand, besides the scenario's


@dataclass(frozen=True)
class TablesRequest:
    """What the command line says about flow tables."""

    families: tuple[int, ...] = (4,)
    carrier: Literal["slots", "exact"] = "slots"
    tolerance: float | None = None  # oversubscription above 1 of a bucket; None: the default
    rules: int | None = None  # entries, groups and members that every switch has, above what its model says
    groups: int | None = None
    members: int | None = None


Reporter = Callable[[Progress], None]


def _quiet(_: Progress) -> None:
    """Report nothing."""


def build(loaded: LoadedScenario, *, down: Sequence[str] = (), up: Sequence[str] = ()) -> Network:
    """Stage 1: the networks and the hosts on them."""
    return build_network(loaded, down=down, up=up)


def derive_traffic(loaded: LoadedScenario, network: Network, *, scale: float = 1.0) -> tuple[WorkloadTraffic, ...]:
    """Stage 2: what every workload sends, times the scenario's scale and ``scale``.

    Raises
    ------
    TrafficError
        With the problems of all workloads, located in the scenario.
    """
    problems: list[Problem] = []
    traffic: list[WorkloadTraffic] = []
    occupancy = Occupancy()
    streams = np.random.default_rng(loaded.scenario.seed).spawn(len(loaded.scenario.workloads))
    for index, (workload, rng) in enumerate(zip(loaded.scenario.workloads, streams, strict=True)):
        context = WorkloadContext(workload.id, network.inventory, rng, Path(loaded.directory), occupancy)
        try:
            traffic.append(WORKLOADS[workload.kind](workload.spec, context=context))
        except FabricError as error:
            problems += error.under("workloads", index).problems
    if problems:
        raise loaded.locate(TrafficError(problems))
    factor = scale * loaded.scenario.scale
    return tuple(traffic) if factor == 1 else tuple(scaled_workload(workload, factor) for workload in traffic)


def route(
    loaded: LoadedScenario, request: RouteRequest = RouteRequest(), *, progress: Reporter = _quiet
) -> RouteResult:
    """All stages: route every phase of every fabric and judge the outcome."""
    from fabric.evaluation.hottest import hottest_links
    from fabric.evaluation.jobs import job_times
    from fabric.evaluation.limits import check_limits

    network, traffic = _network_and_traffic(loaded, request, progress)
    routes = _route_all(loaded, request, network, traffic, progress)
    jobs = job_times(traffic, routes)
    try:
        verdicts = check_limits(_limits(loaded, request), routes, jobs)
    except ScenarioError as error:
        raise loaded.locate(error) from None
    chosen = _chosen(routes, request.phase)
    items = [link for entry in chosen for link in hottest_links(entry, request.top)]
    return RouteResult(
        routes=tuple(routes),
        jobs=jobs,
        limits=verdicts,
        items=tuple(items),
        assumptions=assumptions(loaded, traffic),
        warnings=tuple(warning for workload in traffic for warning in workload.warnings),
        not_modelled=ignored_keys(traffic),
    )


def plan_tables(
    loaded: LoadedScenario,
    request: RouteRequest,
    tables: TablesRequest = TablesRequest(),
    *,
    progress: Reporter = _quiet,
) -> list[PlannedRules]:
    """Flow tables of every fabric asked for, for its worst phase or the one named by the request.

    A fabric without traffic gets tables too: they lead everywhere.
    """
    from fabric.evaluation.phases import phase_names
    from fabric.rules.planned import plan_rules

    network, traffic = _network_and_traffic(loaded, request, progress)
    check_fabric(request.fabric, network)
    if request.phase == "all":
        raise ScenarioError(
            "--phase all: tables are for one phase", hint="worst, or the name of a phase", code="FP2105"
        )
    found = []
    for number, (name, spec) in enumerate(loaded.scenario.fabrics.items()):
        if request.fabric not in (None, name):
            continue
        demands = demands_of(traffic, name)
        router = request.router or spec.routing.router
        options = _routing_options(spec, request, loaded.scenario.seed, _under(name, progress), tables)
        phase = _phase_for_tables(network, name, spec, demands, phase_names(demands), request, options)
        progress(Progress(f"{name}: tables of {router} for {phase or 'no traffic'}"))
        try:
            planned = plan_rules(
                network.topologies[name],
                demands,
                phase,
                router=router,
                options=options,
                efficiency=spec.efficiency or DEFAULT_EFFICIENCY,
                addresses=address_options(spec),
                number=number,
                families=tables.families,
            )
        except FabricError as error:
            raise error.under("fabrics", name) if error.problems[0].where else error from None
        found.append(planned)
    return found


def _phase_for_tables(
    network: Network,
    name: str,
    spec: FabricSpec,
    demands: Demands,
    phases: Sequence[str],
    request: RouteRequest,
    options: RoutingOptions,
) -> str | None:
    """The phase asked for, or the worst under the router asked for."""
    from fabric.evaluation.phases import route_phase

    if request.phase != "worst":
        if request.phase in phases:
            return request.phase
        close = nearest(request.phase, phases)
        raise ScenarioError(
            f"--phase {request.phase!r} names no phase of fabric {name}",
            hint=f"did you mean {close!r}?" if close else f"phases: {', '.join(phases) or 'none'}",
            code="FP2105",
        )
    if len(phases) < 2:
        return phases[0] if phases else None
    from fabric.routing.tables.table_decisions import check_programmable

    router = request.router or spec.routing.router
    check_programmable(router)
    efficiency = spec.efficiency or DEFAULT_EFFICIENCY
    # One draw of the hash says nothing about tables: its fluid does.
    quick = "ecmp" if router == "ecmp-hash" else router
    routes = [
        route_phase(network.topologies[name], demands, phase, router=quick, options=options, efficiency=efficiency)
        for phase in phases
    ]
    return max(routes, key=_badness).phase


def address_plans(loaded: LoadedScenario, request: RouteRequest) -> list[AddressPlan]:
    """Addresses of every fabric asked for."""
    from fabric.rules.addressing import plan_addresses

    network = build(loaded, down=request.down, up=request.up)
    check_fabric(request.fabric, network)
    return [
        plan_addresses(network.topologies[name], name, address_options(spec), number=number)
        for number, (name, spec) in enumerate(loaded.scenario.fabrics.items())
        if request.fabric in (None, name)
    ]


def tables_ground(
    loaded: LoadedScenario,
    fabric: str,
    phase: str | None,
    number: int,
    *,
    down: Sequence[str] = (),
    up: Sequence[str] = (),
) -> tuple[AddressPlan, tuple[PairTraffic, ...]]:
    """What exported tables are checked against: addresses, and what the phase sends."""
    from fabric.evaluation.phases import prepare_phase
    from fabric.rules.addressing import plan_addresses

    network, traffic = _network_and_traffic(loaded, RouteRequest(down=tuple(down), up=tuple(up)), _quiet)
    check_fabric(fabric, network)
    spec, topology = loaded.scenario.fabrics[fabric], network.topologies[fabric]
    plan = plan_addresses(topology, fabric, address_options(spec), number=number)
    if phase is None:
        return plan, ()
    efficiency = spec.efficiency or DEFAULT_EFFICIENCY
    prepared = prepare_phase(topology, demands_of(traffic, fabric), phase, efficiency=efficiency)
    return plan, prepared.pairs


def address_options(spec: FabricSpec) -> AddressOptions:
    """What the scenario says about a fabric's addresses."""
    from fabric.rules.addressing import AddressOptions

    given = spec.addressing
    return AddressOptions(
        given.underlay, given.underlay6, given.links, given.loopback, given.link_prefix, dict(given.asn)
    )


def table_limits(spec: FabricSpec) -> dict[str, TableLimits]:
    """Sizes of the tables of every role that has a catalogue model."""
    from fabric.routing.tables.options import TableLimits

    rows = {role: switch.row for role, switch in switch_specs(spec.topology).items()}
    return {
        role: TableLimits(row.tcam_entries, row.groups, row.group_members)
        for role, row in rows.items()
        if row is not None
    }


def _table_options(spec: FabricSpec, tables: TablesRequest) -> TableOptions:
    from fabric.routing.tables.options import TOLERANCE, TableLimits, TableOptions

    given = TableLimits(tables.rules, tables.groups, tables.members)
    limits = {role: given.over(limits) for role, limits in table_limits(spec).items()}
    return TableOptions(
        base=spec.routing.router,
        carrier=tables.carrier,
        tolerance=TOLERANCE if tables.tolerance is None else tables.tolerance,
        limits=limits,
        other=limits.get("switch", given),
    )


def schedules(loaded: LoadedScenario, network: Network, traffic: Sequence[WorkloadTraffic]) -> tuple[StepSchedule, ...]:
    """Times and rates of every workload's phases at line rate, before any routing."""
    from fabric.evaluation.schedule import step_schedule

    efficiency = {name: spec.efficiency or DEFAULT_EFFICIENCY for name, spec in loaded.scenario.fabrics.items()}
    return tuple(step_schedule(workload, network.topologies, efficiency) for workload in traffic)


def ignored_keys(traffic: Sequence[WorkloadTraffic]) -> tuple[str, ...]:
    """Keys of workloads that were given and change nothing yet."""
    return tuple(f"workloads.{workload.id}.{key}" for workload in traffic for key in workload.not_modelled)


def compare_routers(
    loaded: LoadedScenario,
    request: RouteRequest = RouteRequest(),
    *,
    routers: Sequence[str] | None = None,
    progress: Reporter = _quiet,
) -> RouterComparison:
    """All stages under several routers; hashing is drawn many times unless the scenario or the request says how often.

    Parameters
    ----------
    routers : sequence of str, optional
        Default: those of ``router_comparison.COMPARED`` that exist. ``optimal`` minimises the maximum utilisation,
        whatever objective the scenario has: it is what all of them are compared on.
    """
    from fabric.evaluation.router_comparison import COMPARED, DRAWS, RouterComparison, compare_phase, judge
    from fabric.routing.names import ROUTERS

    chosen = tuple(routers or (name for name in COMPARED if name in ROUTERS))
    network, traffic = _network_and_traffic(loaded, request, progress)
    compared = []
    for name, spec, demands, phase in _phases_to_route(loaded, request, network, traffic):
        drawn = "replicas" in spec.routing.hash.model_fields_set
        asked = replace(request, replicas=request.replicas or (None if drawn else DRAWS))
        options = _routing_options(spec, asked, loaded.scenario.seed, _under(f"{name} {phase}", progress))
        compared.append(
            compare_phase(
                network.topologies[name],
                demands,
                phase,
                routers=chosen,
                options=replace(options, objective=MIN_MAX),
                efficiency=spec.efficiency or DEFAULT_EFFICIENCY,
            )
        )
    try:
        outcomes = judge(compared, chosen, traffic, _limits(loaded, request))
    except ScenarioError as error:
        raise loaded.locate(error) from None
    return RouterComparison(
        routers=chosen,
        phases=tuple(one.comparison for one in compared if request.phase in ("worst", "all", one.comparison.phase)),
        outcomes=outcomes,
        assumptions=assumptions(loaded, traffic),
        warnings=tuple(warning for workload in traffic for warning in workload.warnings),
        not_modelled=ignored_keys(traffic),
    )


def _network_and_traffic(
    loaded: LoadedScenario, request: RouteRequest, progress: Reporter
) -> tuple[Network, tuple[WorkloadTraffic, ...]]:
    progress(Progress("building the fabrics"))
    network = build(loaded, down=request.down, up=request.up)
    progress(Progress("deriving the traffic"))
    return network, derive_traffic(loaded, network, scale=request.scale)


def _limits(loaded: LoadedScenario, request: RouteRequest) -> list[LimitSpec]:
    return [limit for limit in loaded.scenario.limits if request.fabric is None or limit.fabric == request.fabric]


def _under(label: str, progress: Reporter) -> Reporter:
    """A reporter that says which phase it is about."""
    return lambda state: progress(replace(state, text=f"{label}: {state.text}"))


def _route_all(
    loaded: LoadedScenario,
    request: RouteRequest,
    network: Network,
    traffic: Sequence[WorkloadTraffic],
    progress: Reporter,
) -> list[PhaseRoute]:
    from fabric.evaluation.phases import route_phase

    routes: list[PhaseRoute] = []
    for name, spec, demands, phase in _phases_to_route(loaded, request, network, traffic):
        label, router = f"{name} {phase}", request.router or spec.routing.router
        progress(Progress(f"{label}: {router}"))
        routes.append(
            route_phase(
                network.topologies[name],
                demands,
                phase,
                router=router,
                options=_routing_options(spec, request, loaded.scenario.seed, _under(label, progress)),
                efficiency=spec.efficiency or DEFAULT_EFFICIENCY,
            )
        )
    return routes


def _phases_to_route(
    loaded: LoadedScenario, request: RouteRequest, network: Network, traffic: Sequence[WorkloadTraffic]
) -> list[tuple[str, FabricSpec, Demands, str]]:
    """Fabric, its keys, its demands and the name of every phase; refused before anything is routed."""
    from fabric.evaluation.phases import phase_names

    check_fabric(request.fabric, network)
    found: list[tuple[str, FabricSpec, Demands, str]] = []
    seen: list[str] = []
    for name, spec in loaded.scenario.fabrics.items():
        demands = demands_of(traffic, name)
        seen += phase_names(demands)
        if request.fabric in (None, name):
            found += [(name, spec, demands, phase) for phase in phase_names(demands)]
    if not found:
        raise ScenarioError(_nothing_to_route(loaded), where="workloads", hint="add a workload; fabric init shows some")
    if request.phase not in ("worst", "all") and request.phase not in seen:
        close = nearest(request.phase, seen)
        raise ScenarioError(
            f"--phase {request.phase!r} names no phase",
            hint=f"did you mean {close!r}?" if close else f"phases: {', '.join(dict.fromkeys(seen))}",
            code="FP2105",
        )
    return found


def _routing_options(
    fabric: FabricSpec,
    request: RouteRequest,
    seed: int,
    progress: Reporter,
    tables: TablesRequest = TablesRequest(),
) -> RoutingOptions:
    """What the scenario says about routing, and the command line above it."""
    from fabric.routing.router import HashOptions, RoutingOptions

    spec: RoutingSpec = fabric.routing
    hashing = HashOptions(
        spec.hash.fields, spec.hash.function, spec.hash.per_switch_seed, request.replicas or spec.hash.replicas
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
        hash=hashing,
        tables=_table_options(fabric, tables),
        report=progress,
    )


def _nothing_to_route(loaded: LoadedScenario) -> str:
    if not loaded.scenario.workloads:
        return "the scenario has no workloads, so nothing is sent"
    return "no workload sends anything over a fabric"


def check_fabric(fabric: str | None, network: Network) -> None:
    if fabric is not None and fabric not in network.topologies:
        close = nearest(fabric, network.topologies)
        raise ScenarioError(
            f"--fabric {fabric!r} names no fabric",
            hint=f"did you mean {close!r}?" if close else f"fabrics: {', '.join(network.topologies)}",
            code="FP2105",
        )


def _chosen(routes: Sequence[PhaseRoute], phase: str) -> list[PhaseRoute]:
    """Phases whose links are listed: all, one by name, or the worst of every fabric."""
    if phase == "all":
        return list(routes)
    if phase != "worst":
        return [entry for entry in routes if entry.phase == phase]
    worst: dict[str, PhaseRoute] = {}
    for entry in routes:
        if entry.fabric not in worst or _badness(entry) > _badness(worst[entry.fabric]):
            worst[entry.fabric] = entry
    return list(worst.values())


def _badness(entry: PhaseRoute) -> tuple[float, int, float]:
    """Order of phases from harmless to worst: highest utilisation, links over capacity, then total load."""
    return (
        round(entry.max_utilisation, 9),
        entry.links_over_capacity,
        float(np.nansum(entry.utilisation[np.isfinite(entry.utilisation)])),
    )


def assumptions(loaded: LoadedScenario, traffic: Sequence[WorkloadTraffic]) -> tuple[Assumption, ...]:
    """What the scenario left open, with the key that decides it."""
    found = [
        Assumption(
            "", f"payload efficiency {DEFAULT_EFFICIENCY:g} of line rate on {name}", f"fabrics.{name}.efficiency"
        )
        for name, spec in loaded.scenario.fabrics.items()
        if spec.efficiency is None
    ]
    found += [Assumption("", text, f"workloads.{workload.id}") for workload in traffic for text in workload.assumptions]
    if sum(any(not phase.steady for phase in workload.phases) for workload in traffic) > 1:
        found.append(
            Assumption("", "phases of the same name of different jobs run at the same time; others do not", "workloads")
        )
    return tuple(replace(entry, id=f"A{index + 1:03d}") for index, entry in enumerate(found))
