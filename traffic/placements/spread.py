"""Consecutive tensor-parallel groups on different hosts, as thin over the cluster as they fit."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Injected
from traffic.placement import PlacementSite
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("spread", example={})
def spread(site: Injected[PlacementSite]) -> Ints:
    """Tensor-parallel groups are distributed over all hosts in turn, as Slurm's cyclic distribution does with tasks.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank; a group stays in one host, or scale-up domain where it is wider.

    Raises
    ------
    TrafficError
        When the free GPUs of the hosts do not hold the groups (FP4024).
    """
    width = site.grid.sizes["tp"]
    free = site.free_together(width)
    order = np.argsort(~free, axis=1, kind="stable")  # free GPUs first, host by host
    slots = free.sum(axis=1) // width
    host = np.concatenate([np.flatnonzero(slots > turn) for turn in range(int(slots.max(initial=0)))] or [slots[:0]])
    groups = site.ranks // width
    what = "host" if free.shape[1] == site.gpus_per_host else "scale-up domain"
    if len(host) < groups:
        raise TrafficError(
            f"spread keeps tensor parallelism inside a {what}, but the free GPUs hold {len(host):,} of {groups:,} "
            "groups",
            where="parallelism.tp",
            hint=f"choose a tp that divides the GPUs of a {what}, or placement order: packed",
            code="FP4024",
        )
    turn = np.concatenate([np.full(int((slots > turn).sum()), turn) for turn in range(int(slots.max()))])
    at = site.grid.coordinates(np.arange(site.ranks))["tp"]
    block = _block_of(site)
    gpu = order[host[block], turn[block] * width + at]
    return site.seat(column(host[block], np.int32), column(gpu, np.int32), free)


def _block_of(site: PlacementSite) -> Ints:
    """Number of every rank's tensor-parallel group, in order of their first ranks."""
    groups = site.grid.groups("tp")
    block = np.empty(site.ranks, dtype=np.int32)
    block[groups.ravel()] = np.repeat(np.arange(len(groups)), groups.shape[1])
    return column(block, np.int32)
