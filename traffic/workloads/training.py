"""``training``: a transformer trained with tensor, context, pipeline, expert and data parallelism."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count
from traffic.expert_load_file import ExpertLoadFile
from traffic.on_failure import JobLayout, OnFailure, job_on_failure
from traffic.parallelism import DIMENSIONS, Parallelism, RankGrid
from traffic.placement import GpuPool, Placement, check_room, gpu_group
from traffic.scale_up import Joined
from traffic.seats import seats_of
from traffic.storage.keys import CheckpointSpec, DatasetSpec
from traffic.training.assumptions import assumptions, memory_assumptions
from traffic.training.compute_time import compute_time
from traffic.training.expert_load import check_expert_keys, expert_figures, load_of_experts
from traffic.training.keys import (
    BYTES_OF,
    Batch,
    Collectives,
    Compute,
    Memory,
    Overlap,
    Precision,
    Recompute,
    Sharding,
    ShardingGroups,
    check_compute,
)
from traffic.training.megatron import with_run
from traffic.training.memory import does_not_fit, memory_of_stages, worst_stage
from traffic.training.phases import StepPlan, step_phases
from traffic.training.plan import JobSite
from traffic.training.step import TrainingStep, training_step
from traffic.training.storage import checkpoint_phases, dataset_phases, limits_of_checkpoint
from traffic.transformer.parameters import active_parameter_count
from traffic.transformer.source import ModelSource, ModelSpec, read_model
from traffic.transformer.work import kv_bytes_per_token
from traffic.workload import (
    WORKLOADS,
    GroupShape,
    ModelFigures,
    WorkloadContext,
    WorkloadTraffic,
)

_EXAMPLE = {
    "model": {"layers": 8, "hidden": 1024, "ffn_hidden": 4096, "heads": 16, "kv_heads": 4, "vocab": 32000},
    "batch": {"global": 64, "micro": 1, "sequence": 2048},
    "compute": {"peak": "989 TFLOP/s", "kernel_efficiency": 0.75},
    "optimizer_sharding": "zero1",
}


@WORKLOADS.register("training", example=_EXAMPLE)
def training(
    model: ModelSpec,
    batch: Batch | None = None,
    compute: Compute | None = None,
    parallelism: Parallelism | None = None,
    precision: Precision | None = None,
    optimizer_sharding: Sharding | None = None,
    sharding: ShardingGroups = ShardingGroups(),
    recompute: Recompute | None = None,
    overlap: Overlap | None = None,
    collectives: Collectives = Collectives(),
    placement: Placement = Placement(),
    gpus: Count | None = None,
    fabric: str | None = None,
    checkpoint: CheckpointSpec | None = None,
    dataset: DatasetSpec | None = None,
    expert_load: ExpertLoadFile | None = None,
    memory: Memory = Memory(),
    on_failure: OnFailure | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """One step of training a transformer: its collectives, checkpoints and dataset reads.

    Parameters
    ----------
    model : ModelShape, HfConfigFile or MegatronArguments
        Shape of the model, written out, from a Hugging Face config.json, or from a Megatron-LM argument line. The line
        also says what the keys below leave open.
    batch, compute, parallelism, precision, collectives, placement, sharding, overlap : Spec
        See their fields.
    optimizer_sharding : {'none', 'zero1', 'distributed-optimizer', 'zero2', 'zero3', 'fsdp'}
        ``zero1``, ``distributed-optimizer`` and ``zero2`` replace the all-reduce of gradients by their reduce-scatter
        and an all-gather of parameters; ``zero3`` and ``fsdp`` gather parameters before forward and before backward.
    recompute : {'none', 'selective', 'experts', 'full'}
        Full recompute runs every layer's forward again, with its communication; experts those of dispatch and combine.
    gpus : int, optional
        Ranks of the job; all GPUs of the placement's group if absent.
    fabric : str, optional
        Fabric of the collectives; the one on which the group has a NIC per GPU if absent.
    checkpoint, dataset : Spec, optional
        Traffic to and from storage.
    expert_load : ExpertLoadFile, optional
        File of the tokens that each expert got, by layer or for all layers; all get as many if absent.
    memory : Memory
        What a GPU has room for; whether the layout fits is said.
    on_failure : OnFailure, optional
        What the job does when its hosts or its traffic fail: what a month of failures costs depends on it.

    Returns
    -------
    WorkloadTraffic
        Phases ``tp.*``, ``cp.*``, ``ep.dispatch`` and ``ep.combine``, ``etp.*``, ``pp.send_recv``,
        ``embedding.all_reduce``, ``dp.*`` (dense parameters), ``edp.*`` (routed experts), ``checkpoint``, ``dataset``;
        those of a dimension of size 1 are left out.

    References
    ----------
    Narayanan et al., SC 2021; Rajbhandari et al. (ZeRO), SC 2020; DeepSeek-V3, arXiv 2412.19437.
    """
    inventory = context.inventory
    check_compute(compute)
    source = read_model(model, context.directory)
    context.say(*source.notes)
    group = gpu_group(inventory, placement.group)
    network = inventory.fabric(fabric, group=group)
    pool = GpuPool.of(placement, context, group, network)
    ranks = gpus if gpus is not None else _all_free(pool, context)
    check_room(ranks, len(pool.hosts), pool.per_host)
    keys = with_run(
        source.run,
        batch,
        parallelism,
        precision,
        optimizer_sharding,
        recompute,
        overlap,
        collectives,
        sharding,
        ranks=ranks,
    )
    launched = source.run.launched if source.run else None
    if launched not in (None, ranks):
        context.say(f"the script starts {launched:,} ranks; the job is planned with {ranks:,} (gpus)")
    grid = keys.parallelism.resolve(ranks)
    step = training_step(
        source.shape,
        grid,
        keys.batch,
        keys.precision,
        keys.parallelism,
        attention=compute.attention if compute is not None else "full",
        recomputed=keys.recompute == "full",
    )
    placed = pool.place(placement, grid, context, context.id)
    seats = seats_of(inventory, network, group, placed)
    plan = StepPlan(
        step,
        seats,
        keys.parallelism,
        keys.collectives,
        keys.sharding,
        keys.sharding_groups,
        keys.overlap,
        keys.recompute,
        JobSite(inventory, group, pool.per_host),
        load_of_experts(source.shape, expert_load, context.directory),
    )
    check_expert_keys(keys.collectives, plan.expert_load)
    gpu = inventory.groups[group].gpu if group in inventory.groups else None
    between_ranks = step_phases(plan)
    phases = [*between_ranks]
    joined = Joined(seats.links, group, pool.per_host, len(pool.hosts))
    context.say(*joined.notes(between_ranks))
    gpus_of_host = np.bincount(seats.hosts, minlength=len(pool.hosts))
    if checkpoint is not None:
        phases += checkpoint_phases(inventory, group, seats.hosts, checkpoint, plan)
    if dataset is not None:
        phases += dataset_phases(inventory, group, column(gpus_of_host, np.int32), dataset)
    memory = _with_dropout(memory, source)
    needed = memory_of_stages(plan, memory, compute, gpu.memory if gpu else None)
    unfit = does_not_fit(plan, memory, compute, worst_stage(needed))
    return WorkloadTraffic(
        id=context.id,
        kind="training",
        phases=tuple(phases),
        groups=_groups(grid, step),
        ranks=ranks,
        model=expert_figures(_figures(step, source), plan),
        checkpoint_bytes=step.checkpoint_bytes,
        memory=needed,
        compute=None if compute is None else compute_time(plan, compute, gpu),
        assumptions=tuple(assumptions(plan, compute, gpu, placement, checkpoint, dataset, keys.given))
        + tuple(_defaults(gpus, fabric, keys.sharding, network, ranks, group))
        + tuple(joined.assumptions(between_ranks, ranks))
        + tuple(memory_assumptions(plan, memory, compute, worst_stage(needed))),
        warnings=(() if compute is not None else ("no compute key: the time of a step is not known",))
        + ((unfit,) if unfit else ()),
        unfit=unfit,
        time_limits=() if checkpoint is None else limits_of_checkpoint(phases, checkpoint),
        on_failure=job_on_failure(on_failure, _layout(grid, network, checkpoint, context), context),
    )


def _layout(grid: RankGrid, network: str, checkpoint: CheckpointSpec | None, context: WorkloadContext) -> JobLayout:
    """What its reactions to failures depend on."""
    replicas = grid.sizes["dp"]
    every = checkpoint.every if checkpoint is not None else None
    return JobLayout((context.id,), network, grid.ranks // replicas, replicas, every, has_state=True)


def _with_dropout(memory: Memory, source: ModelSource) -> Memory:
    """Whether masks of dropout are kept: as the scenario says, or the arguments of the run."""
    if memory.dropout is not None or source.run is None:
        return memory
    return memory.model_copy(update={"dropout": source.run.dropout})


def _all_free(pool: GpuPool, context: WorkloadContext) -> int:
    """GPUs that no other job has."""
    if pool.free.any():
        return int(pool.free.sum())
    raise TrafficError(
        f"no GPU of {pool.group} is left: {', '.join(context.occupancy.jobs(pool.group))} take all",
        where="placement.group",
        hint="say gpus: for each job, or add hosts",
        code="FP4022",
    )


def _groups(grid: RankGrid, step: TrainingStep) -> dict[str, GroupShape]:
    """Communicators by dimension; with experts also those that hold the same dense parameters, and the same experts."""
    shapes = {name: GroupShape(grid.sizes[name], grid.ranks // grid.sizes[name]) for name in DIMENSIONS}
    if grid.folded is not None:
        sizes = {"etp": grid.folded.sizes["tp"], "ep": grid.folded.sizes["ep"], "edp": grid.folded.sizes["dp"]}
        return shapes | {name: GroupShape(size, grid.ranks // size) for name, size in sizes.items()}
    if step.shape.experts is not None:
        for name, size in (("dp-cp-ep", ("dp", "cp", "ep")), ("dp-cp", ("dp", "cp"))):
            ranks = int(np.prod([grid.sizes[part] for part in size]))
            shapes[name] = GroupShape(ranks, grid.ranks // ranks)
    return shapes


def _figures(step: TrainingStep, source: ModelSource) -> ModelFigures:
    return ModelFigures(
        parameters=step.parameters,
        parameters_active=active_parameter_count(step.shape),
        parameters_per_rank=step.parameters_per_rank,
        kv_bytes_per_token=kv_bytes_per_token(step.shape, BYTES_OF[step.precision.params]),
        tokens_per_step=step.tokens,
        flops=step.flops,
        bubble=step.bubble,
        schedule=step.schedule.name if step.schedule.stages > 1 else "",
        bubble_formula=step.schedule.bubble if step.schedule.stages > 1 else None,
        micro_batches=step.schedule.micro_batches,
        origin=source.origin,
        recognised=source.recognised,
        ignored=source.ignored,
    )


# ---- what is assumed -------------------------------------------------------------------------------------------------


def _defaults(
    gpus: int | None, fabric: str | None, optimizer_sharding: str, network: str, ranks: int, group: str
) -> list[str]:
    """The defaults of the workload's own keys, in words."""
    stated = []
    if gpus is None:
        stated.append(f"the job uses all {ranks:,} GPUs of {group} (gpus)")
    if fabric is None:
        stated.append(f"collectives use the fabric {network} (fabric)")
    if optimizer_sharding == "none":
        stated.append("optimizer state is not sharded; gradients are all-reduced (optimizer_sharding)")
    return stated
