"""Router comparisons as plain records: the machine contract of ``fabric route --router all``."""

from __future__ import annotations

from typing import Any

from fabric.evaluation.router_comparison import PhaseComparison, RouterComparison, RouterFigure
from fabric.faces.answers.records import spread_record
from fabric.output.numbers import finite
from fabric.result import JobTime
from fabric.routing.router import routing_basis
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope

COLUMNS = (
    "fabric",
    "phase",
    "router",
    "max_utilisation",
    "p50",
    "p95",
    "p99",
    "throughput",
    "above_best",
    "stretch",
    "lower_bound",
    "gap",
    "links_over_capacity",
    "unreachable_pairs",
    "hottest_link",
    "solver",
    "partial",
    "refused",
    "routing_basis",
)


def figure_record(row: RouterFigure) -> dict[str, Any]:
    """One router on one phase."""
    quantiles = row.spread.max_utilisation if row.spread else None
    return {
        "fabric": row.fabric,
        "phase": row.phase,
        "router": row.router,
        "max_utilisation": finite(row.max_utilisation),
        "p50": finite(quantiles.p50) if quantiles else None,
        "p95": finite(quantiles.p95) if quantiles else None,
        "p99": finite(quantiles.p99) if quantiles else None,
        "throughput": finite(row.throughput),
        "above_best": finite(row.above_best),
        "stretch": finite(row.stretch),
        "lower_bound": row.lower_bound,
        "gap": finite(row.gap),
        "links_over_capacity": row.links_over_capacity,
        "unreachable_pairs": row.unreachable_pairs,
        "hottest_link": row.hottest_link or None,
        "solver": row.solver or None,
        "partial": row.partial,
        "refused": row.refused or None,
        "routing_basis": routing_basis(row.router),
    }


def comparison_record(loaded: LoadedScenario, result: RouterComparison, verdict: str) -> dict[str, Any]:
    """``RouterComparison``; ``verdict`` is the sentence for people."""
    return {
        **envelope("RouterComparison", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "verdict": verdict,
        "routers": list(result.routers),
        "phases": [_phase(phase) for phase in result.phases],
        "items": [
            {
                **figure_record(row),
                "spread": spread_record(row.spread),
                "notes": list(row.notes),
                "solve_time_s": round(row.solve_time_s, 6),
            }
            for row in result.figures
        ],
        "outcomes": [
            {
                "router": outcome.router,
                "jobs": [_job(job) for job in outcome.jobs],
                "limits": [{**limit.__dict__, "value": finite(limit.value)} for limit in outcome.limits],
            }
            for outcome in result.outcomes
        ],
        "warnings": list(result.warnings),
        "partial": result.partial,
    }


def _phase(phase: PhaseComparison) -> dict[str, Any]:
    return {
        "fabric": phase.fabric,
        "phase": phase.phase,
        "best_possible": {
            "lower_bound": phase.best_possible.lower_bound,
            "witness": phase.best_possible.witness,
        },
        "split": {key: finite(value) for key, value in phase.split.__dict__.items()},
    }


def _job(job: JobTime) -> dict[str, Any]:
    return {
        "id": job.id,
        "step_time_ideal_s": finite(job.step_time_ideal_s),
        "step_time_s": finite(job.step_time_s),
        "stretch": finite(job.stretch),
        "checkpoint_time_s": finite(job.checkpoint_time_s),
    }
