"""What congestion costs the jobs: their steps, and phase by phase what a step is made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from fabric.faces.views.draws import band_text
from fabric.output.columns import NEVER, counts, endings, factors, named, seconds_text, times, volumes
from fabric.output.table import Column, Table
from fabric.result import Band, JobPhase, JobTime

STEPS_SHOWN = (
    "name", "fabric", "bytes_per_rank", "ideal_s", "predicted_s", "p5_s", "p95_s", "exposed_s", "stretch",
    "hottest_link",
)  # fmt: skip
JOB_PHASE_KEYS = (
    "name", "collective", "fabric", "bytes_per_rank", "ideal_s", "predicted_s", "p5_s", "p95_s", "exposed_s", "stretch",
    "hottest_link", "in_step",
)  # fmt: skip
_NOT_TIMED = "not timed"
_STEP = "step"


def job_table(jobs: Sequence[JobTime]) -> Table:
    """Jobs with their step times."""
    slowest = [max((phase for phase in job.phases if phase.stretch), key=_stretch, default=None) for job in jobs]
    columns = (
        named("job", "job", [job.id for job in jobs], width=14),
        counts("ranks", "ranks", [job.ranks for job in jobs], priority=2),
        Column(
            "step_time_s",
            "step",
            [job.step_time_s for job in jobs],
            numeric=True,
            width=8,
            unit="s",
            texts=[_ending(job.step_time_s, job.step_time_ideal_s) for job in jobs],
        ),
        named("band", "p5 to p95", [band_text(job.draws, seconds_text) for job in jobs], width=18, priority=2),
        times("step_time_ideal_s", "ideal", [job.step_time_ideal_s for job in jobs], priority=1),
        factors("stretch", "stretch", [job.stretch for job in jobs]),
        named("slowest", "most stretched", [phase.name if phase else None for phase in slowest], width=16, priority=3),
    )
    return Table.of(columns, len(jobs), title="jobs").without_empty("band")


def _stretch(phase: JobPhase) -> float:
    return float(phase.stretch or 0.0)


def _ending(value: float | None, ideal: float | None) -> str:
    """A time; ``never`` where there should be one and it does not end, ``-`` where there is none."""
    return seconds_text(value) if value is not None or ideal is None else "never"


def step_table(jobs: Sequence[JobTime]) -> Table:
    """Every phase of every job, then its compute, bubble, optimizer and step: bytes, times, what is waited for."""
    rows = [(job.id, row) for job in jobs for row in (*map(_phase, job.phases), *_totals(job))]
    values: dict[str, list[Any]] = {name: [row[name] for _, row in rows] for name in JOB_PHASE_KEYS}
    inside = [row["inside"] for _, row in rows]

    def texts(name: str, hidden: str, missing: str = "never") -> list[str]:
        """Times; ``hidden`` where none is known inside the hosts, ``missing`` for times that do not end."""
        cells = zip(values[name], inside, strict=True)
        return [hidden if within else missing if value is None else seconds_text(value) for value, within in cells]

    exposed = ["-" if row["no_wait"] else text for (_, row), text in zip(rows, texts("exposed_s", "-"), strict=True)]
    columns = (
        named("job", "job", [job for job, _ in rows], width=12, priority=4),
        named("name", "phase", values["name"], width=18),
        named("collective", "collective", values["collective"], width=18, priority=5),
        Column("fabric", "fabric", values["fabric"], width=8, priority=1, texts=[row["place"] for _, row in rows]),
        volumes("bytes_per_rank", "sent/rank", values["bytes_per_rank"], priority=2),
        times("ideal_s", "ideal", values["ideal_s"], texts=texts("ideal_s", _NOT_TIMED), width=10, priority=1),
        endings("predicted_s", "here", values["predicted_s"], texts=texts("predicted_s", _NOT_TIMED), width=10),
        times("p5_s", "p5", values["p5_s"], texts=_if_any(values["p5_s"]), priority=2),
        times("p95_s", "p95", values["p95_s"], texts=_if_any(values["p95_s"]), priority=2),
        endings("exposed_s", "exposed", values["exposed_s"], texts=exposed, priority=1),
        factors("stretch", "stretch", values["stretch"]),
        named("hottest_link", "slowest link", values["hottest_link"], width=22, priority=2, flexible=True),
        Column("in_step", "in the step", values["in_step"], width=11, priority=6),
    )
    return Table.of(columns, len(rows), title=_title(jobs))


def shown_steps(job: JobTime) -> Table:
    """The step of a job for people: bands where something was drawn."""
    return step_table([job]).only(*STEPS_SHOWN).without_empty("p5_s", "p95_s")


def _bands(band: Band | None) -> tuple[float | None, float | None]:
    """p5 and p95 over draws of the hash; None where there is one at most."""
    return (band.p5, band.p95) if band is not None and len(band) > 1 else (None, None)


def _if_any(values: Sequence[float | None]) -> list[str]:
    return ["" if value is None else seconds_text(value) if isfinite(value) else NEVER for value in values]


def _phase(phase: JobPhase) -> dict[str, Any]:
    within = phase.fabric is None and not phase.ideal_s
    p5, p95 = _bands(phase.draws)
    return {
        **phase.__dict__,
        "p5_s": p5,
        "p95_s": p95,
        "place": phase.fabric or "NVLink",
        "inside": within,
        "no_wait": within or not phase.in_step,
    }


def _totals(job: JobTime) -> list[dict[str, Any]]:
    """Rows of what is not a phase: compute, bubble and optimizer, and the whole step."""
    empty: dict[str, Any] = dict.fromkeys(JOB_PHASE_KEYS)
    empty |= {"place": "-", "inside": False, "no_wait": False, "in_step": True}
    rows: list[dict[str, Any]] = []
    ends: dict[str, float | None]
    for name in ("compute", "bubble", "optimizer") if job.compute_s is not None else ():
        ideal, here = (getattr(parts, f"{name}_s", None) for parts in (job.parts_ideal, job.parts))
        if name == "compute":
            ideal, here = job.compute_s, job.compute_s
        if ideal or here:
            ends = {"ideal_s": ideal, "predicted_s": here, "exposed_s": here}
            ends["stretch"] = here / ideal if here is not None and ideal else None
            rows.append({**empty, "name": name, **ends})
    if job.step_time_ideal_s is not None:
        ends = {"ideal_s": job.step_time_ideal_s, "predicted_s": job.step_time_s}
        ends["p5_s"], ends["p95_s"] = _bands(job.draws)
        rows.append({**empty, "name": _STEP, **ends, "stretch": job.stretch, "no_wait": True})
    return rows


def phases_only(table: Table) -> Table:
    """A table of steps without the rows of compute and step."""
    names = table.column("bytes_per_rank").values
    return table.ordered([row for row in table.order.tolist() if names[row] is not None])


def job_phase_records(job: JobTime) -> list[dict[str, Any]]:
    """The phases of a job for machines, every key in every record."""
    return phases_only(step_table([job])).only(*JOB_PHASE_KEYS).records()


def _title(jobs: Sequence[JobTime]) -> str:
    if len(jobs) != 1:
        return "phases of the jobs"
    job = jobs[0]
    return f"{job.id}: {job.kind}" + (f", {job.ranks:,} ranks" if job.ranks else "")
