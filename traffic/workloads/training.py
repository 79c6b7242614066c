"""``training``: a dense transformer trained with tensor, context, pipeline and data parallelism."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count
from traffic.inventory import Inventory
from traffic.parallelism import DIMENSIONS, Parallelism, RankGrid
from traffic.placement import Placement, PlacementSite, check_room, gpu_group
from traffic.seats import Seats, collective, collective_phase, host_names, run, seats_of
from traffic.storage import (
    CheckpointSpec,
    DatasetSpec,
    check_replication,
    checkpoint_phase,
    dataset_phase,
    storage_fabric,
)
from traffic.training import Batch, Collectives, Compute, Precision, TrainingStep, training_step
from traffic.transformer import ModelSpec, resolve_model
from traffic.workload import WORKLOADS, GroupShape, Phase, WorkloadContext, WorkloadTraffic

_EXAMPLE = {
    "model": {"layers": 8, "hidden": 1024, "ffn_hidden": 4096, "heads": 16, "kv_heads": 4, "vocab": 32000},
    "batch": {"global": 64, "micro": 1, "sequence": 2048},
    "compute": {"peak": "989 TFLOP/s", "efficiency": 0.4},
    "optimizer_sharding": "zero1",
}


@WORKLOADS.register("training", example=_EXAMPLE)
def training(
    model: ModelSpec,
    batch: Batch,
    compute: Compute | None = None,
    parallelism: Parallelism = Parallelism(),
    precision: Precision = Precision(),
    optimizer_sharding: Literal["none", "zero1"] = "none",
    collectives: Collectives = Collectives(),
    placement: Placement = Placement(),
    gpus: Count | None = None,
    fabric: str | None = None,
    checkpoint: CheckpointSpec | None = None,
    dataset: DatasetSpec | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """One step of training a dense transformer: its collectives, checkpoints and dataset reads.

    Parameters
    ----------
    model : ModelShape or HfConfigFile
        Shape of the model, written out or from a Hugging Face config.json.
    batch, compute, parallelism, precision, collectives, placement : Spec
        See their fields.
    optimizer_sharding : {'none', 'zero1'}
        ``zero1`` replaces the all-reduce of gradients by their reduce-scatter and an all-gather of parameters.
    gpus : int, optional
        Ranks of the job; all GPUs of the placement's group if absent.
    fabric : str, optional
        Fabric of the collectives; the one on which the group has a NIC per GPU if absent.
    checkpoint, dataset : Spec, optional
        Traffic to and from storage.

    Returns
    -------
    WorkloadTraffic
        Phases ``tp.all_reduce``, ``cp.send_recv``, ``pp.send_recv``, ``dp.reduce_scatter`` and ``dp.all_gather`` or
        ``dp.all_reduce``, ``checkpoint``, ``dataset``; those of a dimension of size 1 are left out.

    References
    ----------
    Narayanan et al., SC 2021; Rajbhandari et al. (ZeRO), SC 2020.
    """
    inventory = context.inventory
    if compute is not None and not 0 < compute.efficiency <= 1:
        raise TrafficError(
            f"efficiency is {compute.efficiency:g}; it is a share of the peak, above 0 and at most 100%",
            where="compute.efficiency",
            hint="0.35 to 0.5 is usual for large dense models",
            code="FP4016",
        )
    shape = resolve_model(model, context.directory)
    group = gpu_group(inventory, placement.group)
    network = inventory.fabric(fabric, group=group)
    hosts = host_names(inventory, network, group)
    per_host = inventory.gpus_per_host(group, where="placement.group")
    ranks = gpus if gpus is not None else len(hosts) * per_host
    check_room(ranks, len(hosts), per_host)
    grid = parallelism.resolve(ranks)
    step = training_step(shape, grid, batch, precision)
    placed = placement.place(PlacementSite(hosts, per_host, grid, context.rng, context.directory))
    seats = seats_of(inventory, network, group, placed)
    queue_pairs = collectives.qps_per_connection or 1
    phases = [
        replace(phase, flows_per_pair=queue_pairs)
        for phase in _step_phases(step, seats, collectives.algorithm, sharded=optimizer_sharding == "zero1")
    ]
    gpus_of_host = np.bincount(seats.hosts, minlength=len(hosts))
    if checkpoint is not None:
        phases.append(_checkpoint(inventory, group, gpus_of_host, checkpoint, step))
    if dataset is not None:
        phases.append(_dataset(inventory, group, gpus_of_host, dataset))
    return WorkloadTraffic(
        id=context.id,
        kind="training",
        phases=tuple(phases),
        groups={name: GroupShape(grid.sizes[name], ranks // grid.sizes[name]) for name in DIMENSIONS},
        ranks=ranks,
        parameters=step.parameters,
        parameters_per_rank=step.parameters_per_rank,
        tokens_per_step=step.tokens,
        flops_per_step=step.flops,
        checkpoint_bytes=step.checkpoint_bytes,
        compute_s=None if compute is None else step.compute_s(compute),
        assumptions=tuple(_assumptions(step, parallelism, placement, collectives, checkpoint, dataset))
        + tuple(_defaults(gpus, fabric, optimizer_sharding, network, ranks, group)),
        warnings=() if compute is not None else ("no compute key: the time of a step is not known",),
        checkpoint_every_s=None if checkpoint is None else checkpoint.every,
        checkpoint_deadline_s=None if checkpoint is None else checkpoint.deadline,
        not_modelled=tuple(
            f"collectives.{key}" for key in ("library", "channels") if getattr(collectives, key) is not None
        ),
    )


# ---- collectives -----------------------------------------------------------------------------------------------------


def _step_phases(step: TrainingStep, seats: Seats, algorithm: str, *, sharded: bool) -> list[Phase]:
    """Phases of one step, those between GPUs first inside the layer, then over the step."""
    sizes, grid = step.grid.sizes, step.grid
    phases = []
    if sizes["tp"] > 1:
        phases.append(
            _grouped("tp.all_reduce", "all-reduce", algorithm, grid, ("tp",), seats, step.tensor_payload_bytes)
        )
    if sizes["cp"] > 1:
        around = run("ring-send-recv", sizes["cp"], step.context_payload_bytes)
        phases.append(
            collective_phase(
                "cp.send_recv",
                "ring-send-recv",
                seats,
                [(around, grid.groups("cp"))],
                payload_bytes=step.context_payload_bytes,
                sent_bytes=around.sent_bytes_per_rank,
                overlaps_compute=True,
            )
        )
    if sizes["pp"] > 1:
        phases.append(_pipeline(step, seats))
    data = ("dp", "cp")
    if sizes["dp"] * sizes["cp"] > 1 and sharded:
        phases += [
            _grouped("dp.reduce_scatter", "reduce-scatter", algorithm, grid, data, seats, step.gradient_bytes),
            _grouped("dp.all_gather", "all-gather", algorithm, grid, data, seats, step.parameter_bytes),
        ]
    elif sizes["dp"] * sizes["cp"] > 1:
        phases.append(_grouped("dp.all_reduce", "all-reduce", algorithm, grid, data, seats, step.gradient_bytes))
    return phases


def _grouped(
    name: str, operation: str, algorithm: str, grid: RankGrid, dimensions: tuple[str, ...], seats: Seats, payload: float
) -> Phase:
    groups = grid.groups(*dimensions)
    called, traffic = collective(algorithm, operation, groups.shape[1], payload)
    sent = traffic.sent_bytes_per_rank
    return collective_phase(name, called, seats, [(traffic, groups)], payload_bytes=payload, sent_bytes=sent)


def _pipeline(step: TrainingStep, seats: Seats) -> Phase:
    """Activations to the next stage and gradients back; a middle stage sends both, of two stages each sends one."""
    stages = step.grid.groups("pp")
    one_way = step.pipeline_payload_bytes
    traffic = run("send-recv", stages.shape[1], one_way)
    busiest = one_way * (2 if stages.shape[1] > 2 else 1)
    return collective_phase(
        "pp.send_recv",
        "send-recv",
        seats,
        [(traffic, stages), (traffic, stages[:, ::-1])],
        payload_bytes=busiest,
        sent_bytes=busiest,
        overlaps_compute=True,
    )


# ---- storage ---------------------------------------------------------------------------------------------------------


def _checkpoint(
    inventory: Inventory, group: str, gpus_of_host: np.ndarray, spec: CheckpointSpec, step: TrainingStep
) -> Phase:
    try:
        fabric = storage_fabric(inventory, spec.fabric, group, spec.target, servers_key="target")
        servers = inventory.host_endpoints(fabric, spec.target, where="target")
        clients = inventory.host_endpoints(fabric, group, where="fabric")
        check_replication(spec.replication, len(servers))
    except TrafficError as error:
        raise error.under("checkpoint") from error
    used = gpus_of_host > 0
    share = column(gpus_of_host[used] * (step.checkpoint_bytes / step.grid.ranks), np.float64)
    return checkpoint_phase(fabric, clients[used], servers, share, step.grid.ranks, spec.replication)


def _dataset(inventory: Inventory, group: str, gpus_of_host: np.ndarray, spec: DatasetSpec) -> Phase:
    try:
        fabric = storage_fabric(inventory, spec.fabric, group, spec.source, servers_key="source")
        servers = inventory.host_endpoints(fabric, spec.source, where="source")
        clients = inventory.host_endpoints(fabric, group, where="fabric")
    except TrafficError as error:
        raise error.under("dataset") from error
    used = gpus_of_host > 0
    gpus = column(gpus_of_host[used], np.int32)
    return dataset_phase(fabric, clients[used], servers, gpus, spec.read, spec.per)


# ---- what is assumed -------------------------------------------------------------------------------------------------


def _assumptions(
    step: TrainingStep,
    parallelism: Parallelism,
    placement: Placement,
    collectives: Collectives,
    checkpoint: CheckpointSpec | None,
    dataset: DatasetSpec | None,
) -> list[str]:
    """The model's simplifications and the defaults of nested keys, in words."""
    sizes = step.grid.sizes
    said = [
        "compute time is FLOPs over peak x efficiency; pipeline bubble and kernel losses are inside compute.efficiency",
        "FLOPs per token are 6 x parameters + 6 x layers x hidden x sequence (causal attention), no recompute",
    ]
    if sizes["pp"] > 1:
        said.append(
            "pipeline stages are equal; embedding and head are averaged over them; one chunk of layers per stage"
        )
    if sizes["dp"] > 1:
        said.append("data-parallel rings follow rank order and do not overlap compute")
    if sizes["cp"] > 1:
        said.append("gradients are reduced over data and context parallel ranks together")
    if "dp" not in parallelism.model_fields_set:
        said.append(f"dp is {sizes['dp']}: what the GPUs leave (parallelism.dp)")
    if "order" not in parallelism.model_fields_set and step.grid.ranks > 1:
        said.append(f"ranks are numbered {parallelism.order} (parallelism.order)")
    if "order" not in placement.model_fields_set:
        said.append(f"ranks are placed {placement.order} (placement.order)")
    if "algorithm" not in collectives.model_fields_set:
        said.append(f"collectives use the {collectives.algorithm} algorithm (collectives.algorithm)")
    if "micro" not in step.batch.model_fields_set:
        said.append(f"a micro-batch is {step.batch.micro} sequence (batch.micro)")
    for key in ("params", "grads", "optimizer"):
        if key not in step.precision.model_fields_set:
            said.append(f"{key} are {getattr(step.precision, key)} (precision.{key})")
    if checkpoint is not None:
        said.append(
            f"a checkpoint is {step.state_bytes_per_parameter} B per parameter, sharded evenly over GPUs (precision)"
        )
        if "replication" not in checkpoint.model_fields_set:
            said.append(f"storage keeps {checkpoint.replication} copies (checkpoint.replication)")
    if dataset is not None and "per" not in dataset.model_fields_set:
        said.append("the dataset rate is per GPU (dataset.per)")
    return said


def _defaults(
    gpus: int | None, fabric: str | None, optimizer_sharding: str, network: str, ranks: int, group: str
) -> list[str]:
    """The defaults of the workload's own keys, in words."""
    said = []
    if gpus is None:
        said.append(f"the job uses all {ranks:,} GPUs of {group} (gpus)")
    if fabric is None:
        said.append(f"collectives use the fabric {network} (fabric)")
    if optimizer_sharding == "none":
        said.append("optimizer state is not sharded; gradients are all-reduced (optimizer_sharding)")
    return said
