"""The ``placement:`` key: which host and GPU every rank runs on.

The policies are plug-ins in ``traffic/placements/``; ``order`` names one, the keys beside it are the policy's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from topologies.columns import Bools, Ints, column
from topologies.errors import Problem, TrafficError, nearest_hint
from topologies.registry import Spec
from traffic.inventory import Inventory
from traffic.parallelism import RankGrid
from traffic.resources import ResourceRequests
from traffic.workload import PLACEMENTS, WorkloadContext


@dataclass(frozen=True, eq=False)
class PlacementSite:
    """What a policy places, and where."""

    hosts: tuple[str, ...]
    gpus_per_host: int
    grid: RankGrid
    rng: np.random.Generator
    directory: Path
    free: Bools  # shape (hosts, gpus_per_host), GPUs that no other job has
    said: list[str] = field(default_factory=list)  # what a file holds beyond the answer
    hosts_per_domain: int = 1  # hosts that one scale-up domain joins

    def free_together(self, width: int) -> Bools:
        """Free GPUs by host; by scale-up domain where so many ranks together are more than a host has.

        Returns
        -------
        ndarray of bool, shape (hosts or domains, GPUs of one)
            What a domain that is not full lacks counts as taken.
        """
        spanned = self.hosts_per_domain
        if width <= self.gpus_per_host or spanned == 1:
            return self.free
        lacking = -len(self.hosts) % spanned
        whole = np.pad(self.free, ((0, lacking), (0, 0)))
        return column(whole.reshape(-1, spanned * self.gpus_per_host), np.bool_)

    def seat(self, which: Ints, place: Ints, free: Bools) -> Ints:
        """Host and GPU of places in hosts or domains, as :meth:`free_together` numbers them, shape (ranks, 2)."""
        hosts = free.shape[1] // self.gpus_per_host
        host = which * hosts + place // self.gpus_per_host
        return column(np.stack([host, place % self.gpus_per_host], axis=1), np.int32)

    def say(self, *texts: str) -> None:
        """Note what a file holds that the places leave out, or take as something."""
        self.said.extend(text for text in texts if text not in self.said)

    @property
    def ranks(self) -> int:
        """Ranks to place."""
        return self.grid.ranks


class Placement(Spec):
    """Which hosts a job runs on, and in which order."""

    model_config = ConfigDict(extra="allow", frozen=True)

    group: str | None = Field(default=None, description="Node group with the GPUs; the only one that has any if absent")
    order: str = Field(
        default="packed", description="Policy: packed, rail-aligned, scattered, spread, file, slurm or kubernetes"
    )
    requests: ResourceRequests | None = Field(
        default=None,
        description="What a piece of the job (a pod, a task) requests of its node; absent: not checked",
    )
    exclusive: bool = Field(default=True, description="No GPU has ranks of two jobs; false: jobs may share GPUs")

    @property
    def chooses_hosts(self) -> bool:
        """Whether the policy chooses the hosts, and no file does."""
        return "path" not in PLACEMENTS[self.order].model.model_fields

    def place(self, site: PlacementSite) -> Ints:
        """Host index and GPU index of every rank, shape (ranks, 2).

        Raises
        ------
        TrafficError
            When the policy is unknown (FP4020), its keys are wrong (FP4021) or the ranks do not fit (FP4022).
        """
        if not PLACEMENTS.known(self.order):
            raise TrafficError(
                f"unknown placement order {self.order!r}",
                where="placement.order",
                hint=nearest_hint(self.order, PLACEMENTS.names()),
                code="FP4020",
            )
        check_room(site.ranks, len(site.hosts), site.gpus_per_host)
        if site.ranks > int(site.free.sum()):
            raise TrafficError(
                f"{site.ranks:,} ranks do not fit on the {int(site.free.sum()):,} GPUs that other jobs leave",
                where="placement.group",
                hint=f"gpus: {int(site.free.sum())} would fit, or more hosts" if site.free.any() else "add hosts",
                code="FP4022",
            )
        entry = PLACEMENTS[self.order]
        # A key of another policy is left aside, so that changing the order alone is a valid what-if.
        given = dict(self.model_extra or {})
        if given.keys() - entry.model.model_fields.keys():  # else none of the other policies is looked at, or loaded
            others = {key for other in PLACEMENTS for key in other.model.model_fields}
            given = {key: value for key, value in given.items() if key in entry.model.model_fields or key not in others}
        try:
            spec = entry.model.model_validate({"kind": entry.name, **given})
        except ValidationError as error:
            keys = [name for name in entry.model.model_fields if name != "kind"]
            raise TrafficError(_key_problems(error, entry.name, keys)) from error
        return column(entry(spec, site=site), np.int32)


def _key_problems(error: ValidationError, order: str, keys: list[str]) -> list[Problem]:
    """Pydantic's findings about a policy's keys, as ours."""
    problems = []
    for found in error.errors():
        key = str(found["loc"][0]) if found["loc"] else ""
        own = f"its keys are {', '.join(keys)}" if keys else "it has no keys of its own"
        if found["type"] == "extra_forbidden":
            message, hint = f"placement {order!r} has no key {key!r}", nearest_hint(key, keys, otherwise=own)
        elif found["type"] == "missing":
            message, hint = f"placement {order!r} needs the key {key!r}", own
        else:
            message, hint = f"{key}: {found['msg']}", own
        problems.append(Problem(message, code="FP4021", where=("placement", key), hint=hint))
    return problems


@dataclass(frozen=True, eq=False)
class GpuPool:
    """GPUs that a job may have: those of a group that no other job has, or all where jobs may share."""

    group: str
    hosts: tuple[str, ...]
    per_host: int
    free: Bools  # shape (hosts, per_host)
    hosts_per_domain: int = 1

    @staticmethod
    def of(placement: Placement, context: WorkloadContext, group: str, fabric: str) -> GpuPool:
        """GPUs of a group's hosts on a fabric."""
        hosts = context.inventory.host_names(fabric, group)
        per_host = context.inventory.gpus_per_host(group, where="placement.group")
        free = context.occupancy.free(group, len(hosts), per_host)
        links = context.inventory.scale_up(group)
        spanned = max(links.domain // max(per_host, 1), 1) if links else 1
        free = free if placement.exclusive else column(np.ones_like(free), np.bool_)
        return GpuPool(group, hosts, per_host, free, spanned)

    def place(self, placement: Placement, grid: RankGrid, context: WorkloadContext, job: str) -> Ints:
        """Host and GPU of every rank, shape (ranks, 2); the GPUs are the job's from now on."""
        room = context.occupancy.room(self.group, self.hosts, context.inventory.resources(self.group))
        free, asked = self.free, placement.requests
        if asked is not None:
            check_room(grid.ranks, len(self.hosts), self.per_host)
            free = room.offered(free, asked, grid.ranks, job)
        site = PlacementSite(
            self.hosts,
            self.per_host,
            grid,
            context.rng,
            context.directory,
            free,
            context.said,
            self.hosts_per_domain,
        )
        fixed = context.occupancy.fixed.get(job)
        placed = placement.place(site) if fixed is None else fixed
        context.occupancy.grids[job] = grid
        if asked is not None:
            context.say(room.take(asked, placed, job, movable=fixed is None and placement.chooses_hosts))
        elif room.has:
            context.say(f"{job} requests nothing of {', '.join(room.has)} of its hosts; that it fits is not checked")
        if placement.exclusive:
            context.occupancy.take(self.group, self.free, placed, job, self.hosts)
        context.occupancy.seats[job] = (self.group, placed)
        return placed


def check_room(ranks: int, hosts: int, gpus_per_host: int) -> None:
    """Raise unless the hosts have a GPU for every rank."""
    if ranks > hosts * gpus_per_host:
        needed = -(-ranks // gpus_per_host)
        raise TrafficError(
            f"{ranks:,} ranks do not fit on {hosts:,} hosts of {gpus_per_host} GPUs ({hosts * gpus_per_host:,} GPUs)",
            where="placement.group",
            hint=f"they need {needed:,} hosts; or gpus: {hosts * gpus_per_host}",
            code="FP4022",
        )


def fill_hosts(host_order: Any, free: Bools, ranks: int) -> Ints:
    """Put consecutive ranks on the free GPUs of one host after the other, shape (ranks, 2).

    >>> fill_hosts([2, 0], np.array([[True, True], [True, True], [False, True]]), 3).tolist()
    [[2, 1], [0, 0], [0, 1]]
    """
    order = np.asarray(host_order, dtype=np.int64)
    place, gpu = np.nonzero(free[order])
    return column(np.stack([order[place], gpu], axis=1)[:ranks], np.int32)


def gpu_group(inventory: Inventory, name: str | None) -> str:
    """The group ranks run on: the one named, or the only one with GPUs.

    Raises
    ------
    TrafficError
        When the name is unknown, the group has no GPUs, or several groups have (FP4023).
    """
    if name is not None:
        inventory.check_group(name, where="placement.group")
        if inventory.groups and inventory.gpus_per_host(name, where="placement.group") == 0:
            raise TrafficError(
                f"hosts of group {name!r} have no GPUs",
                where="placement.group",
                hint=f"groups with GPUs: {', '.join(_with_gpus(inventory)) or 'none'}",
                code="FP4023",
            )
        return name
    if not inventory.groups:
        return "hosts"
    found = _with_gpus(inventory)
    if len(found) != 1:
        raise TrafficError(
            f"which nodes does this job run on? {len(found)} groups have GPUs",
            where="placement.group",
            hint=f"say placement: {{group: {found[0]}}}" if found else "choose a node model with GPUs",
            code="FP4023",
        )
    return found[0]


def _with_gpus(inventory: Inventory) -> list[str]:
    return [name for name, group in inventory.groups.items() if group.gpus_per_host]
