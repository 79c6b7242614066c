"""Shapes of dense transformers: parameters, floating-point work and activation volumes in closed form.

The model is a decoder with grouped-query attention, RMS norms without bias and an MLP that is gated (SwiGLU, three
matrices) or plain (two). Biases, experts and learned positions are not modelled; a file that asks for them is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from topologies.errors import FormatError, TrafficError, nearest
from topologies.registry import Spec
from topologies.units import Count


class ModelShape(Spec):
    """A dense decoder, written out."""

    layers: Count = Field(description="Transformer layers")
    hidden: Count = Field(description="Width of the residual stream")
    ffn_hidden: Count = Field(description="Width of the MLP")
    heads: Count = Field(description="Attention heads")
    kv_heads: Count | None = Field(default=None, description="Heads of keys and values; the number of heads if absent")
    vocab: Count = Field(description="Entries of the vocabulary")
    head_dim: Count | None = Field(default=None, description="Width of one head; hidden / heads if absent")
    tied_embeddings: bool = Field(default=False, description="The output head shares the embedding matrix")
    gated_mlp: bool = Field(default=True, description="SwiGLU: three MLP matrices rather than two")

    @property
    def key_value_heads(self) -> int:
        """Heads that keys and values have."""
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def head_width(self) -> int:
        """Elements of one head."""
        return self.hidden // self.heads if self.head_dim is None else self.head_dim

    @property
    def attention_width(self) -> int:
        """Elements of all query heads: the hidden size in most models."""
        return self.heads * self.head_width


class HfConfigFile(Spec):
    """A model described by the ``config.json`` of a Hugging Face repository."""

    source: Literal["hf-config"] = Field(alias="from", description="Where the shape comes from")
    path: str = Field(description="The config.json, relative to the scenario")


def _model_tag(value: Any) -> str:
    """Which way of describing a model is meant: ``from:`` decides, so that a typo is reported for one way only."""
    if isinstance(value, HfConfigFile) or (isinstance(value, Mapping) and "from" in value):
        return "hf-config"
    return "inline"


ModelSpec = Annotated[
    Annotated[ModelShape, Tag("inline")] | Annotated[HfConfigFile, Tag("hf-config")], Discriminator(_model_tag)
]


def resolve_model(model: ModelShape | HfConfigFile, directory: Path) -> ModelShape:
    """The shape behind a ``model:`` key, checked.

    Parameters
    ----------
    model : ModelShape or HfConfigFile
        What the scenario says.
    directory : Path
        Directory of the scenario; a file's path is relative to it.

    Raises
    ------
    TrafficError
        When heads do not divide evenly, or the file describes a family that is not known (FP4030 to FP4033).
    FormatError
        When the file is not JSON.
    """
    shape = read_hf_config(directory / model.path) if isinstance(model, HfConfigFile) else model
    if shape.head_dim is None and shape.hidden % shape.heads:
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
    return shape


# ---- Hugging Face ----------------------------------------------------------------------------------------------------


_LLAMA_KEYS = {
    "num_hidden_layers": "layers",
    "hidden_size": "hidden",
    "intermediate_size": "ffn_hidden",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
    "vocab_size": "vocab",
}


def _llama(config: Mapping[str, Any], path: Path) -> ModelShape:
    """Shape of the Llama family; the optional keys default as in ``transformers.LlamaConfig``."""
    missing = [key for key in _LLAMA_KEYS if config.get(key) is None]
    if missing:
        raise TrafficError(
            f"{path.name} lacks {', '.join(missing)}",
            where="model.path",
            hint="take the config.json as published with the weights, or write the model's keys in the scenario",
            code="FP4031",
        )
    values: dict[str, Any] = {ours: config[theirs] for theirs, ours in _LLAMA_KEYS.items()}
    values["head_dim"] = config.get("head_dim")
    strange = [key for key in _LLAMA_KEYS if not _is_count(config[key])]
    if values["head_dim"] is not None and not _is_count(values["head_dim"]):
        strange.append("head_dim")
    if strange:
        told = ", ".join(f"{key}: {config[key]!r}" for key in strange)
        raise TrafficError(
            f"{path.name} has {told}, which must be whole numbers from 1", where="model.path", code="FP4031"
        )
    biased = [key for key in ("attention_bias", "mlp_bias") if config.get(key)]
    if biased:
        raise TrafficError(
            f"{path.name} sets {', '.join(biased)}; biases are not modelled",
            where="model.path",
            hint="write the model's keys in the scenario if the few bias parameters do not matter",
            code="FP4032",
        )
    return ModelShape(**values, tied_embeddings=bool(config.get("tie_word_embeddings", False)))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_FAMILIES: dict[str, Callable[[Mapping[str, Any], Path], ModelShape]] = {"llama": _llama}


def read_hf_config(path: Path) -> ModelShape:
    """Read the shape from a Hugging Face ``config.json``.

    Raises
    ------
    TrafficError
        When the file is missing, its ``model_type`` is not known or keys are missing; all of them are listed.
    FormatError
        When the file is not a JSON object.

    References
    ----------
    ``transformers.LlamaConfig``, huggingface.co/docs/transformers/model_doc/llama.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
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
    if not isinstance(config, dict):
        raise FormatError("the file is not a JSON object", file=str(path), line=1, code="FP6201")
    family = config.get("model_type")
    if family not in _FAMILIES:
        close = nearest(str(family), _FAMILIES)
        raise TrafficError(
            f"{path.name} has no model_type" if family is None else f"unknown model family {family!r} in {path.name}",
            where="model.path",
            hint=f"known families: {', '.join(_FAMILIES)}"
            + (f"; did you mean {close!r}?" if close else "; or write the model's keys in the scenario"),
            code="FP4030",
        )
    return _FAMILIES[family](config, path)


