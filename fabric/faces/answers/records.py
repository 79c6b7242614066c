"""Results as plain records: the machine contract. Keys are snake_case with units; NaN and infinity never leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.evaluation.schedule import PhaseTiming, StepSchedule
from fabric.evaluation.severity import worst_phase
from fabric.output.numbers import finite
from fabric.pipeline.network import Network
from fabric.pipeline.stages import assumptions
from fabric.result import HotLink, JobTime, LimitVerdict, PhaseRoute, RouteResult
from fabric.routing.router import HashSpread, ObjectiveProof
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope
from fabric.whatif.suggestions import Suggestion
from topologies.distances import diameter_hops
from topologies.summary import summarise
from traffic.workload import ModelFigures, Phase, WorkloadTraffic


def build_record(loaded: LoadedScenario, network: Network) -> dict[str, Any]:
    """``BuildResult``."""
    fabrics = []
    for name, topology in network.topologies.items():
        summary = summarise(topology, network.gpus(name))
        fabrics.append({"name": name, **summary.__dict__, "diameter_hops": diameter_hops(topology)})
    return {
        **envelope("BuildResult", loaded),
        "fabrics": fabrics,
        "warnings": [str(problem) for problem in network.warnings],
    }


def traffic_record(
    loaded: LoadedScenario, workloads: Sequence[WorkloadTraffic], schedules: Sequence[StepSchedule]
) -> dict[str, Any]:
    """``TrafficResult``."""
    return {
        **envelope("TrafficResult", loaded),
        "assumptions": [entry.__dict__ for entry in assumptions(loaded, workloads)],
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
        "compute_s": workload.compute_s,
        "groups": {name: {"size": shape.size, "count": shape.count} for name, shape in workload.groups.items()},
        "bubble_s": schedule.bubble_s,
        "step_time_ideal_s": schedule.step_s,
        "communication_share": schedule.communication_share,
        "phases": [
            phase_record(phase, timing) for phase, timing in zip(workload.phases, schedule.timings, strict=True)
        ],
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
        "model_source": {
            "from": model.origin,
            "recognised": dict(model.recognised),
            "ignored": list(model.ignored),
        },
    }


def phase_record(phase: Phase, timing: PhaseTiming | None = None) -> dict[str, Any]:
    """One phase of a workload, with its times where they are known."""
    return {
        "name": phase.name,
        "collective": phase.collective,
        "fabric": phase.fabric,
        "group_size": phase.group_size,
        "payload_bytes_per_rank": phase.payload_bytes_per_rank,
        "sent_bytes_per_rank": phase.sent_bytes_per_rank,
        "total_bytes": phase.total_bytes,
        "pairs": phase.pairs,
        "steady": phase.steady,
        "rate_gbps": phase.rate_gbps,
        "overlaps_compute": phase.overlaps_compute,
        "sent_bytes_on_fabric_per_rank": phase.sent_bytes_on_fabric_per_rank,
        "flows": phase.transport_flows,
        "every_step": phase.every_step,
        "after": list(phase.after),
        "ideal_s": timing.ideal_s if timing else None,
        "exposed_s": timing.exposed_s if timing else None,
        "rate_needed_gbps": timing.rate_needed_gbps if timing else None,
        "rate_average_gbps": timing.rate_average_gbps if timing else None,
        "rate_peak_gbps": timing.rate_peak_gbps if timing else None,
    }


def route_record(loaded: LoadedScenario, result: RouteResult, suggestions: Sequence[Suggestion] = ()) -> dict[str, Any]:
    """``RouteResult``."""
    worst = worst_phase(result.routes)
    step = max((job.step_time_s for job in result.jobs if job.step_time_s is not None), default=None)
    return {
        **envelope("RouteResult", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "summary": {
            "max_utilisation": finite(result.max_utilisation),
            "lower_bound": worst.certificate.lower_bound if worst and worst.certificate else None,
            "gap": worst.gap if worst else None,
            "links_over_capacity": max((entry.links_over_capacity for entry in result.routes), default=0),
            "unreachable_pairs": result.unreachable_pairs,
            "step_time_s": step,
            "verdict": "ok" if result.limits_ok and not result.unreachable_pairs else "fail",
        },
        "routes": [_route(entry) for entry in result.routes],
        "jobs": [_job(job) for job in result.jobs],
        "limits": [_limit(limit) for limit in result.limits],
        "items": [link_record(link) for link in result.items],
        "suggestions": [
            {key: finite(value) if isinstance(value, float) else value for key, value in entry.__dict__.items()}
            for entry in suggestions
        ],
        "warnings": list(result.warnings),
        "partial": result.partial,
    }


def _route(entry: PhaseRoute) -> dict[str, Any]:
    return {
        "fabric": entry.fabric,
        "phase": entry.phase,
        "router": entry.router,
        "max_utilisation": finite(entry.max_utilisation),
        "lower_bound": entry.certificate.lower_bound if entry.certificate else None,
        "gap": entry.gap,
        "best_possible": {"lower_bound": entry.best_possible.lower_bound, "witness": entry.best_possible.witness},
        "throughput": finite(entry.throughput),
        "bottleneck": entry.bottleneck,
        "hottest_link": entry.hottest_link or None,
        "links_over_capacity": entry.links_over_capacity,
        "unreachable_pairs": entry.unreachable_pairs,
        "unreachable": [pair.__dict__ for pair in entry.unreachable],
        "tiers": [
            {**tier.__dict__, "p50": finite(tier.p50), "p99": finite(tier.p99), "max": finite(tier.max)}
            for tier in entry.tiers
        ],
        "solver": entry.solver or None,
        "solve_time_s": round(entry.solve_time_s, 6),
        "partial": entry.partial,
        "objective": _objective(entry.objective),
        "notes": list(entry.notes),
        "spread": spread_record(entry.spread),
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


def spread_record(spread: HashSpread | None) -> dict[str, Any] | None:
    """Percentiles over the draws of the hash seeds."""
    if spread is None:
        return None
    return {
        "replicas": spread.replicas,
        "max_utilisation": {key: finite(value) for key, value in spread.max_utilisation.__dict__.items()},
        "worst_rate": {key: finite(value) for key, value in spread.worst_rate.__dict__.items()},
    }


def _job(job: JobTime) -> dict[str, Any]:
    phases = []
    for phase in job.phases:
        record: dict[str, Any] = {**phase.__dict__}
        phases.append({key: finite(value) if isinstance(value, float) else value for key, value in record.items()})
    return {
        "id": job.id,
        "kind": job.kind,
        "ranks": job.ranks,
        "compute_s": job.compute_s,
        "step_time_ideal_s": finite(job.step_time_ideal_s),
        "step_time_s": finite(job.step_time_s),
        "stretch": finite(job.stretch),
        "checkpoint_time_s": finite(job.checkpoint_time_s),
        "phases": phases,
    }


def _limit(limit: LimitVerdict) -> dict[str, Any]:
    return {**limit.__dict__, "value": finite(limit.value)}


def link_record(link: HotLink) -> dict[str, Any]:
    """One link, with the jobs and collectives on it."""
    return {
        "fabric": link.fabric,
        "phase": link.phase,
        "link": link.link,
        "a": link.a,
        "a_port": link.a_port,
        "b": link.b,
        "b_port": link.b_port,
        "tier": link.tier,
        "capacity_gbps": link.capacity_gbps,
        "offered_gbps": link.offered_gbps,
        "carried_gbps": link.carried_gbps,
        "utilisation": link.utilisation,
        "shares": [share.__dict__ for share in link.shares],
    }
