"""``collective``: one collective over a set of GPUs, as nccl-tests runs it, alone or beside other jobs."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema

from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count, VolumeBytes, format_seconds, size_label
from traffic.library.call import LibraryCall
from traffic.library.hosts import generation_stated
from traffic.library.keys import LibrarySpec
from traffic.library.phase import Communicator, checked_operation, library_phase
from traffic.on_failure import JobLayout, OnFailure, job_on_failure
from traffic.parallelism import Parallelism
from traffic.placement import GpuPool, Placement, check_room, gpu_group
from traffic.scale_up import Joined
from traffic.seats import seats_of
from traffic.workload import WORKLOADS, GroupShape, WorkloadContext, WorkloadTraffic


def _listed(value: Any) -> Any:
    """One size as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


_ONE = {"type": "string", "examples": ["1 GiB"]}
_SIZES = {
    "anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}],
    "description": "Buffer of one call, or several, one after another",
    "examples": ["1 GiB", ["1 MiB", "64 MiB"]],
}
Sizes = Annotated[
    tuple[Annotated[VolumeBytes, Field(gt=0)], ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema(_SIZES),
]


@WORKLOADS.register("collective", example={"collective": "all-reduce", "size": "1 GiB"})
def collective(
    collective: str,
    size: Sizes,
    repeat: Count = 1,
    collectives: LibrarySpec = LibrarySpec(),
    placement: Placement = Placement(),
    gpus: Count | None = None,
    fabric: str | None = None,
    on_failure: OnFailure | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """One collective among GPUs, of one size or of several, as nccl-tests runs it.

    Parameters
    ----------
    collective : str
        ``all-reduce``, ``reduce-scatter``, ``all-gather``, ``all-to-all``, ``broadcast``, ``reduce`` or ``send-recv``.
    size : list of float
        Buffer of one call as nccl-tests counts it, the whole of one rank; one or several, each a phase of its own.
    repeat : int
        Calls in a row, each waiting for the one before.
    collectives, placement : Spec
        See their fields.
    gpus : int, optional
        Ranks; all GPUs of the placement's group that other jobs leave if absent.
    fabric : str, optional
        Fabric it crosses; the one on which the group has a NIC per GPU if absent.
    on_failure : OnFailure, optional
        What the job does when its hosts or its traffic fail.

    Returns
    -------
    WorkloadTraffic
        A phase for every size: ``all_reduce``, or with several sizes ``all_reduce.1MiB``.

    References
    ----------
    nccl-tests, doc/PERFORMANCE.md.
    """
    operation = checked_operation(collective)
    inventory = context.inventory
    group = gpu_group(inventory, placement.group)
    network = inventory.fabric(fabric, group=group)
    pool = GpuPool.of(placement, context, group, network)
    ranks = int(pool.free.sum()) if gpus is None else gpus
    if ranks < 2:
        raise TrafficError(
            f"a collective takes two ranks or more, and {ranks} would run it",
            where="gpus" if gpus is not None else "placement.group",
            hint="gpus: 2 or more" if gpus is not None else "leave it GPUs that no other job has",
            code="FP4022",
        )
    check_room(ranks, len(pool.hosts), pool.per_host)
    placed = pool.place(placement, Parallelism().resolve(ranks), context, context.id)
    seats = seats_of(inventory, network, group, placed)
    communicator = Communicator(inventory, group, seats, collectives, pool.per_host)
    base = operation.replace("-", "_")
    names = [base if len(size) == 1 else f"{base}.{size_label(volume)}" for volume in size]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise TrafficError(
            f"two sizes are {twice.partition('.')[2]}", where="size", hint="give each size once", code="FP4015"
        )
    made = [
        library_phase(operation, volume, communicator, name=name, repeat=repeat)
        for name, volume in zip(names, size, strict=True)
    ]
    phases = [phase for phase, _ in made]
    joined = Joined(seats.links, group, pool.per_host, len(pool.hosts))
    context.say(*joined.notes(phases))
    return WorkloadTraffic(
        id=context.id,
        kind="collective",
        phases=tuple(phases),
        groups={"collective": GroupShape(ranks, 1)},
        ranks=ranks,
        assumptions=(
            *(_carried(operation, volume, call) for volume, (_, call) in zip(size, made, strict=True)),
            *_defaults(communicator, gpus, fabric, placement, np.unique(seats.hosts).size),
            *joined.assumptions(phases, ranks),
        ),
        on_failure=job_on_failure(on_failure, JobLayout((context.id,), network, ranks, 1), context),
    )


def _carried(operation: str, size_bytes: float, call: LibraryCall) -> str:
    """How the library carries out one size."""
    predicted = "" if call.predicted_s is None else f"; NCCL's own model predicts {format_seconds(call.predicted_s)}"
    return (
        f"{operation} of {size_label(size_bytes)} runs as {call.algorithm}, protocol {call.protocol}, "
        f"{format_seconds(call.latency_s)} and {call.rounds:.3g} ways through the fabric beside its bytes{predicted} "
        "(collectives.algorithm, collectives.protocol, collectives.latency)"
    )


def _defaults(
    communicator: Communicator, gpus: int | None, fabric: str | None, placement: Placement, hosts: int
) -> list[str]:
    """Defaults of the workload's own keys, in words."""
    keys, seats, group = communicator.keys, communicator.seats, communicator.group
    stated = []
    if gpus is None:
        stated.append(f"all {len(seats.hosts):,} GPUs of {group} on {hosts:,} hosts take part (gpus)")
    if fabric is None:
        stated.append(f"it crosses the fabric {seats.fabric} (fabric)")
    if "order" not in placement.model_fields_set:
        stated.append(f"ranks are placed {placement.order} (placement.order)")
    return [*stated, *generation_stated(communicator.inventory, group, keys)]
