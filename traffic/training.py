"""One training job: its keys, what follows from them, and the bytes of every phase of a step.

Assumptions: a dense transformer in equal pipeline stages, one chunk of layers per stage; no activation recompute; the
residual stream is in the parameters' type; under tensor parallelism each rank sends its share of a stage boundary.
All bytes are per rank and step, one direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import ComputeFlops, Count, Ratio
from traffic.parallelism import RankGrid
from traffic.transformer import ModelShape, activation_bytes, divisors, flops_per_token, parameter_count

NumberType = Literal["fp8", "bf16", "fp16", "fp32"]
BYTES_OF: dict[str, int] = {"fp8": 1, "bf16": 2, "fp16": 2, "fp32": 4}
MOMENTS_BYTES: dict[str, int] = {"adam-fp32": 8, "adam-bf16": 4}  # two moments per parameter
MASTER_BYTES = 4  # an fp32 copy of the weights, unless they are fp32 themselves


class Batch(Spec):
    """Sequences per step."""

    global_: Count = Field(alias="global", description="Sequences per step, over all data-parallel ranks")
    micro: Count = Field(default=1, description="Sequences per micro-batch")
    sequence: Count = Field(description="Tokens per sequence")


class Precision(Spec):
    """Number types."""

    params: NumberType = Field(default="bf16", description="Parameters and activations")
    grads: NumberType = Field(default="fp32", description="Gradients as they are reduced")
    optimizer: Literal["adam-fp32", "adam-bf16"] = Field(default="adam-fp32", description="Optimizer and its moments")


class Compute(Spec):
    """How fast a GPU computes."""

    peak: ComputeFlops = Field(description="Peak of one GPU in the number type used")
    efficiency: Ratio = Field(description="Model FLOPs utilisation: share of the peak that is reached over a step")


class Collectives(Spec):
    """How collectives are carried out."""

    library: str | None = Field(default=None, description="Such as nccl; changes nothing yet")
    algorithm: str = Field(default="ring", description="Algorithm of all-reduce, reduce-scatter and all-gather")
    channels: Count | None = Field(default=None, description="Channels per communicator; changes nothing yet")
    qps_per_connection: Count | None = Field(
        default=None, description="Queue pairs per connection, each hashed on its own; default 1"
    )


@dataclass(frozen=True)
class TrainingStep:
    """A resolved job; see :func:`training_step`."""

    shape: ModelShape
    grid: RankGrid
    batch: Batch
    precision: Precision

    @property
    def micro_batches(self) -> int:
        """Micro-batches per step and pipeline, m."""
        return self.batch.global_ // (self.batch.micro * self.grid.sizes["dp"])

    @property
    def parameters(self) -> int:
        """Parameters of the model, P."""
        return parameter_count(self.shape)

    @property
    def parameters_per_rank(self) -> float:
        """P/(t·p): embedding and head are averaged over the stages."""
        return self.parameters / (self.grid.sizes["tp"] * self.grid.sizes["pp"])

    @property
    def tokens(self) -> int:
        """Tokens per step."""
        return self.batch.global_ * self.batch.sequence

    @property
    def flops(self) -> float:
        """Floating-point operations per step."""
        return flops_per_token(self.shape, self.batch.sequence) * self.tokens

    @property
    def layers_per_stage(self) -> int:
        """Layers of one pipeline stage."""
        return self.shape.layers // self.grid.sizes["pp"]

    @property
    def boundary_bytes(self) -> float:
        """Residual stream of one micro-batch on one context rank, β·b·(s/c)·h."""
        tokens = self.batch.sequence / self.grid.sizes["cp"]
        return activation_bytes(self.shape, self.batch.micro, tokens, BYTES_OF[self.precision.params])

    @property
    def tensor_payload_bytes(self) -> float:
        """What tensor parallelism all-reduces: four boundaries per layer and micro-batch.

        A ring sends 2(t−1)/t of it: β·8·b·s·h·(t−1)/t per layer and micro-batch. With sequence parallelism the same
        bytes move as all-gathers and reduce-scatters.

        References
        ----------
        Narayanan et al., SC 2021, section 3.2; Korthikanti et al., arXiv 2205.05198.
        """
        return 4 * self.boundary_bytes * self.layers_per_stage * self.micro_batches

    @property
    def pipeline_payload_bytes(self) -> float:
        """What one rank passes over a stage boundary one way: β·b·s·h/t per micro-batch.

        References
        ----------
        Narayanan et al., SC 2021, section 4.1 (scatter/gather optimisation).
        """
        return self.boundary_bytes / self.grid.sizes["tp"] * self.micro_batches

    @property
    def context_payload_bytes(self) -> float:
        """Keys and values one rank passes on around its ring: 3·2·b·(s/c)·h_kv·β·(c−1) per layer and micro-batch.

        One part forward, two backward (the blocks again, and their gradients). h_kv is what a tensor rank has of
        keys: at least one head.

        References
        ----------
        Liu et al., "Ring Attention", arXiv 2310.01889, section 3.
        """
        context, tensor = self.grid.sizes["cp"], self.grid.sizes["tp"]
        width = max(self.shape.key_value_heads / tensor, 1) * self.shape.head_width
        block = 2 * self.batch.micro * self.batch.sequence / context * width * BYTES_OF[self.precision.params]
        return 3 * block * (context - 1) * self.layers_per_stage * self.micro_batches

    @property
    def gradient_bytes(self) -> float:
        """Gradients of one rank's parameters."""
        return self.parameters_per_rank * BYTES_OF[self.precision.grads]

    @property
    def parameter_bytes(self) -> float:
        """One rank's parameters."""
        return self.parameters_per_rank * BYTES_OF[self.precision.params]

    @property
    def state_bytes_per_parameter(self) -> int:
        """Weights, master copy and optimizer moments: 14 for bf16 weights under Adam in fp32.

        References
        ----------
        Narayanan et al., SC 2021, section 5.10.
        """
        master = 0 if self.precision.params == "fp32" else MASTER_BYTES
        return BYTES_OF[self.precision.params] + master + MOMENTS_BYTES[self.precision.optimizer]

    @property
    def checkpoint_bytes(self) -> float:
        """Training state of the whole model, one copy."""
        return float(self.parameters * self.state_bytes_per_parameter)

    def compute_s(self, compute: Compute) -> float:
        """Time all GPUs compute in a step, s; pipeline bubble and kernel losses are in the efficiency."""
        return self.flops / (self.grid.ranks * compute.peak * compute.efficiency)


