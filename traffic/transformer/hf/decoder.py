"""The shape of a decoder from its config and its family."""

from __future__ import annotations

from typing import Any, Literal

from traffic.transformer.hf.config import Config
from traffic.transformer.hf.experts import experts
from traffic.transformer.hf.families import Biased, Family
from traffic.transformer.hf.layers import mixers, nemotron_layers
from traffic.transformer.shape import (
    MAX_LAYERS,
    Experts,
    ExtraParameters,
    Feed,
    LatentAttention,
    Mixer,
    ModelShape,
    SparseAttention,
)

_PARALLEL = (
    "attention and MLP are side by side: two all-reduces a layer of tensor parallelism are counted, where a framework "
    "that adds them before sends one"
)


def shape_of(c: Config, family: Family) -> ModelShape:
    """What a config says, by the rules of its family.

    Raises
    ------
    TrafficError
        When keys are missing (FP4031), or a part is not counted (FP4032).
    FormatError
        When a value has another type than its key needs (FP6250).
    """
    if family.check is not None:
        family.check(c)
    if family.no_feed:
        return _states_only(c, family)
    if family.blocks:
        listed: tuple[tuple[Mixer, ...], tuple[Feed, ...]] | None = nemotron_layers(c)
        layers = len(listed[0]) if listed else 0
        if c.has("num_hidden_layers") and c.whole("num_hidden_layers", most=MAX_LAYERS) != layers:
            raise c.refuse(f"has a pattern of {layers} layers, but num_hidden_layers is another number")
    else:
        listed, layers = None, c.whole("num_hidden_layers", most=MAX_LAYERS)
    hidden, heads = c.whole("hidden_size"), c.whole("num_attention_heads")
    ffn = _ffn(c, family, hidden)
    kv_heads = None if family.latent else _kv_heads(c, heads)
    head_dim = None if family.latent else c.optional("head_dim")
    mixed, feed = listed or (_mixers(c, family, layers), None)
    found, listed_feeds = _experts(c, family, layers, ffn, feed)
    if family.experts is not None and family.experts.layers != "none" and found is None:
        ffn = c.optional("shared_expert_intermediate_size") or ffn  # no experts: what is shared is the MLP
    window = _window(c, family) if mixed and "window" in mixed else None
    if window is None and mixed:
        mixed = tuple("attention" if mixer == "window" else mixer for mixer in mixed)
    qkv, out, mlp = (_biased(c, key) for key in (family.qkv_bias, family.out_bias, family.mlp_bias))
    width = head_dim or hidden // heads
    queries, keys = heads * width, (kv_heads or heads) * width
    values: dict[str, Any] = {
        "layers": layers,
        "hidden": hidden,
        "ffn_hidden": ffn,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "vocab": c.whole("vocab_size"),
        "tied_embeddings": c.flag("tie_word_embeddings"),
        "gated_mlp": family.gated,
        "norm": family.norm,
        "norms_per_layer": _norms(c, family),
        "positions": c.whole(family.positions) + family.more_positions if family.positions else 0,
        "experts": found,
        "feeds": feed or listed_feeds,
        "mixers": None if not mixed or set(mixed) == {"attention"} else mixed,
        "window": window,
        "window_blocks": window is not None and family.window == "blocks",
    }
    if family.recurrent is not None and mixed and set(mixed) & {"recurrent", "both"}:
        values["recurrent"] = family.recurrent(c, hidden)
    if family.latent:
        values["latent"] = _latent(c)
    if family.indexer:
        values["sparse"] = SparseAttention(
            tokens=c.whole("index_topk"), heads=c.whole("index_n_heads"), dim=c.whole("index_head_dim")
        )
    bias = _named_bias(qkv, out, mlp, has_experts=found is not None)
    values["bias"] = bias or "none"
    extra = {} if bias else _bias_parameters(family, qkv, out, mlp, hidden, ffn, queries, keys)
    norm = family.qk_norm if family.qk_norm and (not family.qk_norm_key or c.flag(family.qk_norm_key)) else ""
    values["qk_norm"] = norm == "head"
    if norm in ("width", "heads"):
        _add(extra, "attention", queries + keys)
    if norm and family.qk_norm_bias:
        _add(extra, "attention", 2 * width)
    if family.sink:
        _add(extra, "attention", heads)
    if family.gate:
        _add(extra, "attention", hidden * queries + (queries if qkv and family.gate == "queries" else 0))
    if found is not None:
        one = found.ffn_hidden or ffn
        shared = found.shared_ffn_hidden or found.shared * one
        _add(extra, "expert", _bias_of_mlp(family, hidden, one) if family.expert_bias else 0)
        _add(extra, "router", _bias_of_mlp(family, hidden, shared) if mlp and shared else 0)
        _add(extra, "router", hidden if family.experts and family.experts.gate and shared else 0)
    if family.inner_norms:
        _add(extra, "attention", hidden)
        _add(extra, "mlp", ffn)
    _add(extra, "mlp", family.activation)
    if _biased(c, family.parallel):
        c.remarks.append(_PARALLEL)
    if family.first is not None:
        _add(extra, "first", family.first(c, hidden))
    if _biased(c, family.head_bias):
        _add(extra, "last", values["vocab"])
    c.check()
    return ModelShape(**values, extra=ExtraParameters(**extra) if any(extra.values()) else None)


