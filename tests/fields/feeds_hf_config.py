"""Every declared key of ``config.json``, fed to a model of a family that reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from feeding import Feed, Outcome, ReaderFeeds

from traffic.transformer.hf.fields import ALIASES, FIELDS, TEXT_PARTS
from traffic.transformer.huggingface import read_hf_config
from traffic.transformer.parameters import parameter_count
from traffic.transformer.shape import check_shape

SIZE: dict[str, Any] = {
    "hidden_size": 128, "intermediate_size": 160, "num_hidden_layers": 8, "num_attention_heads": 8,
    "num_key_value_heads": 4, "vocab_size": 1000,
}  # fmt: skip
EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48}


def of(family: str, *leave: str, **more: Any) -> dict[str, Any]:
    config = {"model_type": family, **SIZE, **more}
    return {key: value for key, value in config.items() if key not in leave}


LLAMA = of("llama")
QWEN3 = of("qwen3", sliding_window=64)
MOE = of("qwen3_moe", head_dim=16, **EXPERTS)
DEEPSEEK = of("deepseek_v3", "num_key_value_heads", **EXPERTS, n_group=4, topk_group=2, q_lora_rank=48,
              kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16)  # fmt: skip
BAMBA = of("bamba", attn_layer_indices=[1], mamba_n_heads=16, mamba_d_head=16)
MAMBA = {"model_type": "mamba", "hidden_size": 128, "num_hidden_layers": 4, "vocab_size": 1000}
MAMBA2 = {"model_type": "mamba2", "hidden_size": 128, "num_hidden_layers": 4, "vocab_size": 1000}
JAMBA = of("jamba", num_experts=4, num_experts_per_tok=2, attn_layer_period=4, attn_layer_offset=1,
           expert_layer_period=2, expert_layer_offset=1)  # fmt: skip
NEXT = of("qwen3_next", head_dim=16, **EXPERTS)
KIMI = of("kimi_linear", "num_key_value_heads", **EXPERTS, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=8,
          v_head_dim=16)  # fmt: skip
LFM2 = of("lfm2", full_attn_idxs=[1]) | {"intermediate_size": 960}
NEMOTRON = of("nemotron_h", "num_hidden_layers", layers_block_type=["mamba", "moe", "attention", "mlp"], **EXPERTS)
ERNIE = of("ernie4_5_moe", "num_experts", moe_num_experts=8, moe_k=2, moe_intermediate_size=48)
LLAMA4 = of("llama4_text", num_local_experts=4, num_experts_per_tok=1)
FALCON = of("falcon", "intermediate_size", "num_key_value_heads")
GEMMA3 = of("gemma3_text", sliding_window=64)
DBRX = {"model_type": "dbrx", "d_model": 128, "n_heads": 8, "n_layers": 4, "vocab_size": 1000}

# A document, and what the key says in it; the key is left out of the document first.
MODELLED: dict[str, tuple[dict[str, Any], Any]] = {
    "model_type": (LLAMA, "qwen2"),
    "num_hidden_layers": (LLAMA, 4),
    "hidden_size": (LLAMA, 256),
    "intermediate_size": (LLAMA, 320),
    "intermediate_size_mlp": (LLAMA4 | {"interleave_moe_layer_step": 2}, 96),
    "expansion_ratio": ({"model_type": "mpt", "d_model": 128, "n_heads": 8, "n_layers": 4, "vocab_size": 1000}, 2),
    "num_attention_heads": (LLAMA, 16),
    "num_key_value_heads": (LLAMA, 2),
    "head_dim": (LLAMA, 32),
    "vocab_size": (LLAMA, 2000),
    "tie_word_embeddings": (LLAMA, True),
    "n_positions": ({"model_type": "gpt2", "n_embd": 64, "n_head": 4, "n_layer": 2}, 77),
    "max_position_embeddings": (of("opt", "num_key_value_heads", word_embed_proj_dim=128), 77),
    "attention_bias": (LLAMA, True),
    "attention_out_bias": (of("seed_oss"), True),
    "mlp_bias": (LLAMA, True),
    "bias": (FALCON, True),
    "use_bias": (of("ernie4_5"), True),
    "use_qkv_bias": (of("stablelm"), True),
    "qkv_bias": (of("qwen2_moe", **EXPERTS), False),
    "add_qkv_bias": (of("chatglm"), True),
    "add_bias_linear": (of("chatglm"), False),
    "enable_bias": (of("opt", "num_key_value_heads", word_embed_proj_dim=128), False),
    "lm_head_bias": (of("phimoe", num_local_experts=4, num_experts_per_tok=2), True),
    "use_qk_norm": (of("cohere"), True),
    "qk_layernorm": (of("stablelm"), True),
    "multi_query": (FALCON, False),
    "multi_query_attention": (of("chatglm", multi_query_group_num=4), True),
    "new_decoder_architecture": (FALCON, True),
    "parallel_attn": (FALCON, False),
    "num_ln_in_parallel_attn": (FALCON | {"new_decoder_architecture": True}, 1),
    "use_parallel_residual": (of("stablelm"), True),
    "word_embed_proj_dim": (of("opt", "num_key_value_heads", word_embed_proj_dim=128), 64),
    "do_layer_norm_before": (of("opt", "num_key_value_heads", word_embed_proj_dim=128), False),
    "layer_norm_elementwise_affine": (of("opt", "num_key_value_heads", word_embed_proj_dim=128), False),
    "sliding_window": (of("mistral"), 64),
    "sliding_window_pattern": (GEMMA3, 4),
    "use_sliding_window": (QWEN3 | {"max_window_layers": 3}, True),
    "max_window_layers": (QWEN3 | {"use_sliding_window": True}, 3),
    "attention_chunk_size": (LLAMA4, 64),
    "no_rope_layers": (LLAMA4, [1] * 8),
    "layer_types": (GEMMA3, ["full_attention"] * 8),
    "mlp_layer_types": (DEEPSEEK, ["dense"] * 6 + ["sparse"] * 2),
    "kv_lora_rank": (DEEPSEEK, 40),
    "q_lora_rank": (DEEPSEEK, 40),
    "qk_nope_head_dim": (DEEPSEEK, 24),
    "qk_rope_head_dim": (DEEPSEEK, 16),
    "v_head_dim": (DEEPSEEK, 24),
    "use_mla": (DEEPSEEK, False),
    "index_topk": (DEEPSEEK | {"model_type": "deepseek_v32"}, 64),
    "index_n_heads": (DEEPSEEK | {"model_type": "deepseek_v32"}, 4),
    "index_head_dim": (DEEPSEEK | {"model_type": "deepseek_v32"}, 16),
    "num_experts": (MOE, 16),
    "num_experts_per_tok": (MOE, 4),
    "moe_intermediate_size": (MOE, 96),
    "ffn_config.ffn_hidden_size": (DBRX, 96),
    "num_shared_experts": (DEEPSEEK, 3),
    "shared_expert_intermediate_size": (of("qwen2_moe", **EXPERTS), 96),
    "n_group": (DEEPSEEK, 2),
    "topk_group": (DEEPSEEK, 3),
    "topk_method": (DEEPSEEK | {"model_type": "deepseek_v2"}, "group_limited_greedy"),
    "first_k_dense_replace": (DEEPSEEK, 1),
    "moe_layer_freq": (DEEPSEEK, 2),
    "decoder_sparse_step": (MOE, 2),
    "mlp_only_layers": (MOE, [2]),
    "moe_layer_start_index": (ERNIE, 3),
    "moe_layer_end_index": (ERNIE, 5),
    "moe_layer_interval": (ERNIE, 2),
    "moe_layers": (LLAMA4, [1]),
    "interleave_moe_layer_step": (LLAMA4, 2),
    "expert_layer_period": (JAMBA, 4),
    "expert_layer_offset": (JAMBA, 0),
    "moe_router_enable_expert_bias": (of("bailing_moe_v2", **EXPERTS, head_dim=16), False),
    "use_routing_bias": (of("minimax_m2", **EXPERTS, head_dim=16), False),
    "use_expert_bias": (of("lfm2_moe", **EXPERTS, full_attn_idxs=[1]), False),
    "moe_latent_size": (NEMOTRON, 64),
    "use_cla": (of("hunyuan_v1_moe", **EXPERTS), True),
    "attn_layer_period": (JAMBA, 2),
    "attn_layer_offset": (JAMBA, 2),
    "attn_layer_indices": (BAMBA, [1, 5]),
    "attn_type_list": (of("minimax", num_local_experts=4, num_experts_per_tok=2), [0] * 7 + [1]),
    "full_attention_interval": (NEXT, 2),
    "full_attn_idxs": (LFM2, [1, 2]),
    "linear_attn_config.full_attn_layers": (KIMI, [4, 8]),
    "hybrid_override_pattern": (NEMOTRON, "M*-M-"),
    "layers_block_type": (NEMOTRON, ["mamba", "attention"]),
    "mamba_expand": (MAMBA, 3),
    "mamba_inner": (MAMBA, 384),
    "mamba_d_ssm": (of("falcon_h1", mamba_n_heads=16), 512),
    "mamba_d_state": (BAMBA, 32),
    "mamba_d_conv": (BAMBA, 3),
    "mamba_dt_rank": (MAMBA, 12),
    "mamba_n_heads": (BAMBA, 8),
    "mamba_d_head": (BAMBA, 8),
    "mamba_n_groups": (BAMBA, 2),
    "mamba_conv_bias": (BAMBA, False),
    "mamba_bias": (BAMBA, True),
    "mamba_rms_norm": (of("falcon_h1", mamba_n_heads=16), True),
    "linear_num_heads": (KIMI, 4),
    "linear_head_dim": (KIMI, 16),
    "linear_num_key_heads": (NEXT, 4),
    "linear_num_value_heads": (NEXT, 4),
    "linear_key_head_dim": (NEXT, 16),
    "linear_value_head_dim": (NEXT, 16),
    "linear_conv_kernel_dim": (NEXT, 3),
    "conv_L_cache": (LFM2, 4),
    "conv_bias": (LFM2, True),
    "block_auto_adjust_ff_dim": (LFM2, False),
    "block_multiple_of": (LFM2, 24),
    "block_ffn_dim_multiplier": (LFM2, 2.0),
}
# Keys of a family's own name, where the usual key is read in another document.
ONLY = {
    "attn_config.kv_n_heads": (DBRX, 2),
    "ffn_config.moe_num_experts": (DBRX, 8),
    "ffn_config.moe_top_k": (DBRX, 2),
    "linear_attn_config.short_conv_kernel_size": (KIMI, 3),
    "multi_query_group_num": (of("chatglm", "num_key_value_heads", multi_query_attention=True), 2),
    "num_dense_layers": (DEEPSEEK, 1),
}


# Keys that show themselves by an error.
RAISE = {"word_embed_proj_dim", "do_layer_norm_before", "layer_norm_elementwise_affine", "use_mla", "moe_latent_size",
         "use_cla"}  # fmt: skip


def put(document: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    part, _, inner = key.partition(".")
    return {**document, part: {**document.get(part, {}), inner: value}} if inner else {**document, key: value}


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The document where nothing is said of a key, by whatever name."""
    names = {key, *ALIASES.get(key, ())}
    return {name: value for name, value in document.items() if name not in names}


