"""Which GPUs of a cluster are taken by the jobs placed so far."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from topologies.columns import Bools, Ints, column
from topologies.errors import TrafficError
from traffic.parallelism import RankGrid
from traffic.resource_room import ResourceRoom
from traffic.resources import GPUS


class Occupancy:
    """GPUs by node group; jobs take them in the order of the scenario.

    ``seats`` has the node group of every job that was placed, and host and GPU of its ranks, shape (ranks, 2);
    ``grids`` how its ranks are numbered. Jobs that are ``fixed`` get these places, whatever their policy says.
    """

    def __init__(self, fixed: Mapping[str, Ints] | None = None) -> None:
        self.fixed = fixed or {}
        self.grids: dict[str, RankGrid] = {}
        self._taken: dict[str, Bools] = {}
        self._jobs: dict[str, list[str]] = {}
        self.seats: dict[str, tuple[str, Ints]] = {}
        self._rooms: dict[str, ResourceRoom] = {}

    def room(self, group: str, hosts: tuple[str, ...], has: Mapping[str, tuple[int, ...]]) -> ResourceRoom:
        """What jobs leave of processors, memory, storage and GPUs of a group, which has so much of them."""
        amounts = {kind: amount for kind, amount in has.items() if kind != GPUS}
        return self._rooms.setdefault(group, ResourceRoom(hosts, amounts, has.get(GPUS)))

    def free(self, group: str, hosts: int, gpus_per_host: int) -> Bools:
        """GPUs that nobody has, shape (hosts, gpus_per_host)."""
        taken = self._taken.get(group)
        return column(np.ones((hosts, gpus_per_host), np.bool_) if taken is None else ~taken, np.bool_)

    def jobs(self, group: str) -> tuple[str, ...]:
        """Jobs that have GPUs of a group, in order."""
        return tuple(self._jobs.get(group, ()))

    def take(self, group: str, free: Bools, placed: Ints, job: str, hosts: tuple[str, ...]) -> None:
        """Give GPUs to a job.

        Parameters
        ----------
        free : ndarray of bool, shape (hosts, gpus)
            As the job was shown them.
        placed : ndarray of int, shape (ranks, 2)
            Host and GPU of every rank.

        Raises
        ------
        TrafficError
            When a GPU has two ranks, of this job or of another (FP4026).
        """
        host, gpu = placed[:, 0], placed[:, 1]
        _, count = np.unique(host.astype(np.int64) * free.shape[1] + gpu, return_counts=True)
        clash = np.flatnonzero(~free[host, gpu])
        if (count > 1).any() or len(clash):
            twice = int(clash[0]) if len(clash) else 0
            by = f"{', '.join(self.jobs(group))} have" if len(clash) else "two ranks have"
            raise TrafficError(
                f"{by} GPU {int(gpu[twice])} of {hosts[int(host[twice])]} already" if len(clash) else f"{by} one GPU",
                where="placement",
                hint="choose other hosts, fewer gpus, or placement: {exclusive: false} to let jobs share GPUs",
                code="FP4026",
            )
        taken = ~free
        taken[host, gpu] = True
        self._taken[group] = column(taken, np.bool_)
        self._jobs.setdefault(group, []).append(job)
