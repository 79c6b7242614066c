"""Parameters of a transformer in closed form: of the whole model, per token, and of one rank of a parallel layout.

A matrix is split over tensor-parallel ranks; norms, routers and the narrow projections of latent attention are on every
rank; the mixer of a layer with a state is split by its heads.
Routed experts are split over expert-parallel ranks, each expert over tensor-parallel ranks. The embedding is on
the first pipeline stage, final norm and head on the last; a tied head is a second copy there when there are several.
"""

from __future__ import annotations

from dataclasses import dataclass

from traffic.transformer.shape import ExtraParameters, ModelShape

_NO_EXTRA = ExtraParameters()


@dataclass(frozen=True)
class Weights:
    """Parameters that are alike in how they are split."""

    split: int = 0  # over tensor-parallel ranks
    whole: int = 0  # on every tensor-parallel rank
    experts: int = 0  # over expert-parallel ranks, then tensor-parallel ranks

    def __add__(self, other: Weights) -> Weights:
        return Weights(self.split + other.split, self.whole + other.whole, self.experts + other.experts)

    @property
    def total(self) -> int:
        """One copy of all."""
        return self.split + self.whole + self.experts

    def dense_on_rank(self, tensor: int) -> float:
        """Those outside routed experts, on one rank."""
        return self.split / tensor + self.whole

    def experts_on_rank(self, tensor: int, expert: int) -> float:
        """Those of routed experts, on one rank."""
        return self.experts / (tensor * expert)


def parameter_counts(shape: ModelShape) -> dict[str, int]:
    """Parameters by part: ``embedding``, ``attention``, ``mlp``, ``experts``, ``norms``, ``head``.

    Parameters
    ----------
    shape : ModelShape
        With V entries, width h, L layers, a heads and k key-value heads of width w, MLP width f.

    Returns
    -------
    dict of str to int
        ``embedding`` V·h and learned positions; ``attention`` L·(2·h·a·w + 2·h·k·w) without biases; ``mlp`` 3·h·f per
        layer without experts (2 when not gated); ``experts`` the routed and shared ones with their routers; ``norms``
        (2·L + 1)·h for RMS norms without those of latent attention; ``head`` V·h, or 0 when tied; ``recurrent`` the
        mixers of layers with a state, where there are any.

    Examples
    --------
    Llama 3 70B, as published:

    >>> llama = ModelShape(layers=80, hidden=8192, ffn_hidden=28672, heads=64, kv_heads=8, vocab=128256)
    >>> sum(parameter_counts(llama).values())
    70553706496
    """
    with_attention, plain = shape.attention_layers, _layers_with_mlp(shape)
    experts = _routed(shape) + _router_and_shared(shape) if shape.experts else Weights()
    own_norms = _attention_norms(shape) if with_attention else 0
    counts = {
        "embedding": embedding(shape).total,
        "attention": with_attention * (attention(shape).total - own_norms) if with_attention else 0,
        "mlp": plain * _mlp(shape).total,
        "experts": shape.expert_layers * experts.total,
        "norms": shape.layers * shape.norms_per_layer * _norm(shape) + with_attention * own_norms + _norm(shape),
        "head": (0 if shape.tied_embeddings else shape.vocab * shape.hidden) + _extra(shape).last,
    }
    if shape.recurrent is not None:
        counts["recurrent"] = shape.layers_with("recurrent", "both") * shape.recurrent.parameters
    return counts


def parameter_count(shape: ModelShape) -> int:
    """All parameters of the model, embedding and head included."""
    return sum(parameter_counts(shape).values())


