"""Shapes of transformers: dense or with experts, grouped-query or latent attention, hybrids with state-space layers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from topologies.divisors import divisors
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import Count, CountOrZero

Mixer = Literal["attention", "window", "recurrent", "both", "none"]
Feed = Literal["mlp", "experts", "both", "none"]
MAX_LAYERS = 10_000
_MOST = 2**40  # of any other whole number of a shape: beyond all models by a factor of a million
_FEW = {"heads": 2**20, "kv_heads": 2**20}


class LatentAttention(Spec):
    """Multi-head latent attention: keys and values come from one narrow vector per token.

    References
    ----------
    DeepSeek-V2, arXiv 2405.04434, section 2.1.
    """

    kv_rank: Count = Field(description="Width of the compressed keys and values, d_c")
    query_rank: Count | None = Field(
        default=None, description="Width of the compressed queries; not compressed if absent"
    )
    nope_dim: Count = Field(description="Elements per head without position")
    rope_dim: Count = Field(description="Elements per head with rotary position; its key is shared by all heads")
    value_dim: Count = Field(description="Elements of a head's values")


class SparseAttention(Spec):
    """Attention to the tokens that a small indexer picks for each token.

    References
    ----------
    DeepSeek-V3.2-Exp, section 2.1 (DeepSeek sparse attention, the lightning indexer).
    """

    tokens: Count = Field(description="Tokens that each token attends to")
    heads: Count = Field(description="Heads of the indexer")
    dim: Count = Field(description="Width of an indexer's head; its key is shared by all heads, and cached")


class Recurrent(Spec):
    """A mixer with a state of fixed size in place of attention: state space, linear attention, short convolution."""

    parameters: Count = Field(description="Parameters of the mixer of one layer, split over tensor-parallel ranks")
    state: CountOrZero = Field(description="Elements of the state that a sequence leaves in one layer")
    products: CountOrZero = Field(default=2, description="Multiply-adds per element of the state and token, forward")


class ExtraParameters(Spec):
    """Parameters that the other keys do not describe: biases, gates and norms of unusual kinds."""

    attention: CountOrZero = Field(default=0, description="Of an attention layer, split over tensor-parallel ranks")
    mlp: CountOrZero = Field(default=0, description="Of a plain MLP, split over tensor-parallel ranks")
    expert: CountOrZero = Field(default=0, description="Of each routed expert")
    router: CountOrZero = Field(default=0, description="Of a layer with experts, on every rank")
    first: CountOrZero = Field(default=0, description="Beside the embedding, on every rank of the first stage")
    last: CountOrZero = Field(default=0, description="Beside the output head, split over tensor-parallel ranks")


class Experts(Spec):
    """A mixture of experts in place of the MLP."""

    count: Count = Field(description="Routed experts of a layer")
    top_k: Count = Field(description="Routed experts a token visits")
    ffn_hidden: Count | None = Field(default=None, description="Width of one expert; the model's ffn_hidden if absent")
    shared: CountOrZero = Field(default=0, description="Experts that every token visits; they do not move tokens")
    shared_ffn_hidden: Count | None = Field(
        default=None, description="Width of all shared experts together; shared x ffn_hidden if absent"
    )
    first_dense: CountOrZero = Field(default=0, description="Layers at the start that have a plain MLP")
    every: Count = Field(default=1, description="Every n-th layer has experts, the others a plain MLP")
    groups: Count | None = Field(
        default=None, description="Groups of neighbouring experts that a token chooses from first"
    )
    group_limit: Count | None = Field(
        default=None, description="Groups that a token's experts may be in; all if absent"
    )
    node_limit: Count | None = Field(
        default=None, description="Most hosts that the copies of a token go to: the limit where groups are hosts"
    )
    router_bias: bool = Field(default=False, description="A correction per expert beside the router's matrix")

    @property
    def routing(self) -> dict[str, int | None]:
        """Keys of an all-to-all of tokens: what decides which experts a token goes to."""
        return {
            "copies": self.top_k,
            "experts": self.count,
            "groups": self.groups,
            "group_limit": self.group_limit,
            "node_limit": self.node_limit,
        }


class ModelShape(Spec):
    """A decoder, written out."""

    layers: Count = Field(description="Transformer layers")
    hidden: Count = Field(description="Width of the residual stream")
    ffn_hidden: Count = Field(description="Width of the MLP")
    heads: Count = Field(description="Attention heads")
    kv_heads: Count | None = Field(default=None, description="Heads of keys and values; the number of heads if absent")
    vocab: Count = Field(description="Entries of the vocabulary")
    head_dim: Count | None = Field(default=None, description="Width of one head; hidden / heads if absent")
    tied_embeddings: bool = Field(default=False, description="The output head shares the embedding matrix")
    gated_mlp: bool = Field(default=True, description="SwiGLU: three MLP matrices rather than two")
    norm: Literal["rms", "layer", "none"] = Field(
        default="rms", description="RMS norm (a weight), layer norm (and a bias), or norms without parameters"
    )
    norms_per_layer: CountOrZero = Field(
        default=2, description="Norms of a layer's residual stream; 1 where attention and MLP are side by side"
    )
    bias: Literal["none", "qkv", "attention", "all"] = Field(default="none", description="Which matrices have biases")
    positions: CountOrZero = Field(default=0, description="Learned positions; 0 for rotary or none")
    qk_norm: bool = Field(default=False, description="Norms of queries and keys, per head")
    latent: LatentAttention | None = Field(default=None, description="Multi-head latent attention")
    experts: Experts | None = Field(default=None, description="Mixture of experts; a dense model if absent")
    mixers: tuple[Mixer, ...] | None = Field(
        default=None, description="What mixes the tokens in each layer, layer by layer; full attention if absent"
    )
    feeds: tuple[Feed, ...] | None = Field(
        default=None, description="What follows in each layer, layer by layer; as experts says if absent"
    )
    window: Count | None = Field(default=None, description="Tokens that a layer with windowed attention looks back")
    window_blocks: bool = Field(default=False, description="Windows are blocks side by side rather than sliding")
    recurrent: Recurrent | None = Field(default=None, description="The mixer of layers that have a state")
    sparse: SparseAttention | None = Field(default=None, description="Attention to picked tokens only")
    extra: ExtraParameters | None = Field(default=None, description="Parameters that no other key describes")

    @property
    def key_value_heads(self) -> int:
        """Heads that keys and values have."""
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def head_width(self) -> int:
        """Elements of one query head."""
        if self.latent is not None:
            return self.latent.nope_dim + self.latent.rope_dim
        return self.hidden // self.heads if self.head_dim is None else self.head_dim

    @property
    def attention_width(self) -> int:
        """Elements of all query heads: the hidden size in most models."""
        return self.heads * self.head_width

    @property
    def kv_width(self) -> int:
        """Elements that one token leaves in the key-value cache of one layer.

        2·h_kv, or d_c + d_r with latent attention (DeepSeek-V2, arXiv 2405.04434, table 1).
        """
        if self.latent is not None:
            return self.latent.kv_rank + self.latent.rope_dim
        return 2 * self.key_value_heads * self.head_width

    @property
    def cached_width(self) -> int:
        """Elements that one token leaves in the cache of one layer, with the keys of an indexer."""
        return self.kv_width + (self.sparse.dim if self.sparse else 0)

    def mixer(self, layer: int) -> Mixer:
        """What mixes the tokens in layer ``layer`` (from 0)."""
        return "attention" if self.mixers is None else self.mixers[layer]

    def feed(self, layer: int) -> Feed:
        """What follows in layer ``layer`` (from 0)."""
        if self.feeds is not None:
            return self.feeds[layer]
        return "experts" if self._regular_experts(layer) else "mlp"

    def layers_with(self, *mixers: Mixer) -> int:
        """Layers whose tokens are mixed in one of these ways."""
        if self.mixers is None:
            return self.layers if "attention" in mixers else 0
        return sum(mixer in mixers for mixer in self.mixers)

    @property
    def attention_layers(self) -> int:
        """Layers with attention of any kind."""
        return self.layers_with("attention", "window", "both")

    def has_attention(self, layer: int) -> bool:
        """Whether layer ``layer`` (from 0) has attention."""
        return self.mixer(layer) in ("attention", "window", "both")

    def has_state(self, layer: int) -> bool:
        """Whether layer ``layer`` (from 0) keeps a state."""
        return self.mixer(layer) in ("recurrent", "both")

    def blocks(self, layer: int) -> int:
        """Blocks of layer ``layer`` whose output is added to the residual stream: mixer and MLP, or one of them."""
        return (self.mixer(layer) != "none") + (self.feed(layer) != "none")

    def has_experts(self, layer: int) -> bool:
        """Whether layer ``layer`` (from 0) has experts."""
        return self.feed(layer) in ("experts", "both")

    def _regular_experts(self, layer: int) -> bool:
        if self.experts is None:
            return False
        return layer >= self.experts.first_dense and (layer - self.experts.first_dense) % self.experts.every == 0

    @property
    def expert_layers(self) -> int:
        """Layers with experts."""
        return sum(self.has_experts(layer) for layer in range(self.layers))

    @property
    def shared_width(self) -> int:
        """Width of all shared experts together."""
        if self.experts is None:
            return 0
        return self.experts.shared_ffn_hidden or self.experts.shared * self.expert_width

    @property
    def expert_width(self) -> int:
        """Width of one expert's MLP."""
        if self.experts is None or self.experts.ffn_hidden is None:
            return self.ffn_hidden
        return self.experts.ffn_hidden


