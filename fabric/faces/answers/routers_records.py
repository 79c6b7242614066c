"""Router comparisons as plain records: the machine contract of ``fabric route --router all``."""

from __future__ import annotations

from typing import Any

from fabric.evaluation.router_comparison import PhaseComparison, RouterComparison
from fabric.faces.answers.records import spread_record
from fabric.faces.views.limits import limit_table
from fabric.faces.views.routers import router_table
from fabric.output.numbers import finite
from fabric.result import JobTime
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


def comparison_record(loaded: LoadedScenario, result: RouterComparison, verdict: str) -> dict[str, Any]:
    """``RouterComparison``; ``verdict`` is the sentence for people."""
    return {
        **envelope("RouterComparison", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "not_modelled": list(result.not_modelled),
        "verdict": verdict,
        "routers": list(result.routers),
        "phases": [_phase(phase) for phase in result.phases],
        "items": [
            {
                **record,
                "spread": spread_record(row.spread),
                "notes": list(row.notes),
            }
            for record, row in zip(router_table(result).only(*COLUMNS).records(), result.figures, strict=True)
        ],
        "outcomes": [
            {
                "router": outcome.router,
                "jobs": [_job(job) for job in outcome.jobs],
                "limits": limit_table(outcome.limits).records(),
            }
            for outcome in result.outcomes
        ],
        "deciding": [outcome.router for outcome in result.deciding],
        "limits_ok": result.limits_ok,
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
