"""The plan's series as an exporter gives them: Prometheus' text format, gauges with their help."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.operate.monitoring.files import Monitoring
from fabric.operate.monitoring.plan_series import PLAN_SERIES
from fabric.operate.monitoring.rule_text import Labels
from fabric.pipeline.run import Run
from fabric.scenario.provenance import version

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_HELP = {
    "fabric_plan_info": "The scenario that the series are of.",
    "fabric_plan_inputs_changed": "Files of the scenario that have changed since it was routed, or cannot be read.",
    "fabric_plan_limit_met": "1 where a limit of the scenario holds, 0 where not; no sample where it is not decided.",
    "fabric_job_step_predicted_seconds": "Time of a step of a job as the plan routes it.",
    "fabric_job_step_ideal_seconds": "Time of a step of a job without congestion.",
}


def exposition(run: Run, made: Monitoring | None) -> str:
    """All series; those of links only where something is sent and reports.

    Every metric has its samples together, under one HELP and one TYPE, as the format asks for.
    """
    metrics: dict[str, list[str]] = {}
    for name, value, labels in _samples(run, made):
        metrics.setdefault(name, []).append(f"{name}{_labels(labels)} {value}\n")
    parts = []
    for name, samples in metrics.items():
        parts += [f"# HELP {name} {_HELP.get(name, _of_name(name))}\n", f"# TYPE {name} gauge\n", *samples]
    return "".join(parts)


def inputs_changed_series(count: int) -> str:
    """How many files of the plan have changed since it was routed: the series of a plan that is out of date.

    >>> print(inputs_changed_series(2).splitlines()[-1])
    fabric_plan_inputs_changed 2
    """
    name = "fabric_plan_inputs_changed"
    return f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n{name} {count}\n"


def _samples(run: Run, made: Monitoring | None) -> Iterator[tuple[str, str, Labels]]:
    loaded = run.loaded
    info = {"scenario": loaded.scenario.name, "sha256": loaded.sha256, "version": version()}
    yield "fabric_plan_info", "1", info
    for limit in run.result.limits:
        if limit.ok is not None:
            yield "fabric_plan_limit_met", str(int(limit.ok)), {"limit": limit.id, "text": limit.text}
    for job in run.result.jobs:
        if job.step_time_s is not None:
            yield "fabric_job_step_predicted_seconds", repr(job.step_time_s), {"job": job.id}
        if job.step_time_ideal_s is not None:
            yield "fabric_job_step_ideal_seconds", repr(job.step_time_ideal_s), {"job": job.id}
    for fabric in made.fabrics if made is not None else ():
        for make in PLAN_SERIES:
            for rule in make(fabric):
                yield rule.name, rule.expr.removeprefix("vector(").removesuffix(")"), rule.labels


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    r"""A value of a label; the format escapes these three and nothing else.

    >>> _escaped('a "b"\n')
    'a \\"b\\"\\n'
    """
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _of_name(name: str) -> str:
    """Help from a name, which says what is measured and its unit.

    >>> _of_name("fabric_link_capacity_bytes_per_second")
    'Of the plan: link capacity bytes per second.'
    """
    return f"Of the plan: {name.removeprefix('fabric_').replace('_', ' ')}."
