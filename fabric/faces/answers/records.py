"""Results as plain records: the machine contract. Keys are snake_case with units; NaN and infinity never leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.bill.energy import NetworkPower
from fabric.evaluation.schedule import StepSchedule
from fabric.evaluation.severity import worst_phase
from fabric.faces.answers.draw_records import band_record, draws_record, spread_record, step_spread_record
from fabric.faces.views.attached import host_records
from fabric.faces.views.energy import power_record
from fabric.faces.views.jobs import job_phase_records
from fabric.faces.views.limits import limit_table
from fabric.faces.views.memory import memory_record, memory_verdict_record
from fabric.faces.views.phases import phase_table
from fabric.faces.views.step_parts import parts_record
from fabric.faces.views.suggestions import suggestion_table
from fabric.faces.views.tiers import tier_records
from fabric.faces.views.traffic import PHASE_KEYS, sent_table
from fabric.output.numbers import finite
from fabric.pipeline.network import Network
from fabric.pipeline.stages import assumptions
from fabric.result import JobTime, PhaseRoute, RouteResult
from fabric.routing.router import ObjectiveProof, routing_basis
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from fabric.whatif.suggestions import Suggestion, bounds, cures
from topologies.distances import diameter_hops
from topologies.summary import summarise
from traffic.workload import ModelFigures, WorkloadTraffic

_PHASE_KEYS = (
    "fabric", "phase", "router", "max_utilisation", "throughput", "hottest_link", "links_over_capacity",
    "unreachable_pairs", "solver",
)  # fmt: skip


def build_record(loaded: LoadedScenario, network: Network) -> dict[str, Any]:
    """``BuildResult``."""
    fabrics = []
    for name, topology in network.topologies.items():
        summary = summarise(topology, network.gpus(name))
        fabrics.append({"name": name, **summary.__dict__, "diameter_hops": diameter_hops(topology)})
        fabrics[-1]["attached"] = host_records(network, name)
    return {
        **envelope("BuildResult", loaded),
        "fabrics": fabrics,
        "assumptions": [
            *(
                {"text": text, "override": f"fabrics.{name}.topology"}
                for name, texts in network.said.items()
                for text in texts
            ),
            *line_rate_records(loaded),
        ],
        "warnings": [str(problem) for problem in network.warnings],
    }


def line_rate_records(loaded: LoadedScenario) -> list[dict[str, str]]:
    """Of every fabric with encryption, that rates are line rates, and what is left of them."""
    return [
        {"text": f"{name}: {spec.encryption.of_line_rates}", "override": f"fabrics.{name}.encryption"}
        for name, spec in loaded.scenario.fabrics.items()
        if spec.encryption.of_line_rates
    ]


def traffic_record(
    loaded: LoadedScenario,
    network: Network,
    workloads: Sequence[WorkloadTraffic],
    schedules: Sequence[StepSchedule],
) -> dict[str, Any]:
    """``TrafficResult``."""
    return {
        **envelope("TrafficResult", loaded),
        "assumptions": [entry.__dict__ for entry in assumptions(loaded, network, workloads)],
        "workloads": [_workload(workload, schedule) for workload, schedule in zip(workloads, schedules, strict=True)],
        "warnings": [warning for workload in workloads for warning in workload.warnings],
    }


def _workload(workload: WorkloadTraffic, schedule: StepSchedule) -> dict[str, Any]:
    return {
        "id": workload.id,
        "kind": workload.kind,
        "ranks": workload.ranks,
        **(_model(workload.model) if workload.model else {}),
        "checkpoint_bytes": workload.checkpoint_bytes,
        "compute_s": workload.compute.compute_s if workload.compute else None,
        "groups": {name: {"size": shape.size, "count": shape.count} for name, shape in workload.groups.items()},
        "bubble_s": schedule.bubble_s,
        "step_time_ideal_s": schedule.step_s,
        "communication_share": schedule.communication_share,
        "parts": parts_record(schedule.parts),
        "memory_bytes_per_gpu": memory_record(workload.worst_memory),
        "memory": memory_verdict_record(workload.worst_memory),
        "phases": sent_table([workload], [schedule]).only(*PHASE_KEYS).records(),
    }


def _model(model: ModelFigures) -> dict[str, Any]:
    return {
        "parameters": model.parameters,
        "parameters_active": model.parameters_active,
        "parameters_per_rank": model.parameters_per_rank.__dict__,
        "tokens_per_step": model.tokens_per_step,
        "flops_per_step": model.flops.value if model.flops else None,
        "flops_formula": model.flops.expression if model.flops else None,
        "kv_bytes_per_token": model.kv_bytes_per_token,
        "micro_batches": model.micro_batches,
        "pipeline_bubble": model.bubble,
        "pipeline_schedule": model.schedule or None,
        "expert_imbalance": model.expert_imbalance,
        "expert_work": model.expert_work,
        "model_source": {
            "from": model.origin,
            "recognised": dict(model.recognised),
            "ignored": list(model.ignored),
        },
    }


def route_record(
    loaded: LoadedScenario,
    result: RouteResult,
    suggestions: Sequence[Suggestion] = (),
    power: NetworkPower | None = None,
) -> dict[str, Any]:
    """``RouteResult``, but for its rows: the links. ``energy`` is null where no power is given."""
    worst = worst_phase(result.routes)
    step = max((job.step_time_s for job in result.jobs if job.step_time_s is not None), default=None)
    return {
        **envelope("RouteResult", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "not_modelled": list(result.not_modelled),
        "summary": {
            "max_utilisation": finite(result.max_utilisation),
            "lower_bound": worst.certificate.lower_bound if worst and worst.certificate else None,
            "gap": worst.gap if worst else None,
            "links_over_capacity": max((entry.links_over_capacity for entry in result.routes), default=0),
            "unreachable_pairs": result.unreachable_pairs,
            "step_time_s": step,
            "draws": draws_record(worst.draws) if worst else None,
            "verdict": "ok" if result.limits_ok and not result.unreachable_pairs else "fail",
        },
        "routes": _routes(result.routes),
        "jobs": [_job(job) for job in result.jobs],
        "energy": power_record(power, result.jobs),
        "limits": limit_table(result.limits).records(),
        **suggestion_records(suggestions),
        "warnings": list(result.warnings),
        "partial": result.partial,
    }


def suggestion_records(suggestions: Sequence[Suggestion]) -> dict[str, Any]:
    """Cures as ``suggestions``; what perfect balance would come to as ``bounds``, whose ``basis`` is bound."""
    found = {"suggestions": cures(suggestions), "bounds": bounds(suggestions)}
    return {name: suggestion_table(rows).records() for name, rows in found.items()}


def _routes(routes: Sequence[PhaseRoute]) -> list[dict[str, Any]]:
    """Every phase: the figures of its row, and what does not fit in one."""
    return [
        {**row, **_route(entry)}
        for row, entry in zip(phase_table(routes).only(*_PHASE_KEYS).records(), routes, strict=True)
    ]


def _route(entry: PhaseRoute) -> dict[str, Any]:
    return {
        "routing_basis": routing_basis(entry.router, drawn=entry.draws is not None),
        "lower_bound": entry.certificate.lower_bound if entry.certificate else None,
        "gap": entry.gap,
        "best_possible": {"lower_bound": entry.best_possible.lower_bound, "witness": entry.best_possible.witness},
        "bottleneck": entry.bottleneck,
        "unreachable": [pair.__dict__ for pair in entry.unreachable],
        "tiers": tier_records(entry),
        "partial": entry.partial,
        "objective": _objective(entry.objective),
        "notes": list(entry.notes),
        "packet_slowdown": entry.packet_slowdown,
        "spread": spread_record(entry.spread),
        "draws": draws_record(entry.draws),
    }


def _objective(proof: ObjectiveProof | None) -> dict[str, Any] | None:
    """An objective other than least utilisation; null where that is the objective."""
    if proof is None:
        return None
    return {
        "name": proof.name,
        "value": finite(proof.value),
        "bound": finite(proof.bound),
        "unit": proof.unit,
        "witness": proof.witness,
    }


def _job(job: JobTime) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "ranks": job.ranks,
        "compute_s": job.compute_s,
        "step_time_ideal_s": finite(job.step_time_ideal_s),
        "step_time_s": finite(job.step_time_s),
        "draws": band_record(job.draws),
        "parts_ideal": parts_record(job.parts_ideal),
        "parts": parts_record(job.parts),
        "spread": step_spread_record(job.draws),
        "stretch": finite(job.stretch),
        "checkpoint_time_s": finite(job.checkpoint_time_s),
        "memory_bytes_per_gpu": memory_record(job.memory),
        "memory": memory_verdict_record(job.memory),
        "phases": job_phase_records(job),
    }
