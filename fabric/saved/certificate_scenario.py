"""The network and the demand of a scenario, phase by phase, for a certificate to be held against."""

from __future__ import annotations

from typing import Any

from fabric.certificate_check.columns import CertificateFile, DemandColumns, FabricColumns
from fabric.certificate_check.given import Given
from fabric.evaluation.phases import prepare_phase
from fabric.pipeline.phase_options import phases_to_route
from fabric.pipeline.prepared import prepare
from fabric.request import RouteRequest
from fabric.saved.certificate_file import demand_columns, fabric_columns
from fabric.scenario.load import LoadedScenario


def scenario_phases(
    loaded: LoadedScenario, file: CertificateFile, request: RouteRequest
) -> tuple[dict[tuple[str, str], Given], tuple[str, ...]]:
    """Networks and demands of the phases of a certificate that a scenario has, and the phases that it has besides.

    Parameters
    ----------
    request : RouteRequest
        What is down, degraded and scaled.

    Returns
    -------
    dict
        (fabric, phase) -> network and demand.
    tuple of str
        Phases of the scenario that the certificate does not have, as ``FABRIC PHASE``.
    """
    wanted = {(phase.fabric.name, phase.phase) for phase in file.phases}
    prepared = prepare(loaded, request)
    found, besides = {}, []
    for name, spec, demands, phase in phases_to_route(prepared):
        if (name, phase) not in wanted:
            besides.append(f"{name} {phase}")
            continue
        topology = prepared.network.topologies[name]
        pairs = prepare_phase(topology, demands, phase, efficiency=spec.payload_efficiency).pairs
        columns: dict[str, Any] = demand_columns(pairs)
        found[name, phase] = Given(
            FabricColumns(name=name, **fabric_columns(topology)),
            DemandColumns(**{key.removeprefix("demand_"): values for key, values in columns.items()}),
        )
    return found, tuple(besides)
