"""What a training job assumes because the scenario does not say, in words, with the key that overrides it."""

from __future__ import annotations

from topologies.catalogue import GpuModel
from topologies.units import format_bytes, percent
from traffic.placement import Placement
from traffic.storage.keys import CheckpointSpec, DatasetSpec
from traffic.training.compute_time import memory_bytes_per_s
from traffic.training.kernels import FILL, TILE
from traffic.training.keys import GATHERED, Compute, Memory
from traffic.training.phases import StepPlan
from traffic.workload import GpuMemory


def assumptions(
    plan: StepPlan,
    compute: Compute | None,
    gpu: GpuModel | None,
    placement: Placement,
    checkpoint: CheckpointSpec | None,
    dataset: DatasetSpec | None,
    filled: frozenset[str],
) -> list[str]:
    """The model's simplifications and the defaults of nested keys.

    Parameters
    ----------
    filled : frozenset of str
        Keys that an argument line gave.
    """
    stated = _of_compute(plan, compute, gpu)
    stated += _of_layout(plan, filled)
    stated += _of_collectives(plan)
    if "order" not in placement.model_fields_set:
        stated.append(f"ranks are placed {placement.order} (placement.order)")
    step = plan.step
    if "micro" not in step.batch.model_fields_set:
        stated.append(f"a micro-batch is {step.batch.micro} sequence (batch.micro)")
    for key in ("params", "grads", "optimizer"):
        if key not in step.precision.model_fields_set:
            stated.append(f"{key} are {getattr(step.precision, key)} (precision.{key})")
    if checkpoint is not None:
        stated.append(
            f"a checkpoint is {step.state_bytes_per_parameter} B per parameter, sharded evenly over GPUs (precision)"
        )
        if "replication" not in checkpoint.model_fields_set:
            stated.append(f"storage keeps {checkpoint.replication} copies (checkpoint.replication)")
    if dataset is not None and "per" not in dataset.model_fields_set:
        stated.append("the dataset rate is per GPU (dataset.per)")
    return stated


def _of_compute(plan: StepPlan, compute: Compute | None, gpu: GpuModel | None) -> list[str]:
    """How the time of GPUs is known, and what of it is left out."""
    causal = plan.step.attention == "causal"
    halved, each = (" (causal)", 6) if causal else (" (all scores, as PaLM and Megatron count)", 12)
    counted = f"FLOPs per token are 6 x parameters + {each} x layers x hidden x sequence{halved}, no recompute"
    stated = [f"{counted} (compute.attention)"]
    if compute is None:
        return stated
    memory = memory_bytes_per_s(compute, gpu)
    if compute.kernel_efficiency is None:
        stated.append(
            "the ideal step is FLOPs over GPUs x peak x MFU; compute is what ideal communication, bubble and optimizer "
            "leave of it, and congestion adds to it (compute.mfu)"
        )
        if compute.mfu is not None and {"kernel_sizes", "attention_kernel"} & compute.model_fields_set:
            stated.append("sizes and kinds of kernels change no time beside an MFU (compute.kernel_efficiency)")
    else:
        stated += _of_kernels(compute, gpu)
    if memory is None:
        stated.append(
            "the rate of the GPUs' memory is not known: optimizer, norms, sums and activation functions take no time "
            "(compute.memory_rate, nodes.model)"
        )
    elif compute.memory_rate is None:
        stated.append(f"the GPUs' memory moves {format_bytes(memory)}/s, as the node model says (compute.memory_rate)")
    return stated


def _of_kernels(compute: Compute, gpu: GpuModel | None) -> list[str]:
    """What building the time up from kernels assumes."""
    stated = [
        f"large matrix kernels reach {percent(compute.kernel_efficiency, 1)} of the peak; starting kernels takes no "
        "time (compute.kernel_efficiency)"
    ]
    if compute.kernel_sizes:
        waves = f", in waves over {gpu.processors} processors" if gpu and gpu.processors else ""
        stated.append(
            f"products are cut into tiles of {TILE} x {TILE} that fill for {FILL} elements{waves}: narrow ones are "
            "slower (compute.kernel_sizes)"
        )
    kernel = "in one kernel that moves no scores" if compute.attention_kernel == "fused" else "with scores in memory"
    if "attention_kernel" not in compute.model_fields_set:
        stated.append(f"attention runs {kernel} (compute.attention_kernel)")
    return stated


