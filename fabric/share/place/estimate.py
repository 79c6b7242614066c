"""A quick look at a placement, before any routing: times as NICs and cuts allow, and how much crosses groups.

No routing is faster than the estimate; where a fabric has bandwidth enough everywhere, many placements are equal in it,
and the one whose groups exchange less has fewer flows that a hash may put on one link.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from fabric.evaluation.latency import way_s
from fabric.evaluation.phases import ideal_window_s
from fabric.evaluation.step_time import parts_of, phase_time_s
from fabric.pipeline.prepared import line_rates
from fabric.share.place.cuts import fabric_cuts
from fabric.share.place.setting import PlaceSetting
from traffic.workload import Phase, WorkloadTraffic


@dataclass(frozen=True, order=True)
class Estimate:
    """What candidates are sorted by, before they are routed."""

    step_s: float
    crossing_s: float  # bytes that leave groups, at line rate of a group's hosts, summed over phases of the step
    checkpoint_s: float
    reads: float


class Estimator:
    """Estimates placements of one job."""

    def __init__(self, setting: PlaceSetting) -> None:
        self._cuts = fabric_cuts(setting.network)
        self._rates = line_rates(setting.loaded, setting.network)

    def of(self, workload: WorkloadTraffic) -> Estimate:
        """The job's own traffic at a placement."""
        volumes = [phase for phase in workload.phases if not phase.steady]
        times = {phase.name: self.phase_s(phase) for phase in volumes}
        in_step = [phase for phase in volumes if phase.every_step and (phase.fabric is not None or phase.inside_s)]
        lost = any(not isfinite(times[phase.name]) for phase in in_step)
        parts = None if lost else parts_of(workload, [(phase, times[phase.name]) for phase in in_step])
        step = inf if parts is None else parts.step_s
        stored = max((times[phase.name] for phase in volumes if not phase.every_step), default=0.0)
        crossing = sum(self._crossing(phase) for phase in volumes if phase.every_step)
        reads = sum(self._crossing(phase) for phase in workload.phases if phase.steady or not phase.every_step)
        rounded = [float(f"{value:.9g}") for value in (step, crossing, stored, reads)]
        return Estimate(*rounded)

    def phase_s(self, phase: Phase) -> float:
        """The least time of a phase with this placement."""
        if phase.fabric is None:
            return phase_time_s(phase, 0.0)
        rate = self._rates[phase.fabric]
        window = ideal_window_s(rate.topology, [phase.flows], rate.efficiency)
        cut = max((cut.time_s(phase.flows, rate.efficiency) for cut in self._cuts[phase.fabric]), default=0.0)
        stretch = max(cut / window, 1.0) if window else 1.0
        way = way_s(rate.topology, phase.flows, rate.latency)
        return phase_time_s(phase, window * phase.uneven, stretch=stretch, way_s=way)

    def _crossing(self, phase: Phase) -> float:
        if phase.fabric is None:
            return 0.0
        total = 0.0
        for cut in self._cuts[phase.fabric]:
            leaves, _ = cut.crossing(phase.flows)
            total += float(leaves.sum())
        return total
