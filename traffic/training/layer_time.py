"""The kernels of a transformer's layers on one rank, and how long they take: products, attention, and passes of memory.

Counted are the products of tokens with weights, attention scores and their use, and of memory-bound kernels: norms,
residual sums, activation functions, softmax and dropout of attention that is not fused, and the loss. Left out: rotary
positions, dropout of the residual stream, routing and permuting of tokens. Backward has two products for every one
forward; a fused kernel of attention makes its scores anew, five products for two.

References
----------
Korthikanti et al., arXiv 2205.05198 (layers with tensor and sequence parallelism). Dao, FlashAttention-2, arXiv
2307.08691, section 3.1.2 (products of its backward).
"""

from __future__ import annotations

from dataclasses import dataclass

from traffic.training.kernels import Gpu
from traffic.training.keys import Compute
from traffic.training.step import TrainingStep
from traffic.transformer.shape import ModelShape
from traffic.transformer.work import seen_tokens

_FUSED_BACKWARD = 2.5  # products of a fused kernel's backward over those of its forward
_SOFTMAX = (9, 11)  # bytes moved per score at 2 B, forward and backward: softmax, dropout and its mask of 1 B
_LOSS = (12, 8)  # bytes moved per entry of the vocabulary and token: passes over fp32 logits


@dataclass(frozen=True)
class Pass:
    """Time of one micro-batch, s."""

    forward: float = 0.0
    backward: float = 0.0

    def __add__(self, other: Pass) -> Pass:
        return Pass(self.forward + other.forward, self.backward + other.backward)

    @property
    def total(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward


@dataclass(frozen=True)
class LayerTime:
    """Times of one layer, apart as recompute sees them."""

    attention: Pass  # scores, softmax and their use
    experts: Pass
    others: Pass  # matrices, norms, sums

    def __add__(self, other: LayerTime) -> LayerTime:
        return LayerTime(self.attention + other.attention, self.experts + other.experts, self.others + other.others)


@dataclass(frozen=True)
class RankKernels:
    """Kernels of one rank of a job."""

    step: TrainingStep
    gpu: Gpu
    fused: bool
    split_tokens: bool  # tensor ranks split the tokens between their parts

    @classmethod
    def of(cls, step: TrainingStep, gpu: Gpu, compute: Compute, *, split_tokens: bool) -> RankKernels:
        """Kernels as the keys of compute say."""
        return cls(step, gpu, compute.attention_kernel == "fused", split_tokens)

    @property
    def shape(self) -> ModelShape:
        """The model."""
        return self.step.shape

    @property
    def tensor(self) -> int:
        """Tensor-parallel ranks."""
        return self.step.grid.sizes["tp"]

    @property
    def tokens(self) -> float:
        """Tokens of a micro-batch that a rank's matrices meet, b·s/c."""
        return self.step.batch.micro * self.step.batch.sequence / self.step.grid.sizes["cp"]

    @property
    def own_tokens(self) -> float:
        """Tokens between the parts that tensor ranks share."""
        return self.tokens / self.tensor if self.split_tokens else self.tokens

    def layer(self, number: int) -> LayerTime:
        """Layer ``number`` (from 0)."""
        shape = self.shape
        others, attention, experts = self._between(number), Pass(), Pass()
        if shape.has_attention(number):
            others += self._projections()
            attention = self._scores(number)
        if shape.has_state(number):
            others += self._state()
        feed = shape.feed(number)
        if feed in ("mlp", "both"):
            others += self._mlp(shape.ffn_hidden)
        if feed in ("experts", "both"):
            experts = self._experts()
            if shape.shared_width:
                others += self._mlp(shape.shared_width)
        return LayerTime(attention, experts, others)

    def embedding(self) -> Pass:
        """Look-up: tokens are written, their gradients read and added."""
        width = self.step.activation_width
        return self._memory(2 * width * self.own_tokens * self.shape.hidden, 3 * width * self.tokens)

    def head(self) -> Pass:
        """Final norm, output head and loss."""
        entries = self.shape.vocab / self.tensor
        loss = self._memory(_LOSS[0] * self.tokens * entries, _LOSS[1] * self.tokens * entries)
        return self._product(self.tokens, self.shape.hidden, entries) + loss + self._norms(1)

    # ---- parts of a layer --------------------------------------------------------------------------------------------

    def _product(self, rows: float, inner: float, columns: float, count: float = 1) -> Pass:
        """A product with weights; backward one for the gradients of its input and one for those of the weights."""
        time, width = self.gpu.product_s, self.step.activation_width
        return Pass(
            time(rows, inner, columns, count=count, width=width),
            time(rows, columns, inner, count=count, width=width) + time(inner, rows, columns, count=count, width=width),
        )

    def _memory(self, forward_bytes: float, backward_bytes: float) -> Pass:
        return Pass(self.gpu.memory_s(forward_bytes), self.gpu.memory_s(backward_bytes))

    def _norms(self, count: int) -> Pass:
        """Each reads and writes the stream; backward it reads gradient and input, and writes a gradient."""
        stream = self.step.activation_width * self.own_tokens * self.shape.hidden * count
        return self._memory(2 * stream, 3 * stream)

    def _between(self, number: int) -> Pass:
        """Norms, and sums with the residual stream."""
        stream = self.step.activation_width * self.own_tokens * self.shape.hidden * self.shape.blocks(number)
        return self._norms(self.shape.norms_per_layer) + self._memory(3 * stream, 3 * stream)

    def _projections(self) -> Pass:
        """Queries, keys and values, and the output of attention."""
        shape, tokens, tensor = self.shape, self.tokens, self.tensor
        h, queries = shape.hidden, shape.attention_width / tensor
        if shape.latent is None:
            keys = max(shape.key_value_heads / tensor, 1) * shape.head_width
            return self._product(tokens, h, queries + 2 * keys) + self._product(tokens, queries, h)
        latent, rank = shape.latent, shape.latent.query_rank
        total = self._product(tokens, h, latent.kv_rank + latent.rope_dim)
        total += self._product(tokens, latent.kv_rank, shape.heads * (latent.nope_dim + latent.value_dim) / tensor)
        total += self._product(tokens, shape.heads * latent.value_dim / tensor, h)
        if rank is None:
            total += self._product(tokens, h, queries)
        else:
            total += self._product(tokens, h, rank) + self._product(tokens, rank, queries)
        if shape.sparse is not None:
            total += self._product(tokens, rank or h, shape.sparse.heads * shape.sparse.dim)
            total += self._product(tokens, h, shape.sparse.dim + shape.sparse.heads)
        return total

    def _scores(self, number: int) -> Pass:
        """Scores of queries with keys, and sums of values by them."""
        shape, step, tokens = self.shape, self.step, self.tokens
        seen = seen_tokens(shape, number, step.batch.sequence, attention=step.attention)
        heads = shape.heads / self.tensor
        value = shape.latent.value_dim if shape.latent else shape.head_width
        indexed = self._indexer()
        if self.fused:
            forward = 2 * tokens * heads * seen * (shape.head_width + value) / self.gpu.flops
            return indexed + Pass(forward, _FUSED_BACKWARD * forward)
        count, rows = step.batch.micro * heads, tokens / step.batch.micro
        softmax = self._memory(*(moved * count * rows * seen * step.activation_width / 2 for moved in _SOFTMAX))
        products = self._product(rows, shape.head_width, seen, count) + self._product(rows, seen, value, count)
        return indexed + products + softmax

    def _indexer(self) -> Pass:
        sparse, step = self.shape.sparse, self.step
        if sparse is None:
            return Pass()
        seen = step.batch.sequence / (2 if step.attention == "causal" else 1)
        forward = 2 * self.tokens * sparse.heads * sparse.dim * seen / self.gpu.flops
        return Pass(forward, 2 * forward)

    def _state(self) -> Pass:
        recurrent = self.shape.recurrent
        assert recurrent is not None
        states = 2 * recurrent.products * recurrent.state * self.tokens / self.tensor / self.gpu.flops
        columns = recurrent.parameters / self.shape.hidden / self.tensor
        return self._product(self.tokens, self.shape.hidden, columns) + Pass(states, 2 * states)

    def _mlp(self, hidden: float) -> Pass:
        return self._feed(self.tokens, hidden / self.tensor, 1)

    def _feed(self, rows: float, hidden: float, count: float) -> Pass:
        """Up, activation function, down; a gated one has two matrices up."""
        up = 2 if self.shape.gated_mlp else 1
        moved = self.step.activation_width * rows * hidden * count
        total = self._product(rows, self.shape.hidden, up * hidden, count)
        total += self._product(rows, hidden, self.shape.hidden, count)
        return total + self._memory((up + 1) * moved, (2 * up + 1) * moved)

    def _experts(self) -> Pass:
        """Router, and the experts of a rank, each with an even share of the tokens."""
        experts, sizes = self.shape.experts, self.step.grid.experts.sizes
        assert experts is not None
        local = experts.count / sizes["ep"]
        copies = self.tokens / self.tensor * experts.top_k * sizes["tp"]
        routed = self._feed(copies / local, self.shape.expert_width / sizes["tp"], local)
        return self._product(self.own_tokens, self.shape.hidden, experts.count) + routed