def _of_layout(plan: StepPlan, filled: frozenset[str]) -> list[str]:
    step, parallelism, sizes = plan.step, plan.parallelism, plan.step.grid.sizes
    stated = []
    if sizes["pp"] > 1:
        stated += _of_schedule(plan)
    if sizes["pp"] > 1 and sizes["tp"] > 1 and "scatter_gather" not in parallelism.model_fields_set:
        stated.append("each tensor rank sends its share of a stage boundary (parallelism.scatter_gather)")
    if "dp" not in parallelism.model_fields_set:
        stated.append(f"dp is {sizes['dp']}: what the GPUs leave (parallelism.dp)")
    if "order" not in parallelism.model_fields_set and step.grid.ranks > 1:
        stated.append(f"ranks are numbered {parallelism.order} (parallelism.order)")
    experts = step.shape.experts
    if experts is not None and experts.groups is not None and (experts.group_limit or experts.groups) < experts.groups:
        stated.append(
            f"a token's experts are in {experts.group_limit} of {experts.groups} groups of "
            f"{experts.count // experts.groups} neighbouring experts, on whatever hosts those are (model)"
        )
    if sizes["cp"] > 1:
        stated.append("gradients are reduced over data and context parallel ranks together")
    folded = step.grid.folded
    if folded is not None and step.shape.experts is not None:
        stated.append(
            "tokens go to all experts evenly; experts lie over the ranks of attention, "
            f"etp {folded.sizes['tp']} x ep {folded.sizes['ep']} in {folded.sizes['dp']} copies (parallelism.etp)"
        )
    elif sizes["ep"] > 1:
        stated.append(
            "tokens go to all experts evenly; dp counts copies of the experts, so data parallel ranks are dp x ep"
        )
    if filled:
        stated.append(f"{', '.join(sorted(filled))} as the Megatron-LM arguments say")
    return stated


def memory_assumptions(plan: StepPlan, memory: Memory, compute: Compute | None, worst: GpuMemory) -> list[str]:
    """What the memory of a GPU is counted with."""
    step = plan.step
    stated = [
        f"a GPU keeps {format_bytes(worst.reserved)} free for driver, libraries' buffers, workspaces and fragments, "
        "which are not counted (memory.reserved)"
    ]
    if worst.capacity is None:
        stated.append("the memory of a GPU is not known: whether the layout fits is left open (memory.gpu)")
    if compute is None or "attention_kernel" not in compute.model_fields_set:
        stated.append("attention keeps no scores in a GPU's memory, as FlashAttention (compute.attention_kernel)")
    if memory.dropout is None:
        stated.append("no masks of dropout are kept (memory.dropout)")
    if step.schedule.stages > 1:
        stated.append(f"activations: a stage keeps {step.schedule.kept}, as {step.schedule.name} orders them")
    if step.shape.experts is not None:
        stated.append("activations of experts: every GPU gets as many tokens as the others (memory)")
    return stated


def _of_schedule(plan: StepPlan) -> list[str]:
    """How stages take turns, and which of their sends the step waits for."""
    schedule, parallelism = plan.step.schedule, plan.parallelism
    stated = []
    if parallelism.schedule is None and schedule.chunks == 1:
        stated.append("one chunk of layers per stage, run as 1F1B (parallelism.schedule, parallelism.vpp)")
    elif parallelism.schedule is None:
        stated.append(f"{schedule.chunks} chunks of layers per stage take turns, interleaved (parallelism.schedule)")
    if "vpp" not in parallelism.model_fields_set and schedule.chunks > 1:
        stated.append(f"{schedule.name} has {schedule.chunks} chunks of layers per stage (parallelism.vpp)")
    if schedule.copies > 1:
        stated.append("stages hold the layers of two places, every layer is there twice (parallelism.schedule)")
    if plan.overlap.pipeline:
        stated.append(
            f"the step waits for {percent(schedule.waited_share, 0)} of the busiest stage's sends, as {schedule.name} "
            "orders them (parallelism.schedule, overlap.pipeline)"
        )
    else:
        stated.append("the step waits for all sends between stages (overlap.pipeline)")
    return stated


def _of_collectives(plan: StepPlan) -> list[str]:
    sizes, collectives, overlap = plan.step.grid.sizes, plan.collectives, plan.overlap
    stated = []
    if "algorithm" not in collectives.model_fields_set:
        stated.append(f"collectives use the {collectives.algorithm} algorithm (collectives.algorithm)")
    if "library" not in collectives.model_fields_set:
        stated.append("rings keep to rails, as NCCL's do (collectives.library)")
    exchanged = plan.step.grid.experts.sizes["ep"] > 1 and collectives.dispatch == "all-to-all"
    if (exchanged or (sizes["cp"] > 1 and collectives.context == "all-to-all")) and (
        "all_to_all" not in collectives.model_fields_set
    ):
        stated.append("all-to-all stays on its rail, as NCCL's does with PXN (collectives.all_to_all)")
    if sizes["dp"] * sizes["cp"] * sizes["ep"] > 1:
        if overlap.grad_reduce is None and plan.sharding not in GATHERED:
            stated.append(
                "data-parallel collectives do not overlap compute (overlap.grad_reduce, overlap.param_gather)"
            )
        if plan.sharding in GATHERED and plan.sharding_groups.reshard:
            stated.append(
                "parameters are gathered twice in every micro-batch, before forward and before backward (sharding)"
            )
        if plan.step.micro_batches > 1 and plan.sharding in ("zero2", *GATHERED):
            stated.append("gradients of micro-batches are added up and reduced once in a step (sharding.reduce)")
    return stated
