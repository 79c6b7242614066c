"""The time of a step, built up once: compute, what of the phases it waits for, the pipeline's bubble, the optimizer.

Compute is that of the busiest pipeline stage. A phase that overlaps compute has *room*: a share of the compute time
that runs beside it. What exceeds the room is exposed, and so is what the schedule itself waits for. Overlapping phases
run one after the other, so that together they hide behind the compute time at most. The others are waited for in full.
The bubble is a share of the useful time: compute, and exposed communication inside the layers, which takes as long in
every micro-batch.

A phase takes the time of its window, stretched by the fullest link, or of its part inside the hosts where that is
slower, since both go on chunk by chunk; and the latency of its calls one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor

from fabric.result import StepParts
from fabric.routing.utilisation import SAME
from topologies.errors import TrafficError
from topologies.units import format_seconds, percent
from traffic.workload import ComputeTime, Phase, WorkloadTraffic

Timed = Sequence[tuple[Phase, float | None]]  # None: the phase cannot finish
IN_LAYERS = ("tensor", "context", "expert")
_EXACT = 1e-14  # of the step


def phase_time_s(phase: Phase, window_s: float, *, stretch: float = 1.0, way_s: float = 0.0) -> float:
    """Seconds of a phase in a step.

    Parameters
    ----------
    window_s : float
        That the busiest endpoint needs at line rate; 0 inside the hosts.
    stretch : float
        By the fullest link, 1 or more.
    way_s : float
        One way of a message through the fabric.
    """
    waits_s = phase.calls * (phase.latency_s + phase.rounds * way_s)
    return max(window_s * stretch, phase.inside_s) + waits_s


def exposed_times(phases: Timed, compute_s: float | None) -> list[float | None]:
    """Seconds that the step waits for each phase.

    >>> from traffic.demands import Flows
    >>> phase = Phase("dp", "ring", "main", 2, 1.0, 1.0, 1.0, 2, Flows.none(), overlaps_compute=True, room=0.5)
    >>> exposed_times([(phase, 3.0), (phase, 1.0)], 4.0)
    [1.0, 0.0]
    """
    left = compute_s or 0.0
    result: list[float | None] = []
    for phase, seconds in phases:
        if seconds is None or not phase.overlaps_compute:
            result.append(seconds)
            continue
        hidden = min(seconds * (1 - phase.least_exposed), left, phase.room * (compute_s or 0.0))
        left -= hidden
        result.append(seconds - hidden)
    return result


def step_parts(
    phases: Timed, compute_s: float | None, *, bubble: float = 0.0, optimizer_s: float = 0.0
) -> StepParts | None:
    """What a step is made of; None when a phase cannot finish.

    Parameters
    ----------
    bubble : float
        Idle over useful time of a pipeline stage; there is none where the compute time is not known.
    """
    by_kind: dict[str, float] = {}
    for (phase, _), seconds in zip(phases, exposed_times(phases, compute_s), strict=True):
        if seconds is None:
            return None
        by_kind[phase.dimension or "other"] = by_kind.get(phase.dimension or "other", 0.0) + seconds
    useful = 0.0 if compute_s is None else compute_s + sum(by_kind.get(kind, 0.0) for kind in IN_LAYERS)
    exposed = {f"exposed_{kind}_s": seconds for kind, seconds in by_kind.items()}
    return StepParts(compute_s or 0.0, bubble * useful, optimizer_s, **exposed)


def parts_of(workload: WorkloadTraffic, phases: Timed) -> StepParts | None:
    """What a workload's step is made of, with these times of its phases; None when one cannot finish."""
    compute = workload.compute
    if compute is None:
        return step_parts(phases, None)
    return _parts(workload, compute, phases, compute.compute_s)


def _parts(workload: WorkloadTraffic, compute: ComputeTime, phases: Timed, compute_s: float | None) -> StepParts | None:
    bubble = workload.model.bubble if workload.model else None
    return step_parts(phases, compute_s, bubble=bubble or 0.0, optimizer_s=compute.optimizer_s)


def with_compute(workload: WorkloadTraffic, ideal: Timed) -> WorkloadTraffic:
    """The workload with its compute time: what ideal communication, bubble and optimizer leave of a step by MFU.

    Parameters
    ----------
    ideal : sequence of (Phase, float)
        Phases of a step, and their times when only the NICs limit them, nothing is down and nothing collides.

    Raises
    ------
    TrafficError
        When the GPUs would have to compute above their peak (FP4029). ``efficiency``, which does not say what it is
        of, is then taken as that of kernels.
    """
    compute = workload.compute
    if compute is None or compute.step_s is None or compute.compute_s is not None:
        return workload
    wanted_s = compute.step_s

    def step_s(compute_s: float) -> float:
        parts = _parts(workload, compute, ideal, compute_s)
        return wanted_s if parts is None else parts.step_s

    least_s = step_s(compute.flops_s)
    short = least_s > wanted_s * (1 + SAME)
    if short and compute.kernels_s is not None:
        said = f"{compute.key} as the MFU of a whole step leaves no time to compute: it is taken as that of kernels"
        taken = replace(compute, compute_s=compute.kernels_s, step_s=None)
        return replace(workload, compute=taken, said=(*workload.said, f"{said} (compute.kernel_efficiency)"))
    if short:
        raise _no_time(compute, wanted_s, least_s)
    # The step grows by what compute grows, less what it then hides: never less than before. Halving the interval takes
    # a hundredth of the time that importing a root finder does.
    low_s, high_s = compute.flops_s, wanted_s
    while high_s - low_s > _EXACT * wanted_s:
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (middle_s, high_s) if step_s(middle_s) < wanted_s else (low_s, middle_s)
    solved_s = high_s
    said = f"{compute.key} is taken as the MFU of a whole step (compute.mfu)"
    more = (said,) if compute.kernels_s is not None else ()
    return replace(workload, compute=replace(compute, compute_s=solved_s), said=(*workload.said, *more))


def _no_time(compute: ComputeTime, wanted_s: float, least_s: float) -> TrafficError:
    """A step by MFU that is shorter than its parts can be."""
    most = floor(1000 * compute.flops_s / least_s) / 1000
    return TrafficError(
        f"{compute.key} {percent(compute.flops_s / wanted_s)} makes the step {format_seconds(wanted_s)}; computing "
        f"at the peak takes {format_seconds(compute.flops_s)}, and communication at line rate, bubble and "
        f"optimizer another {format_seconds(least_s - compute.flops_s)}",
        where=f"compute.{compute.key}",
        hint=f"{compute.key}: {most:g} at most with this layout and overlap; or say kernel_efficiency: instead",
        code="FP4029",
    )
