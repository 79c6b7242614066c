"""What a step would take if only the NICs limited it: times and rates of every phase before any routing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.evaluation.latency import way_s
from fabric.evaluation.phases import ideal_window_s
from fabric.evaluation.step_time import Timed, exposed_times, parts_of, phase_time_s
from fabric.result import StepParts
from fabric.scenario.latency_schema import FabricLatency
from topologies.topology import Topology
from traffic.workload import Phase, WorkloadTraffic


@dataclass(frozen=True)
class PhaseTiming:
    """Times and rates of one phase; None where there is nothing to time, or the compute time is not known.

    Rates are payload that leaves a rank's host, one direction.
    """

    ideal_s: float | None = None  # the busiest endpoint, or scale-up link, at line rate times efficiency
    exposed_s: float | None = None  # that the step waits for
    rate_needed_gbps: float | None = None  # to stay hidden behind the compute that the phase overlaps
    rate_average_gbps: float | None = None  # over the step
    rate_peak_gbps: float | None = None  # while the phase runs at its ideal time


@dataclass(frozen=True)
class StepSchedule:
    """Timings of a workload's phases, and the step they make."""

    timings: tuple[PhaseTiming, ...]
    parts: StepParts | None = None  # of the step; None where the compute time is not known

    @property
    def step_s(self) -> float | None:
        """The step."""
        return None if self.parts is None else self.parts.step_s

    @property
    def bubble_s(self) -> float | None:
        """Time that pipeline stages wait for each other."""
        return None if self.parts is None else self.parts.bubble_s

    @property
    def communication_share(self) -> float | None:
        """Share of the step that communication is waited for."""
        return None if self.parts is None else self.parts.exposed_s / self.parts.step_s


@dataclass(frozen=True, eq=False)
class LineRate:
    """What limits a phase on a fabric that nothing congests."""

    topology: Topology
    efficiency: float  # payload over line rate
    latency: FabricLatency


def step_schedule(workload: WorkloadTraffic, fabrics: Mapping[str, LineRate]) -> StepSchedule:
    """Timings at line rate; no fabric limits but the links of its endpoints."""
    ideal = [ideal_s(phase, fabrics) for phase in workload.phases]
    compute = workload.compute.compute_s if workload.compute else None
    in_step = [
        (number, phase, seconds)
        for number, (phase, seconds) in enumerate(zip(workload.phases, ideal, strict=True))
        if phase.every_step and seconds is not None
    ]
    timed = [(phase, seconds) for _, phase, seconds in in_step]
    parts = parts_of(workload, timed) if compute is not None else None
    step = parts.step_s if parts else None
    exposed = dict(zip((number for number, _, _ in in_step), exposed_times(timed, compute), strict=True))
    timings = tuple(
        _timing(phase, seconds, exposed.get(number) if compute is not None else None, compute, step)
        for number, (phase, seconds) in enumerate(zip(workload.phases, ideal, strict=True))
    )
    return StepSchedule(timings, parts)


def ideal_step(workload: WorkloadTraffic, fabrics: Mapping[str, LineRate]) -> Timed:
    """The phases of a step with their ideal times, whatever is down."""
    times = [(phase, ideal_s(phase, fabrics)) for phase in workload.phases]
    return [(phase, seconds) for phase, seconds in times if phase.every_step and seconds is not None]


def ideal_s(phase: Phase, fabrics: Mapping[str, LineRate]) -> float | None:
    """Time of a phase when only NICs and scale-up links limit it, all up; None where there is none to tell."""
    if phase.steady or (phase.fabric is None and not phase.inside_s):
        return None
    if phase.fabric is None:
        return phase_time_s(phase, 0.0)
    fabric = fabrics[phase.fabric]
    window = ideal_window_s(fabric.topology, [phase.flows], fabric.efficiency) * phase.uneven
    return phase_time_s(phase, window, way_s=way_s(fabric.topology, phase.flows, fabric.latency))


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
