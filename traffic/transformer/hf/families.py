"""Families of ``config.json``: what each has that others have not; most are another family under a new name.

References
----------
``transformers`` 5.24, the ``configuration_*.py`` and ``modeling_*.py`` of each family; for families that bring their
own code (``internlm``, ``internlm2``, ``baichuan``, ``chatglm``, ``deepseek``, ``minicpm``, ``mimo``, ``bailing_moe``),
the files published with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from traffic.transformer.hf import recurrent
from traffic.transformer.hf.config import Config
from traffic.transformer.hf.experts import ExpertKeys
from traffic.transformer.hf.layers import every
from traffic.transformer.shape import Mixer, Recurrent

Biased = bool | str  # yes, no, or the key that says it
QkNorm = Literal["", "head", "width", "heads"]  # none, one of a head's width, of all heads together, one for each head


@dataclass(frozen=True)
class Family:
    """One family's decoder; see :func:`traffic.transformer.hf.decoder.shape_of`."""

    gated: bool = True
    norm: Literal["rms", "layer", "none"] = "rms"
    norms: int = 2
    final_norm: bool = True
    qkv_bias: Biased = False
    out_bias: Biased = False
    mlp_bias: Biased = False
    qk_norm: QkNorm = ""
    qk_norm_key: str = ""
    qk_norm_bias: bool = False
    latent: bool = False
    indexer: bool = False
    sink: bool = False  # a learned score a head
    gate: Literal["", "queries", "apart"] = ""  # an output gate as wide as the queries, with their bias or apart
    window: str = ""  # all: every layer where sliding_window is said; types; qwen; no-rope; blocks
    period: int = 0  # every n-th layer has full attention
    experts: ExpertKeys | None = None
    expert_bias: bool = False
    mixer: Callable[[Config, int], Callable[[int], Mixer]] | None = None
    recurrent: Callable[[Config, int], Recurrent] | None = None
    blocks: bool = False  # a layer is one block: a mixer, or an MLP
    no_feed: bool = False  # layers are mixers only
    positions: str = ""  # key of the learned positions
    more_positions: int = 0
    ffn_factor: int = 0  # width of the MLP in hidden sizes where no key says it
    ffn: str = "intermediate_size"
    first: Callable[[Config, int], int] | None = None  # parameters beside the embedding
    head_bias: Biased = False
    parallel: Biased = False  # attention and MLP side by side
    inner_norms: bool = False  # norms inside attention and MLP
    activation: int = 0  # parameters of the function inside the MLP
    idle: tuple[str, ...] = ()  # keys that change nothing in this family
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names of keys that only this family has
    check: Callable[[Config], None] | None = None


# ---- dense -----------------------------------------------------------------------------------------------------------


def _plain_ffn(c: Config) -> None:
    """Falcon's older models have one norm and share keys; anything between is not published."""
    if c.flag("new_decoder_architecture") and not c.flag("parallel_attn", True):
        raise c.refuse("has the new decoder architecture without parallel attention, which is not counted")


def _opt(c: Config) -> None:
    if (c.optional("word_embed_proj_dim") or c.whole("hidden_size")) != c.whole("hidden_size"):
        raise c.refuse("projects its embedding to another width (word_embed_proj_dim), which is not counted")
    if not c.flag("do_layer_norm_before", True):
        raise c.refuse("norms after each block (do_layer_norm_before false), which is not counted")
    if not c.flag("layer_norm_elementwise_affine", True):
        raise c.refuse("has norms without parameters (layer_norm_elementwise_affine false), which is not counted")


def _without_projection_bias(c: Config) -> None:
    """Compressed queries and keys have biases too where attention_bias is set; no published model does."""
    if c.flag("attention_bias"):
        raise c.refuse("sets attention_bias with latent attention, whose biases are not counted")
    if not c.flag("use_mla", True):
        raise c.refuse("sets use_mla false: grouped attention in a family of latent attention, which is not counted")


