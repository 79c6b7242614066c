"""The ``on_failure:`` key: what a job does when its hosts or its traffic fail, and what that costs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from pydantic import Field

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import CountOrZero, TimeS, format_seconds
from traffic.workload import JobOnFailure, WorkloadContext

JobReaction = Literal["stall", "restart", "shrink", "lose-rail"]
STALL, RESTART, SHRINK, LOSE_RAIL = get_args(JobReaction)
# Jiang et al., MegaScale, NSDI 2024: failures are detected and diagnosed in less than 10 minutes.
RESTART_S = 600.0


class OnFailure(Spec):
    """What a job does when something that it needs fails."""

    reaction: JobReaction | None = Field(
        default=None,
        description="stall: waits for the repair; restart: from the last checkpoint, on spare hosts; shrink: goes on "
        "without the replicas that it lost; lose-rail: goes on over a host's other NICs. Default: restart where it "
        "says how often it writes checkpoints, else stall",
        examples=["restart"],
    )
    spares: CountOrZero | None = Field(
        default=None, description="Hosts that stand by for it; default: those of its group that no job uses"
    )
    restart_time: TimeS | None = Field(
        default=None,
        description="From a failure until the job computes again, without reading its checkpoint; default: 10 min",
        examples=["10 min"],
    )
    checkpoint_every: TimeS | None = Field(
        default=None,
        description="Time between checkpoints; default: checkpoint.every",
        examples=["30 min"],
    )


@dataclass(frozen=True)
class JobLayout:
    """What a job's reactions depend on."""

    seats: tuple[str, ...]  # its names in the occupancy of GPUs
    fabric: str  # of its collectives
    replica_gpus: int  # GPUs that stop with any one of them where it shrinks
    replicas: int
    checkpoint_every_s: float | None = None  # as its own key says
    has_state: bool = False  # that is lost back to a checkpoint


def job_on_failure(spec: OnFailure | None, layout: JobLayout, context: WorkloadContext) -> JobOnFailure:
    """How a job reacts: as it says, or as follows from the rest of its keys.

    Raises
    ------
    TrafficError
        When a key means nothing for the reaction, contradicts another, or the job cannot react so (FP4080).
    """
    given = spec or OnFailure()
    every = given.checkpoint_every if given.checkpoint_every is not None else layout.checkpoint_every_s
    reaction = given.reaction
    if reaction is None:
        reaction = RESTART if every is not None or given.spares or given.restart_time is not None else STALL
    groups, hosts, gpus = _hosts(layout, context)
    nics = min(_nics(group, layout.fabric, context) for group in groups)
    _check(given, reaction, layout, every, nics)
    return JobOnFailure(
        reaction=reaction,
        given=given.reaction is not None,
        spares=given.spares,
        restart_s=RESTART_S if given.restart_time is None else given.restart_time,
        restart_given=given.restart_time is not None,
        checkpoint_every_s=every,
        groups=groups,
        hosts=hosts,
        gpus=gpus,
        replica_gpus=layout.replica_gpus,
        fabric=layout.fabric,
        nics=nics,
    )


def _hosts(layout: JobLayout, context: WorkloadContext) -> tuple[tuple[str, ...], tuple[str, ...], Ints]:
    """Node groups and hosts that it was placed on, and its GPUs on each."""
    count: dict[str, Counter[int]] = {}
    for name in layout.seats:
        group, placed = context.occupancy.seats[name]
        count.setdefault(group, Counter()).update(placed[:, 0].tolist())
    hosts, gpus = [], []
    for group, on_host in count.items():
        names = context.inventory.host_names(layout.fabric, group)
        hosts += [names[host] for host in sorted(on_host)]
        gpus += [on_host[host] for host in sorted(on_host)]
    return tuple(count), tuple(hosts), column(gpus, np.int32)


def _nics(group: str, fabric: str, context: WorkloadContext) -> int:
    """NICs of each host of a group on a fabric."""
    groups = context.inventory.groups
    return groups[group].nics[fabric].nics if group in groups and fabric in groups[group].nics else 1


def _check(spec: OnFailure, reaction: JobReaction, layout: JobLayout, every: float | None, nics: int) -> None:
    """Refuse what contradicts itself."""

    def refuse(key: str, message: str, hint: str) -> TrafficError:
        return TrafficError(message, where=f"on_failure.{key}", hint=hint, code="FP4080")

    own = layout.checkpoint_every_s
    if spec.checkpoint_every is not None and own is not None and spec.checkpoint_every != own:
        raise refuse(
            "checkpoint_every",
            f"{format_seconds(spec.checkpoint_every)}, and checkpoint.every says {format_seconds(own)}",
            "say it once, in checkpoint.every",
        )
    if spec.checkpoint_every == 0:
        raise refuse("checkpoint_every", "checkpoints have time between them", "checkpoint_every: 30 min")
    if reaction == STALL:
        for key in ("spares", "restart_time"):
            if getattr(spec, key) is not None:
                raise refuse(key, f"a job that stalls waits for the repair: {key} means nothing", "reaction: restart")
    if reaction == RESTART and layout.has_state and every is None:
        raise refuse(
            "checkpoint_every",
            "how much a restart loses is not known: nothing says how often checkpoints are written",
            "add checkpoint_every: 30 min, or every to checkpoint",
        )
    if reaction in (SHRINK, LOSE_RAIL) and spec.spares:
        raise refuse("spares", f"a job with reaction {reaction} takes no spare hosts", "reaction: restart")
    if reaction == SHRINK and layout.replicas < 2:
        raise refuse(
            "reaction", "the job is one replica: without part of it nothing is left", "reaction: restart or stall"
        )
    if reaction == LOSE_RAIL and nics < 2:
        raise refuse(
            "reaction",
            f"its hosts have one NIC on {layout.fabric}: no other can take its traffic",
            "reaction: restart or stall",
        )
