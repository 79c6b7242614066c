"""Shapes from the ``config.json`` of a Hugging Face repository; optional keys default as in ``transformers``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from topologies.errors import FormatError, TrafficError, nearest
from traffic.transformer.shape import Experts, LatentAttention, ModelShape


class _Config:
    """A config.json that remembers which of its keys were asked for."""

    def __init__(self, values: Mapping[str, Any], path: Path) -> None:
        self.path = path
        self.used: dict[str, str] = {"model_type": str(values.get("model_type"))}
        self._values = values
        self._missing: list[str] = []
        self._strange: list[str] = []

    def count(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """A whole number; ``default`` None means that the key is needed."""
        value = self._values.get(key)
        if value is None:
            if default is None:
                self._missing.append(key)
            return default or 1
        self.used[key] = str(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._strange.append(f"{key}: {value!r}")
            return 1
        return value

    def optional(self, key: str, *, least: int = 1) -> int | None:
        """A whole number, or None where the key is absent or null."""
        return self.count(key, 0, least=least) if self._values.get(key) is not None else None

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._values.get(key)
        if value is not None:
            self.used[key] = str(value)
        return default if value is None else bool(value)

    def each(self, key: str) -> list[Any]:
        """A list; empty where absent."""
        value = self._values.get(key)
        if value:
            self.used[key] = str(value)
        return list(value or [])

    def check(self) -> None:
        """Raise with all that is missing or strange."""
        if self._missing:
            raise TrafficError(
                f"{self.path.name} lacks {', '.join(self._missing)}",
                where="model.path",
                hint="take the config.json as published with the weights, or write the model's keys in the scenario",
                code="FP4031",
            )
        if self._strange:
            raise TrafficError(
                f"{self.path.name} has {', '.join(self._strange)}, which must be whole numbers from 1",
                where="model.path",
                code="FP4031",
            )


def _decoder(config: _Config, **more: Any) -> dict[str, Any]:
    """The keys that Llama and its relatives share."""
    return {
        "layers": config.count("num_hidden_layers"),
        "hidden": config.count("hidden_size"),
        "ffn_hidden": config.count("intermediate_size"),
        "heads": config.count("num_attention_heads"),
        "vocab": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", False),
        **more,
    }


def _grouped(config: _Config, **more: Any) -> dict[str, Any]:
    kv_heads, head_dim = config.count("num_key_value_heads"), config.optional("head_dim")
    return _decoder(config, kv_heads=kv_heads, head_dim=head_dim, **more)


def _llama(config: _Config) -> dict[str, Any]:
    attention, mlp = config.flag("attention_bias", False), config.flag("mlp_bias", False)
    if mlp and not attention:
        raise TrafficError(
            f"{config.path.name} sets mlp_bias without attention_bias; such biases are not counted",
            where="model.path",
            hint="write the model's keys in the scenario if the few bias parameters do not matter",
            code="FP4032",
        )
    return _grouped(config, bias="all" if mlp else "attention" if attention else "none")


def _qwen2(config: _Config) -> dict[str, Any]:
    return _grouped(config, bias="qkv")


def _qwen3(config: _Config) -> dict[str, Any]:
    bias = "attention" if config.flag("attention_bias", False) else "none"
    return _grouped(config, qk_norm=True, bias=bias)


def _qwen3_moe(config: _Config) -> dict[str, Any]:
    dense = config.each("mlp_only_layers")
    if dense and dense != list(range(len(dense))):
        raise TrafficError(
            f"{config.path.name} has plain MLPs in layers {dense}; only layers at the start may have them",
            where="model.path",
            hint="write the model's keys in the scenario",
            code="FP4032",
        )
    experts = Experts(
        count=config.count("num_experts"),
        top_k=config.count("num_experts_per_tok"),
        ffn_hidden=config.count("moe_intermediate_size"),
        every=config.count("decoder_sparse_step", 1),
        first_dense=len(dense),
    )
    return _qwen3(config) | {"experts": experts}


def _mixtral(config: _Config) -> dict[str, Any]:
    experts = Experts(count=config.count("num_local_experts"), top_k=config.count("num_experts_per_tok"))
    return _grouped(config, experts=experts)


def _deepseek(config: _Config, *, router_bias: bool) -> dict[str, Any]:
    latent = LatentAttention(
        kv_rank=config.count("kv_lora_rank"),
        query_rank=config.optional("q_lora_rank"),
        nope_dim=config.count("qk_nope_head_dim"),
        rope_dim=config.count("qk_rope_head_dim"),
        value_dim=config.count("v_head_dim"),
    )
    experts = Experts(
        count=config.count("n_routed_experts"),
        top_k=config.count("num_experts_per_tok"),
        ffn_hidden=config.count("moe_intermediate_size"),
        shared=config.count("n_shared_experts", 0, least=0) if config.optional("n_shared_experts", least=0) else 0,
        first_dense=config.optional("first_k_dense_replace", least=0) or 0,
        every=config.count("moe_layer_freq", 1),
        groups=config.optional("n_group"),
        group_limit=config.optional("topk_group"),
        router_bias=router_bias,
    )
    return _decoder(config, latent=latent, experts=experts)


def _gpt2(config: _Config) -> dict[str, Any]:
    hidden = config.count("n_embd")
    return {
        "layers": config.count("n_layer"),
        "hidden": hidden,
        "ffn_hidden": config.optional("n_inner") or 4 * hidden,
        "heads": config.count("n_head"),
        "vocab": config.count("vocab_size"),
        "positions": config.count("n_positions"),
        "tied_embeddings": config.flag("tie_word_embeddings", True),
        "gated_mlp": False,
        "norm": "layer",
        "bias": "all",
    }


_FAMILIES: dict[str, Callable[[_Config], dict[str, Any]]] = {
    "llama": _llama,
    "mistral": _grouped,
    "phi3": _grouped,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "mixtral": _mixtral,
    "deepseek_v2": lambda config: _deepseek(config, router_bias=False),
    "deepseek_v3": lambda config: _deepseek(config, router_bias=True),
    "gpt2": _gpt2,
}


def read_hf_config(path: Path) -> tuple[ModelShape, dict[str, str], tuple[str, ...]]:
    """Read the shape from a Hugging Face ``config.json``; with it, the keys that were used, and those left aside.

    Raises
    ------
    TrafficError
        When the file is missing, its ``model_type`` is not known or keys are missing; all of them are listed.
    FormatError
        When the file is not a JSON object.

    References
    ----------
    ``transformers``, the ``configuration_*.py`` of each family; huggingface.co/docs/transformers.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrafficError(
            f"cannot read {path}: {error.strerror}",
            where="model.path",
            hint="paths are relative to the scenario",
            code="FP4034",
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise FormatError(f"not JSON: {error}", file=str(path), line=line, code="FP6201") from error
    if not isinstance(values, dict):
        raise FormatError("the file is not a JSON object", file=str(path), line=1, code="FP6201")
    family = values.get("model_type")
    if family not in _FAMILIES:
        close = nearest(str(family), _FAMILIES)
        raise TrafficError(
            f"{path.name} has no model_type" if family is None else f"unknown model family {family!r} in {path.name}",
            where="model.path",
            hint=f"known families: {', '.join(_FAMILIES)}"
            + (f"; did you mean {close!r}?" if close else "; or write the model's keys in the scenario"),
            code="FP4030",
        )
    config = _Config(values, path)
    found = _FAMILIES[family](config)
    config.check()
    return ModelShape(**found), config.used, tuple(sorted(set(values) - set(config.used)))