LLAMA = Family(qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias")
MISTRAL = Family(window="all")
QWEN2 = Family(qkv_bias=True, window="qwen")
QWEN3 = Family(qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head", window="qwen")
GEMMA = Family(qkv_bias="attention_bias", out_bias="attention_bias")
GEMMA2 = replace(GEMMA, norms=4, window="types", period=2)
OLMO2 = replace(GEMMA, qk_norm="width")
GLM = Family(qkv_bias="attention_bias")
COHERE = replace(GEMMA, norms=1, parallel=True, qk_norm="heads", qk_norm_key="use_qk_norm")
GPT2 = Family(
    gated=False, norm="layer", qkv_bias=True, out_bias=True, mlp_bias=True, positions="n_positions", ffn_factor=4
)
FALCON = Family(
    gated=False, norm="layer", norms=0, parallel="parallel_attn", qkv_bias="bias", out_bias="bias", mlp_bias="bias",
    ffn_factor=4,
    check=_plain_ffn,
)  # fmt: skip
NEOX = Family(
    gated=False, norm="layer", qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias=True,
    parallel="use_parallel_residual",
)  # fmt: skip

_DENSE = {
    "llama": LLAMA,
    "mistral": MISTRAL,
    "ministral": replace(MISTRAL, window="types"),
    "ministral3": MISTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gemma": GEMMA,
    "gemma2": GEMMA2,
    "gemma3_text": replace(GEMMA2, qk_norm="head", period=6),
    "phi": replace(GPT2, norms=1, parallel=True, positions="", head_bias=True, qk_norm="head",
                   qk_norm_key="qk_layernorm", qk_norm_bias=True),
    "phi3": Family(window="all"),
    "olmo": replace(GEMMA, norm="none"),
    "olmo2": OLMO2,
    "olmo3": replace(OLMO2, window="types", period=4),
    "falcon": FALCON,
    "gpt2": GPT2,
    "gpt_bigcode": GPT2,
    "gpt_neox": NEOX,
    "gptj": replace(GPT2, norms=1, parallel=True, positions="", qkv_bias=False, out_bias=False, head_bias=True),
    "opt": replace(GPT2, qkv_bias="enable_bias", out_bias="enable_bias", mlp_bias="enable_bias",
                   positions="max_position_embeddings", more_positions=2, check=_opt),
    "bloom": replace(GPT2, positions="", first=lambda _, hidden: 2 * hidden),
    "mpt": Family(gated=False, ffn_factor=4),
    "starcoder2": Family(gated=False, norm="layer", qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias",
                         window="all"),
    "stablelm": Family(norm="layer", parallel="use_parallel_residual", qkv_bias="use_qkv_bias", qk_norm="heads",
                       qk_norm_key="qk_layernorm"),
    "cohere": COHERE,
    "cohere2": replace(COHERE, qk_norm="", window="types", period=4),
    "granite": LLAMA,
    "nemotron": replace(LLAMA, gated=False, norm="layer"),
    "persimmon": replace(GPT2, positions="", qk_norm="head", qk_norm_key="qk_layernorm", qk_norm_bias=True),
    "internlm2": Family(qkv_bias="bias", out_bias="bias"),
    "internlm3": Family(qkv_bias="qkv_bias", out_bias="bias", mlp_bias="bias",
                        names={"qkv_bias": ("attention_bias",), "bias": ("mlp_bias",)}),
    "internlm": Family(qkv_bias="bias", out_bias="bias"),
    "baichuan": Family(),
    "chatglm": Family(qkv_bias="add_qkv_bias", out_bias="add_bias_linear", mlp_bias="add_bias_linear"),
    "exaone": LLAMA,
    "minicpm": Family(qkv_bias="attention_bias", out_bias="attention_bias"),
    "glm": GLM,
    "glm4": replace(GLM, norms=4),
    "smollm3": replace(LLAMA, window="no-rope"),
    "exaone4": Family(qk_norm="head", window="types", period=4),
    "seed_oss": Family(qkv_bias="attention_bias", out_bias="attention_out_bias", mlp_bias="mlp_bias"),
    "ernie4_5": Family(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "hunyuan_v1_dense": replace(GEMMA, qk_norm="head", qk_norm_key="use_qk_norm"),
    "helium": Family(qkv_bias="attention_bias", mlp_bias="mlp_bias"),
    "arcee": replace(LLAMA, gated=False),
    "apertus": replace(GEMMA, gated=False, qk_norm="head", activation=2),
    "bitnet": replace(GEMMA, inner_norms=True),
    "mimo": Family(qkv_bias=True, window="qwen"),
    "minicpm3": Family(latent=True, mlp_bias="mlp_bias", check=_without_projection_bias,
                       idle=("num_key_value_heads", "head_dim")),
}  # fmt: skip

# ---- with experts ----------------------------------------------------------------------------------------------------

_MIXTRAL = ExpertKeys(width="intermediate_size")
_QWEN_MOE = ExpertKeys(layers="step")
_QWEN2_MOE = replace(_QWEN_MOE, shared="width", gate=True)
_DEEPSEEK = ExpertKeys(layers="first", shared="count", limited=True)
_DEEPSEEK_V2 = replace(_DEEPSEEK, methods=("greedy", "group_limited_greedy"))
_DEEPSEEK_V3 = replace(_DEEPSEEK, router_bias=True)
DEEPSEEK_V3 = Family(latent=True, experts=_DEEPSEEK_V3)
_ERNIE = ExpertKeys(layers="range", shared="count", router_bias=True)
_GLM4_MOE = Family(qkv_bias="attention_bias", qk_norm="head", qk_norm_key="use_qk_norm", experts=_DEEPSEEK_V3)


def _hunyuan(c: Config) -> None:
    if c.flag("use_cla"):
        raise c.refuse("shares keys between layers (use_cla), which is not counted")


_LATENT = replace(DEEPSEEK_V3, check=_without_projection_bias, idle=("num_key_value_heads", "head_dim"))
_MOE = {
    "mixtral": Family(experts=_MIXTRAL, window="all"),
    "qwen2_moe": replace(QWEN2, qkv_bias="qkv_bias", experts=_QWEN2_MOE),
    "qwen3_moe": replace(QWEN3, experts=_QWEN_MOE),
    "phimoe": Family(norm="layer", qkv_bias="attention_bias", out_bias="attention_bias", head_bias="lm_head_bias",
                     experts=_MIXTRAL, window="all"),
    "olmoe": replace(OLMO2, experts=_MIXTRAL),
    "flex_olmo": replace(OLMO2, experts=_MIXTRAL),
    "dbrx": Family(experts=ExpertKeys(width="ffn_config.ffn_hidden_size")),
    "gpt_oss": Family(qkv_bias="attention_bias", out_bias="attention_bias", sink=True, window="types", period=2,
                      experts=replace(_MIXTRAL, router_bias=True), expert_bias=True),
    "glm4_moe": _GLM4_MOE,
    "solar_open": replace(_GLM4_MOE, qk_norm="", experts=_DEEPSEEK_V3),
    "granitemoe": replace(GEMMA, experts=_MIXTRAL),
    "granitemoeshared": replace(GEMMA, experts=replace(_MIXTRAL, shared="width")),
    "deepseek": replace(GEMMA, experts=replace(_DEEPSEEK, limited=False)),
    "deepseek_v2": replace(_LATENT, mlp_bias="mlp_bias", experts=_DEEPSEEK_V2),
    "deepseek_v3": _LATENT,
    "deepseek_v32": replace(_LATENT, indexer=True),
    "glm_moe_dsa": replace(_LATENT, indexer=True),
    "glm4_moe_lite": _LATENT,
    "dots1": replace(GEMMA, qk_norm="head", window="qwen-types", experts=_DEEPSEEK_V3),
    "minimax_m2": Family(qk_norm="width", qk_norm_key="use_qk_norm",
                         experts=replace(_MIXTRAL, router_bias_key="use_routing_bias")),
    "ernie4_5_moe": Family(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias",
                           head_bias="use_bias", experts=_ERNIE),
    "hunyuan_v1_moe": replace(GEMMA, qk_norm="head", qk_norm_key="use_qk_norm", check=_hunyuan,
                              experts=replace(_MIXTRAL, width="moe_intermediate_size", shared="count")),
    "llama4_text": replace(GEMMA, window="blocks", idle=("use_qk_norm",), ffn="intermediate_size_mlp",
                           experts=ExpertKeys(layers="interleave", width="intermediate_size", shared="one")),
    "bailing_moe": Family(qkv_bias="use_qkv_bias", out_bias="use_bias", qk_norm="head", qk_norm_key="use_qk_norm",
                          experts=replace(_DEEPSEEK, limited=False)),
    "bailing_moe_v2": Family(qkv_bias="use_qkv_bias", out_bias="use_bias", qk_norm="head", qk_norm_key="use_qk_norm",
                             experts=replace(_DEEPSEEK, router_bias_key="moe_router_enable_expert_bias")),
    "exaone_moe": Family(qk_norm="head", window="types", period=4,
                         experts=replace(_DEEPSEEK_V3)),
    "afmoe": Family(norms=4, qkv_bias="attention_bias", out_bias="attention_bias",
                    qk_norm="head", gate="apart", window="types", period=4,
                    experts=ExpertKeys(layers="first", shared="count", router_bias=True)),
    "hy_v3": replace(LLAMA, qk_norm="head", experts=ExpertKeys(layers="first", shared="count", router_bias=True)),
}  # fmt: skip

# ---- hybrids ---------------------------------------------------------------------------------------------------------


def _jamba_layers(c: Config, _: int) -> Callable[[int], Mixer]:
    return every(c.whole("attn_layer_period"), c.amount("attn_layer_offset"), "attention", "recurrent")


def _bamba_layers(c: Config, _: int) -> Callable[[int], Mixer]:
    chosen = set(c.wholes("attn_layer_indices") or ())
    return lambda layer: "attention" if layer in chosen else "recurrent"


def _interval_layers(c: Config, _: int) -> Callable[[int], Mixer]:
    period = c.optional("full_attention_interval") or 4
    return every(period, period - 1, "attention", "recurrent")


def _minimax_layers(c: Config, layers: int) -> Callable[[int], Mixer]:
    said = c.wholes("attn_type_list")
    if said is None:
        return every(2, 0, "attention", "recurrent")
    if len(said) != layers or set(said) - {0, 1}:
        raise c.refuse(f"has {len(said)} entries in attn_type_list for {layers} layers", "0 or 1 for each layer")
    return lambda layer: "attention" if said[layer] else "recurrent"


def _kimi_layers(c: Config, layers: int) -> Callable[[int], Mixer]:
    said = c.wholes("linear_attn_config.full_attn_layers")
    full = set(range(4, layers, 4)) if said is None else {layer - 1 for layer in said}
    return lambda layer: "attention" if layer in full else "recurrent"


def _lfm_layers(c: Config, layers: int) -> Callable[[int], Mixer]:
    said = c.wholes("full_attn_idxs")
    full = set(range(layers) if said is None else said)
    return lambda layer: "attention" if layer in full else "recurrent"


def _lfm_width(c: Config) -> None:
    if c.flag("block_auto_adjust_ff_dim", True) and not c.value.get("block_ff_dim").absent:
        c.remarks.append("block_auto_adjust_ff_dim: the MLP's width is two thirds of the number said, rounded up")


def _mamba2_of(c: Config, hidden: int) -> Recurrent:
    return recurrent.mamba2(c, hidden)


def _no_rank(c: Config) -> None:
    if c.optional("moe_latent_size") is not None:
        raise c.refuse("has experts of a latent width (moe_latent_size), which are not counted")


_BAMBA = Family(qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias", mixer=_bamba_layers,
                recurrent=_mamba2_of)  # fmt: skip
_QWEN3_NEXT = Family(qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head", gate="queries",
                     mixer=_interval_layers, recurrent=recurrent.gated_delta)  # fmt: skip
_MAMBA_NAMES = {"mamba_bias": ("use_bias",), "mamba_inner": ("intermediate_size",), "mamba_d_head": ("head_dim",)}
_STATE_ONLY = Family(norms=1, no_feed=True, names=_MAMBA_NAMES)
_HYBRID = {
    "jamba": Family(experts=ExpertKeys(layers="period", width="intermediate_size"), mixer=_jamba_layers,
                    recurrent=lambda c, hidden: recurrent.mamba(c, hidden, norms=True)),
    "bamba": _BAMBA,
    "granitemoehybrid": Family(qkv_bias="attention_bias", out_bias="attention_bias", mixer=_bamba_layers,
                               recurrent=_mamba2_of, experts=replace(_MIXTRAL, shared="width")),
    "falcon_h1": replace(_BAMBA, mixer=lambda _, __: lambda layer: "both",
                         recurrent=lambda c, hidden: recurrent.mamba2(c, hidden, norm=c.flag("mamba_rms_norm"))),
    "nemotron_h": Family(gated=False, norms=1, names={"mamba_bias": ("use_bias",)}, mlp_bias="mlp_bias",
                         blocks=True, recurrent=_mamba2_of, check=_no_rank,
                         experts=ExpertKeys(layers="none", shared="count", router_bias=True, limited=True)),
    "qwen3_next": replace(_QWEN3_NEXT, experts=_QWEN2_MOE),
    "qwen3_5_text": _QWEN3_NEXT,
    "qwen3_5_moe_text": replace(_QWEN3_NEXT, experts=replace(_QWEN2_MOE, layers="all")),
    "olmo_hybrid": replace(_QWEN3_NEXT, qk_norm="width", gate=""),
    "kimi_linear": replace(_LATENT, mixer=_kimi_layers, recurrent=recurrent.kimi_delta),
    "minimax": Family(experts=_MIXTRAL, mixer=_minimax_layers, recurrent=recurrent.lightning),
    "lfm2": Family(qk_norm="head", mixer=_lfm_layers, recurrent=recurrent.short_convolution, check=_lfm_width),
    "lfm2_moe": Family(qk_norm="head", mixer=_lfm_layers, recurrent=recurrent.short_convolution,
                       experts=ExpertKeys(layers="first", router_bias_key="use_expert_bias")),
    "mamba": replace(_STATE_ONLY, recurrent=lambda c, hidden: recurrent.mamba(c, hidden, norms=False)),
    "falcon_mamba": replace(_STATE_ONLY, recurrent=lambda c, hidden: recurrent.mamba(c, hidden, norms=False)),
    "mamba2": replace(_STATE_ONLY, recurrent=_mamba2_of),
}  # fmt: skip

FAMILIES: dict[str, Family] = {**_DENSE, **_MOE, **_HYBRID}

# A family that is another with a new name.
SAME_AS = {
    "kimi_k2": "deepseek_v3",
    "yi": "llama",
    "aquila": "llama",
    "code_llama": "llama",
    "exaone3": "exaone",
    "gemma3": "gemma3_text",
    "llama4": "llama4_text",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen2_5_omni_text": "qwen2",
    "qwen3_vl": "qwen3",
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe_text": "qwen3_moe",
    "qwen3_omni_moe_text": "qwen3_moe",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "glm4v_text": "glm4",
    "glm4v_moe_text": "glm4_moe",
    "glm_ocr_text": "glm4",
    "minimax_text_01": "minimax",
    "minimax_m1": "minimax",
    "phi3_v": "phi3",
    "ernie4_5_moe_text": "ernie4_5_moe",
    "solar": "llama",
    "hunyuan": "hunyuan_v1_moe",
    "gpt-sw3": "gpt2",
    "internlm2_5": "internlm2",
}

# Families of wrappers with pictures or sound, and the decoder their nested config has where it does not say.
WRAPPERS = {
    "mistral3": "mistral",
    "pixtral": "mistral",
    "llava": "llama",
    "llava_next": "llama",
    "llava_next_video": "llama",
    "llava_onevision": "qwen2",
    "vipllava": "llama",
    "video_llava": "llama",
    "gemma3": "gemma3_text",
    "paligemma": "gemma",
    "shieldgemma2": "gemma3_text",
    "llama4": "llama4_text",
    "qwen2_vl": "qwen2_vl_text",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_5_omni_thinker": "qwen2_5_omni_text",
    "qwen2_5_omni": "qwen2_5_omni_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "qwen3_omni_moe": "qwen3_omni_moe_text",
    "qwen3_omni_moe_thinker": "qwen3_omni_moe_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4v_moe_text",
    "internvl": "qwen2",
    "internvl_chat": "internlm2",
    "kimi_vl": "deepseek_v3",
    "kimi_k25": "kimi_k2",
    "deepseek_vl": "llama",
    "deepseek_vl_hybrid": "llama",
    "deepseek_vl_v2": "deepseek_v2",
    "idefics2": "mistral",
    "idefics3": "llama",
    "smolvlm": "llama",
    "aya_vision": "cohere2",
    "cohere2_vision": "cohere2",
    "fuyu": "persimmon",
    "janus": "llama",
    "lfm2_vl": "lfm2",
    "perception_lm": "llama",
    "ovis2": "qwen2",
}

# Families whose parameters are not counted, and what they have that no other family has.
NOT_COUNTED = {
    "zamba": "one attention layer whose weights several layers share",
    "zamba2": "attention layers whose weights several layers share, with adapters",
    "jetmoe": "experts in attention",
    "gemma3n": "embeddings in each layer, and keys that layers share",
    "gemma3n_text": "embeddings in each layer, and keys that layers share",
    "gemma4": "embeddings in each layer, and two widths of heads",
    "gemma4_text": "embeddings in each layer, and two widths of heads",
    "deepseek_v4": "compressed attention and several residual streams",
    "longcat_flash": "two attention blocks in a layer, and experts that do nothing",
    "mimo_v2_flash": "two kinds of attention with different key-value heads",
    "recurrent_gemma": "recurrent layers of its own kind",
    "bailing_hybrid": "delta attention of its own kind",
    "minimax_m3_vl_text": "attention to picked blocks of tokens",
    "mllama": "layers with cross attention to pictures",
    "mllama_text_model": "layers with cross attention to pictures",
    "nemotron-nas": "layers that all differ",
    "deci": "layers that all differ",
    "openelm": "layers that all differ",
    "rwkv": "recurrent layers of its own kind",
    "rwkv7": "recurrent layers of its own kind",
    "xlstm": "recurrent layers of its own kind",
    "arctic": "a plain MLP beside the experts with norms of its own",
    "phi3small": "block-sparse attention",
    "bailing_moe_linear": "linear attention of its own kind",
    "t5": "an encoder",
    "mt5": "an encoder",
    "bart": "an encoder",
    "whisper": "an encoder",
    "bert": "an encoder and no decoder",
    "roberta": "an encoder and no decoder",
    "phi4mm": "adapters for pictures and sound",
    "phi4_multimodal": "adapters for pictures and sound",
    "qwen": "an MLP of half its stated width",
    "grok-1": "norms of its own kind",
}


def decoder_family(name: str) -> str:
    """The family whose decoder ``name`` has."""
    return SAME_AS.get(name, name)


def known_families() -> list[str]:
    """Names that are read, in order."""
    return sorted({*FAMILIES, *SAME_AS, *WRAPPERS})


def family_of(name: str) -> Family:
    """The family's decoder; raises KeyError for one that is not read."""
    return FAMILIES[decoder_family(name)]
