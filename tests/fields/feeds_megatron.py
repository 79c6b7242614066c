"""Feeds of every declared argument of a Megatron-LM run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from feeding import Feed, Outcome, ReaderFeeds

from traffic.transformer.megatron import read_megatron
from traffic.transformer.megatron_fields import FIELDS

DENSE = (
    "--num-layers 8 --hidden-size 1024 --num-attention-heads 16 --seq-length 2048 --max-position-embeddings 2048 "
    "--micro-batch-size 1 --global-batch-size 64 --vocab-size 50257 --bf16"
)
EXPERTS = f"{DENSE} --num-experts 16 --moe-token-dispatcher-type alltoall --expert-model-parallel-size 4"
LATENT = f"{DENSE} --multi-latent-attention"
STAGES = f"{DENSE} --pipeline-model-parallel-size 4"
SHARDED = f"{DENSE} --use-distributed-optimizer"
FSDP = f"{DENSE} --use-megatron-fsdp"
FP8 = f"{SHARDED} --fp8-format hybrid"

# Where an argument changes an answer: what it is added to, and with which value.
MODELLED: dict[str, tuple[str, str]] = {
    "--num-layers": (DENSE, "12"),
    "--enable-zbh1-pipeline": (STAGES, ""),
    "--hidden-dropout": (DENSE, "0.0"),
    "--encoder-num-layers": (DENSE, "12"),  # beside --num-layers: one of them is refused
    "--hidden-size": (DENSE, "2048"),
    "--ffn-hidden-size": (DENSE, "2816"),
    "--num-attention-heads": (DENSE, "8"),
    "--group-query-attention": (DENSE, ""),
    "--num-query-groups": (f"{DENSE} --group-query-attention", "4"),
    "--num-key-value-heads": (DENSE, "4"),
    "--kv-channels": (DENSE, "128"),
    "--vocab-size": (DENSE, "32000"),
    "--padded-vocab-size": (DENSE, "65536"),
    "--pad-vocab-size-to": (DENSE, "65536"),
    "--make-vocab-size-divisible-by": (DENSE, "4096"),
    "--no-pad-vocab-size": (DENSE, ""),
    "--disable-pad-vocab-size": (DENSE, ""),
    "--max-position-embeddings": (DENSE, "4096"),
    "--position-embedding-type": (DENSE, "rope"),
    "--use-rotary-position-embeddings": (DENSE, ""),
    "--no-position-embedding": (DENSE, ""),
    "--normalization": (DENSE, "RMSNorm"),
    "--swiglu": (DENSE, ""),
    "--quick-geglu": (DENSE, ""),
    "--glu-activation": (DENSE, "swiglu"),
    "--untie-embeddings-and-output-weights": (DENSE, ""),
    "--disable-bias-linear": (DENSE, ""),
    "--add-qkv-bias": (f"{DENSE} --disable-bias-linear", ""),
    "--qk-layernorm": (DENSE, ""),
    "--multi-latent-attention": (DENSE, ""),
    "--q-lora-rank": (LATENT, "256"),
    "--kv-lora-rank": (LATENT, "128"),
    "--qk-head-dim": (LATENT, "64"),
    "--qk-pos-emb-head-dim": (LATENT, "32"),
    "--v-head-dim": (LATENT, "64"),
    "--num-experts": (DENSE, "8"),
    "--moe-router-topk": (EXPERTS, "4"),
    "--moe-ffn-hidden-size": (EXPERTS, "512"),
    "--moe-shared-expert-intermediate-size": (EXPERTS, "8192"),
    "--moe-layer-freq": (EXPERTS, "([0]*2+[1]*6)"),
    "--moe-router-num-groups": (f"{EXPERTS} --moe-router-group-topk 2 --moe-router-num-groups 8", "4"),
    "--moe-router-group-topk": (f"{EXPERTS} --moe-router-num-groups 4", "2"),
    "--moe-router-topk-limited-devices": (EXPERTS, "2"),
    "--moe-router-enable-expert-bias": (EXPERTS, ""),
    "--tensor-model-parallel-size": (DENSE, "2"),
    "--pipeline-model-parallel-size": (DENSE, "2"),
    "--context-parallel-size": (DENSE, "2"),
    "--expert-model-parallel-size": (EXPERTS, "8"),
    "--expert-tensor-parallel-size": (EXPERTS, "2"),
    "--use-tp-pp-dp-mapping": (DENSE, ""),
    "--sequence-parallel": (f"{DENSE} --tensor-model-parallel-size 2", ""),
    "--num-layers-per-virtual-pipeline-stage": (STAGES, "1"),
    "--num-virtual-stages-per-pipeline-rank": (STAGES, "2"),
    "--decoder-first-pipeline-num-layers": (STAGES, "5"),
    "--decoder-last-pipeline-num-layers": (STAGES, "5"),
    "--account-for-embedding-in-pipeline-split": (STAGES.replace("--num-layers 8", "--num-layers 7"), ""),
    "--account-for-loss-in-pipeline-split": (STAGES.replace("--num-layers 8", "--num-layers 7"), ""),
    "--pipeline-model-parallel-layout": (STAGES, '"Et*3|tt|tt|tL"'),
    "--standalone-embedding-stage": (STAGES.replace("--num-layers 8", "--num-layers 9"), ""),
    "--micro-batch-size": (DENSE, "2"),
    "--global-batch-size": (DENSE, "128"),
    "--seq-length": (DENSE, "1024"),
    "--encoder-seq-length": (DENSE.replace("--seq-length 2048", ""), "1024"),
    "--bf16": (DENSE.removesuffix(" --bf16"), ""),
    "--fp16": (DENSE.removesuffix(" --bf16"), ""),
    "--accumulate-allreduce-grads-in-fp32": (DENSE.replace("--bf16", "--fp16"), ""),
    "--grad-reduce-in-bf16": (DENSE, ""),
    "--main-grads-dtype": (DENSE, "bf16"),
    "--fp8-param-gather": (FP8, ""),
    "--reuse-grad-buf-for-mxfp8-param-ag": (f"{FP8} --fp8-param-gather", ""),
    "--megatron-fsdp-grad-comm-dtype": (FSDP, "fp32"),
    "--megatron-fsdp-main-grads-dtype": (FSDP, "fp32"),
    "--use-distributed-optimizer": (DENSE, ""),
    "--num-distributed-optimizer-instances": (SHARDED, "2"),
    "--use-torch-fsdp2": (DENSE, ""),
    "--torch-fsdp2-no-reshard-after-forward": (f"{DENSE} --use-torch-fsdp2", ""),
    "--use-megatron-fsdp": (DENSE, ""),
    "--use-custom-fsdp": (DENSE, ""),
    "--data-parallel-sharding-strategy": (FSDP, "optim"),
    "--deepspeed": (DENSE, ""),
    "--zero-stage": (f"{DENSE} --deepspeed", "2"),
    "--overlap-grad-reduce": (SHARDED, ""),
    "--overlap-param-gather": (SHARDED, ""),
    "--tp-comm-overlap": (DENSE, ""),
    "--no-overlap-p2p-communication": (f"{STAGES} --num-virtual-stages-per-pipeline-rank 2", ""),
    "--overlap-moe-expert-parallel-comm": (EXPERTS, ""),
    "--cp-comm-type": (f"{DENSE} --context-parallel-size 2", "a2a"),
    "--moe-token-dispatcher-type": (EXPERTS, "flex"),
    "--moe-enable-deepep": (EXPERTS, ""),
    "--recompute-granularity": (DENSE, "full"),
    "--recompute-activations": (DENSE, ""),
    "--recompute-modules": (f"{EXPERTS} --recompute-granularity selective", "mlp moe"),
    "--moe-layer-recompute": (EXPERTS, ""),
    "--checkpoint-activations": (DENSE, ""),
    "--activations-checkpoint-method": (DENSE, "uniform"),
    "--deepspeed-activation-checkpointing": (DENSE, ""),
}
# Values of the others that say something; a flag has none.
VALUES = {
    "--DDP-impl": "torch",
    "--decoder-num-layers": "4",
    "--decoder-seq-length": "512",
    "--distributed-backend": "gloo",
    "--ds-sequence-parallel-size": "2",
    "--encoder-pipeline-model-parallel-size": "2",
    "--encoder-tensor-model-parallel-size": "2",
    "--exp-avg-dtype": "bf16",
    "--exp-avg-sq-dtype": "bf16",
    "--hybrid-attention-ratio": "0.1",
    "--hybrid-layer-pattern": '"M*M-"',
    "--hybrid-mlp-ratio": "0.5",
    "--main-params-dtype": "fp16",
    "--megatron-fsdp-main-params-dtype": "bf16",
    "--mlp-type": "residual",
    "--moe-combine-bwd-dtype": "mxfp8",
    "--moe-dispatch-fwd-dtype": "mxfp8",
    "--moe-expert-parallel-size": "2",
    "--mtp-num-layers": "1",
    "--optimizer": "muon",
    "--outer-dp-sharding-strategy": "optim",
    "--rampup-batch-size": "16 16 5859375",
    "--recompute-method": "block",
    "--spec": "my.layers get_spec",
    "--step-batch-size-schedule": '"0:16 12B:1536"',
    "--use-dist-ckpt": "",
    "--window-size": "4096,0",
}


def read(document: str, folder: Path) -> Outcome:
    text, _, ignored = document.partition(" ignore=")
    (folder / "run.sh").write_text(f"torchrun pretrain_gpt.py {text}\n", encoding="utf-8")
    found = read_megatron(None, "run.sh", folder, ignore=ignored.split())
    return Outcome(replace(found, recognised={}, ignored=(), notes=(), launched=None), found.notes)


def feed(name: str) -> Feed:
    treatment = FIELDS.treatment(name)
    plain = name.replace("*", "zz")
    if treatment == "modelled":
        base, value = MODELLED[name]
        return Feed(base, f"{base} {plain} {value}".rstrip(), raises=name == "--encoder-num-layers")
    having = f"{EXPERTS} {plain} {VALUES.get(name, '')}".rstrip()
    return Feed(EXPERTS, having, accepted=f"{having} ignore={plain}")


READERS = [
    ReaderFeeds(
        "model",
        "megatron",
        read,
        {field.name: feed(field.name) for field in FIELDS},
        unknown=Feed(DENSE, f"{DENSE} --zz_unheard_of 3"),
    )
]