def modelled(name: str, usual: str) -> Feed:
    document, value = ONLY.get(name) or MODELLED[usual]
    if usual in ("model_type", "layers_block_type"):
        return Feed(document, document | {name: value})
    base = without(document, usual)
    return Feed(base, put(base, name, value), raises=name in RAISE)


def feeds() -> dict[str, Feed]:
    usual = {other: name for name, others in ALIASES.items() for other in others}
    made: dict[str, Feed] = {}
    for field in FIELDS:
        if field.name in TEXT_PARTS:
            nested = {"model_type": "llava", field.name: LLAMA}
            made[field.name] = Feed(without(LLAMA, "vocab_size"), nested)
        elif field.treatment == "modelled":
            made[field.name] = modelled(field.name, usual.get(field.name, field.name))
        else:
            made[field.name] = Feed(LLAMA, put(LLAMA, field.name, VALUES.get(field.name, 7)))
    return made


VALUES: dict[str, Any] = {"torch_dtype": "float32", "dtype": "float16", "use_mtp": True, "is_encoder_decoder": True}


def outcome(document: dict[str, Any], folder: Path) -> Outcome:
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    found = read_hf_config(path)
    shape = check_shape(found.shape)
    return Outcome((shape, parameter_count(shape)), found.notes)


READERS = [
    ReaderFeeds("model", "hf-config", outcome, feeds(), unknown=Feed(LLAMA, LLAMA | {"zz_unheard_of": 1})),
]
