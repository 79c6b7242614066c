"""Activations that a layer keeps from its forward pass to its backward pass.

What a product needs again is kept: its inputs. What stands between parts that tensor ranks split (norms, masks of
dropout) is on every tensor rank, or split too under sequence parallelism. Flash attention keeps queries, keys, values,
results and one number per token and head; other kernels keep the scores.

References
----------
Korthikanti et al., Reducing Activation Recomputation in Large Transformer Models, arXiv 2205.05198, section 4 and table
2; Dao et al., FlashAttention, arXiv 2205.14135, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from traffic.training.keys import Recompute
from traffic.transformer.shape import ModelShape

_STATISTICS = 4  # bytes: logarithm of a softmax's sum, and the router's logits, are in fp32


@dataclass(frozen=True)
class KeptActivations:
    """How activations are kept.

    Examples
    --------
    The 22B model of Korthikanti et al., table 2, in units of s·b·h: 10 + 24/t + 5·a·s/(h·t), and 34/t when scores are
    recomputed and tensor ranks split the tokens:

    >>> shape = ModelShape(layers=48, hidden=6144, ffn_hidden=24576, heads=64, vocab=51200, gated_mlp=False)
    >>> kept = KeptActivations(shape, tokens=4 * 2048, sequence=2048, tensor=8, fused=False, dropout=True)
    >>> round(kept.layer(0) / (4 * 2048 * 6144), 4)
    26.3333
    >>> from dataclasses import replace
    >>> replace(kept, split_tokens=True, recompute="selective").layer(0) / (4 * 2048 * 6144)
    4.25
    """

    shape: ModelShape
    tokens: float  # of a micro-batch on a context rank, b·s/c
    sequence: int
    tensor: int = 1
    width: int = 2  # bytes of an element
    split_tokens: bool = False  # sequence parallelism
    fused: bool = True  # the attention kernel keeps no scores
    dropout: bool = False
    recompute: Recompute = "none"
    expert_tensor: int = 1  # tensor ranks of an expert
    gathered_by: int = 1  # ranks whose tokens an expert rank gathers; 1 where tokens are sent to their experts

    @property
    def boundary(self) -> float:
        """Bytes of the residual stream of a micro-batch, β·b·(s/c)·h, or the tensor rank's share of it."""
        return self.width * self._stream

    @property
    def _stream(self) -> float:
        """Elements of the residual stream that a rank keeps."""
        return self.tokens * self.shape.hidden / (self.tensor if self.split_tokens else 1)

    def layer(self, number: int) -> float:
        """Bytes kept of layer ``number`` (from 0) for one micro-batch."""
        if self.recompute == "full":
            return self.boundary
        parts = self.parts(number)
        if self.recompute == "selective":
            parts = {name: size for name, size in parts.items() if name != "scores"}
        if self.recompute == "experts":
            parts = {name: size for name, size in parts.items() if name != "experts"}
        return sum(parts.values())

    def whole_layer(self, number: int) -> float:
        """Bytes of layer ``number`` (from 0) when nothing is recomputed, or while it is."""
        return sum(self.parts(number).values())

    def parts(self, number: int) -> Mapping[str, float]:
        """Bytes of norms, mixer, scores, MLP and experts of a layer."""
        shape, feed = self.shape, self.shape.feed(number)
        blocks = shape.blocks(number)
        norms = min(shape.norms_per_layer, 2 * blocks) if shape.norms_per_layer else 0
        streams = norms + min(max(norms, 1), blocks)  # what norms take in, and what the blocks behind them do
        found = {"norms": (streams * self.width + (blocks if self.dropout else 0)) * self._stream}
        if shape.has_attention(number):
            found["attention"] = self._attention()
            found["scores"] = 0.0 if self.fused else self._scores(number)
        if shape.has_state(number) and shape.recurrent is not None:
            found["state"] = self.width * 3 * self.tokens * shape.hidden / self.tensor
        if feed in ("mlp", "both"):
            found["mlp"] = self._mlp(shape.ffn_hidden, self.tokens / self.tensor)
        if feed in ("experts", "both"):
            found["shared"] = self._mlp(shape.shared_width, self.tokens / self.tensor)
            found["experts"] = self._experts()
        return found

    def _attention(self) -> float:
        """Queries, keys, values and results, split by heads; the narrow vectors of latent attention are not split."""
        shape = self.shape
        heads = shape.heads / self.tensor
        pairs = heads if shape.latent else max(shape.key_value_heads / self.tensor, 1)
        values = shape.latent.value_dim if shape.latent else shape.head_width
        elements = heads * (shape.head_width + values) + pairs * (shape.head_width + values)
        if shape.qk_norm:
            elements += (heads + pairs) * shape.head_width
        if shape.latent:
            narrow = shape.latent.kv_rank + shape.latent.rope_dim + (shape.latent.query_rank or 0)
            elements += 2 * narrow / (self.tensor if self.split_tokens else 1)  # before and after their norms
        statistics = _STATISTICS * heads if self.fused else 0.0
        return self.tokens * (self.width * elements + statistics)

    def _scores(self, number: int) -> float:
        """Softmax of every token with all it sees; with dropout its mask and its result too."""
        seen = self.sequence
        if self.shape.mixer(number) == "window" and self.shape.window is not None:
            seen = min(self.shape.window, seen)
        each = 2 * self.width + 1 if self.dropout else self.width
        return each * self.tokens * seen * self.shape.heads / self.tensor

    def _mlp(self, hidden: int, tokens: float) -> float:
        """What the activation function takes in and gives out; gated: two in, and their product."""
        return self.width * tokens * hidden * (3 if self.shape.gated_mlp else 2)

    def _experts(self) -> float:
        """Tokens as they come to the experts, inside them, and as they go back; experts get the same on the average."""
        experts, shape = self.shape.experts, self.shape
        assert experts is not None
        own = self.tokens / self.tensor
        visits = own * experts.top_k * self.expert_tensor
        gathered = own * self.gathered_by * shape.hidden if self.gathered_by > 1 else 0.0
        moved = 2 * visits * shape.hidden
        inside = self._mlp(shape.expert_width, visits / self.expert_tensor)
        return self.width * (gathered + moved) + inside + _STATISTICS * own * experts.count
