"""Megatron-LM argument lines: what is recognised, what it means, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.transformer.megatron import read_megatron
from traffic.transformer.parameters import parameter_count

# Megatron-LM examples/gpt3/train_gpt3_175b_distributed.sh, with its variables written out.
GPT3 = (
    "--num-layers 96 --hidden-size 12288 --num-attention-heads 96 --seq-length 2048 --max-position-embeddings 2048 "
    "--attention-backend auto --micro-batch-size 1 --global-batch-size 1536 --train-iters 500000 --weight-decay 0.1 "
    "--fp16 --lr 6.0e-5 --tensor-model-parallel-size 8 --pipeline-model-parallel-size 16 --vocab-size 50257"
)
LLAMA = (
    "--num-layers 80 --hidden-size 8192 --ffn-hidden-size 28672 --num-attention-heads 64 --group-query-attention "
    "--num-query-groups 8 --swiglu --normalization RMSNorm --disable-bias-linear --position-embedding-type rope "
    "--untie-embeddings-and-output-weights --vocab-size 128256 --seq-length 8192 --micro-batch-size 1 "
    "--global-batch-size 1024 --tensor-model-parallel-size 8 --pipeline-model-parallel-size 4 --sequence-parallel "
    "--num-layers-per-virtual-pipeline-stage 5 --bf16 --use-distributed-optimizer --overlap-grad-reduce "
    "--overlap-param-gather --lr 1e-4"
)
MOE = (
    "--num-layers 61 --hidden-size 7168 --ffn-hidden-size 18432 --num-attention-heads 128 --multi-latent-attention "
    "--q-lora-rank 1536 --kv-lora-rank 512 --qk-head-dim 128 --qk-pos-emb-head-dim 64 --v-head-dim 128 --swiglu "
    "--normalization RMSNorm --disable-bias-linear --position-embedding-type rope --vocab-size 129280 "
    "--untie-embeddings-and-output-weights --num-experts 256 --moe-router-topk 8 --moe-ffn-hidden-size 2048 "
    "--moe-shared-expert-intermediate-size 2048 --moe-layer-freq ([0]*3+[1]*58) --moe-router-num-groups 8 "
    "--moe-router-group-topk 4 "
    "--moe-router-enable-expert-bias"
)


def _read(text, path=None):
    return read_megatron(text, path, Path())


def test_the_published_gpt_3_script_gives_gpt_3():
    """Learned positions, layer norms with biases, a tied head and 4h: 174.6 billion, 50,257 padded to 51,200."""
    found = _read(GPT3)
    assert parameter_count(found.shape) == 174_604_259_328 + (51_200 - 50_257) * 12_288
    assert (found.tensor, found.pipeline, found.batch_global, found.params, found.grads) == (
        8,
        16,
        1536,
        "fp16",
        "fp16",
    )
    assert found.recognised["num-layers"] == "96"
    assert found.ignored == ("attention-backend", "train-iters", "weight-decay", "lr")


def test_a_mixture_of_experts_is_deepseek_v3():
    """Latent attention, three dense layers first, one shared expert, four hosts a token."""
    found = _read(MOE.replace("([0]*3+[1]*58)", '"([0]*3+[1]*58)"'))
    assert (found.shape.experts.groups, found.shape.experts.group_limit) == (8, 4)
    assert parameter_count(found.shape) == 671_026_419_200


def test_a_line_is_a_whole_job():
    """Layout, batch, chunks, number types, sharding and overlap; the scenario says what is left."""
    job = run("training", cluster(64), model={"from": "megatron", "args": LLAMA})
    assert job.model.origin == "megatron"
    assert job.model.recognised["tensor-model-parallel-size"] == "8"
    assert job.model.ignored == ("lr",)
    assert job.groups["dp"].size == 16
    assert [entry.name for entry in job.phases] == [
        "tp.all_gather", "tp.reduce_scatter", "pp.send_recv", "dp.reduce_scatter", "dp.all_gather",
    ]  # fmt: skip
    assert phase(job, "dp.reduce_scatter").overlaps_compute
    assert job.model.bubble == pytest.approx(3 / (4 * 64))  # (p−1)/(v·m), four chunks, 64 micro-batches


def test_a_key_of_the_scenario_goes_before_the_line():
    """tp 4 rather than 8; the batch of the line stays."""
    job = run("training", cluster(64), model={"from": "megatron", "args": LLAMA}, parallelism={"tp": 4, "pp": 4})
    assert (job.groups["tp"].size, job.model.tokens_per_step) == (4, 1024 * 8192)


def test_a_script_may_be_a_file(tmp_path):
    """Comments and continued lines as in a shell script."""
    text = "# a run\npython pretrain_gpt.py \\\n  " + LLAMA.replace(" --", " \\\n  --") + "\n"
    (tmp_path / "run.sh").write_text(text)
    found = read_megatron(None, "run.sh", tmp_path)
    assert parameter_count(found.shape) == 70_553_706_496 + 2 * (129_024 - 128_256) * 8192  # padded to 128 x tp 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--hidden-size 64", r"--num-layers is missing; .*--num-attention-heads is missing; .*--vocab-size is missing"),
        (LLAMA.replace("80", "eighty"), r"--num-layers is 'eighty', no whole number"),
        ('--num-layers "80', r"the arguments do not parse: No closing quotation"),
        (
            MOE.replace("([0]*3+[1]*58)", '"[0,1,0]"'),
            r"--moe-layer-freq '\[0,1,0\]' is neither a number nor a list of 61",
        ),
    ],
)
def test_lines_that_make_no_model_are_refused(text, message):
    """All that is missing at once."""
    with pytest.raises(TrafficError, match=message):
        _read(text)


def test_one_of_line_and_file_is_needed():
    """Neither, or a file that is not there."""
    with pytest.raises(TrafficError, match="described by args, or by path, or by both"):
        _read(None)
    with pytest.raises(TrafficError, match=r"cannot read .*no\.sh: No such file"):
        _read(None, "no.sh")