def active_parameter_count(shape: ModelShape) -> int:
    """Parameters that one token meets: of the routed experts only its top-k."""
    if shape.experts is None:
        return parameter_count(shape)
    idle = shape.experts.count - shape.experts.top_k
    return parameter_count(shape) - shape.expert_layers * idle * (_routed(shape).total // shape.experts.count)


def routed_parameters_per_token(shape: ModelShape) -> int:
    """Of those, the ones of routed experts."""
    if shape.experts is None:
        return 0
    return shape.expert_layers * shape.experts.top_k * (_routed(shape).total // shape.experts.count)


def outside_matrices(shape: ModelShape, number: int) -> int:
    """Parameters of layer ``number`` outside its matrices: norms and router, which FP8 leaves as they are."""
    experts = shape.experts
    router = 0
    if experts is not None and shape.has_experts(number):
        router = experts.count * (shape.hidden + (1 if experts.router_bias else 0))
    own_norms = _attention_norms(shape) if shape.has_attention(number) else 0
    return shape.norms_per_layer * _norm(shape) + own_norms + router


# ---- parts -----------------------------------------------------------------------------------------------------------


def layer(shape: ModelShape, number: int, tensor: int = 1) -> Weights:
    """Layer ``number`` (from 0), split over ``tensor`` ranks."""
    total = Weights(whole=shape.norms_per_layer * _norm(shape))
    if shape.has_attention(number):
        total += attention(shape, tensor)
    if shape.recurrent is not None and shape.has_state(number):
        total += Weights(split=shape.recurrent.parameters)
    feed = shape.feed(number)
    if feed in ("mlp", "both"):
        total += _mlp(shape)
    if feed in ("experts", "both"):
        total += _routed(shape) + _router_and_shared(shape)
    return total


def embedding(shape: ModelShape) -> Weights:
    """Token embedding and learned positions."""
    return Weights(split=shape.vocab * shape.hidden, whole=shape.positions * shape.hidden + _extra(shape).first)


def head(shape: ModelShape, *, apart: bool) -> Weights:
    """Final norm and output head; ``apart``: the embedding is on another stage, and a tied head is a copy."""
    matrix = shape.vocab * shape.hidden if apart or not shape.tied_embeddings else 0
    return Weights(split=matrix + _extra(shape).last, whole=_norm(shape))


def attention(shape: ModelShape, tensor: int = 1) -> Weights:
    """Attention of one layer with its own norms; heads that are fewer than ranks are copied."""
    if shape.latent is not None:
        return _latent_attention(shape)
    h, queries, keys = shape.hidden, shape.attention_width, shape.key_value_heads * shape.head_width
    copies = max(tensor // shape.key_value_heads, 1)
    bias = shape.bias != "none"
    split = 2 * h * queries + copies * 2 * h * keys + (queries + copies * 2 * keys if bias else 0)
    split += _extra(shape).attention
    return Weights(split=split, whole=_attention_norms(shape) + (h if shape.bias in ("attention", "all") else 0))


def _latent_attention(shape: ModelShape) -> Weights:
    latent, h = shape.latent, shape.hidden
    assert latent is not None
    wide = shape.attention_width
    queries = h * wide if latent.query_rank is None else latent.query_rank * wide
    up = latent.kv_rank * shape.heads * (latent.nope_dim + latent.value_dim)
    down = h * (latent.kv_rank + latent.rope_dim) + h * (latent.query_rank or 0)
    out = shape.heads * latent.value_dim * h + _extra(shape).attention
    return Weights(split=queries + up + out, whole=down + _attention_norms(shape) + _indexer(shape))


def _indexer(shape: ModelShape) -> int:
    """Queries from the compressed ones, one key with a layer norm, and a weight a head; on every rank."""
    sparse = shape.sparse
    if sparse is None:
        return 0
    wide = shape.latent.query_rank if shape.latent and shape.latent.query_rank else shape.hidden
    return wide * sparse.heads * sparse.dim + shape.hidden * (sparse.dim + sparse.heads) + 2 * sparse.dim


def _attention_norms(shape: ModelShape) -> int:
    if shape.latent is not None:
        return shape.latent.kv_rank + (shape.latent.query_rank or 0)
    return 2 * shape.head_width if shape.qk_norm else 0


def _norm(shape: ModelShape) -> int:
    return shape.hidden * {"rms": 1, "layer": 2, "none": 0}[shape.norm]


def _extra(shape: ModelShape) -> ExtraParameters:
    return shape.extra or _NO_EXTRA


def _layers_with_mlp(shape: ModelShape) -> int:
    if shape.feeds is None:
        return shape.layers - shape.expert_layers
    return sum(feed in ("mlp", "both") for feed in shape.feeds)


def _matrices(shape: ModelShape) -> int:
    return 3 if shape.gated_mlp else 2


def _mlp(shape: ModelShape) -> Weights:
    biased = shape.bias == "all"
    split = _matrices(shape) * shape.hidden * shape.ffn_hidden + (
        shape.ffn_hidden * (_matrices(shape) - 1) if biased else 0
    )
    return Weights(split=split + _extra(shape).mlp, whole=shape.hidden if biased else 0)


def _routed(shape: ModelShape) -> Weights:
    assert shape.experts is not None
    one = _matrices(shape) * shape.hidden * shape.expert_width + _extra(shape).expert
    return Weights(experts=shape.experts.count * one)


def _router_and_shared(shape: ModelShape) -> Weights:
    experts = shape.experts
    assert experts is not None
    shared = _matrices(shape) * shape.hidden * shape.shared_width
    router = experts.count * (shape.hidden + (1 if experts.router_bias else 0)) + _extra(shape).router
    return Weights(split=shared, whole=router)
