"""Model, layout and batch from the arguments of a Megatron-LM run.

References
----------
Megatron-LM, ``megatron/training/arguments.py``, for names and defaults.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from topologies.errors import TrafficError
from topologies.reading.file_bytes import file_bytes
from traffic.transformer.shape import MOST_LAYERS, Experts, LatentAttention, ModelShape

_VALUES = {
    "num-layers", "hidden-size", "ffn-hidden-size", "num-attention-heads", "num-query-groups", "kv-channels",
    "seq-length", "max-position-embeddings", "vocab-size", "padded-vocab-size", "normalization",
    "position-embedding-type", "tensor-model-parallel-size", "pipeline-model-parallel-size", "context-parallel-size",
    "expert-model-parallel-size", "num-layers-per-virtual-pipeline-stage", "num-virtual-stages-per-pipeline-rank",
    "micro-batch-size", "global-batch-size", "num-experts", "moe-router-topk", "moe-ffn-hidden-size",
    "moe-shared-expert-intermediate-size", "moe-layer-freq", "moe-router-group-topk", "q-lora-rank", "kv-lora-rank",
    "qk-head-dim", "qk-pos-emb-head-dim", "v-head-dim", "recompute-granularity",
}  # fmt: skip
_FLAGS = {
    "group-query-attention", "swiglu", "untie-embeddings-and-output-weights", "disable-bias-linear", "add-qkv-bias",
    "qk-layernorm", "sequence-parallel", "use-distributed-optimizer", "overlap-grad-reduce", "overlap-param-gather",
    "bf16", "fp16", "fp8-format", "accumulate-allreduce-grads-in-fp32", "multi-latent-attention",
    "recompute-activations", "use-tp-pp-dp-mapping", "moe-router-enable-expert-bias", "no-position-embedding",
}  # fmt: skip


@dataclass(frozen=True)
class MegatronRun:
    """What a line of arguments says; None where it says nothing."""

    shape: ModelShape
    tensor: int
    pipeline: int
    context: int
    expert: int
    order: str
    virtual: int
    sequence_parallel: bool
    batch_global: int | None
    batch_micro: int
    sequence: int | None
    params: str  # bf16, fp16 or fp32
    grads: str
    distributed_optimizer: bool
    overlap_grad_reduce: bool
    overlap_param_gather: bool
    recompute: Literal["none", "selective", "full"]
    recognised: Mapping[str, str]
    ignored: tuple[str, ...]


def read_megatron(args: str | None, path: str | None, directory: Path) -> MegatronRun:
    """Read arguments from a string or a file.

    Raises
    ------
    TrafficError
        Neither or both given, or quotes that do not close (FP4035); a file that cannot be read (FP4034); needed
        arguments missing, or values that are not whole numbers (FP4036).
    """
    if (args is None) == (path is None):
        raise TrafficError(
            "a Megatron-LM run is described by args or by path, one of them",
            where="model.path" if path else "model",
            hint='args: "--num-layers 80 --hidden-size 8192 ...", or path: run.sh',
            code="FP4035",
        )
    where = "model.args" if path is None else "model.path"
    text = args if path is None else _read(directory / path)
    try:
        words = shlex.split((text or "").replace("\\\n", " "), comments=True)
    except ValueError as error:
        raise TrafficError(
            f"the arguments do not parse: {error}", where=where, hint="close every quote", code="FP4035"
        ) from error
    given, ignored = _arguments(words)
    return _run(_Reader(given, where), tuple(ignored))


def _read(path: Path) -> str:
    try:
        return file_bytes(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TrafficError(
            f"cannot read {path}: {reason}",
            where="model.path",
            hint="paths are relative to the scenario",
            code="FP4034",
        ) from error


def _arguments(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Arguments that are known, and names of the others."""
    given: dict[str, str] = {}
    ignored: list[str] = []
    for number, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        following = words[number + 1] if number + 1 < len(words) else "--"
        if name in _VALUES:
            given[name] = value if equals else following if not following.startswith("--") else ""
        elif name in _FLAGS:
            given[name] = "yes"
        else:
            ignored.append(name)
    return given, ignored


class _Reader:
    def __init__(self, given: Mapping[str, str], where: str) -> None:
        self.given, self._where = given, where
        self.problems: list[str] = []

    def count(self, name: str, default: int | None = None) -> int:
        value = self.given.get(name)
        if value is None:
            if default is None:
                self.problems.append(f"--{name} is missing")
            return default or 1
        if not value.isdigit() or int(value) < 1:
            self.problems.append(f"--{name} is {value!r}, no whole number from 1")
            return 1
        return int(value)

    def optional(self, name: str) -> int | None:
        return self.count(name) if name in self.given else None

    def has(self, name: str) -> bool:
        return name in self.given

    def check(self) -> None:
        if self.problems:
            raise TrafficError(
                "; ".join(self.problems),
                where=self._where,
                hint="take the line as it is given to pretrain_gpt.py, with every variable written out",
                code="FP4036",
            )


