"""What the GPUs of a job need for a step: said by a published utilisation, or built up from kernels.

With ``compute.mfu`` the ideal step is FLOPs over GPUs x peak x MFU, and what communication and bubble leave of it is
compute. With ``compute.kernel_efficiency`` the kernels of every pipeline stage are added up; the slowest stage counts.
The optimizer is bound by memory: Adam reads gradients twice (norm, update), reads and writes its moments and the master
copy, and writes the weights.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from topologies.catalogue import GpuModel
from traffic.training.kernels import Gpu
from traffic.training.keys import BYTES_OF, MASTER_BYTES, MOMENTS_BYTES, Compute, Precision
from traffic.training.layer_time import LayerTime, Pass, RankKernels
from traffic.training.phases import StepPlan, state_ranks
from traffic.workload import ComputeTime

_GBPS_TO_BYTES = 1e9 / 8


def compute_time(plan: StepPlan, compute: Compute, model: GpuModel | None) -> ComputeTime:
    """What a step needs of its GPUs.

    Parameters
    ----------
    model : GpuModel, optional
        What the node model says of the GPUs; ``compute.memory_rate`` comes before it.
    """
    memory = memory_bytes_per_s(compute, model)
    flops_s = plan.step.flops.value / plan.step.grid.ranks / compute.peak
    optimizer = optimizer_bytes(plan) / memory if memory else 0.0
    if compute.mfu is not None:
        return ComputeTime(flops_s, step_s=flops_s / compute.mfu, optimizer_s=optimizer)
    efficiency = compute.kernel_efficiency or compute.efficiency or 1.0
    gpu = Gpu(compute.peak * efficiency, memory, model.processors if model else None, compute.kernel_sizes)
    kernels = RankKernels.of(plan.step, gpu, compute, split_tokens=plan.parallelism.sp)
    slowest = max(stage_s(kernels, stage, plan.recompute) for stage in range(len(plan.step.stages)))
    if compute.efficiency is not None:
        either = flops_s / compute.efficiency
        return ComputeTime(flops_s, step_s=either, optimizer_s=optimizer, kernels_s=slowest, key="efficiency")
    return ComputeTime(flops_s, compute_s=slowest, optimizer_s=optimizer, key="kernel_efficiency")


def memory_bytes_per_s(compute: Compute, model: GpuModel | None) -> float | None:
    """Rate of a GPU's memory, bytes/s, as said or as the node model has it."""
    gbps = compute.memory_rate if compute.memory_rate is not None else model.memory_rate if model else None
    return None if gbps is None else gbps * _GBPS_TO_BYTES


def stage_s(kernels: RankKernels, stage: int, recompute: str) -> float:
    """Time that a rank of a stage computes in a step, s."""
    step = kernels.step
    shape, layers = step.shape, step.stages[stage]
    kinds = {which: (shape.mixer(which), shape.feed(which), shape.has_experts(which)) for which in layers}
    times = {kind: kernels.layer(which) for which, kind in kinds.items()}
    total = reduce(add, (times[kinds[which]] for which in layers), LayerTime(Pass(), Pass(), Pass()))
    whole = total.attention + total.experts + total.others
    again = {
        "none": 0.0,
        "selective": total.attention.forward,
        "experts": total.experts.forward,
        "full": whole.forward,
    }[recompute]
    whole += kernels.embedding() if step.has_embedding(stage) else Pass()
    whole += kernels.head() if step.has_head(stage) else Pass()
    return (whole.total + again) * step.micro_batches


def optimizer_bytes(plan: StepPlan) -> float:
    """Bytes that the update moves through the memory of the busiest rank."""
    step = plan.step
    dense, experts = state_ranks(plan)
    stages = range(len(step.stages))
    held = max(step.dense_on_rank(stage) / dense + step.experts_on_rank(stage) / experts for stage in stages)
    return held * optimizer_bytes_per_parameter(step.precision)


def optimizer_bytes_per_parameter(precision: Precision) -> int:
    """Bytes that Adam moves for one parameter.

    >>> optimizer_bytes_per_parameter(Precision())
    34
    """
    params, grads = BYTES_OF[precision.params], BYTES_OF[precision.grads]
    master = 2 * MASTER_BYTES if precision.params != "fp32" else params
    return 2 * grads + 2 * MOMENTS_BYTES[precision.optimizer] + master + params
