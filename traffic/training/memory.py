"""Memory of one GPU of every pipeline stage: weights, gradients, optimizer state, activations, gathered layers.

Left out: gradients of activations on their way back, workspaces of kernels, what the library and the driver take, and
fragments between allocations; ``memory.reserved`` is kept free for these.

References
----------
Rajbhandari et al., ZeRO, SC 2020, section 3 and figure 1; Korthikanti et al., arXiv 2205.05198, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from topologies.units import format_bytes
from traffic.training.activations import KeptActivations
from traffic.training.keys import BYTES_OF, GATHERED, MASTER_BYTES, MOMENTS_BYTES, Compute, Memory, Recompute, Sharding
from traffic.training.phases import StepPlan, state_ranks
from traffic.transformer.parameters import Weights, embedding, head, layer
from traffic.workload import GpuMemory

_LOGIT_BYTES = 4  # logits and their softmax are in fp32
_GATHERED_AT_ONCE = 2  # layers: the one that computes, and the next on its way


def memory_of_stages(
    plan: StepPlan, memory: Memory, compute: Compute | None, capacity_bytes: float | None
) -> tuple[GpuMemory, ...]:
    """Memory of a rank of every pipeline stage; all ranks of a stage need the same.

    Parameters
    ----------
    capacity_bytes : float, optional
        Memory of a GPU as its model has it; ``memory.gpu`` comes before it.
    """
    capacity = memory.gpu if memory.gpu is not None else capacity_bytes
    kept = kept_activations(plan, memory, compute)
    return tuple(
        GpuMemory(
            stage=stage,
            **_state(plan, stage),
            activations=_activations(plan, kept, stage),
            reserved=memory.reserved,
            capacity=capacity,
        )
        for stage in range(len(plan.step.stages))
    )


def kept_activations(plan: StepPlan, memory: Memory, compute: Compute | None) -> KeptActivations:
    """How the layers of a job keep their activations."""
    step, sizes, experts = plan.step, plan.step.grid.sizes, plan.step.grid.experts.sizes
    return KeptActivations(
        step.shape,
        tokens=step.batch.micro * step.batch.sequence / sizes["cp"],
        sequence=step.batch.sequence,
        tensor=sizes["tp"],
        width=step.activation_width,
        split_tokens=plan.parallelism.sp,
        fused=compute is None or compute.attention_kernel == "fused",
        dropout=bool(memory.dropout),
        recompute=plan.recompute,
        expert_tensor=experts["tp"],
        gathered_by=experts["tp"] * experts["ep"] if plan.collectives.dispatch == "all-gather" else 1,
    )


def _state(plan: StepPlan, stage: int) -> dict[str, float]:
    """Bytes of weights, gradients, optimizer state and gathered layers."""
    step, precision = plan.step, plan.step.precision
    dense, experts = step.dense_on_rank(stage), step.experts_on_rank(stage)
    dense_ranks, expert_ranks = state_ranks(plan)
    whole, shard = dense + experts, dense / dense_ranks + experts / expert_ranks
    gathered = plan.sharding in GATHERED
    reduced = plan.sharding in ("zero2", *GATHERED) and (
        step.micro_batches == 1 or plan.sharding_groups.reduce == "micro-batch"
    )
    params, grads = BYTES_OF[precision.params], BYTES_OF[precision.grads]
    master = 0 if precision.params == "fp32" else MASTER_BYTES
    largest = max(_units(plan, stage))
    buffers = 0.0
    if gathered:
        often = plan.sharding_groups.gather == "micro-batch" or step.micro_batches == 1
        resharded = plan.sharding_groups.reshard and often
        buffers += params * (min(_GATHERED_AT_ONCE * largest, whole) if resharded else whole)
    if reduced and (dense_ranks > 1 or expert_ranks > 1):
        buffers += grads * largest
    return {
        "weights": params * (shard if gathered else whole),
        "gradients": grads * (shard if reduced else whole),
        "optimizer": (master + MOMENTS_BYTES[precision.optimizer]) * shard,
        "buffers": buffers,
    }


def _units(plan: StepPlan, stage: int) -> Iterator[float]:
    """Parameters on a rank of what is gathered at once: layers, embedding, head."""
    step, sizes = plan.step, plan.step.grid.experts.sizes
    tensor = step.grid.sizes["tp"]

    def on_rank(weights: Weights) -> float:
        return weights.dense_on_rank(tensor) + weights.experts_on_rank(sizes["tp"], sizes["ep"])

    for number in step.stages[stage]:
        yield on_rank(layer(step.shape, number, tensor))
    if step.has_embedding(stage):
        yield on_rank(embedding(step.shape))
    yield on_rank(head(step.shape, apart=step.ends_apart)) if step.has_head(stage) else 0.0


def _activations(plan: StepPlan, kept: KeptActivations, stage: int) -> float:
    """Bytes kept for all micro-batches in flight, and of what is worked on."""
    step = plan.step
    layers, in_flight = step.stages[stage], step.schedule.in_flight(stage)
    total = in_flight * sum(kept.layer(number) for number in layers)
    if plan.recompute == "full" and layers:  # one layer at a time is there in full
        total += max(kept.whole_layer(number) for number in layers)
    if step.has_embedding(stage) and kept.dropout:
        total += in_flight * kept.boundary / kept.width
    if step.has_head(stage):  # its backward pass follows at once: one micro-batch
        total += 2 * kept.boundary + _LOGIT_BYTES * kept.tokens * step.shape.vocab / kept.tensor
    return total


# ---- does it fit -----------------------------------------------------------------------------------------------------


def worst_stage(memory: tuple[GpuMemory, ...]) -> GpuMemory:
    """The stage that needs most."""
    return max(memory, key=lambda stage: stage.total)


def does_not_fit(plan: StepPlan, memory: Memory, compute: Compute | None, worst: GpuMemory) -> str:
    """What is too large, and the single changes with which it would fit; empty where it fits or nobody can say."""
    if worst.fits is not False:
        return ""
    room = (worst.capacity or 0.0) - worst.reserved
    stage = f"a GPU of stage {worst.stage}" if len(plan.step.stages) > 1 else "a GPU"
    fitting = [
        text
        for text, changed in _changes(plan)
        if worst_stage(memory_of_stages(changed, memory, compute, worst.capacity)).total <= room
    ]
    cure = f"{', or '.join(fitting)} would fit" if fitting else "more tp, pp or GPUs, or a smaller batch.micro"
    return (
        f"does not fit: {stage} needs {format_bytes(worst.total)} (weights {format_bytes(worst.weights)}, gradients "
        f"{format_bytes(worst.gradients)}, optimizer {format_bytes(worst.optimizer)}, activations "
        f"{format_bytes(worst.activations)}, gathered layers {format_bytes(worst.buffers)}), and has "
        f"{format_bytes(room)}: {format_bytes(worst.capacity or 0.0)} less {format_bytes(worst.reserved)} for library, "
        f"driver and fragments (memory.reserved); {cure}"
    )


def _changes(plan: StepPlan) -> Iterator[tuple[str, StepPlan]]:
    """Changes of one key each that need less memory."""
    if not plan.parallelism.sp and plan.step.grid.sizes["tp"] > 1:
        yield "parallelism.sp: true", replace(plan, parallelism=plan.parallelism.model_copy(update={"sp": True}))
    recompute: tuple[Recompute, ...] = ("selective", "full")
    for choice in recompute:
        if plan.recompute != choice and plan.recompute != "full":
            yield f"recompute: {choice}", replace(plan, recompute=choice)
    sharding: tuple[Sharding, ...] = ("zero1", "fsdp")
    for kind in sharding:
        if plan.sharding == "none" or (kind == "fsdp" and plan.sharding not in GATHERED):
            yield f"optimizer_sharding: {kind}", replace(plan, sharding=kind)
    if plan.sharding in ("zero2", *GATHERED) and plan.sharding_groups.reduce == "step":
        groups = plan.sharding_groups.model_copy(update={"reduce": "micro-batch"})
        yield "sharding.reduce: micro-batch", replace(plan, sharding_groups=groups)