def _add(extra: dict[str, int], key: str, count: int) -> None:
    if count:
        extra[key] = extra.get(key, 0) + count


def _biased(c: Config, key: Biased) -> bool:
    return c.flag(key) if isinstance(key, str) else key


def _named_bias(
    qkv: bool, out: bool, mlp: bool, *, has_experts: bool
) -> Literal["none", "qkv", "attention", "all"] | None:
    """The name of a usual set of biases; None for others."""
    if mlp and has_experts:
        return None
    names: dict[tuple[bool, bool, bool], Literal["none", "qkv", "attention", "all"]] = {
        (False, False, False): "none",
        (True, False, False): "qkv",
        (True, True, False): "attention",
        (True, True, True): "all",
    }
    return names.get((qkv, out, mlp))


def _bias_parameters(
    family: Family, qkv: bool, out: bool, mlp: bool, hidden: int, ffn: int, queries: int, keys: int
) -> dict[str, int]:
    extra: dict[str, int] = {}
    _add(extra, "attention", (queries + 2 * keys if qkv else 0) + (hidden if out else 0))
    if mlp:
        _add(extra, "mlp", _bias_of_mlp(family, hidden, ffn))
    return extra


def _bias_of_mlp(family: Family, hidden: int, width: int) -> int:
    return width * (2 if family.gated else 1) + hidden


def _ffn(c: Config, family: Family, hidden: int) -> int:
    if family.ffn_factor:
        said = c.optional("intermediate_size")
        return said or (c.optional("expansion_ratio") or family.ffn_factor) * hidden
    width = c.optional(family.ffn)
    if width is None and family.experts is not None:
        return c.optional(family.experts.width) or c.whole(family.ffn)
    if width is None:
        return c.whole(family.ffn)
    return _adjusted(c, width) if c.family == "lfm2" else width


