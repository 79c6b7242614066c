"""One training job resolved: what its model, layout and batch come to, stage by stage.

The residual stream is in the parameters' type. Stages are as the layout cuts them: the embedding on the first, final
norm and head on the last. All bytes are per rank and step, one direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from topologies.divisors import divisors
from topologies.errors import TrafficError
from traffic.formula import Formula
from traffic.parallelism import Parallelism, RankGrid
from traffic.training.keys import BYTES_OF, MASTER_BYTES, MOMENTS_BYTES, Batch, Precision
from traffic.training.schedule import Schedule, pipeline_schedule
from traffic.transformer.parameters import Weights, embedding, head, layer, outside_matrices, parameter_count
from traffic.transformer.shape import ModelShape
from traffic.transformer.work import Attention, activation_bytes, flops_formula
from traffic.workload import Spread


@dataclass(frozen=True)
class TrainingStep:
    """A resolved job; see :func:`training_step`."""

    shape: ModelShape
    grid: RankGrid
    batch: Batch
    precision: Precision
    stages: tuple[tuple[int, ...], ...]  # layers (from 0) of every pipeline stage
    schedule: Schedule
    attention: Attention = "full"  # how its work is counted

    @property
    def chunks(self) -> int:
        """Chunks of layers of every stage, v."""
        return self.schedule.chunks

    @property
    def micro_batches(self) -> int:
        """Micro-batches that every layer of a stage sees in a step: m, or half of them where stages hold copies."""
        return self.schedule.micro_batches // self.schedule.copies

    @property
    def replicas(self) -> int:
        """Ranks that see different sequences: dp, times ep where it lies beside dp."""
        return self.grid.sizes["dp"] * self.grid.sizes["ep"]

    @property
    def parameters(self) -> int:
        """Parameters of the model, P."""
        return parameter_count(self.shape)

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        """Parameters of every pipeline stage."""
        tensor = self.grid.sizes["tp"]
        return tuple(
            sum((layer(self.shape, which, tensor) for which in layers), self._ends(number))
            for number, layers in enumerate(self.stages)
        )

    def has_embedding(self, stage: int) -> bool:
        """Whether a stage has the first layers, and the embedding before them."""
        return 0 in self.schedule.pieces_of(stage)

    def has_head(self, stage: int) -> bool:
        """Whether a stage has the last layers, and final norm and head behind them."""
        return self.schedule.pieces - 1 in self.schedule.pieces_of(stage)

    @property
    def ends_apart(self) -> bool:
        """Whether embedding and head are on different stages."""
        return not self.has_head(0)

    def _ends(self, stage: int) -> Weights:
        """Embedding and head, where the stage has them."""
        first = embedding(self.shape) if self.has_embedding(stage) else Weights()
        return first + (head(self.shape, apart=self.ends_apart) if self.has_head(stage) else Weights())

    def dense_on_rank(self, stage: int) -> float:
        """Parameters outside routed experts that a rank of a stage has."""
        return self.weights[stage].dense_on_rank(self.grid.sizes["tp"])

    def kept_on_rank(self, stage: int) -> float:
        """Of those, the ones outside the matrices of layers: embedding, head, norms and routers."""
        return self._ends(stage).dense_on_rank(self.grid.sizes["tp"]) + sum(
            outside_matrices(self.shape, which) for which in self.stages[stage]
        )

    def experts_on_rank(self, stage: int) -> float:
        """Parameters of routed experts that a rank of a stage has."""
        sizes = self.grid.experts.sizes
        return self.weights[stage].experts_on_rank(sizes["tp"], sizes["ep"])

    @property
    def parameters_per_rank(self) -> Spread:
        """Least, mean and most over ranks; all ranks of a stage have the same number."""
        each = [self.dense_on_rank(stage) + self.experts_on_rank(stage) for stage in range(len(self.stages))]
        return Spread(min(each), sum(each) / len(each), max(each))

    @property
    def tokens(self) -> int:
        """Tokens per step."""
        return self.batch.global_ * self.batch.sequence

    @property
    def flops(self) -> Formula:
        """Floating-point operations per step, without those of recompute."""
        return flops_formula(self.shape, self.batch.sequence, self.tokens, attention=self.attention)

    def expert_layers(self, stage: int) -> int:
        """Layers with experts of a stage."""
        return sum(self.shape.has_experts(which) for which in self.stages[stage])

    @property
    def activation_width(self) -> int:
        """Bytes of one element of the residual stream."""
        return BYTES_OF[self.precision.params]

    @property
    def boundary_bytes(self) -> float:
        """Residual stream of one micro-batch on one context rank, β·b·(s/c)·h."""
        tokens = self.batch.sequence / self.grid.sizes["cp"]
        return activation_bytes(self.shape, self.batch.micro, tokens, self.activation_width)

    @property
    def bubble(self) -> float:
        """Idle over useful time of a pipeline stage, as its schedule has it."""
        return self.schedule.bubble.value if self.schedule.stages > 1 else 0.0

    @property
    def last_backward(self) -> float:
        """Share of the backward pass that is left when the first gradients of the step are final.

        The last micro-batch's; with v chunks the first one is done when the last p micro-batches have v−1 chunks to go.
        """
        stages, chunks, micro = len(self.stages), self.chunks, self.schedule.micro_batches
        return min(1.0, max(1 / micro, (chunks - 1) * stages / (chunks * micro)))

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


def training_step(
    shape: ModelShape,
    grid: RankGrid,
    batch: Batch,
    precision: Precision,
    parallelism: Parallelism | None = None,
    *,
    attention: Attention = "full",
    recomputed: bool = False,
) -> TrainingStep:
    """Check that model, grid and batch fit together.

    Parameters
    ----------
    recomputed : bool
        Whether every forward pass runs again in the backward pass.

    Raises
    ------
    TrafficError
        Experts asked of a dense model, or that do not split (FP4012), a batch that does not split into micro-batches
        (FP4013), layers, heads or tokens that do not split over their ranks (FP4014), a schedule that does not run with
        the stages, chunks and micro-batches (FP4027).
    """
    parallelism = parallelism or Parallelism()
    sizes, spread = grid.sizes, grid.experts.sizes["ep"]
    if spread > 1 and shape.experts is None:
        raise TrafficError(
            f"ep is {spread}, but the model is dense: it has no experts to spread",
            where="parallelism.ep",
            hint="set ep: 1; the ranks go to dp",
            code="FP4012",
        )
    if shape.experts is not None and shape.experts.count % spread:
        fitting = ", ".join(map(str, divisors(shape.experts.count)))
        raise TrafficError(
            f"{shape.experts.count} experts do not split over {spread} expert-parallel ranks",
            where="parallelism.ep",
            hint=f"ep is one of {fitting}",
            code="FP4012",
        )
    if sizes["cp"] > 1 and shape.layers_with("recurrent", "both"):
        raise TrafficError(
            "layers with a state pass it along the sequence, which is not modelled between context-parallel ranks",
            where="parallelism.cp",
            hint="cp: 1",
            code="FP4014",
        )
    _check_chunks(parallelism, sizes["pp"])
    _splits(shape.heads, sizes["tp"], "attention heads", "tensor-parallel ranks", "parallelism.tp")
    _splits(batch.sequence, sizes["cp"], "tokens", "context-parallel ranks", "parallelism.cp")
    replicas = sizes["dp"] * sizes["ep"]
    unit = batch.micro * replicas
    if batch.global_ % unit:
        near = [value for value in (batch.global_ // unit * unit, (batch.global_ // unit + 1) * unit) if value]
        beside = f" x ep {sizes['ep']}" if sizes["ep"] > 1 else ""
        raise TrafficError(
            f"global batch {batch.global_:,} is not a multiple of micro {batch.micro} x dp {sizes['dp']}{beside} "
            f"= {unit:,}",
            where="batch.global",
            hint=f"global: {' or '.join(map(str, near))} would fit",
            code="FP4013",
        )
    schedule = pipeline_schedule(
        parallelism.schedule,
        sizes["pp"],
        parallelism.vpp if "vpp" in parallelism.model_fields_set else None,
        batch.global_ // unit,
        recomputed=recomputed,
    )
    return TrainingStep(
        shape, grid, batch, precision, _stages(shape.layers, schedule, parallelism), schedule, attention
    )


def _check_chunks(parallelism: Parallelism, stages: int) -> None:
    if parallelism.vpp > 1 and stages == 1:
        raise TrafficError(
            f"vpp is {parallelism.vpp}, but there is one pipeline stage",
            where="parallelism.vpp",
            hint="vpp: 1, or pp above 1",
            code="FP4014",
        )


def _stages(layers: int, schedule: Schedule, parallelism: Parallelism) -> tuple[tuple[int, ...], ...]:
    """Layers of every pipeline stage: those of the chunks that the schedule puts on it."""
    given, stages, pieces = parallelism.stage_layers, schedule.stages, schedule.pieces
    if given is not None:
        counts = list(given)
        if len(given) != pieces or sum(given) != layers:
            each = f"pp is {stages}" + (f", vpp is {schedule.chunks}" if schedule.chunks > 1 else "")
            named = f"{len(given)} stages" if schedule.chunks == 1 else f"{len(given)} chunks"
            raise TrafficError(
                f"stage_layers has {named} and {sum(given)} layers; {each} and the model has {layers} layers",
                where="parallelism.stage_layers",
                hint=f"stage_layers: {_even(layers, pieces)}" if pieces <= 64 else "",
                code="FP4014",
            )
    else:
        _check_cut(layers, schedule)
        counts = [layers // pieces] * pieces
    starts = [sum(counts[:piece]) for piece in range(pieces)]
    return tuple(
        tuple(
            which
            for piece in schedule.pieces_of(stage)
            for which in range(starts[piece], starts[piece] + counts[piece])
        )
        for stage in range(stages)
    )


def _check_cut(layers: int, schedule: Schedule) -> None:
    """Raise unless the layers split evenly over chunks of stages (FP4014)."""
    stages, each = schedule.stages, schedule.pieces // schedule.stages
    if layers % (stages * each) == 0:
        return
    beside = f" of {each} chunks" if each > 1 else ""
    fitting = [value for value in divisors(layers) if layers % (value * each) == 0] or [1]
    near = [value for value in fitting if value < stages][-1:] + [value for value in fitting if value > stages][:1]
    uneven = f"; or stage_layers: {_even(layers, stages)}" if each == 1 and stages <= min(layers, 32) else ""
    raise TrafficError(
        f"{layers:,} layers do not split over {stages} pipeline stages{beside}",
        where="parallelism.pp",
        hint=f"pp: {' or '.join(map(str, near))} would fit{uneven}",
        code="FP4014",
    )


def _even(layers: int, stages: int) -> list[int]:
    """Layers per stage as even as can be, the smaller stages first and last, where embedding and head are.

    >>> _even(126, 16)[:3], _even(126, 16)[-2:]
    ([7, 8, 8], [8, 7])
    """
    less, rest = divmod(layers, stages)
    small = stages - rest
    counts = [less + 1] * stages
    places: Sequence[int] = [
        place for pair in zip(range(stages), range(stages - 1, -1, -1), strict=True) for place in pair
    ]
    for place in list(dict.fromkeys(places))[:small]:
        counts[place] = less
    return counts


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
