"""The GPUs that stand still when jobs take longer: each counted once, by the job on it that loses most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.job_reaction import hosts_of_traffic
from fabric.pipeline.run import Run
from topologies.columns import Floats


@dataclass(frozen=True, eq=False)
class GpuCrew:
    """GPUs of every job on every host; where no job has any, a job is one thing that stands still.

    Attributes
    ----------
    gpus : ndarray, shape (J, H)
        Of each job on each host.
    room : ndarray, shape (H,)
        GPUs of a host that work at all: jobs with a placement have theirs alone, others share what is there.
    """

    gpus: Floats
    room: Floats
    has_gpus: bool

    @staticmethod
    def of(run: Run, jobs: Sequence[str]) -> GpuCrew:
        """Of the jobs with these names, in this order."""
        workloads = {workload.id: workload for workload in run.traffic}
        rows: list[dict[str, float]] = []
        placed: dict[str, float] = {}
        shared: dict[str, float] = {}
        for name in jobs:
            own = workloads[name].on_failure
            names, counts = hosts_of_traffic(run, workloads[name]) if own is None else (own.hosts, own.gpus)
            row = dict(zip(names, counts.astype(float).tolist(), strict=True))
            rows.append(row)
            for host, count in row.items():
                if own is None:
                    shared[host] = max(shared.get(host, 0.0), count)
                else:
                    placed[host] = placed.get(host, 0.0) + count
        number = {host: place for place, host in enumerate(dict.fromkeys([*placed, *shared]))}
        if not number:
            return GpuCrew(np.eye(len(jobs)), np.ones(len(jobs)), has_gpus=False)
        gpus = np.zeros((len(jobs), len(number)))
        for at, row in enumerate(rows):
            gpus[at, [number[host] for host in row]] = list(row.values())
        room = np.array([max(placed.get(host, 0.0), shared.get(host, 0.0)) for host in number])
        return GpuCrew(gpus, room, has_gpus=True)

    def lost(self, part: Floats) -> Floats:
        """What stands still on average, shape (N,), where job j loses ``part[n, j]`` of its time.

        >>> crew = GpuCrew(np.array([[4.0, 4.0], [0.0, 2.0]]), np.array([4.0, 4.0]), has_gpus=True)
        >>> crew.lost(np.array([[0.5, 0.0], [0.5, 1.0], [0.0, 0.25]])).tolist()
        [4.0, 5.0, 0.5]
        """
        total = np.zeros(len(part))
        for row, parts in enumerate(part):
            left = self.room.copy()
            for job in np.argsort(-parts, kind="stable").tolist():
                if parts[job] <= 0:
                    break
                taken = np.minimum(self.gpus[job], left)
                total[row] += parts[job] * taken.sum()
                left -= taken
        return total
