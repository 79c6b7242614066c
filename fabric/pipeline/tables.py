"""Flow tables and addresses of a scenario's fabrics, and the baseline that exported tables are verified against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fabric.pipeline.network import Network
from fabric.pipeline.phase_options import routing_options, under
from fabric.pipeline.prepared import PreparedScenario, build, check_fabric, prepare
from fabric.pipeline.tenants import tenancies
from fabric.request import RouteRequest, TablesRequest
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.load import LoadedScenario
from topologies.errors import FabricError, ScenarioError, nearest_hint
from traffic.workload import demands_of

if TYPE_CHECKING:
    from fabric.routing.router import PairTraffic, RoutingOptions
    from fabric.rules.addressing import AddressOptions, AddressPlan
    from fabric.rules.export_baseline import ExportBaseline
    from fabric.rules.manifest import Manifest
    from fabric.rules.planned import PlannedRules
    from fabric.rules.tenancy import Tenancy
    from traffic.demands import Demands


def plan_tables(
    prepared: PreparedScenario, tables: TablesRequest = TablesRequest(), *, progress: Reporter = silent
) -> list[PlannedRules]:
    """Flow tables of every fabric asked for, for its worst phase or the one named by the request.

    A fabric without traffic gets tables too: they lead everywhere.
    """
    from fabric.evaluation.phases import phase_names
    from fabric.rules.planned import plan_rules

    loaded, request, network = prepared.loaded, prepared.request, prepared.network
    check_fabric(request.fabric, network)
    if request.phase == "all":
        raise ScenarioError(
            "--phase all: tables are for one phase", hint="worst, or the name of a phase", code="FP2105"
        )
    plans = []
    tenants = tenancies(loaded, network.inventory)
    for number, (name, spec) in enumerate(loaded.scenario.fabrics.items()):
        if request.fabric not in (None, name):
            continue
        demands = demands_of(prepared.traffic, name)
        router = request.router or spec.routing.router
        options = routing_options(spec, request, loaded.scenario.seed, under(name, progress), tables)
        phase = _phase_for_tables(network, name, spec, demands, phase_names(demands), request, options)
        progress(Progress(f"{name}: tables of {router} for {phase or 'no traffic'}"))
        try:
            plans.append(
                plan_rules(
                    network.topologies[name],
                    demands,
                    phase,
                    router=router,
                    options=options,
                    efficiency=spec.payload_efficiency,
                    addresses=address_options(spec),
                    number=number,
                    families=tables.families,
                    hash_seeds=tables.hash_seeds,
                    tenancy=tenants.get(name),
                    port_rules=tables.port_rules,
                )
            )
        except FabricError as error:
            raise error.under("fabrics", name) if error.problems[0].where else error from None
    return plans


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
    from fabric.evaluation.severity import by_severity

    if request.phase != "worst":
        if request.phase in phases:
            return request.phase
        raise ScenarioError(
            f"--phase {request.phase!r} is not the name of a phase of fabric {name}",
            hint=nearest_hint(request.phase, phases, "phases"),
            code="FP2105",
        )
    if len(phases) < 2:
        return phases[0] if phases else None
    from fabric.routing.router import traits_of
    from fabric.routing.tables.table_decisions import check_programmable

    router = request.router or spec.routing.router
    check_programmable(router)
    efficiency = spec.payload_efficiency
    # One draw of the hash says nothing about tables: its fluid does.
    quick = traits_of(router).mean_router or router
    routes = [
        route_phase(network.topologies[name], demands, phase, router=quick, options=options, efficiency=efficiency)
        for phase in phases
    ]
    return by_severity(routes)[0].phase


def address_plans(loaded: LoadedScenario, request: RouteRequest) -> list[AddressPlan]:
    """Addresses of every fabric asked for."""
    from fabric.rules.addressing import plan_addresses

    network = build(loaded, down=request.down, up=request.up, slow=request.slow)
    check_fabric(request.fabric, network)
    return [
        plan_addresses(network.topologies[name], name, address_options(spec), number=number)
        for number, (name, spec) in enumerate(loaded.scenario.fabrics.items())
        if request.fabric in (None, name)
    ]


def _plan_and_pairs(
    loaded: LoadedScenario,
    fabric: str,
    phase: str | None,
    number: int,
    *,
    down: Sequence[str] = (),
    up: Sequence[str] = (),
    slow: Sequence[str] = (),
) -> tuple[AddressPlan, tuple[PairTraffic, ...], Tenancy | None]:
    """Addresses of a fabric, what a phase sends over it, and its tenants."""
    from fabric.evaluation.phases import prepare_phase
    from fabric.rules.addressing import plan_addresses

    prepared = prepare(loaded, RouteRequest(down=tuple(down), up=tuple(up), slow=tuple(slow)))
    check_fabric(fabric, prepared.network)
    spec, topology = loaded.scenario.fabrics[fabric], prepared.network.topologies[fabric]
    plan = plan_addresses(topology, fabric, address_options(spec), number=number)
    tenancy = tenancies(loaded, prepared.network.inventory).get(fabric)
    if phase is None:
        return plan, (), tenancy
    demands = demands_of(prepared.traffic, fabric)
    return plan, prepare_phase(topology, demands, phase, efficiency=spec.payload_efficiency).pairs, tenancy


def address_options(spec: FabricSpec) -> AddressOptions:
    """What the scenario says about a fabric's addresses."""
    from fabric.rules.addressing import AddressOptions

    given = spec.addressing
    return AddressOptions(
        given.underlay, given.underlay6, given.links, given.loopback, given.link_prefix, dict(given.asn)
    )


def what_if(manifest: Manifest, key: str) -> tuple[str, ...]:
    """Failures (``down``, ``up``, ``slow``) or overrides (``set``) that an export was made with."""
    return manifest.what_if.get(key, ())


def export_baseline(
    folder: Path,
    loaded: LoadedScenario,
    *,
    down: tuple[str, ...] = (),
    up: tuple[str, ...] = (),
    slow: tuple[str, ...] = (),
) -> ExportBaseline:
    """The fabric that an export is for; failures are its own unless given."""
    from fabric.rules.export_baseline import ExportBaseline
    from fabric.rules.manifest import read_manifest

    manifest = read_manifest(folder)
    plan, pairs, tenancy = _plan_and_pairs(
        loaded, manifest.fabric, manifest.phase, manifest.number,
        down=down or what_if(manifest, "down"), up=up or what_if(manifest, "up"),
        slow=slow or what_if(manifest, "slow"),
    )  # fmt: skip
    return ExportBaseline(manifest, plan, pairs, tenancy)
