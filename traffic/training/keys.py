"""Keys of a training job beside its model, layout and placement."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import ComputeFlops, Count, RateGbps, Ratio, VolumeBytes, percent
from traffic.library.keys import LibrarySpec
from traffic.transformer.work import Attention

NumberType = Literal["fp8", "bf16", "fp16", "fp32"]
BYTES_OF: dict[str, int] = {"fp8": 1, "bf16": 2, "fp16": 2, "fp32": 4}
MOMENTS_BYTES: dict[str, int] = {"adam-fp32": 8, "adam-bf16": 4}  # two moments per parameter
MASTER_BYTES = 4  # an fp32 copy of the weights, unless they are fp32 themselves

Sharding = Literal["none", "zero1", "distributed-optimizer", "zero2", "zero3", "fsdp"]
GATHERED = ("zero3", "fsdp")  # parameters are sharded too, and gathered where they are needed


class Batch(Spec):
    """Sequences per step."""

    global_: Count = Field(alias="global", description="Sequences per step, over all data-parallel ranks")
    micro: Count = Field(default=1, description="Sequences per micro-batch")
    sequence: Count = Field(description="Tokens per sequence")


class Precision(Spec):
    """Number types."""

    params: NumberType = Field(default="bf16", description="Parameters and activations")
    grads: NumberType = Field(default="fp32", description="Gradients as they are reduced")
    gather: NumberType | None = Field(
        default=None,
        description="Matrices of the layers as they are gathered; as params if absent. Embedding, head and norms are "
        "gathered as params",
    )
    optimizer: Literal["adam-fp32", "adam-bf16"] = Field(default="adam-fp32", description="Optimizer and its moments")
    dispatch: NumberType | None = Field(default=None, description="Tokens sent to experts; as params if absent")
    combine: NumberType | None = Field(default=None, description="Results sent back from experts; as params if absent")


class Compute(Spec):
    """How fast a GPU computes: by one published figure of a whole step, or kernel by kernel."""

    peak: ComputeFlops = Field(description="Peak of one GPU in the number type used")
    mfu: Ratio | None = Field(
        default=None,
        description="Model FLOPs utilisation over a whole step, as published: the ideal step follows from it, and "
        "compute is what communication, bubble and optimizer leave of it. In place of kernel_efficiency",
        examples=[0.4],
    )
    kernel_efficiency: Ratio | None = Field(
        default=None,
        description="Share of the peak that large matrix kernels reach; the step is built up from kernels, "
        "communication, bubble and optimizer. In place of mfu",
        examples=[0.75],
    )
    efficiency: Ratio | None = Field(
        default=None,
        description="Older key: mfu where that leaves time to compute, else kernel_efficiency; which it was is said",
    )
    attention: Attention = Field(
        default="full",
        description="FLOPs of attention: full, 12 x layers x hidden x sequence per token, as published MFU counts them "
        "(PaLM, Megatron), or causal: half",
    )
    attention_kernel: Literal["fused", "unfused"] = Field(
        default="fused", description="fused: scores stay in the GPU's caches (FlashAttention); unfused: in its memory"
    )
    kernel_sizes: bool = Field(
        default=True, description="Narrow matrix kernels are slower: tiles, waves and fill; with kernel_efficiency"
    )
    memory_rate: RateGbps | None = Field(
        default=None, description="Rate of a GPU's memory; the node model's if absent", examples=["3.35 TB/s"]
    )


def check_compute(compute: Compute | None) -> None:
    """Raise unless exactly one basis is said, as a share of the peak (FP4016)."""
    if compute is None:
        return
    names = ("mfu", "kernel_efficiency", "efficiency")
    given = {name: value for name in names if (value := getattr(compute, name)) is not None}
    if len(given) != 1:
        both = " and ".join(f"{name} {value:g}" for name, value in given.items())
        raise TrafficError(
            f"{both} both say how fast it computes" if given else "nothing says which share of the peak is reached",
            where=f"compute.{list(given)[-1]}" if given else "compute",
            hint="one of mfu: (published, of a whole step; 0.35 to 0.5 is usual for large dense models) and "
            "kernel_efficiency: (of large matrix kernels; 0.7 to 0.8 is usual)",
            code="FP4016",
        )
    ((name, value),) = given.items()
    if not 0 < value <= 1:
        usual = "0.7 to 0.8 is usual" if name == "kernel_efficiency" else "0.35 to 0.5 is usual for large dense models"
        raise TrafficError(
            f"{name} is {value:g}; it is a share of the peak, above 0 and at most {percent(1, 0)}",
            where=f"compute.{name}",
            hint=usual,
            code="FP4016",
        )


class Collectives(LibrarySpec):
    """How collectives are carried out."""

    all_to_all: str = Field(default="pxn", description="Algorithm of all-to-all: direct, pxn or node-deduplicated")
    context: Literal["ring", "all-gather", "all-to-all"] = Field(
        default="ring",
        description="Context parallelism: keys and values go round, or are gathered; or tokens are exchanged for heads",
    )
    dispatch: Literal["all-to-all", "all-gather"] = Field(
        default="all-to-all",
        description="How experts get their tokens: sent to those that need them, or gathered by all",
    )


class Memory(Spec):
    """What a GPU has room for."""

    gpu: VolumeBytes | None = Field(
        default=None, description="Memory of one GPU; the node model's if absent", examples=["80 GiB"]
    )
    reserved: VolumeBytes = Field(
        default=4e9,
        description="Kept free for what is not counted: driver, libraries' buffers, workspaces, fragments between "
        "allocations",
    )
    dropout: bool | None = Field(
        default=None, description="Masks of dropout are kept; false if absent, or as Megatron-LM arguments say"
    )


class ShardingGroups(Spec):
    """How optimizer state, gradients and parameters are sharded, beside what ``optimizer_sharding`` says."""

    ranks: Count | None = Field(
        default=None, description="Neighbouring data-parallel ranks that share one copy; all if absent. Fewer: hybrid"
    )
    copies: Count | None = Field(
        default=None, description="Whole copies over the data-parallel ranks, in place of ranks; 1 if neither is given"
    )
    reshard: bool = Field(default=True, description="zero3, fsdp: parameters are dropped after forward, gathered again")
    gather: Literal["micro-batch", "step"] = Field(
        default="micro-batch", description="zero3, fsdp with reshard: how often parameters are gathered"
    )
    reduce: Literal["micro-batch", "step"] = Field(
        default="step", description="How often gradients are reduced when a step has several micro-batches"
    )


class Overlap(Spec):
    """What goes on while GPUs compute; what does not is waited for."""

    grad_reduce: bool | None = Field(default=None, description="Gradients, during backward; true for zero3 and fsdp")
    param_gather: bool | None = Field(default=None, description="Parameters, during forward; true for zero3 and fsdp")
    tensor: bool = Field(default=False, description="Tensor parallelism, where it leaves the host")
    context: bool = Field(default=True, description="Context parallelism, during attention")
    pipeline: bool = Field(default=True, description="Stage boundaries")
    experts: bool = Field(default=False, description="Dispatch and combine, as DualPipe does")


Recompute = Literal["none", "selective", "experts", "full"]