def training_step(shape: ModelShape, grid: RankGrid, batch: Batch, precision: Precision) -> TrainingStep:
    """Check that model, grid and batch fit together.

    Raises
    ------
    TrafficError
        Experts asked of a dense model (FP4012), a batch that does not split into micro-batches (FP4013), layers, heads
        or tokens that do not split over their ranks (FP4014).
    """
    sizes = grid.sizes
    if sizes["ep"] > 1:
        raise TrafficError(
            f"ep is {sizes['ep']}, but the model is dense: it has no experts to spread",
            where="parallelism.ep",
            hint="set ep: 1; the ranks go to dp",
            code="FP4012",
        )
    _splits(shape.layers, sizes["pp"], "layers", "pipeline stages", "parallelism.pp")
    _splits(shape.heads, sizes["tp"], "attention heads", "tensor-parallel ranks", "parallelism.tp")
    _splits(batch.sequence, sizes["cp"], "tokens", "context-parallel ranks", "parallelism.cp")
    unit = batch.micro * sizes["dp"]
    if batch.global_ % unit:
        near = [value for value in (batch.global_ // unit * unit, (batch.global_ // unit + 1) * unit) if value]
        raise TrafficError(
            f"global batch {batch.global_:,} is no multiple of micro {batch.micro} x dp {sizes['dp']} = {unit:,}",
            where="batch.global",
            hint=f"global: {' or '.join(map(str, near))} would fit",
            code="FP4013",
        )
    return TrainingStep(shape, grid, batch, precision)


def _splits(things: int, ranks: int, what: str, over: str, where: str) -> None:
    if things % ranks:
        fitting = divisors(things)
        near = [value for value in fitting if value < ranks][-1:] + [value for value in fitting if value > ranks][:1]
        raise TrafficError(
            f"{things:,} {what} do not split over {ranks} {over}",
            where=where,
            hint=f"{where.split('.')[-1]}: {' or '.join(map(str, near))} would fit",
            code="FP4014",
        )