def _adjusted(c: Config, width: int) -> int:
    """LFM2's MLP: two thirds of the width said, times a factor, rounded up."""
    if not c.flag("block_auto_adjust_ff_dim", True):
        return width
    factor = c.get("block_ffn_dim_multiplier").number(1.0, least=0.0)
    multiple = c.optional("block_multiple_of") or 256
    adjusted = int(factor * int(2 * width / 3))
    return -(-adjusted // multiple) * multiple


def _kv_heads(c: Config, heads: int) -> int | None:
    """Heads of keys and values, None where as many as heads."""
    if c.family == "falcon":
        if c.flag("new_decoder_architecture"):
            c.idle("multi_query")
            return c.optional("num_key_value_heads") or heads
        return 1 if c.flag("multi_query", True) else heads
    if c.family == "gpt_bigcode":
        return 1 if c.flag("multi_query", True) else heads
    if c.family == "chatglm" and not c.flag("multi_query_attention"):
        return heads
    return c.optional("num_key_value_heads")


def _norms(c: Config, family: Family) -> int:
    if c.family == "falcon":
        if not c.flag("parallel_attn", True):
            return 2
        said = c.optional("num_ln_in_parallel_attn")
        return (said or 2) if c.flag("new_decoder_architecture") else 1
    if c.family == "stablelm" and c.flag("use_parallel_residual"):
        return 1
    return family.norms


def _mixers(c: Config, family: Family, layers: int) -> tuple[Mixer, ...] | None:
    if family.mixer is not None:
        return mixers(c, layers, family.mixer(c, layers))
    if not family.window:
        return mixers(c, layers, lambda layer: "attention") if c.has("layer_types") else None
    if family.window == "all":
        return mixers(c, layers, lambda layer: "window")
    if family.window in ("qwen", "qwen-types"):
        if family.window == "qwen" and not c.flag("use_sliding_window"):
            c.idle("sliding_window")
            return mixers(c, layers, lambda layer: "attention")
        first = c.optional("max_window_layers", least=0)
        return mixers(c, layers, lambda layer: "window" if first is not None and layer >= first else "attention")
    if family.window == "no-rope":
        if c.flag("use_sliding_window") and not c.has("layer_types"):
            raise c.refuse("uses sliding windows, but layer_types does not say in which layers", "say layer_types")
        return mixers(c, layers, lambda layer: "attention")
    if family.window == "blocks":
        rotary = c.wholes("no_rope_layers") or tuple(int((layer + 1) % 4 != 0) for layer in range(layers))
        if len(rotary) != layers:
            raise c.refuse(f"has {len(rotary)} entries in no_rope_layers for {layers} layers", "one entry a layer")
        return mixers(c, layers, lambda layer: "window" if rotary[layer] else "attention")
    period = _period(c, family)
    return mixers(c, layers, lambda layer: "attention" if period and (layer + 1) % period == 0 else "window")


def _period(c: Config, family: Family) -> int:
    """Distance of layers with full attention; a pattern such as ``LLLG`` is as long as its letters."""
    said = c.get("sliding_window_pattern")
    if isinstance(said.value, str):
        pattern = said.text()
        if pattern != "L" * (len(pattern) - 1) + "G":
            raise c.refuse(f"has windows in the pattern {pattern!r}", "L for a window, and one G at the end")
        return len(pattern)
    return family.period if said.absent else said.whole(least=1)


def _window(c: Config, family: Family) -> int | None:
    return c.optional("attention_chunk_size" if family.window == "blocks" else "sliding_window", least=1)


def _experts(
    c: Config, family: Family, layers: int, ffn: int, feed: tuple[Feed, ...] | None
) -> tuple[Experts | None, tuple[Feed, ...] | None]:
    if family.experts is None or (feed is not None and "experts" not in feed):
        return None, None
    return experts(c, family.experts, layers, ffn)


def _latent(c: Config) -> LatentAttention:
    return LatentAttention(
        kv_rank=c.whole("kv_lora_rank"),
        query_rank=c.optional("q_lora_rank"),
        nope_dim=c.whole("qk_nope_head_dim"),
        rope_dim=c.whole("qk_rope_head_dim"),
        value_dim=c.whole("v_head_dim"),
    )


def _states_only(c: Config, family: Family) -> ModelShape:
    """A model of mixers with a state only: heads are those of the state, or its channels."""
    layers, hidden = c.whole("num_hidden_layers", most=MAX_LAYERS), c.whole("hidden_size")
    assert family.recurrent is not None
    mixer = family.recurrent(c, hidden)
    heads = c.optional("mamba_n_heads") or c.optional("mamba_inner") or c.whole("mamba_expand") * hidden
    vocab = c.whole("vocab_size")
    c.check()
    return ModelShape(
        layers=layers,
        hidden=hidden,
        ffn_hidden=hidden,
        heads=heads,
        head_dim=1,
        vocab=vocab,
        tied_embeddings=c.flag("tie_word_embeddings"),
        norms_per_layer=1,
        mixers=("recurrent",) * layers,
        feeds=("none",) * layers,
        recurrent=mixer,
    )
