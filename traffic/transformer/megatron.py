"""Model, layout and batch from the arguments of a Megatron-LM run.

References
----------
Megatron-LM, ``megatron/training/arguments.py``, for names and defaults; Megatron Core for what they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from topologies.errors import TrafficError
from topologies.reading.fields import HARMLESS, MODELLED
from traffic.transformer.list_expression import ListExpressionError, listed
from traffic.transformer.megatron_arguments import Arguments, read_arguments
from traffic.transformer.megatron_fields import FIELDS
from traffic.transformer.megatron_stages import StageCutError, cut_by_ends, cut_by_layout, cut_evenly
from traffic.transformer.shape import MAX_LAYERS, Experts, Feed, LatentAttention, ModelShape

_FSDP = ("no_shard", "optim", "optim_grads", "optim_grads_params")
_OTHER_MODELS = ("bert", "t5", "ict", "mamba", "hybrid", "vlm", "retro", "vision", "mimo", "biencoder", "mllama")
_TYPES = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Overlapped:
    """What the arguments let go on while GPUs compute; None where they leave it to the sharding."""

    grad_reduce: bool | None
    param_gather: bool | None
    tensor: bool
    pipeline: bool
    experts: bool


@dataclass(frozen=True)
class Sharded:
    """How state is sharded; ``kind`` is None where the arguments leave it to another file."""

    kind: Literal["none", "distributed-optimizer", "zero1", "zero2", "zero3", "fsdp"] | None
    copies: int = 1
    reshard: bool = True
    reduce: Literal["micro-batch", "step"] = "step"


@dataclass(frozen=True)
class MegatronRun:
    """What the arguments say; None where they say nothing."""

    shape: ModelShape
    tensor: int
    pipeline: int
    context: int
    expert: int
    expert_tensor: int | None
    order: str
    virtual: int
    dropout: bool  # masks are kept for the backward pass
    zero_bubble: bool  # stages take turns as in ZB-H1
    stage_layers: tuple[int, ...] | None  # of every chunk in the order of the model, where they are uneven
    sequence_parallel: bool
    batch_global: int | None
    batch_micro: int | None
    sequence: int | None
    params: str  # bf16, fp16 or fp32
    grads: str
    gather: str | None  # fp8, where matrices are gathered so
    sharded: Sharded
    overlap: Overlapped
    recompute: Literal["none", "selective", "experts", "full"]
    context_exchange: Literal["ring", "all-gather", "all-to-all"]
    dispatch: Literal["all-to-all", "all-gather"]
    all_to_all: str | None
    recognised: Mapping[str, str]
    ignored: tuple[str, ...]
    notes: tuple[str, ...] = ()
    launched: int | None = None  # ranks that the launcher says


def read_megatron(
    args: str | None,
    path: str | None,
    directory: Path,
    *,
    vocab: int | None = None,
    variables: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
) -> MegatronRun:
    """Read arguments from a script, from a string, or from both: the string's go before the script's.

    Parameters
    ----------
    vocab : int, optional
        Entries of the vocabulary before padding, which GPT runs take from their tokenizer.
    variables : mapping of str to str, optional
        Variables of the script, and its own arguments by number, as they are when it runs.
    ignore : iterable of str
        Arguments that are left out knowingly.

    Raises
    ------
    TrafficError
        Neither given, or a script that does not parse (FP4035); a file that cannot be read (FP4034); needed arguments
        missing, or values that make no run (FP4036); values that are not known (FP4037).
    FormatError
        Arguments that are not modelled and change the answer (FP6251).
    """
    read, launched, notes = read_arguments(args, path, directory, variables=variables or {}, ignore=ignore)
    program = launched.program or ""
    if any(f"_{model}" in program.removesuffix(".py") for model in _OTHER_MODELS) and program not in ignore:
        raise TrafficError(
            f"{program} trains another kind of model than a decoder with attention",
            where=read.where,
            hint=f"ignore: [{program}] takes its arguments as those of pretrain_gpt.py",
            code="FP4036",
        )
    return _Run(read, vocab, notes).run(launched.ranks)


class _Run:
    """Reads one run; what is to be said gathers in ``notes``."""

    def __init__(self, read: Arguments, vocab: int | None, notes: list[str]) -> None:
        self.read, self._vocab, self.notes = read, vocab, notes

    def run(self, launched: int | None) -> MegatronRun:
        read = self.read
        layers = self._layers()
        tensor, pipeline = (
            read.count("--tensor-model-parallel-size", 1),
            read.count("--pipeline-model-parallel-size", 1),
        )
        expert = read.count("--expert-model-parallel-size", 1)
        shape_values = self._shape(layers, tensor)
        experts: Experts | None = None
        if self._has_experts():
            first, every, shape_values["feeds"] = self._pattern(layers)
            experts = self._experts(shape_values["ffn_hidden"], expert, first, every)
        virtual, stage_layers = self._stages(layers, pipeline)
        params, grads, gather = self._types()
        sharded = self._sharded()
        run: dict[str, Any] = {
            "tensor": tensor,
            "pipeline": pipeline,
            "context": read.count("--context-parallel-size", 1),
            "expert": expert,
            "expert_tensor": read.count("--expert-tensor-parallel-size", tensor) if experts else None,
            "order": "tp-cp-ep-pp-dp" if read.has("--use-tp-pp-dp-mapping") else "tp-cp-ep-dp-pp",
            "virtual": virtual,
            "dropout": read.text("--hidden-dropout", "0.1").strip("0.") != "",
            "zero_bubble": read.has("--enable-zbh1-pipeline") and pipeline > 1,
            "stage_layers": stage_layers,
            "sequence_parallel": read.has("--sequence-parallel") and tensor > 1,
            "batch_global": self._global_batch(),
            "batch_micro": read.optional("--micro-batch-size"),
            "sequence": read.optional("--seq-length") or read.optional("--encoder-seq-length"),
            "params": params,
            "grads": self._fsdp_grads(params) or grads,
            "gather": gather,
            "sharded": sharded,
            "overlap": self._overlap(sharded, virtual),
            "recompute": self._recompute(),
            "context_exchange": self._context_exchange(),
        }
        run["dispatch"], run["all_to_all"] = self._dispatch(experts is not None)
        if experts and tensor > 1 and not read.has("--sequence-parallel"):
            self.notes.append("Megatron Core trains experts with tensor parallel ranks only with --sequence-parallel")
        read.check(self._hint())
        shape = ModelShape(**shape_values, experts=experts, latent=self._latent())
        read.check()
        kinds = {name.removeprefix("--"): FIELDS.treatment(name) for name in read.given if name in FIELDS}
        return MegatronRun(
            shape=shape,
            **run,
            recognised={
                name: " ".join(read.given[f"--{name}"].values) or "yes"
                for name, kind in kinds.items()
                if kind == MODELLED
            },
            ignored=tuple(name for name, kind in kinds.items() if kind == HARMLESS),
            notes=tuple(dict.fromkeys(self.notes)),
            launched=launched,
        )

    def _hint(self) -> str:
        """Where the rest may be, when files were not found."""
        missing = [note for note in self.notes if "which is not there" in note]
        return f"{'; '.join(missing[:3])}; further arguments go into model.args" if missing else ""

    # ---- the model ---------------------------------------------------------------------------------------------------

    def _layers(self) -> int:
        read = self.read
        for name in ("num-layers", "seq-length"):
            if read.has(f"--{name}") and read.has(f"--encoder-{name}"):
                read.problems.append(f"--{name} and --encoder-{name} exclude each other")
        layers = read.optional("--num-layers") or read.optional("--encoder-num-layers") or read.count("--num-layers")
        if layers > MAX_LAYERS:
            read.problems.append(f"--num-layers is {layers:,}; the most is {MAX_LAYERS:,}")
            return 1
        return layers

    def _shape(self, layers: int, tensor: int) -> dict[str, Any]:
        read = self.read
        hidden = read.count("--hidden-size")
        gated = read.has("--swiglu", "--quick-geglu", "--glu-activation")
        # Megatron's own default: 4h, or two thirds of that rounded to 64 with --swiglu.
        usual = int(4 * hidden * 2 / 3 / 64) * 64 if read.has("--swiglu") else 4 * hidden
        plain = read.has("--disable-bias-linear")
        return {
            "layers": layers,
            "hidden": hidden,
            "ffn_hidden": read.optional("--ffn-hidden-size") or max(usual, 1),
            "heads": read.count("--num-attention-heads"),
            "vocab": self._vocabulary(tensor),
            "kv_heads": self._key_value_heads(),
            "head_dim": read.optional("--kv-channels"),
            "tied_embeddings": not read.has("--untie-embeddings-and-output-weights"),
            "gated_mlp": gated,
            "norm": "rms" if read.text("--normalization", "LayerNorm").lower() == "rmsnorm" else "layer",
            "positions": self._positions(),
            "qk_norm": read.has("--qk-layernorm"),
            "bias": ("qkv" if read.has("--add-qkv-bias") else "none") if plain else "all",
        }

    def _key_value_heads(self) -> int | None:
        read = self.read
        if read.has("--group-query-attention"):
            return read.count("--num-query-groups", 1)
        return read.optional("--num-key-value-heads")

    def _positions(self) -> int:
        read = self.read
        kinds = ("learned_absolute", "rope", "yarn", "mrope", "none", "alibi", "relative", "rotary", "absolute")
        kind = read.choice("--position-embedding-type", kinds, "learned_absolute")
        if kind == "relative":
            read.problems.append("--position-embedding-type relative is that of T5, which is not modelled")
        if kind not in ("learned_absolute", "absolute"):
            return 0
        if read.has("--no-position-embedding", "--use-rotary-position-embeddings"):
            return 0
        given = read.optional("--max-position-embeddings")
        if given is None:
            given = read.optional("--seq-length") or read.optional("--encoder-seq-length") or 0
            self.notes.append(
                f"learned positions are counted as {given:,}, the length of a sequence; Megatron-LM needs "
                "--max-position-embeddings"
            )
        return given

    def _vocabulary(self, tensor: int) -> int:
        """Entries that the ranks hold: padded as Megatron-LM does."""
        read = self.read
        padded = read.optional("--padded-vocab-size") or read.optional("--pad-vocab-size-to")
        if padded is not None and self._vocab is None:
            return padded
        entries = self._vocab or read.optional("--vocab-size")
        if entries is None:
            read.problems.append(
                "--vocab-size is missing: the run takes it from its tokenizer; say vocab: beside path or args, such as "
                "vocab: 50257 (--set workloads.ID.model.vocab=50257)"
            )
            return 1
        if read.has("--no-pad-vocab-size", "--disable-pad-vocab-size"):
            return entries
        multiple = read.count("--make-vocab-size-divisible-by", 128) * tensor
        rounded = -(-entries // multiple) * multiple
        if rounded != entries:
            self.notes.append(
                f"the vocabulary of {entries:,} is padded to {rounded:,}, a multiple of {multiple:,}, and counted so "
                "(--make-vocab-size-divisible-by x tensor ranks)"
            )
        return rounded

    def _latent(self) -> LatentAttention | None:
        read = self.read
        if not read.has("--multi-latent-attention"):
            return None
        return LatentAttention(
            kv_rank=read.count("--kv-lora-rank", 32),
            query_rank=read.optional("--q-lora-rank"),
            nope_dim=read.count("--qk-head-dim", 128),
            rope_dim=read.count("--qk-pos-emb-head-dim", 64),
            value_dim=read.count("--v-head-dim", 128),
        )

    def _has_experts(self) -> bool:
        """Whether there are experts: Megatron-LM takes 0 for none, Megatron-DeepSpeed 1."""
        found = self.read.given.get("--num-experts")
        if found is None or (found.values in (("0",), ("1",)) and self.read.has("--deepspeed")):
            return False
        if self.read.has("--deepspeed"):
            self.read.problems.append(
                "--num-experts with --deepspeed: DeepSpeed lays experts out in its own way; write the model's and the "
                "layout's keys in the scenario"
            )
        return found.values != ("0",)

    def _experts(self, ffn: int, expert: int, first: int, every: int) -> Experts:
        read = self.read
        width = read.optional("--moe-ffn-hidden-size") or ffn
        shared = read.optional("--moe-shared-expert-intermediate-size") or 0
        whole = shared % width == 0
        groups, limit = read.optional("--moe-router-num-groups"), read.optional("--moe-router-group-topk")
        if limit is None and read.has("--moe-router-topk-limited-devices"):
            groups, limit = expert, read.count("--moe-router-topk-limited-devices")
        if limit is not None and groups is None:
            read.problems.append("--moe-router-group-topk needs --moe-router-num-groups")
        return Experts(
            count=read.count("--num-experts"),
            top_k=read.count("--moe-router-topk", 2),
            ffn_hidden=width,
            shared=shared // width if whole else 1,
            shared_ffn_hidden=None if whole else shared,
            first_dense=first,
            every=every,
            groups=groups if limit is not None else None,
            group_limit=limit,
            router_bias=read.has("--moe-router-enable-expert-bias"),
        )

    def _pattern(self, layers: int) -> tuple[int, int, tuple[Feed, ...] | None]:
        """Dense layers at the start, and the distance of layers with experts; or what every layer has, by a list."""
        text = self.read.text("--moe-layer-freq", "1").strip("'\" ")
        if text.isdigit() and 0 < len(text) < 6 and int(text) > 0:
            return 0, int(text), None
        try:
            found = listed(text, MAX_LAYERS)
        except ListExpressionError as error:
            return self._no_pattern(text, layers, f": it {error}")
        if len(found) != layers or not set(found) <= {0, 1} or 1 not in found:
            return self._no_pattern(text, layers, f": it has {len(found):,} entries")
        first = found.index(1)
        later = [place for place in range(first + 1, layers) if found[place]]
        every = later[0] - first if later else max(layers - first, 1)
        if [place for place in range(first, layers) if (place - first) % every == 0] == [first, *later]:
            return first, every, None
        return 0, 1, tuple("experts" if entry else "mlp" for entry in found)

    def _no_pattern(self, text: str, layers: int, why: str) -> tuple[int, int, None]:
        self.read.problems.append(
            f"--moe-layer-freq {text[:60]!r} is neither a number nor a list of {layers} zeros and ones{why}"
        )
        return 0, 1, None

    # ---- layout and batch --------------------------------------------------------------------------------------------

    def _stages(self, layers: int, stages: int) -> tuple[int, tuple[int, ...] | None]:
        """Chunks of a stage, and layers of every chunk where they are not all alike."""
        read = self.read
        if any(problem.startswith("--num-layers") for problem in read.problems):
            return 1, None
        embedding = read.has("--account-for-embedding-in-pipeline-split")
        loss = read.has("--account-for-loss-in-pipeline-split")
        first = read.optional("--decoder-first-pipeline-num-layers")
        last = read.optional("--decoder-last-pipeline-num-layers")
        try:
            if read.has("--pipeline-model-parallel-layout"):
                text = read.text("--pipeline-model-parallel-layout")
                counts, chunks, apart = cut_by_layout(text, layers, stages)
                if not apart:
                    self.notes.append(
                        "--pipeline-model-parallel-layout: layers that predict further tokens are left out"
                    )
                return chunks, counts
            chunks = read.count("--num-virtual-stages-per-pipeline-rank", 1)
            each = read.optional("--num-layers-per-virtual-pipeline-stage")
            if each is not None:
                if (layers + embedding + loss) % (stages * each):
                    raise StageCutError(f"{layers} layers do not split over {stages} stages in chunks of {each}")
                chunks = (layers + embedding + loss) // stages // each
            if stages == 1:
                return 1, None
            if first is not None or last is not None:
                return chunks, cut_by_ends(layers, stages, chunks, first, last)
            if read.has("--standalone-embedding-stage"):
                return chunks, (0, *cut_evenly(layers, stages - 1, 1, embedding=False, loss=False))
            if embedding or loss:
                return chunks, cut_evenly(layers, stages, chunks, embedding=embedding, loss=loss)
        except StageCutError as error:
            read.problems.append(f"pipeline stages: {error}")
            return 1, None
        return chunks, None

    def _global_batch(self) -> int | None:
        """Sequences of a step; of a schedule the last."""
        schedule = self.read.given.get("--step-batch-size-schedule")
        if schedule is None or self.read.has("--global-batch-size"):
            return self.read.optional("--global-batch-size")
        last = " ".join(schedule.values).split()[-1:]
        text = last[0].rpartition(":")[2] if last else ""
        if not (text.isdigit() and 0 < len(text) < 13):
            self.read.problems.append(f"--step-batch-size-schedule ends with {text[:40]!r}, no whole number")
            return 1
        return int(text)

    # ---- number types and sharding -----------------------------------------------------------------------------------

    def _types(self) -> tuple[str, str, str | None]:
        """Parameters, gradients on the wire, and matrices as they are gathered where that is another type.

        ``--bf16`` turns fp32 gradients on, unless ``--grad-reduce-in-bf16`` or another ``--main-grads-dtype`` is given.
        """
        read = self.read
        if read.has("--bf16") and read.has("--fp16"):
            read.problems.append("--bf16 and --fp16 exclude each other")
        params = "bf16" if read.has("--bf16") else "fp16" if read.has("--fp16") else "fp32"
        main = read.choice("--main-grads-dtype", _TYPES, "fp32")
        wide = read.has("--accumulate-allreduce-grads-in-fp32")
        if params == "bf16":
            if wide and main != "fp32":
                read.problems.append(f"--main-grads-dtype {main} excludes --accumulate-allreduce-grads-in-fp32")
            wide = not read.has("--grad-reduce-in-bf16") and (wide or main == "fp32")
        if read.has("--deepspeed"):
            wide = False
            self.notes.append("gradients are reduced in the parameters' type, as DeepSpeed does (precision.grads)")
        narrow = read.has("--fp8-param-gather") and read.has("--fp8-format", "--fp8-hybrid", "--fp8-e4m3", "--fp8")
        if read.has("--use-torch-fsdp2", "--reuse-grad-buf-for-mxfp8-param-ag"):
            narrow = False
        return params, "fp32" if wide else params, "fp8" if narrow else None

    def _fsdp_grads(self, params: str) -> str | None:
        """Gradients on the wire as Megatron-FSDP has them; None without it."""
        read = self.read
        if not self._megatron_fsdp:
            return params if read.has("--use-torch-fsdp2") else None
        choices = (*_TYPES, "auto")
        wire = read.choice("--megatron-fsdp-grad-comm-dtype", choices, "auto")
        main = read.choice("--megatron-fsdp-main-grads-dtype", choices, "auto")
        return next((kind for kind in (wire, main) if kind != "auto"), params)

    @property
    def _megatron_fsdp(self) -> bool:
        return self.read.has("--use-megatron-fsdp", "--use-custom-fsdp")

    def _sharded(self) -> Sharded:
        read = self.read
        copies = read.count("--num-distributed-optimizer-instances", 1)
        if self._megatron_fsdp:
            strategy = read.choice("--data-parallel-sharding-strategy", _FSDP, "optim_grads_params")
            reduce: Literal["micro-batch", "step"] = "micro-batch" if strategy.startswith("optim_grads") else "step"
            kinds = dict(zip(_FSDP, ("none", "zero1", "zero2", "fsdp"), strict=True))
            return Sharded(kinds[strategy], copies, reduce=reduce)  # type: ignore[arg-type]
        if read.has("--use-torch-fsdp2"):
            return Sharded("fsdp", reshard=not read.has("--torch-fsdp2-no-reshard-after-forward"), reduce="micro-batch")
        if read.has("--deepspeed", "--zero-stage"):
            stage = read.text("--zero-stage")
            if stage not in ("", "0", "1", "2", "3"):
                read.problems.append(f"--zero-stage is {stage[:20]!r}, no stage of ZeRO from 0 to 3")
            stages = {"0": "none", "1": "zero1", "2": "zero2", "3": "zero3"}
            return Sharded(stages.get(stage) if stage else None)  # type: ignore[arg-type]
        if read.has("--use-distributed-optimizer"):
            return Sharded("distributed-optimizer", copies)
        return Sharded("none")

    def _overlap(self, sharded: Sharded, virtual: int) -> Overlapped:
        """Megatron-LM overlaps stage boundaries in the interleaved schedule only."""
        read = self.read
        grad, param = read.has("--overlap-grad-reduce"), read.has("--overlap-param-gather")
        gathered = sharded.kind in ("fsdp", "zero3", None)
        return Overlapped(
            grad_reduce=True if grad else None if gathered else False,
            param_gather=True if param else None if gathered else False,
            tensor=read.has("--tp-comm-overlap"),
            pipeline=virtual > 1 and not read.has("--no-overlap-p2p-communication"),
            experts=read.has("--overlap-moe-expert-parallel-comm"),
        )

    # ---- collectives and recomputation -------------------------------------------------------------------------------

    def _recompute(self) -> Literal["none", "selective", "experts", "full"]:
        read = self.read
        former = ("--checkpoint-activations", "--activations-checkpoint-method", "--deepspeed-activation-checkpointing")
        granularity = read.choice("--recompute-granularity", ("full", "selective", "none"), "none")
        if granularity == "full" or read.has(*former):
            return "full"
        selective = granularity == "selective" or read.has("--recompute-activations")
        modules = read.given["--recompute-modules"].values if read.has("--recompute-modules") else ()
        if read.has("--moe-layer-recompute") or (selective and "moe" in modules):
            return "experts"
        return "selective" if selective else "none"

    def _context_exchange(self) -> Literal["ring", "all-gather", "all-to-all"]:
        kinds: dict[str, Literal["ring", "all-gather", "all-to-all"]] = {
            "p2p": "ring",
            "allgather": "all-gather",
            "all_gather": "all-gather",
            "a2a": "all-to-all",
        }
        given = self.read.given.get("--cp-comm-type")
        said = set(given.values) if given else {"p2p"}
        if len(said) != 1 or not said <= set(kinds):
            self.read.problems.append(
                f"--cp-comm-type {' '.join(sorted(said))[:60]}: one of p2p, allgather and a2a for all layers is known"
            )
            return "ring"
        return kinds[said.pop()]

    def _dispatch(self, experts: bool) -> tuple[Literal["all-to-all", "all-gather"], str | None]:
        """How experts get their tokens, and the algorithm where it is not the scenario's."""
        kind = self.read.choice("--moe-token-dispatcher-type", ("allgather", "alltoall", "flex"), "allgather")
        if kind == "allgather" and not self.read.has("--moe-token-dispatcher-type") and experts:
            self.notes.append(
                "experts gather all tokens, as Megatron-LM does without --moe-token-dispatcher-type "
                "(collectives.dispatch)"
            )
        if kind == "allgather":
            return "all-gather", None
        flexible = kind == "flex" or self.read.has("--moe-enable-deepep")
        return "all-to-all", "node-deduplicated" if flexible else None
