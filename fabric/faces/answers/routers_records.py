"""Router comparisons as plain records: the machine contract of ``fabric route --router all``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabric.evaluation.router_comparison import PhaseComparison, RouterComparison
from fabric.faces.answers.draw_records import spread_record, step_spread_record
from fabric.faces.views.limits import limit_table
from fabric.faces.views.routers import router_table
from fabric.faces.views.row_kinds import ROUTERS
from fabric.output.numbers import finite
from fabric.result import JobTime
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope


def comparison_record(loaded: LoadedScenario, result: RouterComparison, verdict: str) -> dict[str, Any]:
    """``RouterComparison``, but for its rows; ``verdict`` is the sentence for people."""
    return {
        **envelope("RouterComparison", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "not_modelled": list(result.not_modelled),
        "verdict": verdict,
        "routers": list(result.routers),
        "phases": [_phase(phase) for phase in result.phases],
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


def router_entry(result: RouterComparison) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a row: its columns, the spread of its draws and its notes."""
    table = router_table(result).only(*ROUTERS.columns)

    def entry(row: int) -> dict[str, Any]:
        figure = result.figures[row]
        return {**table.entry(row), "spread": spread_record(figure.spread), "notes": list(figure.notes)}

    return entry


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
        "spread": step_spread_record(job.draws),
        "stretch": finite(job.stretch),
        "checkpoint_time_s": finite(job.checkpoint_time_s),
    }
