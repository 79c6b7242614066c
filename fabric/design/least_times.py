"""Times that no network is below: compute, and transfers at the line rate of the NICs with no way between them."""

from __future__ import annotations

from fabric.evaluation.jobs import CHECKPOINT
from fabric.evaluation.step_time import parts_of, phase_time_s
from fabric.pipeline.run import Run
from traffic.workload import Phase, WorkloadTraffic


def least_times(run: Run) -> dict[tuple[str, str], float]:
    """Least ``step_time`` and ``checkpoint_time`` by job, s; those that a job has."""
    least = {}
    for workload in run.traffic:
        times = [(phase, _least(run, workload, phase)) for phase in workload.phases if not phase.steady]
        known = [(phase, seconds) for phase, seconds in times if seconds is not None]
        step = [(phase, seconds) for phase, seconds in known if phase.every_step]
        parts = parts_of(workload, step) if step else None
        if parts is not None:
            least[workload.id, "step_time"] = parts.step_s
        writing = [seconds for phase, seconds in known if phase.name == CHECKPOINT]
        if writing:
            least[workload.id, "checkpoint_time"] = writing[0]
    return least


def _least(run: Run, workload: WorkloadTraffic, phase: Phase) -> float | None:
    """Of one phase; None where nothing of it was routed."""
    if phase.fabric is None:
        return phase_time_s(phase, 0.0)
    for route in run.result.routes:
        if (route.fabric, route.phase) == (phase.fabric, phase.name) and workload.id in route.window_s:
            return phase_time_s(phase, route.window_s[workload.id] * phase.uneven)
    return None
