"""Token mixers with a state: parameters, and elements of the state that a sequence leaves, of one layer.

References
----------
``transformers``, the ``modeling_*.py`` of each family; Gu and Dao, arXiv 2312.00752 (Mamba); Dao and Gu, arXiv
2405.21060 (Mamba-2); Yang et al., arXiv 2412.06464 (gated delta networks); MiniMax-01, arXiv 2501.08313 (lightning
attention); Kimi Linear, arXiv 2510.26692 (delta attention).
"""

from __future__ import annotations

from traffic.transformer.hf.config import Config
from traffic.transformer.shape import Recurrent


def mamba(c: Config, hidden: int, *, norms: bool) -> Recurrent:
    """The first Mamba; Jamba norms its three projections."""
    wide = c.optional("mamba_inner") or c.whole("mamba_expand") * hidden
    c.idle("mamba_expand")
    state, kernel = c.whole("mamba_d_state"), c.whole("mamba_d_conv")
    rank = _rank(c, hidden)
    conv = wide * (kernel + c.flag("mamba_conv_bias", True))
    matrices = hidden * 2 * wide + wide * (rank + 2 * state) + rank * wide + wide * hidden
    if c.flag("mamba_bias"):
        matrices += 2 * wide + hidden
    count = matrices + conv + wide + wide * state + wide + (rank + 2 * state if norms else 0)
    return Recurrent(parameters=count, state=wide * state + wide * (kernel - 1))


def _rank(c: Config, hidden: int) -> int:
    said = c.get("mamba_dt_rank")
    return -(-hidden // 16) if said.value in (None, "auto") else c.whole("mamba_dt_rank")


def mamba2(c: Config, hidden: int, *, norm: bool = True) -> Recurrent:
    """Mamba-2: heads with a common step, groups that share input and output maps."""
    heads, state, kernel = c.whole("mamba_n_heads"), c.whole("mamba_d_state"), c.whole("mamba_d_conv")
    wide = c.optional("mamba_d_ssm") or _inner(c, hidden, heads)
    c.idle("mamba_expand", "mamba_d_head")
    mixed = wide + 2 * c.whole("mamba_n_groups") * state
    conv = mixed * (kernel + c.flag("mamba_conv_bias", True))
    matrices = hidden * (wide + mixed + heads) + wide * hidden
    if c.flag("mamba_bias"):
        matrices += wide + mixed + heads + hidden
    return Recurrent(
        parameters=matrices + conv + 3 * heads + (wide if norm else 0),
        state=wide * state + mixed * (kernel - 1),
    )


def _inner(c: Config, hidden: int, heads: int) -> int:
    """Width of all heads; a head's width may be left to the expansion of the hidden size."""
    said = c.get("mamba_d_head")
    if said.absent or said.value == "auto":
        return c.whole("mamba_expand") * hidden
    return heads * c.whole("mamba_d_head")


def gated_delta(c: Config, hidden: int) -> Recurrent:
    """Gated delta networks, as in Qwen3-Next and OLMo hybrid."""
    key_heads, value_heads = c.whole("linear_num_key_heads"), c.whole("linear_num_value_heads")
    key_dim, value_dim = c.whole("linear_key_head_dim"), c.whole("linear_value_head_dim")
    keys, values, kernel = key_heads * key_dim, value_heads * value_dim, c.whole("linear_conv_kernel_dim")
    mixed = 2 * keys + values
    matrices = hidden * (mixed + values + 2 * value_heads) + values * hidden
    return Recurrent(
        parameters=matrices + mixed * kernel + 2 * value_heads + value_dim,
        state=value_heads * key_dim * value_dim + mixed * (kernel - 1),
        products=3,
    )


def kimi_delta(c: Config, hidden: int) -> Recurrent:
    """Kimi delta attention: gates a channel, of low rank."""
    heads, dim, kernel = (c.whole(key) for key in ("linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim"))
    wide = heads * dim
    low_rank = 2 * (hidden * dim + dim * wide)
    return Recurrent(
        parameters=4 * hidden * wide + 3 * wide * kernel + low_rank + wide + heads + hidden * heads + dim,
        state=heads * dim * dim + 3 * wide * (kernel - 1),
        products=3,
    )


def lightning(c: Config, hidden: int) -> Recurrent:
    """Lightning attention: linear attention with a norm and an output gate."""
    heads = c.whole("num_attention_heads")
    dim = c.optional("head_dim") or hidden // heads
    wide = heads * dim
    return Recurrent(parameters=5 * hidden * wide + wide, state=heads * dim * dim)


def short_convolution(c: Config, hidden: int) -> Recurrent:
    """A gated convolution over a few tokens."""
    kernel, bias = c.whole("conv_L_cache"), c.flag("conv_bias")
    count = hidden * 3 * hidden + hidden * hidden + hidden * kernel + (5 * hidden if bias else 0)
    return Recurrent(parameters=count, state=hidden * (kernel - 1), products=1)