# ---- closed forms ----------------------------------------------------------------------------------------------------


def parameter_counts(shape: ModelShape) -> dict[str, int]:
    """Parameters by part: ``embedding``, ``attention``, ``mlp``, ``norms``, ``head``.

    Parameters
    ----------
    shape : ModelShape
        With V entries, width h, L layers, a heads and k key-value heads of width w, MLP width f.

    Returns
    -------
    dict of str to int
        ``embedding`` V·h; ``attention`` L·(2·h·a·w + 2·h·k·w); ``mlp`` L·3·h·f (2 when not gated); ``norms``
        (2·L + 1)·h; ``head`` V·h, or 0 when tied.

    Examples
    --------
    Llama 3 70B, as published:

    >>> llama = ModelShape(layers=80, hidden=8192, ffn_hidden=28672, heads=64, kv_heads=8, vocab=128256)
    >>> sum(parameter_counts(llama).values())
    70553706496
    """
    queries, keys = shape.attention_width, shape.key_value_heads * shape.head_width
    return {
        "embedding": shape.vocab * shape.hidden,
        "attention": shape.layers * 2 * shape.hidden * (queries + keys),
        "mlp": shape.layers * (3 if shape.gated_mlp else 2) * shape.hidden * shape.ffn_hidden,
        "norms": (2 * shape.layers + 1) * shape.hidden,
        "head": 0 if shape.tied_embeddings else shape.vocab * shape.hidden,
    }


def parameter_count(shape: ModelShape) -> int:
    """All parameters of the model, embedding and head included."""
    return sum(parameter_counts(shape).values())


def flops_per_token(shape: ModelShape, sequence: int) -> float:
    """Floating-point operations of training on one token, forward and backward, without recompute.

    Parameters
    ----------
    sequence : int
        Tokens in a sequence, s.

    Returns
    -------
    float
        6·P + 6·L·h·s. The second term is the attention scores and their use, 12·L·h·s, halved because a causal
        model looks only back. P counts the embedding, whose look-up costs nothing: 1.5 % too much for Llama 3 70B.

    References
    ----------
    Kaplan et al., arXiv 2001.08361, table 1; Chowdhery et al., arXiv 2204.02311, appendix B (12·L·h·s).
    """
    return 6.0 * parameter_count(shape) + 6.0 * shape.layers * shape.attention_width * sequence


def activation_bytes(shape: ModelShape, micro_batch: int, tokens: float, bytes_per_element: float) -> float:
    """Bytes of the residual stream between two layers for one micro-batch: β·b·s·h.

    Parameters
    ----------
    micro_batch : int
        Sequences in the micro-batch, b.
    tokens : float
        Tokens of each sequence on this rank, s (s/c under context parallelism).
    bytes_per_element : float
        β.

    Returns
    -------
    float
        Bytes. Not what is kept for the backward pass, which is many times that.

    References
    ----------
    Narayanan et al., SC 2021, section 3.2.
    """
    return bytes_per_element * micro_batch * tokens * shape.hidden


def divisors(number: int) -> list[int]:
    """All divisors in order.

    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    small = [value for value in range(1, int(number**0.5) + 1) if number % value == 0]
    return sorted({*small, *(number // value for value in small)})