def check_shape(shape: ModelShape) -> ModelShape:
    """The shape, when its parts fit together.

    Raises
    ------
    TrafficError
        When a number is beyond any model, heads do not divide evenly, a token visits more experts than there are, or
        layers are described that the model does not have (FP4033).
    """
    _check_size(shape)
    _check_layers(shape)
    if shape.latent is None and shape.head_dim is None and shape.hidden % shape.heads:
        raise TrafficError(
            f"hidden size {shape.hidden} does not split into {shape.heads} heads",
            where="model.heads",
            hint="make hidden a multiple of heads, or say head_dim",
            code="FP4033",
        )
    if shape.heads % shape.key_value_heads:
        raise TrafficError(
            f"{shape.heads} heads do not share {shape.key_value_heads} key-value heads evenly",
            where="model.kv_heads",
            hint=f"kv_heads must divide heads: {', '.join(map(str, divisors(shape.heads)))}",
            code="FP4033",
        )
    if shape.experts is not None and shape.experts.top_k > shape.experts.count:
        raise TrafficError(
            f"a token visits {shape.experts.top_k} experts, but a layer has {shape.experts.count}",
            where="model.experts.top_k",
            hint=f"top_k is 1 to {shape.experts.count}",
            code="FP4033",
        )
    if shape.experts is not None:
        _check_routing(shape.experts)
    return shape


