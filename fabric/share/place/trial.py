"""One placement tried: the traffic it makes, routed as ``fabric route`` does, and the figures it is judged by.

The GPUs of a job compute as fast wherever they are. With ``compute.mfu`` the scenario says how long the step takes on
an ideal network, and the time of computing follows from the placement that it has; that time is kept for all
placements, and the MFU that another placement has then is part of what reproduces it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isfinite, isinf

import numpy as np

from fabric.evaluation.phases import job_peak, jobs_with_steady
from fabric.evaluation.schedule import ideal_step
from fabric.evaluation.step_time import parts_of
from fabric.pipeline.prepared import PreparedScenario, derive_traffic, line_rates
from fabric.pipeline.routed_phases import RoutedPhase, kept_phases, route_phases
from fabric.pipeline.stages import judge_phases
from fabric.result import JobTime, PhaseRoute, RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.routing.utilisation import SAME
from fabric.share.place.setting import PlaceSetting
from topologies.columns import Ints
from traffic.occupancy import Occupancy
from traffic.workload import WorkloadTraffic


@dataclass(frozen=True)
class Score:
    """What placements are compared by, the first that differs: the lower the better.

    Attributes
    ----------
    step_s : float
        Routed; infinite where a phase cannot finish.
    checkpoint_s : float
        Of a checkpoint, routed; 0 without one.
    reads : float
        Highest utilisation of a link that carries the job's steady traffic, such as reading its dataset.
    reads_gbps : float
        That traffic summed over the links between switches: lower where ranks are near their data.
    """

    step_s: float
    checkpoint_s: float
    reads: float
    reads_gbps: float

    @property
    def figures(self) -> tuple[float, ...]:
        """In the order in which they count."""
        return self.step_s, self.checkpoint_s, self.reads, self.reads_gbps

    def is_below(self, other: Score, tolerance: float) -> bool:
        """Whether the first figure that differs by more than a part of it is lower, and the step is no longer.

        Examples
        --------
        What runs is better than what does not, however little is asked of "better".

        >>> Score(9.0, 0.0, 0.0, 0.0).is_below(Score(inf, 0.0, 0.0, 0.0), 1e-3)
        True
        """
        if self.step_s > other.step_s * (1 + SAME):
            return False
        for mine, theirs in zip(self.figures, other.figures, strict=True):
            if mine == theirs:
                continue
            if isinf(mine) or isinf(theirs) or abs(mine - theirs) > tolerance * max(mine, theirs):
                return mine < theirs
        return False


@dataclass(frozen=True, eq=False)
class Trial:
    """A placement, routed."""

    name: str
    placed: Ints  # shape (ranks, 2), host and GPU of every rank
    result: RouteResult
    job: JobTime
    score: Score
    mfu: float | None = None  # to be said with the placement, where the scenario's means another compute time

    @property
    def runs(self) -> bool:
        """Whether all of the job's traffic has a path, so that its step ends."""
        return isfinite(self.score.step_s)

    @property
    def cut(self) -> str:
        """Phases of its step that have no path, in words."""
        return ", ".join(phase.name for phase in self.job.phases if phase.in_step and phase.predicted_s is None)


class Trials:
    """Routes placements of a job; phases that are sent alike are routed once."""

    def __init__(self, setting: PlaceSetting, progress: Reporter = silent) -> None:
        self.setting, self._progress = setting, progress
        self._like: tuple[RoutedPhase, ...] = ()
        self.routed = 0

    def traffic(self, placed: Ints) -> tuple[WorkloadTraffic, ...]:
        """What all jobs send with the job there; it computes as long as where the scenario has it."""
        return self._traffic(placed, self.setting.request.scale)

    def _traffic(self, placed: Ints, scale: float) -> tuple[WorkloadTraffic, ...]:
        setting = self.setting
        occupancy = Occupancy({**setting.others, setting.job: placed})
        known = {workload.id: workload.compute for workload in setting.traffic}
        return derive_traffic(setting.loaded, setting.network, scale=scale, occupancy=occupancy, compute=known)

    def route(self, name: str, placed: Ints) -> Trial:
        """The placement, routed and judged."""
        setting, traffic = self.setting, self.traffic(placed)
        prepared = PreparedScenario(setting.loaded, setting.request, setting.network, traffic)
        phases = route_phases(prepared, self._progress, like=self._like, rates=False, idle=True)
        self._like = self._like or kept_phases(phases)
        result = judge_phases(prepared, phases)
        job = next(job for job in result.jobs if job.id == setting.job)
        self.routed += 1
        return Trial(name, placed, result, job, _score(job, result.routes), self._mfu(placed))

    def _mfu(self, placed: Ints) -> float | None:
        """The MFU on an ideal network at this placement; None where the scenario's own value holds."""
        setting = self.setting
        compute = setting.workload.compute
        if compute is None or compute.step_s is None:
            return None
        workload = self._traffic(placed, 1 / setting.loaded.scenario.scale)[setting.number]
        parts = parts_of(workload, ideal_step(workload, line_rates(setting.loaded, setting.network)))
        if parts is None or abs(parts.step_s - compute.step_s) <= 1e-10 * compute.step_s:
            return None
        return compute.flops_s / parts.step_s


def _score(job: JobTime, routes: Iterable[PhaseRoute]) -> Score:
    step = job.step_time_s if job.step_time_s is not None else inf
    stored = [phase for phase in job.phases if phase.name == "checkpoint"]
    lost = any(phase.predicted_s is None for phase in stored)
    checkpoint = inf if lost else job.checkpoint_time_s or 0.0
    peaks = [0.0]
    gbps: dict[str, float] = {}
    for route in routes:
        if job.id in jobs_with_steady(route.classes):
            peaks.append(job_peak(route, job.id, steady=True)[0])
            gbps.setdefault(route.fabric, _between_switches(route, job.id))
    return Score(step, checkpoint, max(peaks), sum(gbps.values()))


def _between_switches(route: PhaseRoute, job: str) -> float:
    """Steady traffic of a job over links between switches, Gbps times links."""
    mine = [code for code, entry in enumerate(route.classes) if entry.job == job and entry.steady]
    topology = route.topology
    inner = topology.is_switch[topology.links.src] & topology.is_switch[topology.links.dst]
    return float(np.sum(route.link_gbps[inner][:, mine]))
