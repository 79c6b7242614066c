"""Which phases of a scenario are routed, and what the scenario and the command line say about routing each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fabric.pipeline.prepared import PreparedScenario, check_fabric
from fabric.request import RouteRequest, TablesRequest
from fabric.routing.progress import Reporter
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.limit_schema import LimitSpec
from fabric.scenario.load import LoadedScenario
from fabric.scenario.routing_schema import RoutingSpec
from topologies.errors import ScenarioError, nearest_hint
from topologies.switches import switch_specs
from traffic.workload import demands_of

if TYPE_CHECKING:
    from fabric.routing.router import RoutingOptions
    from fabric.routing.table_options import TableLimits, TableOptions
    from traffic.demands import Demands


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


def limits_of(loaded: LoadedScenario, request: RouteRequest) -> list[LimitSpec]:
    """Limits that hold for what is routed: those on other fabrics than the one asked for are left out."""
    return [
        limit for limit in loaded.scenario.limits if request.fabric is None or limit.fabric in (None, request.fabric)
    ]


def under(label: str, progress: Reporter) -> Reporter:
    """A reporter that says which phase it is about."""
    return lambda state: progress(replace(state, text=f"{label}: {state.text}"))


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