def _run(read: _Reader, ignored: tuple[str, ...]) -> MegatronRun:
    layers, pipeline = read.count("num-layers"), read.count("pipeline-model-parallel-size", 1)
    shape = _shape(read, layers)
    per_virtual = read.optional("num-layers-per-virtual-pipeline-stage")
    virtual = read.count("num-virtual-stages-per-pipeline-rank", 1)
    if per_virtual is not None:
        virtual = max(layers // pipeline // per_virtual, 1)
    half = "bf16" if read.has("bf16") else "fp16" if read.has("fp16") else "fp32"
    low = half in ("fp32", "bf16") or read.has("accumulate-allreduce-grads-in-fp32")  # bf16 turns fp32 gradients on
    run = MegatronRun(
        shape=shape,
        tensor=read.count("tensor-model-parallel-size", 1),
        pipeline=pipeline,
        context=read.count("context-parallel-size", 1),
        expert=read.count("expert-model-parallel-size", 1),
        order="tp-cp-ep-pp-dp" if read.has("use-tp-pp-dp-mapping") else "tp-cp-ep-dp-pp",
        virtual=virtual,
        sequence_parallel=read.has("sequence-parallel"),
        batch_global=read.optional("global-batch-size"),
        batch_micro=read.count("micro-batch-size", 1),
        sequence=read.optional("seq-length"),
        params=half,
        grads="fp32" if low else half,
        distributed_optimizer=read.has("use-distributed-optimizer"),
        overlap_grad_reduce=read.has("overlap-grad-reduce"),
        overlap_param_gather=read.has("overlap-param-gather"),
        recompute=_recompute(read),
        recognised=dict(read.given),
        ignored=ignored,
    )
    read.check()
    return run


def _recompute(read: _Reader) -> Literal["none", "selective", "full"]:
    granularity = read.given.get("recompute-granularity")
    if granularity == "full":
        return "full"
    return "selective" if granularity == "selective" or read.has("recompute-activations") else "none"


def _shape(read: _Reader, layers: int) -> ModelShape:
    hidden = read.count("hidden-size")
    gated = read.has("swiglu")
    # Megatron's own default: 4h, or two thirds of that rounded to 64 for gated MLPs.
    ffn = read.optional("ffn-hidden-size") or (int(4 * hidden * 2 / 3 / 64) * 64 if gated else 4 * hidden)
    learned = read.given.get("position-embedding-type", "learned_absolute") == "learned_absolute"
    values: dict[str, Any] = {
        "layers": layers,
        "hidden": hidden,
        "ffn_hidden": ffn,
        "heads": read.count("num-attention-heads"),
        "vocab": read.optional("padded-vocab-size") or read.count("vocab-size"),
        "kv_heads": read.optional("num-query-groups") if read.has("group-query-attention") else None,
        "head_dim": read.optional("kv-channels"),
        "tied_embeddings": not read.has("untie-embeddings-and-output-weights"),
        "gated_mlp": gated,
        "norm": "rms" if read.given.get("normalization", "LayerNorm") == "RMSNorm" else "layer",
        "positions": read.optional("max-position-embeddings") or 0
        if learned and not read.has("no-position-embedding")
        else 0,
        "qk_norm": read.has("qk-layernorm"),
    }
    plain = read.has("disable-bias-linear")
    values["bias"] = ("qkv" if read.has("add-qkv-bias") else "none") if plain else "all"
    latent = _latent(read) if read.has("multi-latent-attention") else None
    experts = _experts(read, layers, ffn) if read.has("num-experts") else None
    read.check()
    return ModelShape(**values, latent=latent, experts=experts)


def _latent(read: _Reader) -> LatentAttention:
    return LatentAttention(
        kv_rank=read.count("kv-lora-rank", 32),
        query_rank=read.optional("q-lora-rank"),
        nope_dim=read.count("qk-head-dim", 128),
        rope_dim=read.count("qk-pos-emb-head-dim", 64),
        value_dim=read.count("v-head-dim", 128),
    )


def _experts(read: _Reader, layers: int, ffn: int) -> Experts:
    width = read.optional("moe-ffn-hidden-size") or ffn
    shared = read.optional("moe-shared-expert-intermediate-size") or 0
    if shared % width:
        read.problems.append(f"--moe-shared-expert-intermediate-size {shared} is not a multiple of an expert's {width}")
    first, every = _pattern(read, layers)
    return Experts(
        count=read.count("num-experts"),
        top_k=read.count("moe-router-topk", 2),
        ffn_hidden=width,
        shared=shared // width,
        first_dense=first,
        every=every,
        node_limit=read.optional("moe-router-group-topk"),
        router_bias=read.has("moe-router-enable-expert-bias"),
    )


def _pattern(read: _Reader, layers: int) -> tuple[int, int]:
    """Dense layers at the start, and the distance of layers with experts, from ``--moe-layer-freq``."""
    text = read.given.get("moe-layer-freq", "1").strip("'\"")
    if text.isdigit() and int(text) > 0:
        return 0, int(text)
    found = _listed(text)
    if found is None or len(found) != layers or 1 not in found:
        read.problems.append(f"--moe-layer-freq {text!r} is neither a number nor a list of {layers} zeros and ones")
        return 0, 1
    first = found.index(1)
    if any(value != 1 for value in found[first:]):
        read.problems.append(f"--moe-layer-freq {text!r} has layers without experts after the first with them")
    return first, 1


def _listed(text: str) -> list[int] | None:
    """A list such as ``([0]*3+[1]*58)``, as Megatron-LM takes it.

    >>> _listed("([0]*1+[1]*2)")
    [0, 1, 1]
    """
    parts: list[int] = []
    for piece in text.strip("() ").replace(" ", "").split("+"):
        body, _, times = piece.partition("*")
        inner = body.strip("[]").split(",")
        if not all(word in ("0", "1") for word in inner) or (times and not times.isdigit()):
            return None
        if len(times) > 9 or len(parts) + len(inner) * int(times or 1) > MOST_LAYERS:
            return None
        parts += [int(word) for word in inner] * (int(times) if times else 1)
    return parts
