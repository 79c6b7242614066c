"""What a step is made of: compute, bubble, optimizer and the communication it waits for, as times and shares of it."""

from __future__ import annotations

from typing import Any

from fabric.output.columns import named, ratios, times
from fabric.output.table import Table
from fabric.result import JobTime, StepParts

_NAMES = {
    "compute_s": "compute",
    "bubble_s": "bubble",
    "optimizer_s": "optimizer",
    "exposed_tensor_s": "exposed tensor",
    "exposed_context_s": "exposed context",
    "exposed_expert_s": "exposed expert",
    "exposed_pipeline_s": "exposed pipeline",
    "exposed_data_s": "exposed data",
    "exposed_other_s": "exposed other",
}
_STEP = "step"


def parts_table(ideal: StepParts | None, here: StepParts | None = None, *, title: str = "") -> Table:
    """The parts that are not nothing, then the step; without ``here``, the ideal alone."""
    given = [one for one in (ideal, here) if one is not None]
    shown = [name for name in _NAMES if name == "compute_s" or any(getattr(one, name) > 0 for one in given)]
    rows: list[str] = [*shown, "step_s"] if given else []
    columns = [named("part", "part", [_NAMES.get(name, _STEP) for name in rows], width=18)]
    for prefix, header, parts in (("ideal_", "ideal", ideal), ("", "here", here)):
        if parts is not None:
            seconds = [getattr(parts, name) for name in rows]
            columns.append(times(f"{prefix}time_s", header, seconds, width=10))
            columns.append(ratios(f"{prefix}share", "of step", [value / parts.step_s for value in seconds]))
    return Table.of(columns, len(rows), title=title)


def job_parts_table(job: JobTime) -> Table:
    """What the step of a job is made of, ideal and here; empty where the compute time is not known."""
    return parts_table(job.parts_ideal, job.parts, title=f"{job.id}: what the step is made of")


def parts_record(parts: StepParts | None) -> dict[str, Any] | None:
    """Parts for machines; they add up to the step."""
    return None if parts is None else dict(parts.__dict__)
