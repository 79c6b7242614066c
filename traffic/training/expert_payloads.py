"""Bytes of tokens on their way to experts and back, for every pipeline stage."""

from __future__ import annotations

from collections.abc import Callable

from traffic.formula import Formula, formula
from traffic.number_types import vector_terms
from traffic.training.keys import Recompute
from traffic.training.step import TrainingStep

_Payload = Callable[[int], Formula]  # of a stage


def copies(step: TrainingStep, recompute: Recompute, kind: str | None) -> _Payload:
    """A rank's tokens, a copy for each expert that they visit; ``kind`` is their number type, params if absent."""
    return _tokens(
        step, recompute, kind, "k * ", "DeepSeek-V3, arXiv 2412.19437, sections 3.2.2 and 3.3.3", k=_experts_of(step)
    )


def gathered_tokens(step: TrainingStep, recompute: Recompute, kind: str | None, ranks: int) -> _Payload:
    """The tokens of all ``ranks`` that gather them, once each."""
    source = "Megatron Core, MoEAllGatherTokenDispatcher"
    return _tokens(step, recompute, kind, "n * ", source, n=(ranks, "ranks that gather"))


def copies_of_tensor_ranks(step: TrainingStep, recompute: Recompute, ranks: int) -> _Payload:
    """The copies that all ``ranks`` of an expert got, as activations."""
    source = "Megatron Core, MoEAlltoAllTokenDispatcher (expert tensor parallel ranks)"
    many = {"k": _experts_of(step), "n": (ranks, "tensor ranks of an expert")}
    return _tokens(step, recompute, None, "k * n * ", source, **many)


def _experts_of(step: TrainingStep) -> tuple[float, str]:
    return (step.shape.experts.top_k if step.shape.experts else 0, "experts a token visits")


def _tokens(
    step: TrainingStep, recompute: Recompute, kind: str | None, times: str, source: str, **terms: tuple[float, str]
) -> _Payload:
    precision, sizes = step.precision, step.grid.sizes
    vector, of_vector = vector_terms(kind or precision.params, precision.scale_block, step.shape.hidden)
    passes = 3.0 if recompute in ("full", "experts") else 2.0
    tokens = step.batch.micro * step.batch.sequence / (sizes["cp"] * sizes["tp"])

    def payload(stage: int) -> Formula:
        return formula(
            f"w * T * {times}{vector} * E * m",
            source,
            w=(passes, "passes: forward, backward, and forward again when recomputed"),
            T=(tokens, "tokens of a rank in a micro-batch"),
            **terms,
            **of_vector,
            E=(step.expert_layers(stage), "layers with experts of the stage"),
            m=(step.micro_batches, "micro-batches"),
        )

    return payload
