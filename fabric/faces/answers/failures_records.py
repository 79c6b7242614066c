"""``FailureResult`` as plain records: the machine contract of ``fabric failures``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fabric.faces.views.failures import cause_records, when_limit_table
from fabric.failures.result import Expected, FailureCase, FailureLimit, FailureResult, JobState, WorstLink
from fabric.output.numbers import finite
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope

LISTS = ("failures", "links")


def failures_record(loaded: LoadedScenario, result: FailureResult, rows: str, top: int | None) -> dict[str, Any]:
    """Everything but the rows of the answer.

    Parameters
    ----------
    rows : str
        Which of ``LISTS`` are its rows; the other is here.
    top : int, optional
        Entries of the list that is here; None: all.
    """
    other: dict[str, Any] = {}
    if rows != "links":
        other["links"] = [link_record(link) for link in result.links[:top]]
    if rows != "failures":
        other["failures"] = [case_record(case) for case in result.failures[:top]]
    return {
        **envelope("FailureResult", loaded),
        "set": result.set,
        "kinds": [*result.kinds],
        "choose": result.choose,
        "total": result.total,
        "cases": result.cases,
        "evaluated": result.evaluated,
        "reaction": result.reaction,
        "dialect": result.dialect or None,
        "detection_s": result.detection_s,
        "partial": result.partial,
        "request": None if result.request is None else asdict(result.request),
        "summary": {
            "by_state": dict(result.by_state),
            "cut_off": result.cut_off,
            "over_capacity": result.over_capacity,
            "kept_failures": len(result.failures),
            "loaded_links": len(result.links),
            "verdict": "fail" if any(limit.verdict.ok is False for limit in result.limits) else "ok",
        },
        "intact": {"max_utilisation": finite(result.intact_max_utilisation), "jobs": [*map(job_record, result.intact)]},
        "limits": [limit_record(limit) for limit in result.limits],
        "expected": expected_record(result.expected),
        "remedies": [dict(vars(remedy)) | {"sets": [*remedy.sets]} for remedy in result.remedies],
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "warnings": [*result.warnings],
        **other,
    }


def case_record(case: FailureCase) -> dict[str, Any]:
    """One failure case."""
    return {
        "id": case.id,
        "parts": [*case.parts],
        "kinds": [*case.kinds],
        "roles": [*case.roles],
        "count": case.count,
        "fabric": case.fabric,
        "max_utilisation": finite(case.max_utilisation),
        "hottest_link": case.hottest_link,
        "links_over_capacity": case.links_over_capacity,
        "unreachable_pairs": case.unreachable_pairs,
        "gpus_cut_off": case.gpus_cut_off,
        "jobs": [job_record(job) for job in case.jobs],
        "down": [*case.selectors],
        "slow": [*case.slowed],
        "hits": [dict(vars(hit)) for hit in case.hits],
        "best_utilisation": finite(case.best_utilisation),
        "gap": finite(case.gap),
        "per_month": finite(case.per_month),
        "lost_gpu_hours_per_month": finite(case.lost_gpu_hours_per_month),
    }


def job_record(job: JobState) -> dict[str, Any]:
    """A job in a case."""
    return {
        "id": job.id,
        "state": job.state,
        "step_time_s": finite(job.step_time_s),
        "stretch": finite(job.stretch),
        "reaction": job.reaction,
        "lost_gpu_hours": finite(job.lost_gpu_hours),
    }


def link_record(link: WorstLink) -> dict[str, Any]:
    """A link with the failures that fill it most."""
    return {
        "link": link.link,
        "fabric": link.fabric,
        "phase": link.phase,
        "tier": link.tier,
        "capacity_gbps": link.capacity_gbps,
        "intact_utilisation": finite(link.intact_utilisation),
        "worst_utilisation": finite(link.worst_utilisation),
        "causes": [{**cause, "utilisation": finite(cause["utilisation"])} for cause in cause_records(link)],
    }


def limit_record(limit: FailureLimit) -> dict[str, Any]:
    """A limit over its cases."""
    (row,) = when_limit_table([limit]).records()
    return {
        "id": row["id"],
        "text": row["text"],
        "metric": limit.verdict.metric,
        "when": limit.when,
        "value": row["value"],
        "max": row["max"],
        "unit": limit.verdict.unit,
        "ok": row["ok"],
        "case": limit.case,
        "parts": [*limit.parts],
        "broken": limit.broken,
        "cases": limit.cases,
        "detail": limit.verdict.detail,
    }


def expected_record(expected: Expected | None) -> Mapping[str, Any] | None:
    """What is lost in the long run; null without rates."""
    if expected is None:
        return None
    return {
        "gpu_hours_lost_per_month": {
            **vars(expected.gpu_hours_lost_per_month),
            "by_cause": dict(expected.by_cause),
        },
        "gpu_hours_per_month": expected.gpu_hours_per_month,
        "goodput": expected.goodput,
        "availability": dict(expected.availability),
        "months": expected.months,
        "failures_per_month": expected.failures_per_month,
        "checkpoints": [dict(vars(entry)) for entry in expected.checkpoints],
    }