def _check_size(shape: ModelShape) -> None:
    if shape.layers > MAX_LAYERS:
        raise TrafficError(
            f"{shape.layers:,} layers are more than any model has; the limit is {MAX_LAYERS:,}",
            where="model.layers",
            hint="is it a slip of the finger?",
            code="FP4033",
        )
    for part, prefix in ((shape, "model"), (shape.experts, "model.experts"), (shape.latent, "model.latent")):
        for name, value in part or ():
            most = _FEW.get(name, _MOST)
            if isinstance(value, int) and value > most:
                raise TrafficError(
                    f"{value:,} is more than any model has; the limit is {most:,}",
                    where=f"{prefix}.{name}",
                    hint="is it a slip of the finger?",
                    code="FP4033",
                )


def _check_layers(shape: ModelShape) -> None:
    """Lists of layers are as long as the model, and what they name is described."""
    for name, listed in (("mixers", shape.mixers), ("feeds", shape.feeds)):
        if listed is not None and len(listed) != shape.layers:
            raise TrafficError(
                f"{len(listed)} entries for {shape.layers} layers",
                where=f"model.{name}",
                hint=f"one entry a layer, or leave {name} out",
                code="FP4033",
            )
    mixers, feeds = set(shape.mixers or ()), set(shape.feeds or ())
    for key, part, needed in (
        ("window", shape.window, "window" in mixers),
        ("recurrent", shape.recurrent, bool(mixers & {"recurrent", "both"})),
        ("experts", shape.experts, bool(feeds & {"experts", "both"})),
    ):
        if needed and part is None:
            raise TrafficError(
                f"layers with {key} are listed, but {key}: does not describe them",
                where=f"model.{key}",
                hint=f"say {key}:, or change the lists of layers",
                code="FP4033",
            )


def _check_routing(experts: Experts) -> None:
    """A limit needs groups that the experts split into evenly, and room for a token's experts in them."""
    groups, limit = experts.groups, experts.group_limit
    where, hint, reason = "model.experts.groups", "", ""
    if limit is not None and groups is None:
        where, hint = "model.experts.group_limit", "say groups: as well, or node_limit: where groups are hosts"
        reason = f"group_limit {limit} is a limit of groups, but there are none"
    elif groups is not None and experts.count % groups:
        hint = f"groups is one of {', '.join(map(str, divisors(experts.count)))}"
        reason = f"{experts.count} experts do not split into {groups} groups"
    elif groups is not None and limit is not None and limit > groups:
        where, hint = "model.experts.group_limit", f"group_limit is 1 to {groups}"
        reason = f"a token chooses {limit} groups, but there are {groups}"
    elif groups is not None and limit is not None and limit * (experts.count // groups) < experts.top_k:
        where, hint = "model.experts.group_limit", "a higher group_limit, or fewer groups"
        reason = (
            f"a token visits {experts.top_k} experts, but {limit} of {groups} groups have "
            f"{limit * (experts.count // groups)}"
        )
    elif experts.node_limit is not None and limit is not None and limit < (groups or 1):
        where, hint = "model.experts.node_limit", "leave one of them out"
        reason = "node_limit and group_limit both limit the routing"
    if reason:
        raise TrafficError(reason, where=where, hint=hint, code="FP4033")
