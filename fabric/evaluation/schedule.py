"""What a step would take if only the NICs limited it: times and rates of every phase before any routing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.evaluation.phases import ideal_window_s
from fabric.evaluation.step_time import exposed_times, step_time
from topologies.topology import Topology
from traffic.workload import Phase, WorkloadTraffic


@dataclass(frozen=True)
class PhaseTiming:
    """Times and rates of one phase; None where there is nothing to time, or the compute time is not known.

    Rates are payload that leaves a rank's host, one direction.
    """

    ideal_s: float | None = None  # the busiest endpoint at line rate times efficiency
    exposed_s: float | None = None  # that the step waits for
    rate_needed_gbps: float | None = None  # to stay hidden behind the compute that the phase overlaps
    rate_average_gbps: float | None = None  # over the step
    rate_peak_gbps: float | None = None  # while the phase runs at its ideal time


@dataclass(frozen=True)
class StepSchedule:
    """Timings of a workload's phases, and the step they make."""

    timings: tuple[PhaseTiming, ...]
    step_s: float | None = None
    bubble_s: float | None = None  # of the compute time, that pipeline stages wait for each other
    communication_share: float | None = None  # of the step that is waited for


def step_schedule(
    workload: WorkloadTraffic, topologies: Mapping[str, Topology], efficiency: Mapping[str, float]
) -> StepSchedule:
    """Timings at line rate; no fabric limits but the links of its endpoints.

    Parameters
    ----------
    efficiency : mapping
        Payload over line rate, by fabric.
    """
    ideal = [_ideal_s(phase, topologies, efficiency) for phase in workload.phases]
    compute = workload.compute_s
    in_step = [
        (number, phase, seconds)
        for number, (phase, seconds) in enumerate(zip(workload.phases, ideal, strict=True))
        if phase.every_step and seconds is not None
    ]
    timed = [(phase, seconds) for _, phase, seconds in in_step]
    step = step_time(timed, compute) if compute is not None else None
    exposed = dict(zip((number for number, _, _ in in_step), exposed_times(timed, compute), strict=True))
    timings = tuple(
        _timing(phase, seconds, exposed.get(number) if compute is not None else None, compute, step)
        for number, (phase, seconds) in enumerate(zip(workload.phases, ideal, strict=True))
    )
    bubble = workload.model.bubble if workload.model else None
    return StepSchedule(
        timings,
        step,
        None if bubble is None or compute is None else compute * bubble / (1 + bubble),
        None if step is None or compute is None else (step - compute) / step,
    )


def _ideal_s(phase: Phase, topologies: Mapping[str, Topology], efficiency: Mapping[str, float]) -> float | None:
    if phase.steady or phase.fabric is None:
        return None
    return ideal_window_s(topologies[phase.fabric], [phase.flows], efficiency[phase.fabric]) * phase.uneven


def _timing(
    phase: Phase, ideal: float | None, exposed: float | None, compute: float | None, step: float | None
) -> PhaseTiming:
    if ideal is None:
        return PhaseTiming()
    gigabits = phase.sent_bytes_on_fabric_per_rank * 8e-9
    room = phase.room * compute if phase.overlaps_compute and compute else None
    return PhaseTiming(
        ideal_s=ideal,
        exposed_s=exposed,
        rate_needed_gbps=gigabits / room if room and gigabits else None,
        rate_average_gbps=gigabits / step if step and gigabits and phase.every_step else None,
        rate_peak_gbps=gigabits / ideal if ideal and gigabits else None,
    )
